import type { Clock, MacAddress, Random } from '../../core/index.ts';
import type { Interface } from '../../ip/index.ts';
import {
  ImpairedLink,
  LinkStatistics,
  type FrameEffect,
  type FrameOffload,
  type FramePool,
  type Impairment,
  type Link,
  type LinkHandler,
  type LinkOffload,
} from '../../link/index.ts';

/** What a station sends and what befalls it, as the network wants to know it. */
export interface CableEnvironment {
  readonly clock: Clock;
  readonly random: Random;
  readonly pool: FramePool;
  readonly mtu: number;
  /** A frame has got through the sender's cable: it is the network's now. */
  carry(from: SimPort, frame: Uint8Array, offload: FrameOffload | undefined): void;
  /** Something befell a frame in the cable, on its way in or out; it is borrowed. */
  befell(
    port: SimPort,
    direction: 'in' | 'out',
    effect: FrameEffect,
    frame: Uint8Array,
    offload: FrameOffload | undefined,
  ): void;
  unplugged(port: SimPort): void;
}

/**
 * Checksums are left out, as between virtual machines on one computer: nobody would see a difference. Segments are cut by TCP
 * itself, so that the network has frames as a wire has them.
 */
const OFFLOAD: LinkOffload = { checksum: true, segmentation: 0 };

/** Where a cable enters its network. */
export class SimPort implements Link {
  /** The machine at the other end. */
  readonly station: string;
  readonly name: string;
  readonly mac: MacAddress;
  readonly mtu: number;
  readonly offload: LinkOffload = OFFLOAD;
  readonly statistics: LinkStatistics = new LinkStatistics(this);
  /** Which side of a partition it is on; 0: with those that no group names. */
  side = 0;
  readonly #environment: CableEnvironment;
  #handler: LinkHandler | undefined;
  #closed: Promise<void> | undefined;

  constructor(station: string, name: string, mac: MacAddress, environment: CableEnvironment) {
    this.station = station;
    this.name = name;
    this.mac = mac;
    this.mtu = environment.mtu;
    this.#environment = environment;
  }

  attach(handler: LinkHandler): void {
    this.#handler = handler;
  }

  allocate(length: number): Uint8Array {
    return this.#environment.pool.take(length);
  }

  transmit(frame: Uint8Array, offload?: FrameOffload): boolean {
    this.statistics.sentFrames++;
    this.statistics.sentBytes += frame.length;
    this.#environment.carry(this, frame, offload);
    return true;
  }

  /** Hands a frame to the station, through the cable; it is borrowed. */
  deliver(frame: Uint8Array, offload: FrameOffload | undefined): void {
    this.statistics.receivedFrames++;
    this.statistics.receivedBytes += frame.length;
    this.#handler?.receive(frame, offload);
  }

  batchEnd(): void {
    this.#handler?.batchEnd();
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      const handler = this.#handler;
      this.#handler = undefined;
      this.#environment.unplugged(this);
      this.#environment.clock.defer(() => {
        resolve();
        handler?.closed?.(undefined);
      });
    });
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** How a machine's cable to its network is. */
export interface SimCableOptions {
  /** What befalls frames the machine sends: instead of the network's own settings, one by one. */
  readonly outbound?: Partial<Impairment>;
  /** What befalls frames on their way from the network to the machine. Default: nothing. */
  readonly inbound?: Partial<Impairment>;
}

/** A machine's cable to a network: its link, with the impairments of both directions to change at any time. */
export class SimCable extends ImpairedLink {
  /** The machine's interface at the end of it. */
  interface!: Interface;
  readonly port: SimPort;

  constructor(port: SimPort, environment: CableEnvironment, options: SimCableOptions) {
    super(port, {
      clock: environment.clock,
      random: environment.random,
      ...options,
      observe: (direction, effect, frame, offload) =>
        environment.befell(port, direction, effect, frame, offload),
    });
    this.port = port;
  }
}
