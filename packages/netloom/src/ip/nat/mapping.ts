import {
  BucketChains,
  HalfSipHash,
  type Chained,
  type IpAddress,
  type SocketAddress,
} from '../../core/index.ts';
import { isSameAddress } from '../interface/interface.ts';
import type { InsideHost } from './inside-hosts.ts';
import type { NatDependence } from './options.ts';

/** An inside end and what it is seen as outside. Of ICMP queries the ports are the identifiers (RFC 5508, section 3). */
export class NatMapping implements Chained<NatMapping> {
  /** Tells it apart in hashes. */
  readonly id: number;
  readonly protocol: number;
  readonly inside: SocketAddress;
  readonly external: SocketAddress;
  /** The remote end it is for, as far as the mapping behaviour has it count. */
  readonly remote: SocketAddress | undefined;
  readonly host: InsideHost;
  /** It has been published: it stays, and takes from anybody. */
  readonly isPublished: boolean;
  flows = 0;
  /** Until when packets from inside keep it: what flows opened from outside do not prolong. */
  expiresAt = 0;
  /** By remote address: how many flows. Kept for filtering by address. */
  readonly remotes: Map<string, number> = new Map();
  nextInBucket: NatMapping | undefined;

  constructor(fields: {
    readonly id: number;
    readonly protocol: number;
    readonly inside: SocketAddress;
    readonly external: SocketAddress;
    readonly remote: SocketAddress | undefined;
    readonly host: InsideHost;
    readonly isPublished: boolean;
  }) {
    this.id = fields.id;
    this.protocol = fields.protocol;
    this.inside = fields.inside;
    this.external = fields.external;
    this.remote = fields.remote;
    this.host = fields.host;
    this.isPublished = fields.isPublished;
  }
}

/** Carries the second link of a mapping: a mapping is in two chains. */
class ByExternal implements Chained<ByExternal> {
  readonly mapping: NatMapping;
  nextInBucket: ByExternal | undefined;

  constructor(mapping: NatMapping) {
    this.mapping = mapping;
  }
}

/** The mappings of a NAT, found by either end at the cost of one hash: keyed, so that nobody can choose ports that collide. */
export class NatMappings {
  readonly #hash: HalfSipHash;
  readonly #words = new Int32Array(11);
  readonly #byInside = new BucketChains<NatMapping>();
  readonly #byExternal = new BucketChains<ByExternal>();
  readonly #dependence: NatDependence;
  #nextId = 0;

  /** `key`: 8 random bytes. */
  constructor(key: Uint8Array, dependence: NatDependence) {
    this.#hash = new HalfSipHash(key);
    this.#dependence = dependence;
  }

  get size(): number {
    return this.#byInside.size;
  }

  /** The mapping of an inside end, towards a remote end as far as that counts. A published one is for all remote ends. */
  findInside(
    protocol: number,
    address: IpAddress,
    port: number,
    remote: SocketAddress,
  ): NatMapping | undefined {
    const counted = this.countedRemote(remote);
    const found = this.#find(protocol, address, port, counted);
    return found ?? (counted && this.#find(protocol, address, port, undefined));
  }

  /** The mapping that an external end belongs to. */
  findExternal(protocol: number, address: IpAddress, port: number): NatMapping | undefined {
    let entry = this.#byExternal.first(this.#hashOf(protocol, address, port, undefined));
    while (entry !== undefined && !isEnd(entry.mapping.external, address, port, entry, protocol)) {
      entry = entry.nextInBucket;
    }
    return entry?.mapping;
  }

  /** What of a remote end makes another mapping (RFC 4787, section 4.1). */
  countedRemote(remote: SocketAddress): SocketAddress | undefined {
    if (this.#dependence === 'endpoint-independent') return undefined;
    return this.#dependence === 'address-dependent' ? { address: remote.address, port: 0 } : remote;
  }

  add(fields: Omit<ConstructorParameters<typeof NatMapping>[0], 'id'>): NatMapping {
    const mapping = new NatMapping({ ...fields, id: this.#nextId++ });
    const { protocol, inside, external, remote } = mapping;
    const { address, port } = inside;
    this.#byInside.add(this.#hashOf(protocol, address, port, remote), mapping);
    const outer = this.#hashOf(protocol, external.address, external.port, undefined);
    this.#byExternal.add(outer, new ByExternal(mapping));
    return mapping;
  }

  remove(mapping: NatMapping): void {
    const { protocol, inside, external, remote } = mapping;
    this.#byInside.remove(this.#hashOf(protocol, inside.address, inside.port, remote), mapping);
    const hash = this.#hashOf(protocol, external.address, external.port, undefined);
    let entry = this.#byExternal.first(hash);
    while (entry !== undefined && entry.mapping !== mapping) entry = entry.nextInBucket;
    if (entry !== undefined) this.#byExternal.remove(hash, entry);
  }

  /** All mappings; the one that was given last may be removed meanwhile. */
  values(): Iterable<NatMapping> {
    return this.#byInside.values();
  }

  #find(
    protocol: number,
    address: IpAddress,
    port: number,
    remote: SocketAddress | undefined,
  ): NatMapping | undefined {
    let mapping = this.#byInside.first(this.#hashOf(protocol, address, port, remote));
    while (
      mapping !== undefined &&
      !(
        mapping.inside.port === port &&
        mapping.protocol === protocol &&
        isSameAddress(mapping.inside.address, address) &&
        isSameRemote(mapping.remote, remote)
      )
    ) {
      mapping = mapping.nextInBucket;
    }
    return mapping;
  }

  #hashOf(
    protocol: number,
    address: IpAddress,
    port: number,
    remote: SocketAddress | undefined,
  ): number {
    const words = this.#words;
    words[0] = protocol;
    words[1] = address.word0;
    words[2] = address.word1;
    words[3] = address.word2;
    words[4] = address.word3;
    words[5] = port;
    if (remote === undefined) return this.#hash.hash(words, 6);
    words[6] = remote.address.word0;
    words[7] = remote.address.word1;
    words[8] = remote.address.word2;
    words[9] = remote.address.word3;
    words[10] = remote.port;
    return this.#hash.hash(words);
  }
}

function isEnd(
  end: SocketAddress,
  address: IpAddress,
  port: number,
  { mapping }: ByExternal,
  protocol: number,
): boolean {
  return end.port === port && mapping.protocol === protocol && isSameAddress(end.address, address);
}

function isSameRemote(a: SocketAddress | undefined, b: SocketAddress | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.port === b.port && isSameAddress(a.address, b.address);
}
