import { EngineTimer, type Clock } from '../../core/index.ts';
import { ETHERNET_HEADER_LENGTH, VLAN_TAG_LENGTH } from '../../wire/index.ts';
import { forwardFrame } from '../forward.ts';
import type { FramePool } from '../frame-pool.ts';
import type { FrameOffload, Link } from '../link.ts';
import { segmentFrame } from '../segmentation.ts';
import { castOf, type Passage } from './passage.ts';
import { EgressScheduler, rankOf, type FlowHash, type QueueingSettings } from './queueing/index.ts';
import type { PortStatistics } from './statistics.ts';
import { growthOf, shiftOffload, TagChange, tagChangeOf, writeChanged } from './tagging.ts';

/** A segment that would keep a port busy for longer than this, in milliseconds, is cut before it waits: so that others may go between. */
const LONGEST_WHOLE = 1;

/** What the ports of one switch share. */
export interface SharedByPorts {
  readonly clock: Clock;
  /** Memory for frames that wait, or are changed before they are cut. */
  readonly pool: FramePool;
  readonly flows: FlowHash;
}

/** Is shown each frame that goes out, as it goes: borrowed. */
export type FrameObserver = (frame: Uint8Array, offload: FrameOffload | undefined) => void;

/**
 * The way out of a port: the tag is put right, and the frame is sent, or waits for its turn where the port has a rate.
 *
 * Without a rate it is copied once, into the memory of the link, with the tag changed on the way; only where it is changed and the link
 * cannot do what was left to it, twice.
 */
export class PortOutput {
  /** For mirrors; undefined: nobody looks. */
  observer: FrameObserver | undefined;
  readonly #link: Link;
  readonly #statistics: PortStatistics;
  readonly #shared: SharedByPorts;
  readonly #shifted: FrameOffload = { checksumStart: 0, checksumOffset: 0, segmentSize: 0 };
  #scheduler: EgressScheduler | undefined;
  #timer: EngineTimer | undefined;

  constructor(link: Link, statistics: PortStatistics, shared: SharedByPorts) {
    this.#link = link;
    this.#statistics = statistics;
    this.#shared = shared;
  }

  /** What waits; undefined: the port has no rate. */
  get scheduler(): EgressScheduler | undefined {
    return this.#scheduler;
  }

  /** Gives the port a rate, another one, or none. Throws `SWITCH_SETTING_INVALID`. */
  configure(settings: QueueingSettings | undefined): void {
    const { clock, pool } = this.#shared;
    if (settings === undefined) {
      this.#scheduler?.flush();
      this.#timer?.update();
      this.#scheduler = undefined;
    } else if (this.#scheduler === undefined) {
      this.#scheduler = new EgressScheduler(settings, {
        pool,
        send: (frame, offload) => this.#sendFinal(frame, offload),
        dropped: () => this.#statistics.drops.add('queue-full'),
      });
      this.#timer = new EngineTimer(clock, this.#scheduler);
    } else {
      this.#scheduler.configure(settings, clock.now());
      this.#timer!.update();
    }
  }

  /** Forgets what waits: the port is gone. */
  close(): void {
    this.#scheduler?.clear();
    this.#timer?.update();
  }

  /** Sends the frame; `isTagged` says whether its VLAN has a tag here. */
  forward(passage: Passage, isTagged: boolean, now: number): void {
    const change = tagChangeOf(passage, isTagged);
    const growth = growthOf(change);
    const length = passage.frame.length + growth;
    const offload = shiftOffload(passage.offload, growth, this.#shifted);
    if (this.#isTooLong(length, isTagged, offload)) {
      this.#statistics.drops.add('too-long');
    } else if (this.#scheduler !== undefined) {
      this.#schedule(
        this.#scheduler,
        passage,
        this.#changed(passage, change, length),
        offload,
        now,
      );
    } else if (this.#send(passage, change, length, offload)) {
      this.#statistics.sent.count(passage.cast, length);
    }
  }

  /** Sends a frame as it is, past all that waits: one of the switch's own, or one that a mirror shows. It is borrowed. */
  sendFinal(frame: Uint8Array, offload?: FrameOffload): void {
    this.#sendFinal(frame, offload);
  }

  #sendFinal(frame: Uint8Array, offload: FrameOffload | undefined): void {
    this.observer?.(frame, offload);
    if (forwardFrame(this.#link, frame, offload)) {
      this.#statistics.sent.count(castOf(frame), frame.length);
    }
  }

  /** More than the link's MTU; what is to be cut is cut to what its sender found fitting. */
  #isTooLong(length: number, isTagged: boolean, offload: FrameOffload | undefined): boolean {
    if (offload !== undefined && offload.segmentSize > 0) return false;
    const headers = ETHERNET_HEADER_LENGTH + (isTagged ? VLAN_TAG_LENGTH : 0);
    return length - headers > this.#link.mtu;
  }

  #send(
    passage: Passage,
    change: TagChange,
    length: number,
    offload: FrameOffload | undefined,
  ): boolean {
    const link = this.#link;
    if (change === TagChange.KEEP) {
      this.observer?.(passage.frame, offload);
      return forwardFrame(link, passage.frame, offload);
    }
    if (canCarry(link, length, offload)) {
      const frame = link.allocate(length);
      writeChanged(frame, passage, change);
      this.observer?.(frame, offload);
      return link.transmit(frame, offload);
    }
    const whole = this.#changed(passage, change, length);
    this.observer?.(whole, offload);
    const taken = forwardFrame(link, whole, offload);
    this.#shared.pool.give(whole);
    return taken;
  }

  /** The frame as it goes out, in memory of the pool. */
  #changed(passage: Passage, change: TagChange, length: number): Uint8Array {
    const changed = this.#shared.pool.take(length);
    writeChanged(changed, passage, change);
    return changed;
  }

  /** Takes a frame of the pool, which is given away. */
  #schedule(
    scheduler: EgressScheduler,
    passage: Passage,
    whole: Uint8Array,
    offload: FrameOffload | undefined,
    now: number,
  ): void {
    const { pool, flows } = this.#shared;
    const rank = rankOf(passage.priority);
    const flow = flows.of(passage);
    if (offload === undefined || !isToBeCut(whole, offload, scheduler.settings.rate)) {
      scheduler.offer(whole, offload, rank, flow, now);
    } else {
      const fault = segmentFrame(
        whole,
        offload,
        (length) => pool.take(length),
        (segment) => scheduler.offer(segment, undefined, rank, flow, now),
      );
      if (fault !== undefined) this.#statistics.drops.add('bad-offload');
      pool.give(whole);
    }
    this.#timer!.update();
  }
}

/** Whether the link takes the frame with what is left to do on it. */
function canCarry(link: Link, length: number, offload: FrameOffload | undefined): boolean {
  if (offload === undefined) return true;
  if (!link.offload.checksum) return false;
  return offload.segmentSize === 0 || length <= link.offload.segmentation;
}

function isToBeCut(frame: Uint8Array, { segmentSize }: FrameOffload, rate: number): boolean {
  return segmentSize > 0 && (frame.length * 8000) / rate > LONGEST_WHOLE;
}
