import { IpAddress, NetloomError, type Cidr } from '../core/index.ts';
import {
  DnsClass,
  DnsName,
  DnsResponseCode,
  DnsType,
  addressRecord,
  nameRecord,
  type DnsQuestion,
  type DnsRecord,
} from './wire/index.ts';

/** What {@link LocalNames} is made with. */
export interface LocalNamesOptions {
  /** The network's own zone, whose names nobody else has. Default `lan`. */
  readonly zone?: string;
  /** The networks whose addresses are looked up here and nowhere else. */
  readonly networks?: readonly Cidr[];
  /** The server's own addresses: those of the zone's name server. */
  readonly addresses?: readonly IpAddress[];
  /** Seconds that clients may remember an answer for. Default 10: machines come and go. */
  readonly timeToLive?: number;
}

/** An answer out of one's own knowledge. */
export interface LocalAnswer {
  readonly responseCode: number;
  readonly answers: readonly DnsRecord[];
  /** The start of authority, where there is nothing to answer (RFC 2308, section 3). */
  readonly authorities: readonly DnsRecord[];
}

/** What a name here leads to. */
interface Entry {
  readonly name: DnsName;
  addresses: readonly IpAddress[];
}

const LOCALHOST = DnsName.parse('localhost');
const INVALID = DnsName.parse('invalid');
const LOOPBACK: readonly IpAddress[] = [IpAddress.LOOPBACK4, IpAddress.LOOPBACK6];

/** How long secondary servers would wait, if there were any: customary values, in seconds. */
const SECONDARY_TIMES = { refresh: 3600, retry: 600, expire: 86_400 };

/**
 * The names of a network: its own zone with its machines, names given by hand, and the reverse of both. For what is in here it is the
 * authority: what is not there does not exist, and nobody else is asked.
 */
export class LocalNames {
  readonly zone: DnsName;
  readonly #networks: readonly Cidr[];
  readonly #server: DnsName;
  readonly #timeToLive: number;
  readonly #limit: number;
  readonly #entries = new Map<string, Entry>();
  /** How many names stand under a name that may have no records itself. */
  readonly #above = new Map<string, number>();
  /** By address: its names, the first of which is the one it is called by. */
  readonly #reverse = new Map<string, DnsName[]>();
  #serial = 1;

