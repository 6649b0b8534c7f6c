import {
  isSameSocketAddress,
  type Clock,
  type Datagram,
  type DatagramSocket,
  type MacAddress,
  type NetloomError,
  type SocketAddress,
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

/** What a {@link QemuDatagramLink} is made from beside its socket. */
export interface QemuDatagramLinkOptions extends QemuLinkOptions {
  readonly clock: Clock;
  /** QEMU's `local` address. Datagrams from elsewhere are dropped. */
  readonly remote: SocketAddress;
}

/**
 * A link over datagrams, a frame in each, as QEMU's `-netdev dgram` speaks it: `-netdev dgram,id=n0,
 * remote.type=inet,remote.host=127.0.0.1,remote.port=4444,local.type=inet,local.host=127.0.0.1,local.port=4445`.
 *
 * Frames sent in one turn leave as one batch. Datagrams have no end: only this side can close the link.
 */
export class QemuDatagramLink implements Link {
  readonly name: string;
  readonly mac: MacAddress;
  readonly mtu: number;
  readonly offload: LinkOffload = NO_OFFLOAD;
  readonly statistics: LinkStatistics = new LinkStatistics(this);
  readonly #socket: DatagramSocket;
  readonly #clock: Clock;
  readonly #remote: SocketAddress;
  readonly #limits: QemuLinkLimits;
  readonly #flush = (): void => this.#sendBatch();
  #batch: Datagram[] = [];
  #batchBytes = 0;
  #handler: LinkHandler | undefined;
  #up = true;

  constructor(socket: DatagramSocket, options: QemuDatagramLinkOptions) {
    this.#socket = socket;
    this.#clock = options.clock;
    this.#remote = options.remote;
    this.name = options.name;
    this.mac = options.mac;
    this.mtu = options.mtu ?? 1500;
    this.#limits = limitsOf(options);
  }

  attach(handler: LinkHandler): void {
    this.#handler = handler;
    this.#socket.start({
      receive: (batch) => this.#receiveBatch(batch),
      // QEMU may not run yet: frames to it are lost, as on a cable without a far end.
      error: (error) => this.statistics.drops.add(error.code),
      closed: (error) => this.#end(error),
    });
  }

  allocate(length: number): Uint8Array {
    return new Uint8Array(length);
  }

  transmit(frame: Uint8Array, offload?: FrameOffload): boolean {
    const refusal = this.#refusal(frame, offload);
    if (refusal !== undefined) {
      this.statistics.drops.add(refusal);
      return false;
    }
    if (this.#batch.length === 0) this.#clock.defer(this.#flush);
    this.#batch.push({ data: frame, remote: this.#remote });
    this.#batchBytes += frame.length;
    this.statistics.queueDepth = this.#batch.length;
    return true;
  }

  #refusal(frame: Uint8Array, offload: FrameOffload | undefined): string | undefined {
    if (!this.#up) return 'link-down';
    const refusal = refusalOf(frame, offload, this.mtu, this.offload);
    if (refusal !== undefined) return refusal;
    const waiting = this.#batchBytes + frame.length;
    return waiting > this.#limits.queueBytes ? 'queue-full' : undefined;
  }

  #sendBatch(): void {
    const batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    this.statistics.queueDepth = 0;
    if (!this.#up) {
      this.statistics.drops.add('link-down', batch.length);
      return;
    }
    const lengths = batch.map(({ data }) => data.length);
    const taken = this.#socket.send(batch);
    this.statistics.sentFrames += taken;
    for (const length of lengths.slice(0, taken)) this.statistics.sentBytes += length;
    if (taken < batch.length) this.statistics.drops.add('queue-full', batch.length - taken);
  }

  #receiveBatch(batch: readonly Datagram[]): void {
    for (const { data, remote, segmentSize } of batch) {
      if (!isSameSocketAddress(remote, this.#remote)) {
        this.statistics.drops.add('wrong-sender');
        continue;
      }
      const size = segmentSize ?? data.length;
      for (let at = 0; at < data.length; at += size) this.#receive(data.subarray(at, at + size));
    }
    if (this.#up) this.#handler?.batchEnd();
  }

  #receive(frame: Uint8Array): void {
    const refusal = this.#refusalOfReceived(frame);
    if (refusal !== undefined) {
      this.statistics.drops.add(refusal);
      return;
    }
    this.statistics.receivedFrames++;
    this.statistics.receivedBytes += frame.length;
    this.#handler?.receive(frame, undefined);
  }

  #refusalOfReceived(frame: Uint8Array): string | undefined {
    if (!this.#up) return 'link-down';
    if (frame.length < ETHERNET_HEADER_LENGTH) return 'too-short';
    return frame.length > this.#limits.frameLength ? 'too-long' : undefined;
  }

  #end(error: NetloomError | undefined): void {
    this.#up = false;
    this.#handler?.closed?.(error);
  }

  close(): Promise<void> {
    this.#up = false;
    return this.#socket.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
