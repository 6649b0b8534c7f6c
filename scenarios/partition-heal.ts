import assert from 'node:assert/strict';
import { NetloomError } from 'netloom/core';
import type { Scenario, SimHost, SimWorld } from 'netloom/host';
import { transferBothWays } from './support/transfer.ts';

/** What a connection may fail with when its peer is out of reach for too long. */
const EXPECTED = ['TIMEOUT', 'HOST_UNREACHABLE', 'NETWORK_UNREACHABLE', 'CONNECTION_RESET'];

/** Milliseconds of partition that every connection has to live through. */
const SHORT = 8000;

/** Milliseconds after the healing by which every connection has gone on or failed: TCP gives up after two minutes, and probes once a minute. */
const SETTLED_AFTER = 300_000;

interface Pair {
  readonly client: SimHost;
  readonly server: SimHost;
}

/** Clients on one side, servers on the other, and transfers between them. */
export const scenario: Scenario<{ pairs: number; bytes: number; longest: number }> = {
  name: 'partition-heal',
  description: 'a partition opens and heals during transfers; connections survive or fail by name',
  parameters: {
    pairs: 6,
    /** For each pair and direction. */
    bytes: 200_000,
    /** Seconds a partition lasts at most; half of them are short. */
    longest: 200,
  },
  async run(world, { pairs: count, bytes, longest }) {
    const dice = world.random('partition');
    const lan = world.network('lan', { delay: 5, jitter: 1, rate: 2e6 });
    const pairs = Array.from({ length: count }, (_, index): Pair => {
      const client = world.machine(`client-${index}`, { on: lan });
      return { client, server: world.machine(`server-${index}`, { on: lan }) };
    });
    const opensAt = 100 + 700 * dice.float();
    const lasts = dice.float() < 0.5 ? SHORT * dice.float() : 1000 * longest * dice.float();
    const transfers = pairs.map(({ client, server }) =>
      outcomeOf(transferBothWays(world, client, server, { port: 7, bytes })),
    );
    await world.sleep(opensAt);
    lan.partition(pairs.map(({ client }) => client));
    await world.sleep(lasts);
    lan.heal();
    const healedAt = world.now();
    const outcomes = await world.within(SETTLED_AFTER, 'the end', Promise.all(transfers));
    for (const outcome of outcomes) assert.ok(['done', ...EXPECTED].includes(outcome), outcome);
    const survived = outcomes.filter((outcome) => outcome === 'done').length;
    if (lasts <= SHORT) assert.equal(survived, count, `after ${lasts} ms: ${outcomes.join(', ')}`);
    await checkHealed(world, pairs);
    return {
      lasted: lasts / 1000,
      survived,
      failed: count - survived,
      settledAfter: (world.now() - healedAt) / 1000,
    };
  },
};

/** `done`, or the code of the error. What is not an error of the network's is thrown on. */
async function outcomeOf(transfer: Promise<string>): Promise<string> {
  try {
    await transfer;
    return 'done';
  } catch (error) {
    if (error instanceof NetloomError) return error.code;
    throw error;
  }
}

/** New connections work as if nothing had happened. */
async function checkHealed(world: SimWorld, pairs: readonly Pair[]): Promise<void> {
  const again = pairs.map(({ client, server }) =>
    transferBothWays(world, client, server, { port: 8, bytes: 1000 }),
  );
  await world.within(60_000, 'a transfer after the healing', Promise.all(again));
}