  constructor(options: LocalNamesOptions, limit: number) {
    this.zone = DnsName.parse(options.zone ?? 'lan');
    this.#networks = options.networks ?? [];
    this.#timeToLive = options.timeToLive ?? 10;
    this.#limit = limit;
    this.#server = DnsName.parse('ns').under(this.zone);
    if (options.addresses?.length) this.set(this.#server, options.addresses);
  }

  /** How many names there are. */
  get size(): number {
    return this.#entries.size;
  }

  /** The name in full: one without a dot is of the zone. Throws `DOMAIN_NAME_INVALID`. */
  nameOf(text: string): DnsName {
    const name = DnsName.parse(text);
    return name.labels.length === 1 && !text.endsWith('.') ? name.under(this.zone) : name;
  }

  /** Has the name lead to these addresses from now on, and no others; none: it is forgotten. Throws `DNS_TOO_MANY_NAMES`. */
  set(name: DnsName, addresses: readonly IpAddress[]): void {
    this.#serial = (this.#serial + 1) >>> 0;
    this.#remove(name);
    if (addresses.length === 0) return;
    if (this.#entries.size >= this.#limit) {
      throw new NetloomError('DNS_TOO_MANY_NAMES', `there are ${this.#limit} names already`, {
        remedy: 'Raise the limit `names` of the forwarder.',
      });
    }
    this.#entries.set(name.key, { name, addresses: [...addresses] });
    for (const address of addresses) {
      const key = DnsName.ofAddress(address).key;
      const names = [...(this.#reverse.get(key) ?? []), name];
      // A machine that serves names is called by one of its own, if it has any.
      names.sort((a, b) => Number(a.equals(this.#server)) - Number(b.equals(this.#server)));
      this.#reverse.set(key, names);
    }
    this.#countAbove(name, 1);
  }

  /** The addresses of a name that is known here. */
  addressesOf(name: DnsName): readonly IpAddress[] | undefined {
    return this.#find(name)?.addresses;
  }

  /** The names here that lead to an address; the one it is called by is the first. */
  namesOf(address: IpAddress): readonly DnsName[] {
    return this.#reverse.get(DnsName.ofAddress(address).key) ?? [];
  }

  /** The answer to a question of class IN; undefined: others are to be asked. */
  answer({ name, type }: DnsQuestion): LocalAnswer | undefined {
    // RFC 6761, sections 6.3 and 6.4.
    if (name.isWithin(LOCALHOST)) return this.#addresses(name, LOOPBACK, type);
    if (name.isWithin(INVALID)) return this.#nothing(DnsResponseCode.NAME_ERROR, INVALID);
    const entry = this.#find(name);
    if (entry !== undefined) return this.#addresses(name, entry.addresses, type);
    const reverse = this.#reverseOf(name, type);
    if (reverse !== undefined) return reverse;
    if (!name.isWithin(this.zone)) return undefined;
    if (name.equals(this.zone)) return this.#apex(type);
    return this.#nothing(
      this.#above.has(name.key) ? DnsResponseCode.NO_ERROR : DnsResponseCode.NAME_ERROR,
      this.zone,
    );
  }

  /** A name of one label is one of the zone as well, if that has it. */
  #find(name: DnsName): Entry | undefined {
    const own = this.#entries.get(name.key);
    if (own !== undefined || name.labels.length !== 1) return own;
    return this.#entries.get(DnsName.of([...name.labels, ...this.zone.labels]).key);
  }

  #addresses(name: DnsName, addresses: readonly IpAddress[], type: number): LocalAnswer {
    const records = addresses
      .map((address) => addressRecord(name, address, this.#timeToLive))
      .filter((record) => type === DnsType.ANY || record.type === type);
    if (records.length === 0) return this.#nothing(DnsResponseCode.NO_ERROR, this.#zoneOf(name));
    return { responseCode: DnsResponseCode.NO_ERROR, answers: records, authorities: [] };
  }

  /** The zone's own records. */
  #apex(type: number): LocalAnswer {
    const records = [
      this.#authority(this.zone),
      nameRecord(this.zone, DnsType.NS, this.#server, this.#timeToLive),
    ].filter((record) => type === DnsType.ANY || record.type === type);
    if (records.length === 0) return this.#nothing(DnsResponseCode.NO_ERROR, this.zone);
    return { responseCode: DnsResponseCode.NO_ERROR, answers: records, authorities: [] };
  }

  /** The answer for a name of an address that is known, or of a network of ours. */
  #reverseOf(name: DnsName, type: number): LocalAnswer | undefined {
    const names = this.#reverse.get(name.key);
    if (names !== undefined) {
      const answers = [nameRecord(name, DnsType.PTR, names[0]!, this.#timeToLive)];
      if (type !== DnsType.PTR && type !== DnsType.ANY) {
        return this.#nothing(DnsResponseCode.NO_ERROR, name.parent);
      }
      return { responseCode: DnsResponseCode.NO_ERROR, answers, authorities: [] };
    }
    const network = this.#networks.find((own) => isReverseWithin(name, own));
    if (network === undefined) return undefined;
    // A name of fewer labels than an address has may have others under it.
    const isWhole = name.labels.length === (network.address.family === 4 ? 4 : 32) + 2;
    const { NO_ERROR, NAME_ERROR } = DnsResponseCode;
    return this.#nothing(isWhole ? NAME_ERROR : NO_ERROR, reverseZone(network));
  }

  #nothing(responseCode: number, zone: DnsName): LocalAnswer {
    return { responseCode, answers: [], authorities: [this.#authority(zone)] };
  }

  /** The zone that a name is in, as negative answers have it: a name given by hand is one of its own. */
  #zoneOf(name: DnsName): DnsName {
    return name.isWithin(this.zone) ? this.zone : name;
  }

  #authority(zone: DnsName): DnsRecord {
    return {
      name: zone,
      type: DnsType.SOA,
      class: DnsClass.IN,
      timeToLive: this.#timeToLive,
      data: {
        kind: 'authority',
        server: this.#server,
        mailbox: DnsName.parse('hostmaster').under(this.zone),
        serial: this.#serial,
        ...SECONDARY_TIMES,
        minimum: this.#timeToLive,
      },
    };
  }

  #remove(name: DnsName): void {
    const entry = this.#entries.get(name.key);
    if (entry === undefined) return;
    this.#entries.delete(name.key);
    this.#countAbove(entry.name, -1);
    for (const address of entry.addresses) {
      const key = DnsName.ofAddress(address).key;
      const names = this.#reverse.get(key)!.filter((other) => !other.equals(name));
      if (names.length === 0) this.#reverse.delete(key);
      else this.#reverse.set(key, names);
    }
  }

  /** Names above one that exists exist too, though they may have no records (RFC 8020). */
  #countAbove(name: DnsName, step: number): void {
    for (let above = name.parent; !above.isRoot; above = above.parent) {
      const count = (this.#above.get(above.key) ?? 0) + step;
      if (count === 0) this.#above.delete(above.key);
      else this.#above.set(above.key, count);
    }
  }
}

/** The zone of a network's reverse names: that of the whole bytes (IPv4) or nibbles (IPv6) of its prefix. */
function reverseZone({ network, prefixLength }: Cidr): DnsName {
  const { labels } = DnsName.ofAddress(network);
  const known = Math.floor(prefixLength / bitsOfLabel(network));
  return DnsName.of(labels.slice(labels.length - 2 - known));
}

function bitsOfLabel({ family }: IpAddress): number {
  return family === 4 ? 8 : 4;
}

/** Whether the reverse name is of an address of the network, or of a part of it. */
function isReverseWithin(name: DnsName, network: Cidr): boolean {
  const { address, prefixLength } = network;
  if (!name.isWithin(reverseZone(network))) return false;
  const rest = prefixLength % bitsOfLabel(address);
  if (rest === 0) return true;
  // The prefix ends within a label: its upper bits are to be the network's.
  const zoneLabels = reverseZone(network).labels.length;
  const digit = name.labels[name.labels.length - 1 - zoneLabels];
  if (digit === undefined) return false;
  const own = DnsName.ofAddress(network.network).labels.at(-1 - zoneLabels)!;
  const base = address.family === 4 ? 10 : 16;
  const low = bitsOfLabel(address) - rest;
  return parseInt(digit, base) >> low === parseInt(own, base) >> low;
}
