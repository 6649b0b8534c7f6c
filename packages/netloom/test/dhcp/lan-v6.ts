import { Cidr, IpAddress, MacAddress, toHex } from '../../src/core/index.ts';
import {
  Dhcpv6Client,
  type Dhcpv6ClientOptions,
  type Dhcpv6Lease,
} from '../../src/ip/dhcp/index.ts';
import {
  DHCPV6_ALL_SERVERS,
  Dhcpv6Message,
  Dhcpv6MessageType,
  Dhcpv6OptionCode,
  dhcpv6Association,
  dhcpv6DnsServers,
  dhcpv6DomainList,
  dhcpv6Option,
  duidOfMac,
  encodeDhcpv6,
  parseDhcpv6,
  readDhcpv6Associations,
  type Dhcpv6Association,
  type Dhcpv6Option,
} from '../../src/wire/index.ts';
import type { Station, VirtualLan } from './virtual-lan.ts';

export const CLIENT_DUID: Uint8Array = duidOfMac(MacAddress.parse('52:54:00:12:34:56'));
export const SERVER_DUID: Uint8Array = duidOfMac(MacAddress.parse('02:00:00:00:00:01'));
export const SERVER_ADDRESS: IpAddress = IpAddress.parse('fe80::1');

const NAMES = Object.fromEntries(
  Object.entries(Dhcpv6MessageType).map(([name, type]) => [type, name.toLowerCase()]),
);

/** A DHCPv6 client on a {@link VirtualLan}, with what it was told. */
export class ClientStation6 implements Station {
  readonly engine: Dhcpv6Client;
  /** What the sink was called with, in words. */
  readonly events: string[] = [];
  readonly sent: Dhcpv6Message[] = [];
  readonly times: number[] = [];
  lease: Dhcpv6Lease | undefined;
  /** Whether an address is found in use. */
  inUse: (address: IpAddress) => boolean = () => false;
  readonly #lan: VirtualLan;
  readonly #address: IpAddress;

