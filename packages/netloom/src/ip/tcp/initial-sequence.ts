import { SipHash, type IpAddress, type Random } from '../../core/index.ts';
import { FLOW_WORDS, setFlowWords } from './flow-words.ts';

/**
 * Initial sequence numbers and timestamp offsets: a clock plus a keyed hash of the connection's ends, so that they rise for the
 * same ends and tell an outsider nothing (RFC 6528, section 3; RFC 7323, section 5.4).
 */
export class InitialSequence {
  readonly #sequences: SipHash;
  readonly #timestamps: SipHash;
  readonly #words = new Int32Array(FLOW_WORDS);

  constructor(random: Random) {
    this.#sequences = new SipHash(random.fill(new Uint8Array(16)));
    this.#timestamps = new SipHash(random.fill(new Uint8Array(16)));
  }

  /** ISN = M + F(local, remote, secret), where M ticks every four microseconds. */
  number(
    local: IpAddress,
    localPort: number,
    remote: IpAddress,
    remotePort: number,
    now: number,
  ): number {
    setFlowWords(this.#words, local, localPort, remote, remotePort);
    return (Math.floor(now * 250) + this.#sequences.hash(this.#words)) | 0;
  }

  /** What is added to the clock's milliseconds. The ports do not count: it must rise from one connection to the next between two addresses. */
  timestampOffset(local: IpAddress, remote: IpAddress): number {
    setFlowWords(this.#words, local, 0, remote, 0);
    return this.#timestamps.hash(this.#words);
  }
}
