import {
  Counters,
  channel,
  type Channel,
  type MacAddress,
  type NetloomError,
  type PublishedCount,
} from '../core/index.ts';

/**
 * What carries Ethernet frames: a memory pair, a TAP device, a QEMU socket, a NIC.
 *
 * Frames begin with the Ethernet header and have no frame check sequence.
 */
export interface Link extends AsyncDisposable {
  readonly name: string;
  /** The address a station at this end of the link should use. */
  readonly mac: MacAddress;
  /** The largest payload of a frame: bytes after the 14 of the Ethernet header (18 with a VLAN tag). */
  readonly mtu: number;
  readonly offload: LinkOffload;
  readonly statistics: LinkStatistics;
  /** Hands over the handler and lets frames flow in. Frames that come before are dropped and counted. */
  attach(handler: LinkHandler): void;
  /**
   * A buffer of `length` bytes for the next {@link transmit}: of the memory this link sends best from. It belongs to the caller until it is
   * transmitted; call for one, fill it, transmit it, before calling for the next. Its content is undefined.
   */
  allocate(length: number): Uint8Array;
  /**
   * Sends a frame that {@link allocate} gave; it is given away. `offload` says what was left for the link to do, and is read before this returns.
   * False: the link's queue was full (or the link is down) and the frame is dropped and counted.
   */
  transmit(frame: Uint8Array, offload?: FrameOffload): boolean;
  /** Idempotent. The handler's `closed` is the last call. */
  close(): Promise<void>;
}

/** What a {@link Link} calls. */
export interface LinkHandler {
  /** A frame has come: borrowed, valid until this returns. `offload` is set where the sender left work undone. */
  receive(frame: Uint8Array, offload: FrameOffload | undefined): void;
  /** The frames that were at hand have all been given: the moment to acknowledge and to send. */
  batchEnd(): void;
  /** The last call, made once: the link is gone. No error: it was closed from this side. */
  closed?(error: NetloomError | undefined): void;
}

/** What a link can do for the stack above it. */
export interface LinkOffload {
  /** TCP and UDP checksums may be left unfinished in frames sent, and need not be verified where {@link FrameOffload} says so. */
  readonly checksum: boolean;
  /** The largest TCP segment, in bytes of the whole frame, that the link will cut to the MTU or carry whole; 0: none. */
  readonly segmentation: number;
}

/** No offload at all. */
export const NO_OFFLOAD: LinkOffload = { checksum: false, segmentation: 0 };

/** What is left to do on one frame, or need not be done: the meaning is virtio's (virtio 1.2, section 5.1.6). Mutable, so that a sender needs one only. */
export interface FrameOffload {
  /** Index of the first byte the transport checksum covers, the field holding the pseudo-header's sum; 0: the checksum is complete. */
  checksumStart: number;
  /** Where the field is, counted from {@link checksumStart}. */
  checksumOffset: number;
  /** TCP payload bytes of each segment that this frame is to be cut into; 0: it is one segment. */
  segmentSize: number;
  /** Of a frame received: the device or the kernel has found its TCP or UDP checksum right. Of one sent it says nothing. */
  checksumVerified?: boolean;
}

/** Frames that links have dropped, by reason. */
export const LINK_DROP: Channel<PublishedCount<Link>> = channel('netloom:link:drop');

/** Counts of one end of a link. Bytes are whole frames without frame check sequence. */
export class LinkStatistics {
  /** Frames dropped, by reason. */
  readonly drops: Counters;
  receivedFrames = 0;
  receivedBytes = 0;
  sentFrames = 0;
  sentBytes = 0;
  /** Frames waiting in this end's send queue. */
  queueDepth = 0;

  /** Of this link. */
  constructor(link: Link) {
    this.drops = new Counters(LINK_DROP, link);
  }
}
