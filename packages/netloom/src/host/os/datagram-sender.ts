import {
  formatSocketAddress,
  hostError,
  type Datagram,
  type SocketAddress,
} from '../../core/index.ts';
import {
  Failure,
  OutgoingDatagrams,
  SystemCallError,
  type SendManner,
  type UdpSocket,
} from '../../native/index.ts';

/** How often a message is tried again because the kernel has answered it with an error of another one. */
const TRIES = 4;

/** An allowance for what a datagram takes beside its bytes, so that empty ones are not free. */
const DATAGRAM_CHARGE = 256;

/** What the kernel answers when it cannot cut a datagram into segments: they are longer than a packet, or the device cannot do its part. */
const REFUSALS_OF_SEGMENTS: readonly number[] = [
  Failure.IO,
  Failure.INVALID,
  Failure.MESSAGE_TOO_LONG,
  Failure.NOT_SUPPORTED,
];

/** What a {@link DatagramSender} needs of a socket. */
export type DatagramOutput = Pick<UdpSocket, 'family' | 'local' | 'reaches' | 'send'>;

/** Who is told what happens at a {@link DatagramSender}. None of it may call the sender. */
export interface DatagramSenderHandler {
  /** A datagram could not be sent: what was thrown, or a SystemCallError. */
  failed(error: unknown, remote: SocketAddress): void;
  /** Takes what the network has answered to earlier datagrams off the kernel's queue. Answers how much that was. */
  takeErrors(): number;
  /** A datagram was lost in this machine, since its interface had no room for it. */
  lost(): void;
  /** The kernel takes no more for now, or does again: {@link DatagramSender.resume} is to be called when the socket can be written to. */
  blocked(isBlocked: boolean): void;
}

/** Sends the datagrams of one socket, many in a call, and keeps what the kernel does not take at once. */
export class DatagramSender {
  readonly #socket: DatagramOutput;
  readonly #limit: number;
  readonly #handler: DatagramSenderHandler;
  readonly #manner: { -readonly [Key in keyof SendManner]: SendManner[Key] };
  #waiting: Datagram[] = [];
  #waitingBytes = 0;
  /** How far the list has come that is being sent: the datagram, and the bytes of it that have gone. */
  #index = 0;
  #offset = 0;

  /** @param limit bytes that may wait */
  constructor(socket: DatagramOutput, limit: number, handler: DatagramSenderHandler) {
    this.#socket = socket;
    this.#limit = limit;
    this.#handler = handler;
    const { family, local } = socket;
    this.#manner = { family, bound: local.address, longestSegment: Infinity };
  }

  /** Sends in order. Answers how many were taken. */
  send(datagrams: readonly Datagram[]): number {
    if (this.#waitingBytes >= this.#limit) return 0;
    const isBlocked = this.#waiting.length > 0;
    let taken = 0;
    if (!isBlocked) {
      taken = this.#transmit(datagrams);
      if (taken === datagrams.length) return taken;
      this.#keep(restOf(datagrams[taken++]!, this.#offset));
      this.#handler.blocked(true);
    }
    while (taken < datagrams.length && this.#waitingBytes < this.#limit) {
      this.#keep(datagrams[taken++]!);
    }
    return taken;
  }

  /** The kernel may take more. */
  resume(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    const done = this.#transmit(waiting);
    const offset = this.#offset;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (let i = done; i < waiting.length; i++) {
      this.#keep(i === done ? restOf(waiting[i]!, offset) : waiting[i]!);
    }
    if (this.#waiting.length === 0) this.#handler.blocked(false);
  }

  /** Drops what waits. Answers how many those are. */
  clear(): number {
    const { length } = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    return length;
  }

  #keep(datagram: Datagram): void {
    this.#waiting.push(datagram);
    this.#waitingBytes += datagram.data.length + DATAGRAM_CHARGE;
  }

