import { NetloomError, type Random } from '../core/index.ts';

/** The ephemeral ports (RFC 6335, section 6): the first, and how many there are. */
const FIRST_EPHEMERAL = 49_152;
const EPHEMERAL_COUNT = 16_384;

/** An ephemeral port that is not taken, from a random one on (RFC 6056, section 3.3.1). Throws `ADDRESS_NOT_AVAILABLE` when all are. */
export function choosePort(random: Random, isTaken: (port: number) => boolean): number {
  const start = random.below(EPHEMERAL_COUNT);
  for (let i = 0; i < EPHEMERAL_COUNT; i++) {
    const port = FIRST_EPHEMERAL + ((start + i) % EPHEMERAL_COUNT);
    if (!isTaken(port)) return port;
  }
  throw new NetloomError('ADDRESS_NOT_AVAILABLE', 'no local port is free', {
    remedy: 'Close what is not needed, or use another local address.',
  });
}