  constructor(lan: VirtualLan, options: Partial<Dhcpv6ClientOptions> = {}) {
    this.#lan = lan;
    this.#address = IpAddress.v6(0xfe80_0000, 0, 0, lan.random.uint32());
    const all = { duid: CLIENT_DUID, associationId: 7, random: lan.random, ...options };
    this.engine = new Dhcpv6Client(all, {
      send: (bytes, destination) => {
        this.sent.push(readMessage6(bytes.slice()));
        this.times.push(lan.now);
        lan.send(bytes, this.#address, destination, this);
      },
      probe: (address) => {
        this.events.push(`probe ${address}`);
        this.engine.probed(address, this.inUse(address), lan.now);
      },
      bound: (lease) => {
        this.lease = lease;
        this.events.push(`bound ${nameOf(lease)}`);
      },
      renewed: (lease) => {
        this.lease = lease;
        this.events.push(`renewed ${nameOf(lease)}`);
      },
      lost: (reason) => {
        this.lease = undefined;
        this.events.push(`lost ${reason}`);
      },
      configured: (parameters) => this.events.push(`configured ${parameters.dnsServers.join(' ')}`),
    });
    lan.add(this);
  }

  takes(destination: IpAddress): boolean {
    return destination.equals(this.#address);
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
    return this.sent.map(({ type }) => NAMES[type]!);
  }

  /** The states the client has been in, of its last 16 steps. */
  get path(): string[] {
    return this.engine.history().map(({ to }) => to);
  }
}

function nameOf({ addresses, prefixes }: Dhcpv6Lease): string {
  const names = [
    ...addresses.map(({ address }) => address),
    ...prefixes.map(({ prefix }) => prefix),
  ];
  return names.join(' ');
}

/** A server that gives each client one address of its own, another when that is declined, and a prefix if it wants one; it has no memory but that. */
export class ServerStation6 implements Station {
  readonly engine = { deadline: (): number => Infinity, advance: (): void => undefined };
  readonly #lan: Pick<VirtualLan, 'add' | 'send'>;
  readonly #numbers = new Map<string, number>();
  #lastNumber = 0;
  readonly duid: Uint8Array;
  /** Messages received, in words. */
  readonly received: string[] = [];
  /** Seconds. */
  preferred = 1800;
  valid = 3600;
  /** Options put into each answer. */
  extra: Dhcpv6Option[] = [];
  /** Changes an answer, or takes it away. */
  change: (answer: Dhcpv6Message, request: Dhcpv6Message) => Dhcpv6Message | undefined = (answer) =>
    answer;

  /** @param lan what takes its answers */
  constructor(lan: Pick<VirtualLan, 'add' | 'send'>, duid: Uint8Array = SERVER_DUID) {
    this.#lan = lan;
    this.duid = duid;
    lan.add(this);
  }

  takes(destination: IpAddress): boolean {
    return destination.equals(DHCPV6_ALL_SERVERS);
  }

  receive(bytes: Uint8Array, from: IpAddress): void {
    const request = readMessage6(bytes.slice());
    this.received.push(NAMES[request.type]!);
    const meant = request.option(Dhcpv6OptionCode.SERVER_IDENTIFIER);
    if (meant !== undefined && toHex(meant) !== toHex(this.duid)) return;
    if (request.type === Dhcpv6MessageType.DECLINE) this.#numbers.delete(clientOf(request));
    const answer = this.change(this.#answer(request), request);
    if (answer !== undefined) this.#lan.send(encodeDhcpv6(answer), SERVER_ADDRESS, from, this);
  }

  #answer(request: Dhcpv6Message): Dhcpv6Message {
    const commit = request.option(Dhcpv6OptionCode.RAPID_COMMIT) !== undefined;
    const advertises = request.type === Dhcpv6MessageType.SOLICIT && !commit;
    const ends =
      request.type === Dhcpv6MessageType.RELEASE || request.type === Dhcpv6MessageType.DECLINE;
    return answerTo(
      request,
      advertises ? Dhcpv6MessageType.ADVERTISE : Dhcpv6MessageType.REPLY,
      [
        ...(commit ? [dhcpv6Option(Dhcpv6OptionCode.RAPID_COMMIT)] : []),
        ...(ends || request.type === Dhcpv6MessageType.CONFIRM ? [] : this.#grants(request)),
        dhcpv6DnsServers([IpAddress.parse('2001:db8::53')]),
        dhcpv6DomainList(['lan']),
        ...this.extra,
      ],
      this.duid,
    );
  }

  #grants(request: Dhcpv6Message): Dhcpv6Option[] {
    const client = clientOf(request);
    const number = this.#numbers.get(client) ?? ++this.#lastNumber;
    this.#numbers.set(client, number);
    const lifetimes = { preferred: this.preferred, valid: this.valid, status: 0 };
    const asked = readDhcpv6Associations(request.options);
    if (typeof asked === 'string') return [];
    return asked.map((association) =>
      dhcpv6Association({
        ...association,
        addresses:
          association.code === Dhcpv6OptionCode.IA_NA
            ? [{ address: addressNumber(number), ...lifetimes }]
            : [],
        prefixes:
          association.code === Dhcpv6OptionCode.IA_PD
            ? [{ prefix: prefixNumber(number), ...lifetimes }]
            : [],
      }),
    );
  }
}

function clientOf(request: Dhcpv6Message): string {
  return toHex(request.option(Dhcpv6OptionCode.CLIENT_IDENTIFIER)!);
}

/** 2001:db8::100 and on. */
export function addressNumber(number: number): IpAddress {
  return IpAddress.v6(0x2001_0db8, 0, 0, 0x100 + number);
}

/** 2001:db8:1::/48 and on. */
export function prefixNumber(number: number): Cidr {
  return new Cidr(IpAddress.v6(0x2001_0db8, number << 16, 0, 0), 48);
}

/** An answer to a request with these options beside the identifiers. */
export function answerTo(
  request: Dhcpv6Message,
  type: number,
  options: readonly Dhcpv6Option[],
  server: Uint8Array = SERVER_DUID,
): Dhcpv6Message {
  const answer = new Dhcpv6Message();
  answer.type = type;
  answer.transactionId = request.transactionId;
  answer.options = [
    dhcpv6Option(
      Dhcpv6OptionCode.CLIENT_IDENTIFIER,
      request.option(Dhcpv6OptionCode.CLIENT_IDENTIFIER),
    ),
    dhcpv6Option(Dhcpv6OptionCode.SERVER_IDENTIFIER, server),
    ...options,
  ];
  return answer;
}

/** Reads a message between client and server, or fails. */
export function readMessage6(bytes: Uint8Array): Dhcpv6Message {
  const message = parseDhcpv6(bytes, 0, bytes.length);
  if (!(message instanceof Dhcpv6Message)) throw new Error('not a DHCPv6 message');
  return message;
}

/** The identity associations of a message, or fails. */
export function associationsOf(message: Dhcpv6Message): Dhcpv6Association[] {
  const associations = readDhcpv6Associations(message.options);
  if (typeof associations === 'string') throw new Error(associations);
  return associations;
}
