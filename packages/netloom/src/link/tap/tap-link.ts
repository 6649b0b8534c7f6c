import type { MacAddress, NetloomError } from '../../core/index.ts';
import { Failure, NativeMemory, ReadinessWatcher, SystemCallError } from '../../native/index.ts';
import { ETHERNET_HEADER_LENGTH, VLAN_TAG_LENGTH } from '../../wire/index.ts';
import {
  LinkStatistics,
  NO_OFFLOAD,
  type FrameOffload,
  type Link,
  type LinkHandler,
  type LinkOffload,
} from '../index.ts';
import type { TapDevice } from './tap-device.ts';
import { tapFailed, tapGone } from './tap-errors.ts';
import { readVirtioHeader, writeVirtioHeader } from './virtio-header.ts';
import { VIRTIO_HEADER_LENGTH } from './virtio-header-length.ts';

/** The limits of a TAP link. */
export interface TapLimits {
  /** Frames received in one turn of the event loop before other work has its turn; at least 1. */
  readonly batchFrames: number;
}

/** The defaults of {@link TapLimits}. */
export const TAP_LIMITS: TapLimits = { batchFrames: 64 };

/** The largest frame the kernel forwards to another interface as it is (`gso_max_size` less one); a longer one it would cut itself first. */
const LARGEST_SEGMENT = 65_535;
/** Holds the largest segment with two VLAN tags and the virtio header, and room to see that something was longer. */
const SLOT_LENGTH = 68 * 1024;
/** A frame that fills a slot may have been cut off by the kernel. */
const LARGEST_FRAME = SLOT_LENGTH - VIRTIO_HEADER_LENGTH - 1;

/**
 * A link to the kernel through a TAP.
 *
 * One slot of memory receives and one sends: a frame received is borrowed only until the handler returns, and one that was
 * allocated is sent before the next is asked for. The kernel copies both ways, and takes each frame in at once.
 *
 * So there is no queue here. A TAP's send buffer is by default as good as endless (`INT_MAX` bytes), and a write that
 * is refused for now means that the kernel is out of memory: the frame is dropped and counted, as a NIC would do.
 */
export class TapLink implements Link {
  readonly name: string;
  readonly mac: MacAddress;
  readonly mtu: number;
  readonly offload: LinkOffload;
  readonly statistics: LinkStatistics = new LinkStatistics(this);
  readonly #device: TapDevice;
  readonly #batchFrames: number;
  readonly #watcher: ReadinessWatcher;
  readonly #incoming = new FrameSlot();
  readonly #outgoing = new FrameSlot();
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

  constructor(device: TapDevice, mac: MacAddress, offload: boolean, limits: TapLimits) {
    this.name = device.name;
    this.mac = mac;
    this.mtu = device.mtu;
    this.offload = offload ? { checksum: true, segmentation: LARGEST_SEGMENT } : NO_OFFLOAD;
    this.#device = device;
    this.#batchFrames = Math.max(1, limits.batchFrames);
    this.#watcher = new ReadinessWatcher(device.descriptor, (failed) => this.#receiveAll(failed));
    this.#watcher.start();
  }

