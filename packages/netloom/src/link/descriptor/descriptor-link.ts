import type { MacAddress, NetloomError } from '../../core/index.ts';
import { Failure, ReadinessWatcher, SystemCallError } from '../../native/index.ts';
import {
  LinkStatistics,
  NO_OFFLOAD,
  refusalOf,
  segmentFrame,
  type FrameOffload,
  type Link,
  type LinkHandler,
  type LinkOffload,
} from '../index.ts';
import type { DeviceFailure, FrameDevice } from './frame-device.ts';
import { FrameSlot, SLOT_LENGTH } from './frame-slot.ts';
import { isOfDatagrams, readVirtioHeader, writeVirtioHeader } from './virtio-header.ts';

/** The limits of a link over a descriptor. */
export interface DescriptorLinkLimits {
  /** Frames received in one turn of the event loop before other work has its turn; at least 1. */
  readonly batchFrames: number;
}

/** The defaults of {@link DescriptorLinkLimits}. */
export const DESCRIPTOR_LINK_LIMITS: DescriptorLinkLimits = { batchFrames: 64 };

/** What a {@link DescriptorLink} is made from beside its device. */
export interface DescriptorLinkOptions {
  readonly mac: MacAddress;
  /** Whether checksums and the cutting of segments may be left to the kernel. */
  readonly offload: boolean;
  readonly limits: DescriptorLinkLimits;
}

/** The largest frame the kernel forwards to another interface as it is (`gso_max_size` less one); a longer one it would cut itself first. */
const LARGEST_SEGMENT = 65_535;

/**
 * A link to the kernel through a device that gives and takes frames: a TAP, a packet socket.
 *
 * One slot of memory receives and one sends: a frame received is borrowed only until the handler returns, and one that was
 * allocated is sent before the next is asked for. The kernel copies both ways, and takes each frame in at once.
 *
 * So there is no queue here. A device that refuses a frame for now has no room for it, or the kernel is out of memory: the frame is dropped and
 * counted, as a NIC would do.
 */
