import { NetloomError, readUint16 } from '../../core/index.ts';
import { ETHERNET_HEADER_LENGTH, EtherType, VLAN_TAG_LENGTH } from '../../wire/index.ts';
import type { FrameObserver } from './output.ts';
import type { Port, SwitchPort } from './port.ts';
import { checkVlan } from './vlan.ts';

/** What is to be shown where. */
export interface MirrorOptions {
  /** The port that shows it; as long as it does, it does nothing else. */
  readonly to: SwitchPort;
  /** Default: all. */
  readonly ports?: readonly SwitchPort[];
  /** Default: all. */
  readonly vlan?: number;
  /** Frames that come in by the ports (as they come, dropped or not), those that go out by them (as they go), or both. Default `both`. */
  readonly direction?: 'in' | 'out' | 'both';
}

/** A mirror of a switch, until it is closed or the port that shows it is gone. */
export interface Mirror extends Disposable {
  readonly options: MirrorOptions;
  /** Idempotent. */
  close(): void;
}

/** Shows what passes at some ports of a switch at another. */
export class Mirrors {
  readonly #limit: number;
  readonly #ports: () => readonly Port[];
  #mirrors: readonly MirrorOptions[] = [];

  constructor(limit: number, ports: () => readonly Port[]) {
    this.#limit = limit;
    this.#ports = ports;
  }

  /** Throws `SWITCH_MIRRORS_FULL`, `SWITCH_SETTING_INVALID`. */
  add(options: MirrorOptions): Mirror {
    if (options.vlan !== undefined) checkVlan(options.vlan);
    if (this.#mirrors.length >= this.#limit) {
      throw new NetloomError('SWITCH_MIRRORS_FULL', `there are ${this.#limit} mirrors`, {
        remedy: "Close one, or give the switch a larger limit 'mirrors'.",
      });
    }
    // Of its own, so that the same options may be given twice.
    const own = { ...options };
    this.#set([...this.#mirrors, own]);
    const close = (): void => this.#set(this.#mirrors.filter((other) => other !== own));
    return { options: own, close, [Symbol.dispose]: close };
  }

  /** A port has come. */
  portAdded(): void {
    this.#set(this.#mirrors);
  }

  portRemoved(port: Port): void {
    this.#set(this.#mirrors.filter(({ to }) => to !== port));
  }

  #set(mirrors: readonly MirrorOptions[]): void {
    this.#mirrors = mirrors;
    for (const port of this.#ports()) {
      port.isMirror = mirrors.some(({ to }) => to === port);
    }
    for (const port of this.#ports()) {
      port.inputObserver = this.#observer(port, 'in');
      port.output.observer = this.#observer(port, 'out');
    }
  }

  #observer(port: Port, direction: 'in' | 'out'): FrameObserver | undefined {
    // What a mirror shows is not shown again: two could show each other for ever.
    if (port.isMirror) return undefined;
    const mirrors = this.#mirrors.filter(
      ({ ports, direction: wanted = 'both' }) =>
        (wanted === 'both' || wanted === direction) && ports?.includes(port) !== false,
    );
    if (mirrors.length === 0) return undefined;
    const targets = this.#ports().flatMap((target) =>
      mirrors.filter(({ to }) => to === target).map(({ vlan }) => ({ target, vlan })),
    );
    return (frame, offload) => {
      for (const { target, vlan } of targets) {
        if (vlan === undefined || vlan === vlanAt(port, frame)) {
          target.output.sendFinal(frame, offload);
        }
      }
    };
  }
}

/** The VLAN that a frame is of where it passes. */
function vlanAt({ vlans }: Port, frame: Uint8Array): number {
  const isTagged =
    frame.length >= ETHERNET_HEADER_LENGTH + VLAN_TAG_LENGTH &&
    readUint16(frame, ETHERNET_HEADER_LENGTH - 2) === EtherType.VLAN;
  const identifier = isTagged ? readUint16(frame, ETHERNET_HEADER_LENGTH) & 0xfff : 0;
  return identifier === 0 ? vlans.untagged : identifier;
}
