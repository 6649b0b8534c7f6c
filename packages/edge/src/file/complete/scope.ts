import { Cidr, type IpAddress } from 'netloom/core';
import { hostNetwork } from '../../text/index.ts';
import type { Path } from '../mistake.ts';
import type { Reading } from '../reading.ts';
import type { Listed } from '../shape.ts';

/** Names of the ports that a network has for its own parts, and of its name server. */
const OWN_NAMES: readonly string[] = ['gateway', 'uplink', 'ns'];

/** Who has something, and where the file says so. */
interface Claim {
  readonly path: Path;
  readonly what: string;
}

/** What is there once only on the machine, with who has it. */
export class MachineClaims {
  readonly #reading: Reading;
  readonly #claims = new Map<string, Claim>();

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  /** Somebody listens on `listen`. Port 0 is any that is free. */
  listen(protocol: 'tcp' | 'udp', listen: string, path: Path, what: string): void {
    const [, host, port] = /^(.*):(\d+)$/.exec(listen)!;
    if (port === '0') return;
    const any = host!.startsWith('[') ? '[::]' : '0.0.0.0';
    const key = `${protocol} ${port}`;
    // An address of its own collides with itself and with the wildcard, the wildcard with all: each has noted both.
    const taken = this.#claims.get(`${key} ${host}`) ?? this.#claims.get(`${key} every ${any}`);
    const other = host === any ? this.#claims.get(`${key} some ${any}`) : undefined;
    const before = taken ?? other;
    if (before !== undefined) {
      const name = `${protocol.toUpperCase()} port ${port} of this machine`;
      this.#refuse(path, name, before, 'port');
      return;
    }
    this.#claims.set(`${key} ${host}`, { path, what });
    this.#claims.set(`${key} some ${any}`, { path, what });
    if (host === any) this.#claims.set(`${key} every ${any}`, { path, what });
  }

  /** Somebody has a thing of which there is one, or one within something: `name` says which, `noun` what such a thing is. */
  take(noun: string, name: string, path: Path, what: string, within = ''): void {
    const key = `${noun} ${name} ${within}`;
    const before = this.#claims.get(key);
    if (before === undefined) this.#claims.set(key, { path, what });
    else this.#refuse(path, name, before, noun);
  }

  #refuse(path: Path, name: string, before: Claim, noun: string): void {
    const message = `${name} is taken already by ${before.what}, in line ${this.#reading.lineOf(before.path)}`;
    this.#reading.mistake(path, message, `Give one of the two another ${noun}.`);
  }
}

/** The addresses and names of one network, with who has them. */
export class NetworkScope {
  readonly reading: Reading;
  readonly path: Path;
  readonly machine: MachineClaims;
  /** Those that could be read, with their place in the list. */
  readonly subnets: readonly { readonly cidr: Cidr; readonly index: number }[];
  /** Whether one could not be read: what lies outside of the others may be in it. */
  readonly #isDoubtful: boolean;
  readonly #addresses = new Map<string, Claim>();
  readonly #names = new Map<string, Claim>();

  constructor(reading: Reading, path: Path, machine: MachineClaims, subnets: Listed<Cidr>) {
    this.reading = reading;
    this.path = path;
    this.machine = machine;
    this.subnets = known(subnets).map(([cidr, index]) => ({ cidr, index }));
    this.#isDoubtful = this.subnets.length < subnets.length;
  }

  /** Something is wrong with the value of a path within the network. */
  mistake(path: Path, message: string, remedy: string, of: 'key' | 'value' = 'value'): void {
    this.reading.mistake([...this.path, ...path], message, remedy, of);
  }

  /** Something that has to be there is not: nothing is written under that key of the network. */
  isMissing(key: string): boolean {
    return !this.reading.isWritten([...this.path, key]);
  }

  /** The subnet that an address is in; undefined: in none, which is told. */
  subnetOf(address: IpAddress, path: Path): Cidr | undefined {
    const found = this.subnets.find(({ cidr }) => cidr.contains(address))?.cidr;
    if (found !== undefined || this.#isDoubtful) return found;
    const subnets = this.subnets.map(({ cidr }) => String(cidr));
    if (subnets.length === 0) {
      this.reading.mistake(
        path,
        `${address} is in no subnet: the network has none`,
        'Give the network subnets, as subnets: [10.0.0.0/24].',
      );
    } else {
      this.reading.mistake(
        path,
        `${address} is in no subnet of the network`,
        `Take an address of ${subnets.join(' or ')}, or add a subnet.`,
      );
    }
    return undefined;
  }

  /** An address with the prefix of its subnet. What could not be found out is as good as a guess: the mistake is told. */
  place(address: IpAddress | Cidr, path: Path): Cidr {
    if (address instanceof Cidr) return address;
    const length = this.subnetOf(address, path)?.prefixLength;
    return length === undefined ? hostNetwork(address) : new Cidr(address, length);
  }

  /** Somebody has an address. The network's own and that for broadcasts are nobody's. */
  takeAddress(address: IpAddress, path: Path, what: string): void {
    const key = String(address);
    const before = this.#addresses.get(key);
    if (before === undefined) {
      this.#addresses.set(key, { path, what });
      this.#checkHost(address, path);
      return;
    }
    const remedy =
      before.what === 'the gateway'
        ? 'Take another address, or give the gateway another, as gateway: 10.0.0.254.'
        : 'Take another address for one of the two.';
    this.reading.mistake(path, `${address} is the address of ${before.what} already`, remedy);
  }

  /** A port of the switch and a name of the zone. */
  takeName(name: string, path: Path, what: string): void {
    if (OWN_NAMES.includes(name)) {
      const message = `'${name}' is a name that every network has for a part of its own`;
      this.reading.mistake(path, message, 'Take another name.', 'key');
      return;
    }
    const before = this.#names.get(name);
    if (before === undefined) {
      this.#names.set(name, { path, what });
      return;
    }
    const line = this.reading.lineOf(before.path);
    const message = `'${name}' is the name of ${before.what} already, in line ${line}`;
    this.reading.mistake(path, message, 'Give one of the two another name.', 'key');
  }

  #checkHost(address: IpAddress, path: Path): void {
    const subnet = this.subnets.find(({ cidr }) => cidr.contains(address))?.cidr;
    if (subnet === undefined) return;
    const longest = subnet.address.family === 4 ? 32 : 128;
    // Both addresses of a link between two are hosts' (RFC 3021; RFC 6164, section 4).
    if (subnet.prefixLength >= longest - 1) return;
    const isFirst = address.equals(subnet.network);
    const isLast = address.family === 4 && address.equals(subnet.broadcast);
    if (!isFirst && !isLast) return;
    const meaning = isFirst ? 'the subnet itself' : 'all stations of the subnet';
    this.reading.mistake(
      path,
      `${address} is not an address of one station, but of ${meaning}`,
      'Take another address of the subnet.',
    );
  }
}

/** The items of a list that could be read, with their numbers. */
export function known<T>(list: Listed<T>): [item: T, index: number][] {
  return list.flatMap((item, index) => (item === undefined ? [] : [[item, index]]));
}

/** Whether two networks have an address in common. */
export function overlap(a: Cidr, b: Cidr): boolean {
  return a.contains(b.network) || b.contains(a.network);
}