export class DescriptorLink implements Link {
  readonly name: string;
  readonly mac: MacAddress;
  readonly mtu: number;
  readonly offload: LinkOffload;
  readonly statistics: LinkStatistics = new LinkStatistics(this);
  readonly #device: FrameDevice;
  readonly #headerLength: number;
  /** A frame that fills a slot may have been cut off by the kernel. */
  readonly #largestFrame: number;
  readonly #batchFrames: number;
  readonly #watcher: ReadinessWatcher;
  readonly #incoming: FrameSlot;
  readonly #outgoing: FrameSlot;
  readonly #receivedOffload: FrameOffload = {
    checksumStart: 0,
    checksumOffset: 0,
    segmentSize: 0,
    checksumVerified: false,
  };
  #handler: LinkHandler | undefined;
  #up = true;
  #ended = false;
  #endedBy: NetloomError | undefined;
  readonly #closed = Promise.withResolvers<void>();

  constructor(device: FrameDevice, { mac, offload, limits }: DescriptorLinkOptions) {
    this.name = device.name;
    this.mac = mac;
    this.mtu = device.mtu;
    this.offload = offload ? { checksum: true, segmentation: LARGEST_SEGMENT } : NO_OFFLOAD;
    this.#device = device;
    this.#headerLength = device.headerLength;
    this.#largestFrame = SLOT_LENGTH - device.headerLength - 1;
    this.#incoming = new FrameSlot(device.headerLength);
    this.#outgoing = new FrameSlot(device.headerLength);
    this.#batchFrames = Math.max(1, limits.batchFrames);
    this.#watcher = new ReadinessWatcher(device.descriptor, (failed) => this.#receiveAll(failed));
    this.#watcher.start();
    device.watch?.((error) => this.#shut(error));
  }

  attach(handler: LinkHandler): void {
    this.#handler = handler;
    // A handler that comes too late is told so, and waits for nothing.
    if (this.#ended) setImmediate(() => handler.closed?.(this.#endedBy));
  }

  allocate(length: number): Uint8Array {
    // What is too long for any device is refused when it is transmitted.
    return length > this.#largestFrame ? new Uint8Array(length) : this.#outgoing.frame(length);
  }

  transmit(frame: Uint8Array, offload?: FrameOffload): boolean {
    const refusal = this.#refusal(frame, offload) ?? this.#write(frame, offload);
    if (refusal !== undefined) {
      this.statistics.drops.add(refusal);
      return false;
    }
    this.statistics.sentFrames++;
    this.statistics.sentBytes += frame.length;
    return true;
  }

  close(): Promise<void> {
    this.#shut(undefined);
    return this.#closed.promise;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #refusal(frame: Uint8Array, offload: FrameOffload | undefined): string | undefined {
    return this.#up ? refusalOf(frame, offload, this.mtu, this.offload) : 'link-down';
  }

  /** Hands the frame to the kernel, or answers the reason why not. */
  #write(frame: Uint8Array, offload: FrameOffload | undefined): string | undefined {
    const slot = this.#outgoing;
    slot.hold(frame);
    if (!writeVirtioHeader(slot.memory.bytes, frame, offload)) return 'bad-offload';
    const result = this.#device.send(slot.memory, this.#headerLength + frame.length);
    if (result >= 0) return undefined;
    switch (this.#judge(result)) {
      case 'later':
        return 'queue-full';
      case 'down':
        return 'link-down';
      case 'gone':
        this.#shut(this.#device.goneError());
        return 'link-down';
      default:
        return 'refused';
    }
  }

  /** Called when there is something to read. What is left when the budget is spent makes the watcher call again in the next turn. */
  #receiveAll(failed: boolean): void {
    let received = 0;
    while (received < this.#batchFrames && this.#up && this.#receiveOne()) received++;
    if (received > 0 && this.#up) this.#handler?.batchEnd();
    // What had failed is read now, and either has ended the link or has passed.
    if (failed) this.#watcher.start();
  }

  /** False: nothing more is at hand. */
  #receiveOne(): boolean {
    const result = this.#device.receive(this.#incoming.memory);
    if (result >= this.#headerLength) {
      this.#deliver(result - this.#headerLength);
      return true;
    }
    switch (this.#judge(result)) {
      case 'bad-frame':
        this.statistics.drops.add('bad-offload');
        return true;
      case 'gone':
        this.#shut(this.#device.goneError());
        return false;
      case 'failed':
        // To go on would be to be called again at once, for ever.
        this.#shut(this.#device.failedError(new SystemCallError(-result, 'read')));
        return false;
      default:
        return false;
    }
  }

  #judge(failure: number): DeviceFailure {
    switch (failure) {
      case Failure.WOULD_BLOCK:
      case Failure.INTERRUPTED:
      case Failure.NO_BUFFERS:
      case Failure.NO_MEMORY:
        return 'later';
      default:
        return this.#device.judge(failure);
    }
  }

  #deliver(length: number): void {
    const { statistics } = this;
    const missed = this.#device.missed?.() ?? 0;
    if (missed > 0) statistics.drops.add('receive-buffer-full', missed);
    if (this.#handler === undefined) {
      statistics.drops.add('not-attached');
      return;
    }
    // The kernel gives what fits and forgets the rest.
    if (length > this.#largestFrame) {
      statistics.drops.add('too-long');
      return;
    }
    const { memory } = this.#incoming;
    const offload = readVirtioHeader(memory.bytes, length, this.#receivedOffload);
    if (offload === 'bad-offload') {
      statistics.drops.add(offload);
      return;
    }
    const frame = this.#incoming.frame(length);
    if (offload === undefined || !isOfDatagrams(offload)) this.#hand(frame, offload);
    else this.#handDatagrams(frame, offload);
  }

  #hand(frame: Uint8Array, offload: FrameOffload | undefined): void {
    this.statistics.receivedFrames++;
    this.statistics.receivedBytes += frame.length;
    this.#handler?.receive(frame, offload);
  }

  /** Nobody above knows of datagrams left whole (`UDP_SEGMENT` of a sender on this machine), so they are cut here. */
  #handDatagrams(frame: Uint8Array, offload: FrameOffload): void {
    const fault = segmentFrame(
      frame,
      offload,
      (length) => new Uint8Array(length),
      (datagram) => {
        if (this.#up) this.#hand(datagram, undefined);
      },
    );
    if (fault !== undefined) this.statistics.drops.add('bad-offload');
  }

  /** Lets go of the device; idempotent. The handler is told when libuv has let go too, and never from inside a call of its own. */
  #shut(error: NetloomError | undefined): void {
    if (!this.#up) return;
    this.#up = false;
    this.#watcher.close(() => this.#end(error));
    this.#device.close();
  }

  #end(error: NetloomError | undefined): void {
    this.#ended = true;
    this.#endedBy = error;
    this.#closed.resolve();
    this.#handler?.closed?.(error);
  }
}
