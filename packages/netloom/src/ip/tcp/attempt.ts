import {
  NOT_QUEUED,
  NetloomError,
  type IpAddress,
  type SocketAddress,
  type TimerEntry,
} from '../../core/index.ts';
import { TcpFlag, TcpHeader } from '../../wire/index.ts';
import type {
  AttemptEnd,
  InterceptedConnection,
  Interceptor,
  Refusal,
} from '../interception/index.ts';
import type { Interface } from '../interface/interface.ts';
import type { Packet } from '../packet.ts';
import type { Path } from '../route/path.ts';
import type { TcpAttempts } from './attempts.ts';
import type { TcpConnection } from './connection.ts';
import type { Flow } from './flow-table.ts';

/**
 * A guest's SYN that an {@link Interceptor} has yet to answer. A small record in the place of its connection: the SYN itself is kept, its
 * repetitions are not answered, and nothing is sent until the outcome is known.
 */
export class TcpAttempt implements Flow, InterceptedConnection, TimerEntry {
  readonly path: Path;
  readonly interface: Interface;
  readonly station: number;
  readonly isOwn: boolean;
  readonly interceptor: Interceptor;
  /** The SYN as it came last: its options are taken up when it is accepted. */
  readonly syn: TcpHeader = new TcpHeader();
  /** Where the numbers of a former connection between the same ends stopped, if there was one just now. */
  readonly used: number | undefined;
  cancelled: ((why: AttemptEnd) => void) | undefined;
  /** The connection it has become, while its handshake goes on. */
  connection: TcpConnection | undefined;
  nextInBucket: Flow | undefined;
  deadline: number = NOT_QUEUED.deadline;
  position: number = NOT_QUEUED.position;
  order: number = NOT_QUEUED.order;
  readonly #attempts: TcpAttempts;
  #isOver = false;

  constructor(
    attempts: TcpAttempts,
    path: Path,
    packet: Packet,
    syn: TcpHeader,
    interceptor: Interceptor,
    used: number | undefined,
  ) {
    this.#attempts = attempts;
    this.path = path;
    this.interface = packet.interface;
    this.station = packet.station;
    this.isOwn = !packet.isForeign;
    this.interceptor = interceptor;
    this.used = used;
    this.#keep(syn);
  }

  get localAddress(): IpAddress {
    return this.path.source;
  }

  get remoteAddress(): IpAddress {
    return this.path.destination;
  }

  get localPort(): number {
    return this.syn.destinationPort;
  }

  get remotePort(): number {
    return this.syn.sourcePort;
  }

  get local(): SocketAddress {
    return { address: this.localAddress, port: this.localPort };
  }

  get remote(): SocketAddress {
    return { address: this.remoteAddress, port: this.remotePort };
  }

  /** The guest says something before it was answered: as in RFC 9293's LISTEN (section 3.10.7.2), but for the SYN that is known. */
  segmentArrives(header: TcpHeader, packet: Packet, now: number): void {
    const { flags } = header;
    if (flags & TcpFlag.RST) {
      // Only the number that would be acceptable to a connection of this SYN (RFC 5961, section 3.2).
      if (header.sequence === ((this.syn.sequence + 1) | 0)) this.cancel('reset');
    } else if (flags & TcpFlag.ACK) {
      this.#attempts.resetStray(packet, header);
    } else if (flags & TcpFlag.SYN) {
      // The same again, or the guest has started anew: the last word counts.
      this.#keep(header);
      this.#attempts.heard(this, now);
    }
  }

  accept(opened: (connection: TcpConnection, error: NetloomError | undefined) => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.cancelled = undefined;
    this.#attempts.accept(this, opened);
  }

  refuse(how: Refusal): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.cancelled = undefined;
    this.#attempts.refuse(this, how);
  }

  /** It is over without an answer. */
  cancel(why: AttemptEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#attempts.remove(this);
    const { cancelled } = this;
    this.cancelled = undefined;
    cancelled?.(why);
  }

  /** It has to give way: what it has become by now is reset. */
  giveWay(): void {
    const { connection } = this;
    if (connection === undefined) this.cancel('displaced');
    else connection.abort(new NetloomError('TOO_MANY_OPEN', 'too many half-open connections'));
  }

  #keep(syn: TcpHeader): void {
    const kept = this.syn;
    kept.sourcePort = syn.sourcePort;
    kept.destinationPort = syn.destinationPort;
    kept.sequence = syn.sequence;
    kept.window = syn.window;
    kept.maximumSegmentSize = syn.maximumSegmentSize;
    kept.windowScale = syn.windowScale;
    kept.sackPermitted = syn.sackPermitted;
    kept.hasTimestamps = syn.hasTimestamps;
    kept.timestampValue = syn.timestampValue;
  }
}
