import { NetloomError, type IpAddress } from '../../core/index.ts';
import type { Interface } from '../interface/interface.ts';
import type { Packet } from '../packet.ts';
import type { NatOptions } from './options.ts';

/** What a {@link NatScope} needs of the stack. */
export interface NatScopeEnvironment {
  generation(): number;
  interfaceTowards(packet: Packet): Interface | undefined;
}

/** Tells which packets a NAT has to look at, going by interfaces and addresses. */
export class NatScope {
  readonly #options: NatOptions;
  readonly #environment: NatScopeEnvironment;
  readonly #inside: Set<Interface>;
  readonly #changed: (externals: readonly IpAddress[]) => void;
  #externals: readonly IpAddress[];
  #v4: readonly IpAddress[] = [];
  #v6: readonly IpAddress[] = [];
  #generation: number;
  /** The destination decided last, and where the packet came in. */
  readonly #last = new Int32Array(4);
  #lastInterface: Interface | undefined;
  #lastDecision = false;

  /** `changed` is told when the external addresses are others. Throws `INTERFACE_INVALID`. */
  constructor(
    options: NatOptions,
    environment: NatScopeEnvironment,
    changed: (externals: readonly IpAddress[]) => void,
  ) {
    const { inside, outside } = options;
    if (inside.length === 0 || inside.includes(outside)) {
      throw new NetloomError('INTERFACE_INVALID', `${outside.name} cannot be inside and outside`, {
        remedy: 'Give one or more inside interfaces, and another outside.',
      });
    }
    this.#options = options;
    this.#environment = environment;
    this.#changed = changed;
    this.#inside = new Set(inside);
    this.#generation = environment.generation();
    this.#externals = this.#find();
    this.#sort();
  }

  /** What inside hosts of a family are seen as. */
  externals(family: 4 | 6): readonly IpAddress[] {
    this.#refresh();
    return family === 4 ? this.#v4 : this.#v6;
  }

  isInside(via: Interface): boolean {
    return this.#inside.has(via);
  }

  /** Whether the packet is for an address that inside hosts are seen as. */
  isExternal(packet: Packet): boolean {
    for (const address of packet.family === 4 ? this.#v4 : this.#v6) {
      if (
        address.word3 === packet.destination3 &&
        address.word2 === packet.destination2 &&
        address.word1 === packet.destination1 &&
        address.word0 === packet.destination0
      ) {
        return true;
      }
    }
    return false;
  }

  concerns(packet: Packet): boolean {
    const { outside } = this.#options;
    const via = packet.interface;
    if (via !== outside && !this.#inside.has(via)) return false;
    if (isOfNoHostElsewhere(packet)) return false;
    this.#refresh();
    if ((packet.family === 4 ? this.#v4 : this.#v6).length === 0) return false;
    const last = this.#last;
    if (
      last[3] !== packet.destination3 ||
      last[2] !== packet.destination2 ||
      last[1] !== packet.destination1 ||
      last[0] !== packet.destination0 ||
      this.#lastInterface !== via
    ) {
      last[0] = packet.destination0;
      last[1] = packet.destination1;
      last[2] = packet.destination2;
      last[3] = packet.destination3;
      this.#lastInterface = via;
      this.#lastDecision = this.isExternal(packet) || this.#crosses(packet);
    }
    return this.#lastDecision;
  }

  /** Whether the packet would be passed on between inside and outside. */
  #crosses(packet: Packet): boolean {
    const towards = this.#environment.interfaceTowards(packet);
    if (towards === undefined) return false;
    return packet.interface === this.#options.outside
      ? this.#inside.has(towards)
      : towards === this.#options.outside;
  }

  #refresh(): void {
    const generation = this.#environment.generation();
    if (generation === this.#generation) return;
    this.#generation = generation;
    this.#lastInterface = undefined;
    const found = this.#find();
    if (isSameList(found, this.#externals)) return;
    this.#externals = found;
    this.#sort();
    this.#changed(found);
  }

  #find(): readonly IpAddress[] {
    const { external, outside } = this.#options;
    return external ?? outside.usable(4).map(({ cidr }) => cidr.address);
  }

  #sort(): void {
    this.#v4 = this.#externals.filter(({ family }) => family === 4);
    this.#v6 = this.#externals.filter(({ family }) => family === 6);
  }
}

/** Its source is unspecified or link-local, so that it goes no further than this link. */
function isOfNoHostElsewhere({ family, source0, source1, source2, source3 }: Packet): boolean {
  if (family === 4) return source3 === 0 || source3 >>> 16 === 0xa9fe;
  return source0 >>> 22 === 0x3fa || (source0 | source1 | source2 | source3) === 0;
}

function isSameList(a: readonly IpAddress[], b: readonly IpAddress[]): boolean {
  return a.length === b.length && a.every((each, i) => each.equals(b[i]!));
}
