import { MacAddress } from 'netloom/core';
import { SystemClock, stackHost, type StackHost } from 'netloom/host';
import { CapturedLink, Hub, NO_OFFLOAD, type Link } from 'netloom/link';
import type { CaptureFile } from '../capture-file.ts';
import { FrameCounts } from './frame-counts.ts';
import { FrameLog } from './frame-log.ts';

/** A machine of the {@link VirtualLan}. */
export interface Machine {
  readonly name: string;
  /** With the length of its network's prefix, as `10.0.0.1/24`. */
  readonly address: string;
  readonly mac: MacAddress;
  readonly host: StackHost;
}

/** A LAN in this process: two machines on our own stack, on a hub. Every frame on it is counted. */
export class VirtualLan implements AsyncDisposable {
  readonly clock: SystemClock = new SystemClock();
  readonly gateway: Machine;
  readonly web: Machine;
  readonly frames: FrameCounts = new FrameCounts();
  /** The last of them. */
  readonly log: FrameLog = new FrameLog();
  readonly #hub = new Hub(this.clock);

  /** @param capture gets every frame too */
  constructor(capture: CaptureFile | undefined) {
    // A hub repeats everything to everybody, so at the gateway's port each frame of the LAN is seen once.
    const watched = (link: Link): Link => {
      const logged = new CapturedLink(link, this.clock, this.log);
      const counted = new CapturedLink(logged, this.clock, this.frames);
      return capture === undefined ? counted : capture.capture(counted, this.clock);
    };
    this.gateway = this.#machine('gateway.lan', '10.0.0.1/24', '02:00:00:00:00:01', watched);
    this.web = this.#machine('web.lan', '10.0.0.80/24', '02:00:00:00:00:50', (link) => link);
    this.gateway.host.addName('web.lan', ['10.0.0.80']);
  }

  get machines(): readonly Machine[] {
    return [this.gateway, this.web];
  }

  /** Closes the machines, then their cables. Idempotent. */
  async close(): Promise<void> {
    await Promise.all(this.machines.map(({ host }) => host.close()));
    await this.#hub.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #machine(name: string, address: string, macText: string, cable: (link: Link) => Link): Machine {
    const mac = MacAddress.parse(macText);
    // No offload, so that what passes is what would pass on a wire: frames of 1,514 bytes at most, checksums complete.
    const port = this.#hub.port({ name, mac, offload: NO_OFFLOAD });
    const host = stackHost({ name, clock: this.clock });
    host.addInterface(cable(port), { addresses: [address] });
    return { name, address, mac, host };
  }
}
