import type { Scenario } from 'netloom/host';
import { transferBothWays } from './support/transfer.ts';

/** A transfer both ways at once over a bad line: how bad, the seed decides, up to the parameters. */
export const scenario: Scenario<{
  bytes: number;
  loss: number;
  reorder: number;
  duplicate: number;
  corrupt: number;
  delay: number;
  limit: number;
}> = {
  name: 'lossy-transfer',
  description: 'a transfer both ways over loss, reordering and delay, compared by hash',
  parameters: {
    /** In each direction. */
    bytes: 500_000,
    /** Probabilities, at most. */
    loss: 0.05,
    reorder: 0.05,
    duplicate: 0.01,
    corrupt: 0.01,
    /** Milliseconds one way, at most. */
    delay: 100,
    /** Virtual seconds it may take. */
    limit: 600,
  },
  async run(world, { bytes, loss, reorder, duplicate, corrupt, delay, limit }) {
    const dice = world.random('conditions');
    const line = world.network('line', {
      loss: loss * dice.float(),
      reorder: reorder * dice.float(),
      reorderDelay: 1 + 20 * dice.float(),
      duplicate: duplicate * dice.float(),
      corrupt: corrupt * dice.float(),
      delay: delay * dice.float(),
      jitter: 5 * dice.float(),
      rate: 1e6 + 1e8 * dice.float(),
    });
    const client = world.machine('client', { on: line });
    const server = world.machine('server', { on: line });
    const transfer = transferBothWays(world, client, server, { port: 7, bytes });
    const sha256 = await world.within(limit * 1000, 'the transfer', transfer);
    return { bytes, sha256, seconds: world.now() / 1000 };
  },
};