  attach(handler: LinkHandler): void {
    this.#handler = handler;
    // A handler that comes too late is told so, and waits for nothing.
    if (this.#ended) setImmediate(() => handler.closed?.(this.#endedBy));
  }

  allocate(length: number): Uint8Array {
    // What is too long for any TAP is refused when it is transmitted.
    return length > LARGEST_FRAME ? new Uint8Array(length) : this.#outgoing.frame(length);
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
    if (!this.#up) return 'link-down';
    if (frame.length < ETHERNET_HEADER_LENGTH) return 'too-short';
    const cut = offload !== undefined && offload.segmentSize > 0;
    const longest = cut
      ? this.offload.segmentation
      : this.mtu + ETHERNET_HEADER_LENGTH + VLAN_TAG_LENGTH;
    if (frame.length > longest) return 'too-long';
    const isUnfinished = offload !== undefined && offload.checksumStart > 0;
    return isUnfinished && !this.offload.checksum ? 'checksum-unfinished' : undefined;
  }

  /** Hands the frame to the kernel, or answers the reason why not. */
  #write(frame: Uint8Array, offload: FrameOffload | undefined): string | undefined {
    const slot = this.#outgoing;
    slot.hold(frame);
    if (!writeVirtioHeader(slot.memory.bytes, frame, offload)) return 'bad-offload';
    const result = this.#device.descriptor.write(slot.memory, VIRTIO_HEADER_LENGTH + frame.length);
    if (result >= 0) return undefined;
    switch (result) {
      case Failure.WOULD_BLOCK:
      case Failure.NO_BUFFERS:
      case Failure.NO_MEMORY:
        return 'queue-full';
      case Failure.IO:
      // The interface is gone: the watcher is about to say so.
      case Failure.BAD_STATE:
        return 'link-down';
      default:
        return 'refused';
    }
  }

  /** Called when there is something to read. What is left when the budget is spent makes the watcher call again in the next turn. */
  #receiveAll(failed: boolean): void {
    if (failed) {
      this.#shut(tapGone(this.name));
      return;
    }
    let received = 0;
    while (received < this.#batchFrames && this.#up && this.#receiveOne()) received++;
    if (received > 0 && this.#up) this.#handler?.batchEnd();
  }

  /** False: nothing more is at hand. */
  #receiveOne(): boolean {
    const result = this.#device.descriptor.read(this.#incoming.memory);
    if (result >= VIRTIO_HEADER_LENGTH) {
      this.#deliver(result - VIRTIO_HEADER_LENGTH);
      return true;
    }
    if (result === Failure.BAD_STATE) this.#shut(tapGone(this.name));
    else if (result !== Failure.WOULD_BLOCK && result !== Failure.INTERRUPTED) {
      // To go on would be to be called again at once, for ever.
      this.#shut(tapFailed(this.name, new SystemCallError(-result, 'read')));
    }
    return false;
  }

  #deliver(length: number): void {
    const { statistics } = this;
    if (this.#handler === undefined) {
      statistics.drops.add('not-attached');
      return;
    }
    // The kernel gives what fits and forgets the rest.
    if (length > LARGEST_FRAME) {
      statistics.drops.add('too-long');
      return;
    }
    const { memory } = this.#incoming;
    const offload = readVirtioHeader(memory.bytes, length, this.#receivedOffload);
    if (offload === 'bad-offload') {
      statistics.drops.add(offload);
      return;
    }
    statistics.receivedFrames++;
    statistics.receivedBytes += length;
    this.#handler.receive(this.#incoming.frame(length), offload);
  }

  /** Lets go of the device; idempotent. The handler is told when libuv has let go too, and never from inside a call of its own. */
  #shut(error: NetloomError | undefined): void {
    if (!this.#up) return;
    this.#up = false;
    this.#watcher.close(() => this.#end(error));
    this.#device.descriptor.close();
  }

  #end(error: NetloomError | undefined): void {
    this.#ended = true;
    this.#endedBy = error;
    this.#closed.resolve();
    this.#handler?.closed?.(error);
  }
}

/** Memory for one frame, behind its virtio header. */
class FrameSlot {
  #memory: NativeMemory = NativeMemory.allocate(SLOT_LENGTH);
  #frame: Uint8Array = this.#memory.bytes;

  /** The slot. A handler that transfers a frame it has borrowed to another thread takes the memory along: then there is new. */
  get memory(): NativeMemory {
    if (this.#memory.bytes.length === 0) this.#memory = NativeMemory.allocate(SLOT_LENGTH);
    return this.#memory;
  }

  /** A view of a frame of this length. Frames of one flow are mostly of one length: then even the view is used again. */
  frame(length: number): Uint8Array {
    if (this.#frame.length !== length) {
      const end = VIRTIO_HEADER_LENGTH + length;
      this.#frame = this.memory.bytes.subarray(VIRTIO_HEADER_LENGTH, end);
    }
    return this.#frame;
  }

  /** Sees that the frame is in this slot: one that was not allocated here is copied in. */
  hold(frame: Uint8Array): void {
    const { bytes } = this.memory;
    const start = bytes.byteOffset + VIRTIO_HEADER_LENGTH;
    if (frame.buffer !== bytes.buffer || frame.byteOffset !== start) {
      bytes.set(frame, VIRTIO_HEADER_LENGTH);
    }
  }
}