  /** Sends what the kernel takes. Answers how many are done with; of the next, {@link #offset} bytes are. */
  #transmit(datagrams: readonly Datagram[]): number {
    this.#index = 0;
    this.#offset = 0;
    const batch = OutgoingDatagrams.shared;
    while (this.#index < datagrams.length) {
      this.#fill(batch, datagrams);
      if (!this.#push(batch, datagrams)) break;
    }
    return this.#index;
  }

  /** Fills the batch with what comes next; nothing, if that cannot be sent: then it is passed over. */
  #fill(batch: OutgoingDatagrams, datagrams: readonly Datagram[]): void {
    batch.clear();
    let index = this.#index;
    let offset = this.#offset;
    while (index < datagrams.length) {
      const datagram = datagrams[index]!;
      let added: number;
      try {
        this.#check(datagram);
        added = batch.add(datagram, offset, index, this.#manner);
      } catch (error) {
        // What is before it goes first.
        if (batch.count === 0) this.#passOver(error, datagram);
        return;
      }
      if (added < 0) return;
      offset += added;
      if (offset < datagram.data.length) continue;
      index++;
      offset = 0;
    }
  }

  #check({ remote }: Datagram): void {
    const { local } = this.#socket;
    if (this.#socket.reaches(remote.address.family)) return;
    const what = `a datagram to ${formatSocketAddress(remote)}`;
    const where = `${formatSocketAddress(local)}, which is of the other family`;
    throw hostError('NETWORK_UNREACHABLE', `${what} cannot leave from ${where}`);
  }

  /** Sends the batch; whatever happens, it goes on where this has come to. False: the kernel takes no more for now. */
  #push(batch: OutgoingDatagrams, datagrams: readonly Datagram[]): boolean {
    let tries = TRIES;
    for (let at = 0; at < batch.count;) {
      const sent = this.#socket.send(batch, at);
      if (sent > 0) {
        at += sent;
        this.#advance(batch, at, datagrams);
        tries = TRIES;
      } else if (sent === Failure.WOULD_BLOCK) {
        return false;
      } else if (sent === Failure.NO_BUFFERS) {
        this.#handler.lost();
        this.#advance(batch, ++at, datagrams);
      } else if (sent !== Failure.INTERRUPTED) {
        // The error of a datagram that was refused is also the answer to the next that is to be sent, which then was not.
        if (this.#handler.takeErrors() > 0 && --tries > 0) continue;
        if (!this.#doWithoutSegments(batch.segmentOf(at), sent)) {
          this.#passOver(new SystemCallError(-sent, 'sendmsg'), datagrams[this.#index]!);
        }
        return true;
      }
    }
    return true;
  }

  /** The messages before `at` are done with. */
  #advance(batch: OutgoingDatagrams, at: number, datagrams: readonly Datagram[]): void {
    if (at < batch.count) {
      this.#index = batch.indexOf(at);
      this.#offset = batch.offsetOf(at);
      return;
    }
    this.#index = batch.indexOf(at - 1);
    this.#offset = batch.offsetOf(at - 1) + batch.lengthOf(at - 1);
    if (this.#offset < datagrams[this.#index]!.data.length) return;
    this.#index++;
    this.#offset = 0;
  }

  /** Whether the kernel has refused a message because of its segments: from now on those so long are sent one by one. */
  #doWithoutSegments(segment: number, failure: number): boolean {
    if (segment === 0 || !REFUSALS_OF_SEGMENTS.includes(failure)) return false;
    this.#manner.longestSegment = segment - 1;
    return true;
  }

  #passOver(error: unknown, { remote }: Datagram): void {
    this.#index++;
    this.#offset = 0;
    this.#handler.failed(error, remote);
  }
}

/** What is left of a datagram of which so many bytes have gone. */
function restOf(datagram: Datagram, offset: number): Datagram {
  return offset === 0 ? datagram : { ...datagram, data: datagram.data.subarray(offset) };
}
