import type { Random } from '../../core/index.ts';
import type { NatPortAssignment } from './options.ts';

/** Ports that are looked at before it is said that there is none: with 99 of 100 taken one is found but once in 30,000 times not. */
const TRIES = 1024;

/** The first port that is not one of the system's (RFC 6335, section 6). */
const FIRST_USER_PORT = 1024;
const PORTS = 0x10000;

/** What a port is chosen by. */
export interface PortWish {
  /** That of the inside end. */
  readonly inside: number;
  /** What would be next to the port of its neighbour: RTP and RTCP like to stay together (RFC 4787, section 4.2.3). */
  readonly contiguous: number | undefined;
  /** They are identifiers of ICMP queries, which have no ranges. */
  readonly isIdentifier: boolean;
  isFree(port: number): boolean;
}

/** Chooses an external port; undefined: none was found. One of 1 to 1023 stays below 1024, and one above stays above (RFC 4787, REQ-3 a). */
export function assignPort(
  policy: NatPortAssignment,
  random: Random,
  wish: PortWish,
): number | undefined {
  const { inside, contiguous, isFree } = wish;
  if (policy === 'preserve' && isFree(inside)) return inside;
  if (policy === 'parity' && contiguous !== undefined && isFree(contiguous)) return contiguous;
  const [first, count] = rangeOf(wish);
  const step = policy === 'parity' ? 2 : 1;
  // From a random port on, so that an outsider cannot tell the next one (RFC 6056, section 3.3.1).
  const start = random.below(count);
  const parity = (first + start - inside) & 1;
  const offset = step === 2 && parity === 1 ? start ^ 1 : start;
  const tries = Math.min(TRIES, count / step);
  for (let i = 0; i < tries; i++) {
    const port = first + ((offset + i * step) % count);
    if (isFree(port)) return port;
  }
  return undefined;
}

/** The first port of the range, and how many there are: an even number of each, so that parity holds over the end. */
function rangeOf({ inside, isIdentifier }: PortWish): readonly [number, number] {
  if (isIdentifier) return [0, PORTS];
  return inside < FIRST_USER_PORT
    ? [2, FIRST_USER_PORT - 2]
    : [FIRST_USER_PORT, PORTS - FIRST_USER_PORT];
}
