import { Cidr, IpAddress, MacAddress } from '../../src/core/index.ts';
import {
  Dhcpv4Client,
  Dhcpv4Server,
  type Dhcpv4ClientOptions,
  type Dhcpv4Lease,
  type Dhcpv4ServerOptions,
} from '../../src/ip/dhcp/index.ts';
import { Dhcpv4OptionCode, parseDhcpv4, type Dhcpv4Message } from '../../src/wire/index.ts';
import type { Station, VirtualLan } from './virtual-lan.ts';

/** A DHCPv4 client on a {@link VirtualLan}, with what it was told. */
export class ClientStation implements Station {
  readonly engine: Dhcpv4Client;
  /** What the sink was called with, in words. */
  readonly events: string[] = [];
  /** The messages sent, read again. */
  readonly sent: Dhcpv4Message[] = [];
  readonly destinations: string[] = [];
  lease: Dhcpv4Lease | undefined;
  /** Whether an address is found in use. */
  inUse: (address: IpAddress) => boolean = () => false;
  readonly #lan: VirtualLan;

  constructor(lan: VirtualLan, options: Partial<Dhcpv4ClientOptions> = {}) {
    this.#lan = lan;
    const mac = options.mac ?? MacAddress.random(lan.random);
    this.engine = new Dhcpv4Client(
      { mac, random: lan.random, ...options },
      {
        send: (bytes, destination, source) => {
          this.sent.push(readMessage(bytes.slice()));
          this.destinations.push(destination.toString());
          lan.send(bytes, source, destination, this);
        },
        probe: (address) => {
          this.events.push(`probe ${address}`);
          this.engine.probed(this.inUse(address), lan.now);
        },
        bound: (lease) => {
          this.lease = lease;
          this.events.push(`bound ${lease.address}`);
        },
        renewed: (lease) => {
          this.lease = lease;
          this.events.push(`renewed ${lease.address}`);
        },
        lost: (reason) => {
          this.lease = undefined;
          this.events.push(`lost ${reason}`);
        },
      },
    );
    lan.add(this);
  }

  /** The client as a raw stack is: it takes what is sent to its hardware address before it has an address. */
  takes(destination: IpAddress): boolean {
    return (
      destination.equals(IpAddress.BROADCAST4) || this.lease?.address.equals(destination) === true
    );
  }

  receive(bytes: Uint8Array, from: IpAddress, now: number): void {
    this.engine.receive(bytes, from, now);
  }

  start(): this {
    this.engine.start(this.#lan.now);
    return this;
  }

  /** Types of the messages sent, in words. */
  get kinds(): string[] {
    return this.sent.map((message) => KINDS[message.type ?? 0]!);
  }

  /** The states the client has been in, of its last 16 steps. */
  get path(): string[] {
    return this.engine.history().map(({ to }) => to);
  }
}

const KINDS = [
  'bootp',
  'discover',
  'offer',
  'request',
  'decline',
  'acknowledge',
  'refuse',
  'release',
  'inform',
];

/** A DHCPv4 server on a {@link VirtualLan}. Replies to stations without address are broadcast. */
export class ServerStation implements Station {
  readonly engine: Dhcpv4Server;
  readonly address: IpAddress;
  readonly events: string[] = [];
  readonly sent: Dhcpv4Message[] = [];
  /** Does what it wants to the bytes of replies. */
  spoil: (bytes: Uint8Array) => Uint8Array | undefined = (bytes) => bytes;

  constructor(lan: VirtualLan, options: Partial<Dhcpv4ServerOptions> = {}) {
    const all = { ...SERVER, ...options };
    this.address = all.interface.address;
    this.engine = new Dhcpv4Server(all, {
      send: (bytes, destination) => {
        this.sent.push(readMessage(bytes.slice()));
        const spoiled = this.spoil(bytes);
        const to = destination.mac === undefined ? destination.address : IpAddress.BROADCAST4;
        if (spoiled !== undefined) lan.send(spoiled, this.address, to, this);
      },
      leased: (address, client) => this.events.push(`leased ${address} ${client}`),
      freed: (address, _client, reason) => this.events.push(`freed ${address} ${reason}`),
    });
    lan.add(this);
  }

  takes(destination: IpAddress): boolean {
    return destination.equals(IpAddress.BROADCAST4) || destination.equals(this.address);
  }

  receive(bytes: Uint8Array, from: IpAddress, now: number): void {
    this.engine.receive(bytes, from, now);
  }

  get kinds(): string[] {
    return this.sent.map((message) => KINDS[message.type ?? 0]!);
  }
}

/** A server of 10.0.0.0/24 with leases of an hour. */
export const SERVER: Dhcpv4ServerOptions = {
  interface: Cidr.parse('10.0.0.1/24'),
  pool: { first: IpAddress.parse('10.0.0.100'), last: IpAddress.parse('10.0.0.199') },
  leaseDuration: 3_600_000,
  parameters: {
    routers: [IpAddress.parse('10.0.0.1')],
    dnsServers: [IpAddress.parse('10.0.0.53')],
    domain: 'lan',
    searchDomains: ['lan', 'example.com'],
    mtu: 1400,
  },
};

/** Reads a message, or fails. */
export function readMessage(bytes: Uint8Array): Dhcpv4Message {
  const message = parseDhcpv4(bytes, 0, bytes.length);
  if (typeof message === 'string') throw new Error(`not a DHCPv4 message: ${message}`);
  return message;
}

/** The address a message asks for in its option. */
export function requestedAddress(message: Dhcpv4Message): string | undefined {
  return message.address(Dhcpv4OptionCode.REQUESTED_ADDRESS)?.toString();
}
