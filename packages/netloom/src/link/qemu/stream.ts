import {
  ByteGatherer,
  NetloomError,
  readInt32,
  writeUint32,
  type Connection,
  type MacAddress,
} from '../../core/index.ts';
import { ETHERNET_HEADER_LENGTH } from '../../wire/index.ts';
import {
  LinkStatistics,
  NO_OFFLOAD,
  type FrameOffload,
  type Link,
  type LinkHandler,
  type LinkOffload,
} from '../link.ts';
import { refusalOf } from '../refusal.ts';
import { limitsOf, type QemuLinkLimits, type QemuLinkOptions } from './options.ts';

/** Each frame is preceded by its length in four bytes, big-endian (QEMU, net/stream.c). */
const LENGTH_FIELD = 4;

/**
 * A link over a byte stream, as QEMU's `-netdev stream` (and the older `-netdev socket`) speaks it: `-netdev
 * stream,id=n0,server=off,addr.type=inet,addr.host=127.0.0.1,addr.port=4444`. It works over any {@link Connection}.
 *
 * A frame waits in the connection's own buffer, whose bytes are bounded; beyond that frames are dropped, as a switch drops them. A peer that sends a length over the limit has lost
 * its place in the stream, or never was QEMU: the connection is aborted.
 */
export class QemuStreamLink implements Link {
  readonly name: string;
  readonly mac: MacAddress;
  readonly mtu: number;
  readonly offload: LinkOffload = NO_OFFLOAD;
  readonly #statistics: LinkStatistics = new LinkStatistics(this);
  readonly #connection: Connection;
  readonly #limits: QemuLinkLimits;
  readonly #bytes = new ByteGatherer();
  #handler: LinkHandler | undefined;
  /** Lengths, in the stream, of the frames that may not have left the connection's buffer yet, the oldest first. */
  #waiting: number[] = [];
  #waitingBytes = 0;
  #up = true;
  #closedHere = false;

  constructor(connection: Connection, options: QemuLinkOptions) {
    this.#connection = connection;
    this.name = options.name;
    this.mac = options.mac;
    this.mtu = options.mtu ?? 1500;
    this.#limits = limitsOf(options);
  }

  /** With the queue's depth as it is when this is read. */
  get statistics(): LinkStatistics {
    this.#updateDepth();
    return this.#statistics;
  }

  /** The connection is started with the first handler: what the peer sends earlier waits there. */
  attach(handler: LinkHandler): void {
    this.#handler = handler;
    this.#connection.start({
      data: (chunk) => this.#read(chunk),
      end: () => {
        this.#up = false;
        void this.#connection.close();
      },
      closed: (error) => this.#end(error),
    });
  }

  /** With room for the length in front, so that one write carries both. */
  allocate(length: number): Uint8Array {
    return new Uint8Array(LENGTH_FIELD + length).subarray(LENGTH_FIELD);
  }

  transmit(frame: Uint8Array, offload?: FrameOffload): boolean {
    const refusal = this.#refusal(frame, offload);
    if (refusal !== undefined) {
      this.statistics.drops.add(refusal);
      return false;
    }
    this.statistics.sentFrames++;
    this.statistics.sentBytes += frame.length;
    const { buffer, byteOffset, length } = frame;
    const framed = new Uint8Array(buffer, byteOffset - LENGTH_FIELD, LENGTH_FIELD + length);
    writeUint32(framed, 0, length);
    this.#connection.write(framed);
    this.#waiting.push(framed.length);
    this.#waitingBytes += framed.length;
    return true;
  }

  /** The connection counts bytes only, and says nothing as they leave: so the frames that have left are found when it is asked. */
  #updateDepth(): void {
    const waiting = this.#waiting;
    const { bufferedAmount } = this.#connection;
    while (waiting.length > 0 && this.#waitingBytes - waiting[0]! >= bufferedAmount) {
      this.#waitingBytes -= waiting.shift()!;
    }
    this.#statistics.queueDepth = waiting.length;
  }

  #refusal(frame: Uint8Array, offload: FrameOffload | undefined): string | undefined {
    if (!this.#up) return 'link-down';
    const refusal = refusalOf(frame, offload, this.mtu, this.offload);
    if (refusal !== undefined) return refusal;
    const waiting = this.#connection.bufferedAmount + LENGTH_FIELD + frame.length;
    return waiting > this.#limits.queueBytes ? 'queue-full' : undefined;
  }

  #read(chunk: Uint8Array): void {
    this.#bytes.feed(chunk);
    while (this.#up && this.#readFrame());
    if (this.#up) this.#handler?.batchEnd();
  }

  /** False: there is no whole frame. */
  #readFrame(): boolean {
    const field = this.#bytes.peek(LENGTH_FIELD);
    if (field === undefined) return false;
    const length = readInt32(field, 0) >>> 0;
    if (length > this.#limits.frameLength) {
      this.#abort(length);
      return false;
    }
    const framed = this.#bytes.peek(LENGTH_FIELD + length);
    if (framed === undefined) return false;
    this.#receive(framed.subarray(LENGTH_FIELD));
    this.#bytes.consume(LENGTH_FIELD + length);
    return true;
  }

  #receive(frame: Uint8Array): void {
    if (frame.length < ETHERNET_HEADER_LENGTH) {
      this.statistics.drops.add('too-short');
      return;
    }
    this.statistics.receivedFrames++;
    this.statistics.receivedBytes += frame.length;
    this.#handler?.receive(frame, undefined);
  }

  #abort(length: number): void {
    this.#up = false;
    this.#connection.abort(
      new NetloomError(
        'QEMU_FRAME_TOO_LONG',
        `the peer of ${this.name} announced a frame of ${length} bytes; ${this.#limits.frameLength} are allowed`,
        { remedy: 'See that the peer is QEMU with -netdev stream, or one that speaks like it.' },
      ),
    );
  }

  #end(error: NetloomError | undefined): void {
    if (!this.#bytes.isEmpty) this.statistics.drops.add('truncated');
    this.#waiting = [];
    this.#up = false;
    const lost = error ?? new NetloomError('LINK_PEER_CLOSED', `the peer of ${this.name} has gone`);
    this.#handler?.closed?.(this.#closedHere ? undefined : lost);
  }

  close(): Promise<void> {
    this.#up = false;
    this.#closedHere = true;
    return this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
