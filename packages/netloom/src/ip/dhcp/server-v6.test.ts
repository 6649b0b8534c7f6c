import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  Cidr,
  IpAddress,
  MacAddress,
  fromHex,
  toHex,
  type NetloomError,
} from '../../core/index.ts';
import {
  DHCPV6_ALL_SERVERS,
  DHCPV6_INFINITE,
  Dhcpv6Message,
  Dhcpv6MessageType,
  Dhcpv6OptionCode,
  Dhcpv6RelayMessage,
  Dhcpv6Status,
  dhcpv6Association,
  dhcpv6ClientName,
  dhcpv6Option,
  dhcpv6OptionRequest,
  dhcpv6RelayedMessage,
  duidOfMac,
  duidOfUuid,
  encodeDhcpv6,
  parseDhcpv6,
  readDhcpv6DnsServers,
  readDhcpv6DomainList,
  readDhcpv6Number,
  readDhcpv6Status,
  unwrapDhcpv6,
  type Dhcpv6Association,
  type Dhcpv6Option,
} from '../../wire/index.ts';
import {
  ClientStation6,
  SERVER_ADDRESS,
  SERVER_DUID,
  associationsOf,
  readMessage6,
} from '../../../test/dhcp/lan-v6.ts';
import { VirtualLan, type Station } from '../../../test/dhcp/virtual-lan.ts';
import { Dhcpv6Server, type Dhcpv6ServerOptions } from './index.ts';

const {
  SOLICIT,
  ADVERTISE,
  REQUEST,
  CONFIRM,
  RENEW,
  REBIND,
  REPLY,
  RELEASE,
  DECLINE,
  INFORMATION_REQUEST,
} = Dhcpv6MessageType;
const { IA_NA, IA_PD } = Dhcpv6OptionCode;
const HOUR = 3_600_000;
const CLIENT = IpAddress.parse('fe80::c');

const at = (text: string): IpAddress => IpAddress.parse(text);

const OPTIONS: Dhcpv6ServerOptions = {
  duid: SERVER_DUID,
  interface: Cidr.parse('2001:db8::1/64'),
  pool: { first: at('2001:db8::100'), last: at('2001:db8::103') },
  delegation: { block: Cidr.parse('2001:db8:ff00::/40'), length: 48 },
  parameters: { dnsServers: [at('2001:db8::53')], searchDomains: ['lan'], refreshTime: HOUR },
};

/** What a client asks. */
interface Ask {
  readonly type: number;
  readonly client?: number;
  readonly duid?: Uint8Array;
  /** Leases by which associations are made: one for each, `IAID` 7 and on. An empty text: an association without. */
  readonly addresses?: readonly string[];
  readonly prefixes?: readonly string[];
  readonly server?: Uint8Array;
  readonly options?: readonly Dhcpv6Option[];
  readonly now?: number;
  readonly to?: IpAddress;
  readonly station?: number;
}

function macOf(client: number): MacAddress {
  return new MacAddress(0x0200, client);
}

function messageOf({ type, client = 1, duid, addresses = [], prefixes = [], ...ask }: Ask) {
  const message = new Dhcpv6Message();
  message.type = type;
  message.transactionId = 77;
  const none = { renew: 0, rebind: 0, status: 0, addresses: [], prefixes: [] };
  const times = { preferred: 0, valid: 0, status: 0 };
  message.options = [
    dhcpv6Option(Dhcpv6OptionCode.CLIENT_IDENTIFIER, duid ?? duidOfMac(macOf(client))),
    ...(ask.server === undefined
      ? []
      : [dhcpv6Option(Dhcpv6OptionCode.SERVER_IDENTIFIER, ask.server)]),
    ...addresses.map((text, index) =>
      dhcpv6Association({
        ...none,
        code: IA_NA,
        id: 7 + index,
        addresses: text === '' ? [] : [{ address: at(text), ...times }],
      }),
    ),
    ...prefixes.map((text, index) =>
      dhcpv6Association({
        ...none,
        code: IA_PD,
        id: 7 + index,
        prefixes: text === '' ? [] : [{ prefix: Cidr.parse(text), ...times }],
      }),
    ),
    ...(ask.options ?? []),
  ];
  return message;
}

/** A server, and what it has sent. */
class Bench {
  readonly server: Dhcpv6Server;
  readonly replies: { bytes: Uint8Array; destination: IpAddress; port: number }[] = [];
  readonly events: string[] = [];

  constructor(options: Partial<Dhcpv6ServerOptions> = {}) {
    this.server = new Dhcpv6Server(
      { ...OPTIONS, ...options },
      {
        send: (bytes, destination, port) => this.replies.push({ bytes, destination, port }),
        leased: (lease) => this.events.push(`leased ${lease}`),
        freed: (lease, _client, reason) => this.events.push(`freed ${lease} ${reason}`),
        displaced: ({ lease, remaining }) =>
          this.events.push(`displaced ${lease} for ${remaining}`),
      },
    );
  }

  /** Hands the server a client's message; answers its reply, if there is one. */
  ask(request: Ask): Dhcpv6Message | undefined {
    const before = this.replies.length;
    const bytes = encodeDhcpv6(messageOf(request));
    const { now = 0, to = DHCPV6_ALL_SERVERS, station } = request;
    this.server.receive(bytes, CLIENT, now, station, to);
    // Bytes are borrowed: what the engine kept a view of is spoilt.
    bytes.fill(0xee);
    return this.replies.length > before ? readMessage6(this.replies.at(-1)!.bytes) : undefined;
  }

  /** Solicit and Request; answers the address or what is said instead. */
  lease(client: number, now = 0): string {
    const advertised = this.ask({ type: SOLICIT, client, addresses: [''], now });
    const address = addressesOf(advertised)[0] ?? '';
    const reply = this.ask({
      type: REQUEST,
      client,
      addresses: [address],
      server: SERVER_DUID,
      now,
    });
    return addressesOf(reply)[0] ?? `status ${associationsOf(reply!)[0]?.status}`;
  }
}

function addressesOf(message: Dhcpv6Message | undefined): string[] {
  const all = message === undefined ? [] : associationsOf(message);
  return all.flatMap(({ addresses }) => addresses.map(({ address }) => address.toString()));
}

function prefixesOf(message: Dhcpv6Message | undefined): string[] {
  const all = message === undefined ? [] : associationsOf(message);
  return all.flatMap(({ prefixes }) => prefixes.map(({ prefix }) => prefix.toString()));
}

test('Solicit, Advertise, Request, Reply: an address, a prefix, times and parameters (RFC 8415, 18.3.1 and 18.3.2)', () => {
  const bench = new Bench({ leaseDuration: HOUR, preferredDuration: HOUR / 2, preference: 9 });
  const advertised = bench.ask({ type: SOLICIT, addresses: [''], prefixes: [''] })!;
  assert.equal(advertised.type, ADVERTISE);
  assert.equal(advertised.transactionId, 77);
  assert.equal(readDhcpv6Number(advertised.options, Dhcpv6OptionCode.PREFERENCE, 1), 9);
  assert.deepEqual(addressesOf(advertised), ['2001:db8::100']);
  assert.deepEqual(prefixesOf(advertised), ['2001:db8:ff00::/48']);
  assert.deepEqual(bench.events, [], 'nothing is leased as yet');
  assert.deepEqual([bench.server.size, bench.server.deadline()], [2, 60_000]);
  const reply = bench.ask({
    type: REQUEST,
    addresses: ['2001:db8::100'],
    prefixes: ['2001:db8:ff00::/48'],
    server: SERVER_DUID,
  })!;
  assert.equal(reply.type, REPLY);
  assert.equal(toHex(reply.option(Dhcpv6OptionCode.SERVER_IDENTIFIER)!), toHex(SERVER_DUID));
  assert.equal(
    toHex(reply.option(Dhcpv6OptionCode.CLIENT_IDENTIFIER)!),
    toHex(duidOfMac(macOf(1))),
  );
  const [{ id, renew, rebind, addresses }] = associationsOf(reply) as [Dhcpv6Association];
  assert.deepEqual([id, renew, rebind], [7, 900, 1440]);
  assert.deepEqual([addresses[0]!.preferred, addresses[0]!.valid], [1800, 3600]);
  assert.deepEqual(readDhcpv6DnsServers(reply.options)?.map(String), ['2001:db8::53']);
  assert.deepEqual(readDhcpv6DomainList(reply.options), ['lan']);
  assert.deepEqual(bench.events, ['leased 2001:db8::100/128', 'leased 2001:db8:ff00::/48']);
  const { destination, port } = bench.replies.at(-1)!;
  assert.deepEqual([destination.toString(), port], ['fe80::c', 546]);
  assert.equal(bench.server.deadline(), HOUR);
  bench.server.advance(HOUR);
  assert.deepEqual(bench.events.slice(2), [
    'freed 2001:db8::100/128 expired',
    'freed 2001:db8:ff00::/48 expired',
  ]);
  assert.equal(bench.server.size, 0);
});

test('rapid commit grants at once, where both want it (RFC 8415, 18.3.1 and 21.14)', () => {
  const rapid = { type: SOLICIT, addresses: [''], options: [dhcpv6Option(14)] };
  const bench = new Bench();
  const reply = bench.ask(rapid)!;
  assert.equal(reply.type, REPLY);
  assert.notEqual(reply.option(Dhcpv6OptionCode.RAPID_COMMIT), undefined);
  assert.deepEqual(bench.events, ['leased 2001:db8::100/128']);
  assert.equal(new Bench({ rapidCommit: false }).ask(rapid)?.type, ADVERTISE);
});

test('an offer is held for a while, and the client has it again later', () => {
  const bench = new Bench({ limits: { offerTime: 30_000 } });
  bench.ask({ type: SOLICIT, addresses: [''] });
  bench.server.advance(29_999);
  assert.equal(bench.server.size, 1);
  bench.server.advance(30_000);
  assert.equal(bench.server.size, 0);
  assert.equal(bench.lease(2, 40_000), '2001:db8::101');
  assert.equal(bench.lease(1, 40_000), '2001:db8::100', 'remembered');
});

test('a client may name what it would like; only what is free and of the pool is given', () => {
  const bench = new Bench();
  const ask = (client: number, address: string): string[] =>
    addressesOf(bench.ask({ type: SOLICIT, client, addresses: [address] }));
  assert.deepEqual(ask(1, '2001:db8::103'), ['2001:db8::103']);
  assert.deepEqual(ask(2, '2001:db8::103'), ['2001:db8::100'], 'taken');
  assert.deepEqual(ask(3, '2001:db8::1'), ['2001:db8::101'], 'the server’s own');
  assert.deepEqual(ask(4, '2001:db8:0:1::9'), ['2001:db8::102'], 'of another network');
});

test('where nothing is left, the association says so', () => {
  const bench = new Bench({ delegation: { block: Cidr.parse('2001:db8:ff::/48'), length: 48 } });
  for (const client of [1, 2, 3, 4]) assert.match(bench.lease(client), /^2001:db8::10[0-3]$/);
  const refused = bench.ask({ type: SOLICIT, client: 5, addresses: [''], prefixes: ['', ''] })!;
  assert.deepEqual(
    associationsOf(refused).map(({ status }) => status),
    [Dhcpv6Status.NO_ADDRESSES, Dhcpv6Status.SUCCESS, Dhcpv6Status.NO_PREFIXES],
  );
  assert.equal(bench.server.size, 5);
  const without = new Bench({ pool: undefined as never });
  assert.equal(without.lease(1), `status ${Dhcpv6Status.NO_ADDRESSES}`);
});

test('a Request for an address of another network is NotOnLink (RFC 8415, 18.3.2)', () => {
  const bench = new Bench();
  const addresses = ['2001:db8:0:5::1'];
  const reply = bench.ask({ type: REQUEST, addresses, server: SERVER_DUID })!;
  assert.equal(associationsOf(reply)[0]?.status, Dhcpv6Status.NOT_ON_LINK);
  assert.equal(bench.server.size, 0);
});

test('Confirm: whether the addresses are good here, whoever has given them (RFC 8415, 18.3.3)', () => {
  const bench = new Bench();
  const status = (...addresses: string[]): number | undefined => {
    const reply = bench.ask({ type: CONFIRM, addresses });
    return reply && readDhcpv6Status(reply.options);
  };
  assert.equal(status('2001:db8::999'), Dhcpv6Status.SUCCESS);
  assert.equal(status('2001:db8::100', '2001:db8:0:1::1'), Dhcpv6Status.NOT_ON_LINK);
  assert.equal(status(''), undefined, 'no addresses: no Reply');
  assert.equal(status(), undefined);
  assert.equal(bench.server.drops.get('no-address-asked'), 2);
});

test('Renew and Rebind make the lease longer; what else the client has is taken from it (RFC 8415, 18.3.4 and 18.3.5)', () => {
  for (const [type, server] of [
    [RENEW, SERVER_DUID],
    [REBIND, undefined],
  ] as const) {
    const bench = new Bench();
    bench.lease(1);
    const named = server === undefined ? {} : { server };
    const message = messageOf({ type, addresses: ['2001:db8::100'], ...named });
    const more = { address: at('2001:db8::77'), preferred: 0, valid: 0, status: 0 };
    const [association] = associationsOf(message);
    message.options = [
      ...message.options.filter(({ code }) => code !== IA_NA),
      dhcpv6Association({ ...association!, addresses: [...association!.addresses, more] }),
    ];
    bench.server.receive(encodeDhcpv6(message), CLIENT, HOUR / 2);
    const [answer] = associationsOf(readMessage6(bench.replies.at(-1)!.bytes));
    const times = answer!.addresses.map(({ address, valid }) => [address.toString(), valid]);
    assert.deepEqual(times, [
      ['2001:db8::100', 3600],
      ['2001:db8::77', 0],
    ]);
    assert.equal(bench.server.deadline(), HOUR * 1.5);
  }
});

test('a lease that the server has forgotten is the client’s again, if nobody has it', () => {
  const bench = new Bench();
  const renew = { type: RENEW, server: SERVER_DUID };
  const reply = bench.ask({ ...renew, client: 1, addresses: ['2001:db8::102'] });
  assert.deepEqual(addressesOf(reply), ['2001:db8::102']);
  assert.deepEqual(bench.events, ['leased 2001:db8::102/128']);
  const other = bench.ask({ ...renew, client: 2, addresses: ['2001:db8::102'] })!;
  assert.equal(associationsOf(other)[0]?.status, Dhcpv6Status.NO_BINDING);
  assert.equal(bench.ask({ type: REBIND, client: 2, addresses: ['2001:db8::102'] }), undefined);
  assert.equal(bench.server.drops.get('unknown-client'), 1);
  const elsewhere = bench.ask({ type: REBIND, client: 3, addresses: ['2001:db8:0:9::2'] })!;
  assert.equal(associationsOf(elsewhere)[0]?.addresses[0]?.valid, 0, 'not of this link');
});

test('Release gives back the client’s own and nobody else’s (RFC 8415, 18.3.7)', () => {
  const bench = new Bench();
  bench.lease(1);
  const release = { type: RELEASE, server: SERVER_DUID, addresses: ['2001:db8::100'] };
  const other = bench.ask({ ...release, client: 2 })!;
  assert.equal(readDhcpv6Status(other.options), Dhcpv6Status.SUCCESS);
  assert.equal(associationsOf(other)[0]?.status, Dhcpv6Status.NO_BINDING);
  bench.ask({ ...release, client: 1, addresses: ['2001:db8::101'] });
  assert.equal(bench.server.leases(0).length, 1, 'another address than it has');
  const own = bench.ask({ ...release, client: 1 })!;
  assert.deepEqual(associationsOf(own), []);
  assert.equal(bench.server.size, 0);
  assert.deepEqual(bench.events.slice(1), ['freed 2001:db8::100/128 released']);
});

test('Decline takes the address out of the pool for a while (RFC 8415, 18.3.8)', () => {
  const bench = new Bench({ limits: { quarantine: 1000 } });
  assert.equal(bench.lease(1), '2001:db8::100');
  bench.ask({ type: DECLINE, client: 2, server: SERVER_DUID, addresses: ['2001:db8::100'] });
  assert.equal(bench.server.leases(0).length, 1, 'not another client’s');
  bench.ask({ type: DECLINE, client: 1, server: SERVER_DUID, addresses: ['2001:db8::100'] });
  assert.deepEqual(bench.events.slice(1), ['freed 2001:db8::100/128 declined']);
  assert.deepEqual(
    [1, 2, 3, 4].map((client) => bench.lease(client, 500)),
    ['2001:db8::101', '2001:db8::102', '2001:db8::103', `status ${Dhcpv6Status.NO_ADDRESSES}`],
  );
  assert.equal(bench.lease(4, 1000), '2001:db8::100');
});

test('parameters alone, for clients with addresses of their own making (RFC 8415, 18.3.6)', () => {
  const bench = new Bench();
  const reply = bench.ask({ type: INFORMATION_REQUEST })!;
  assert.equal(reply.type, REPLY);
  assert.deepEqual(readDhcpv6DnsServers(reply.options)?.map(String), ['2001:db8::53']);
  const { INFORMATION_REFRESH_TIME, DOMAIN_LIST, DNS_SERVERS } = Dhcpv6OptionCode;
  assert.equal(readDhcpv6Number(reply.options, INFORMATION_REFRESH_TIME, 4), 3600);
  const asked = dhcpv6OptionRequest([DOMAIN_LIST]);
  const some = bench.ask({ type: INFORMATION_REQUEST, options: [asked] })!;
  assert.deepEqual(readDhcpv6DomainList(some.options), ['lan']);
  assert.equal(some.option(DNS_SERVERS), undefined, 'not asked for');
  bench.ask({ type: INFORMATION_REQUEST, addresses: [''] });
  assert.equal(bench.server.drops.get('association-in-question'), 1);
  // Without a client identifier: the one message that may come so.
  const anonymous = new Dhcpv6Message();
  anonymous.type = INFORMATION_REQUEST;
  bench.server.receive(encodeDhcpv6(anonymous), CLIENT, 0);
  assert.equal(readMessage6(bench.replies.at(-1)!.bytes).option(1), undefined);
});

test('through relay agents: answered by the same way, for this subnet only (RFC 8415, 19.3)', () => {
  const bench = new Bench();
  const relayed = (link: string): void => {
    const inner = new Dhcpv6RelayMessage();
    inner.linkAddress = at(link);
    inner.peerAddress = CLIENT;
    inner.options = [
      dhcpv6Option(Dhcpv6OptionCode.INTERFACE_ID, fromHex('aabb')),
      dhcpv6RelayedMessage(messageOf({ type: SOLICIT, addresses: [''] })),
    ];
    const outer = new Dhcpv6RelayMessage();
    outer.hopCount = 1;
    outer.peerAddress = at('fe80::77');
    outer.options = [dhcpv6RelayedMessage(inner)];
    bench.server.receive(encodeDhcpv6(outer), at('2001:db8:9::2'), 0, undefined, at('2001:db8::1'));
  };
  relayed('2001:db8::ffff');
  const { bytes, destination, port } = bench.replies[0]!;
  assert.deepEqual([destination.toString(), port], ['2001:db8:9::2', 547]);
  const answer = unwrapDhcpv6(bytes, 0, bytes.length);
  assert.ok(typeof answer !== 'string');
  assert.deepEqual(
    answer.relays.map(({ type, hopCount, peerAddress }) => [type, hopCount, String(peerAddress)]),
    [
      [13, 1, 'fe80::77'],
      [13, 0, 'fe80::c'],
    ],
  );
  const [, nearest] = answer.relays;
  const via = nearest!.options.find(({ code }) => code === Dhcpv6OptionCode.INTERFACE_ID);
  assert.equal(toHex(via!.data), 'aabb');
  assert.deepEqual(addressesOf(answer.message), ['2001:db8::100']);
  relayed('2001:db8:5::1');
  assert.equal(bench.server.drops.get('other-subnet'), 1);
});

test('what RFC 8415, section 16 has servers discard is discarded, and counted', () => {
  const bench = new Bench();
  const addresses = ['2001:db8::100'];
  const other = duidOfMac(macOf(99));
  const own = at('2001:db8::1');
  assert.equal(bench.ask({ type: SOLICIT, addresses, server: SERVER_DUID }), undefined);
  assert.equal(bench.ask({ type: REQUEST, addresses }), undefined);
  assert.equal(bench.ask({ type: REQUEST, addresses, server: other }), undefined);
  assert.equal(bench.ask({ type: REBIND, addresses, server: SERVER_DUID }), undefined);
  assert.equal(bench.ask({ type: ADVERTISE, addresses }), undefined);
  assert.equal(bench.ask({ type: SOLICIT, addresses, to: own }), undefined);
  assert.equal(bench.ask({ type: SOLICIT, duid: new Uint8Array(2), addresses }), undefined);
  assert.equal(bench.ask({ type: SOLICIT, duid: new Uint8Array(131), addresses }), undefined);
  assert.equal(bench.ask({ type: SOLICIT }), undefined);
  bench.server.receive(Uint8Array.of(1, 2), CLIENT, 0);
  assert.deepEqual(bench.server.drops.snapshot(), {
    'bad-client': 2,
    'no-association': 1,
    'no-server': 1,
    'other-server': 1,
    'server-named': 2,
    truncated: 1,
    unicast: 1,
    'wrong-type': 1,
  });
  const told = bench.ask({ type: REQUEST, addresses, server: SERVER_DUID, to: own })!;
  assert.equal(readDhcpv6Status(told.options), Dhcpv6Status.USE_MULTICAST);
  assert.equal(bench.server.size, 0);
});

test('one client cannot have the whole table', () => {
  const bench = new Bench({
    pool: { first: at('2001:db8::100'), last: at('2001:db8::ffff') },
    limits: { clientBindings: 3, associations: 5, bindings: 4 },
  });
  const options = [dhcpv6Option(Dhcpv6OptionCode.RAPID_COMMIT)];
  const many = bench.ask({ type: SOLICIT, addresses: ['', '', '', '', ''], options })!;
  assert.equal(addressesOf(many).length, 3);
  assert.equal(bench.ask({ type: SOLICIT, addresses: ['', '', '', '', '', ''] }), undefined);
  assert.equal(bench.server.drops.get('too-many-associations'), 1);
  assert.match(bench.lease(2), /^2001/);
  assert.equal(bench.lease(3), `status ${Dhcpv6Status.NO_ADDRESSES}`, 'the table is full');
});

test('reservations by MAC address and by DUID; a reservation made later moves its client', () => {
  const uuid = duidOfUuid(new Uint8Array(16).fill(5));
  const bench = new Bench({
    reservations: [
      { address: at('2001:db8::7'), mac: macOf(1) },
      { address: at('2001:db8::100'), duid: uuid },
    ],
  });
  assert.equal(bench.lease(1), '2001:db8::7');
  assert.equal(bench.lease(2), '2001:db8::101', '::100 is kept');
  const reply = bench.ask({ type: SOLICIT, duid: uuid, addresses: ['', ''] });
  assert.deepEqual(addressesOf(reply), ['2001:db8::100', '2001:db8::102']);
  bench.server.reserve({ mac: macOf(2), address: at('2001:db8::8') }, 0);
  assert.equal(bench.lease(2), '2001:db8::8');
  assert.ok(bench.events.includes('freed 2001:db8::101/128 released'));
});

test('reserve() leases an address before its client asks, and keeps it for that client', () => {
  const bench = new Bench();
  const mac = macOf(1);
  assert.equal(bench.server.reserve({ mac, hostname: 'box' }, 0).toString(), '2001:db8::100');
  assert.equal(bench.server.reserve({ mac }, 0).toString(), '2001:db8::100');
  assert.deepEqual(bench.server.leases(0), [
    {
      kind: 'address',
      lease: '2001:db8::100/128',
      client: 'hw:1:020000000001',
      associationId: 0,
      hostname: 'box',
      remaining: null,
      isReserved: true,
    },
  ]);
  assert.equal(bench.lease(2), '2001:db8::101');
  assert.equal(bench.lease(1), '2001:db8::100');
  const { client, associationId, hostname, isReserved } = bench.server.leases(0)[0]!;
  assert.equal(client, `duid:${toHex(duidOfMac(mac))}`);
  assert.deepEqual([associationId, hostname, isReserved], [7, 'box', undefined]);
  bench.server.advance(HOUR);
  assert.equal(bench.lease(3, HOUR), '2001:db8::102', 'it stays reserved after the lease');
  bench.server.unreserve({ mac }, HOUR);
  assert.equal(bench.lease(4, HOUR), '2001:db8::103');
  assert.equal(bench.lease(5, HOUR), '2001:db8::100');
  const own = { mac: macOf(9), address: at('2001:db8::1') };
  assert.throws(() => bench.server.reserve(own, HOUR), { code: 'DHCP_POOL_INVALID' });
  assert.notEqual(bench.server.reserve({ mac: macOf(9) }, HOUR), undefined);
  assert.throws(() => bench.server.reserve({ mac: macOf(10) }, HOUR), {
    code: 'DHCP_POOL_EXHAUSTED',
  });
});

test('what a client has may be reserved for its MAC address, then and in a later run', () => {
  const bench = new Bench();
  const address = at(bench.lease(1));
  const after = new Bench();
  assert.equal(after.server.importLeases(bench.server.leases(0), 0), 1);
  for (const { server } of [bench, after]) {
    assert.equal(String(server.reserve({ mac: macOf(1), address }, 0)), String(address));
    assert.equal(server.leases(0).length, 1);
    assert.equal(String(server.reserve({ mac: macOf(1) }, 0)), String(address));
  }
});

test('an address that a client has leased may be reserved for another: the client is told of, and given another when it asks again', () => {
  for (const type of [RENEW, REBIND]) {
    const bench = new Bench();
    const address = bench.lease(1);
    const reserved = { mac: macOf(9), hostname: 'box', address: at(address) };
    bench.server.reserve(reserved, 1000);
    bench.server.reserve(reserved, 1000);
    assert.deepEqual(bench.events, [
      `leased ${address}/128`,
      `displaced ${address}/128 for ${HOUR - 1000}`,
    ]);
    assert.equal(bench.lease(9, 1000), '2001:db8::101', 'two are not to have it at once');
    const server = type === RENEW ? { server: SERVER_DUID } : {};
    const reply = bench.ask({ type, client: 1, addresses: [address], ...server, now: 2000 });
    const [association] = associationsOf(reply!);
    assert.deepEqual(
      association!.addresses.map((one) => [one.address.toString(), one.valid > 0]),
      [
        ['2001:db8::102', true],
        [address, false],
      ],
    );
    assert.equal(bench.lease(9, 2000), address);
  }
});

test('a displaced lease that ends or is given back leaves the address to whom it is reserved for; an offer at once', () => {
  for (const how of ['ends', 'release', 'solicit', 'offer']) {
    const bench = new Bench();
    const address = addressesOf(bench.ask({ type: SOLICIT, addresses: [''] }))[0]!;
    const ask = { client: 1, addresses: [address], server: SERVER_DUID };
    if (how !== 'offer') bench.ask({ type: REQUEST, ...ask });
    bench.server.reserve({ mac: macOf(9), address: at(address) }, 0);
    if (how === 'ends') bench.server.advance(HOUR);
    if (how === 'release') bench.ask({ type: RELEASE, ...ask });
    if (how === 'solicit') bench.ask({ type: SOLICIT, client: 1, addresses: [address] });
    const [lease, ...others] = bench.server.leases(0);
    assert.deepEqual([lease?.client, lease?.lease], ['hw:1:020000000009', `${address}/128`], how);
    assert.deepEqual(others, []);
    assert.notEqual(bench.lease(1, HOUR), address);
  }
});

test('whatever is leased and reserved, no client is told an address of another, and in the end all are free', () => {
  const kinds = ['lease', 'renew', 'reserve', 'any', 'unreserve', 'decline', 'wait'] as const;
  const step = fc.record({
    kind: fc.constantFrom(...kinds),
    client: fc.integer({ min: 1, max: 6 }),
    last: fc.integer({ min: 0, max: 3 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const bench = new Bench({ limits: { quarantine: HOUR } });
      let now = 0;
      for (const { kind, client, last } of steps) {
        const mac = macOf(client);
        const address = `2001:db8::10${last}`;
        const ask = { client, addresses: [address], server: SERVER_DUID, now };
        if (kind === 'wait') now += HOUR / 2;
        if (kind === 'unreserve') bench.server.unreserve({ mac }, now);
        if (kind === 'decline') bench.ask({ type: DECLINE, ...ask });
        if (kind === 'reserve' || kind === 'any') {
          try {
            bench.server.reserve(kind === 'any' ? { mac } : { mac, address: at(address) }, now);
          } catch (error) {
            assert.match((error as NetloomError).code, /^DHCP_POOL_(INVALID|EXHAUSTED)$/);
          }
        }
        const leased =
          kind === 'lease'
            ? bench.lease(client, now)
            : kind === 'renew' && addressesOf(bench.ask({ type: RENEW, ...ask }))[0];
        if (leased === false || leased === undefined || leased.startsWith('status')) continue;
        const holder = bench.server.leases(now).find(({ lease }) => lease === `${leased}/128`);
        assert.equal(holder?.client, `duid:${toHex(duidOfMac(mac))}`);
      }
      for (let client = 1; client <= 6; client++)
        bench.server.unreserve({ mac: macOf(client) }, now);
      now += 2 * HOUR;
      bench.server.advance(now);
      assert.equal(bench.server.size, 0);
      const given = [7, 8, 9, 10, 11].map((client) => bench.lease(client, now));
      assert.equal(new Set(given.slice(0, 4)).size, 4);
      assert.deepEqual(
        given.map((text) => text.startsWith('status')),
        [false, false, false, false, true],
      );
    }),
    { numRuns: 500 },
  );
});

test('a client has the name that its owner gave it', () => {
  const bench = new Bench();
  bench.server.setName({ mac: macOf(1) }, 'box');
  bench.lease(1);
  assert.equal(bench.server.leases(0)[0]?.hostname, 'box');
});

test('a client’s name is taken from its FQDN option (RFC 4704)', () => {
  for (const name of ['box', 'box.example.com']) {
    const bench = new Bench();
    const rapid = dhcpv6Option(Dhcpv6OptionCode.RAPID_COMMIT);
    const options = [rapid, dhcpv6ClientName(name)];
    bench.ask({ type: SOLICIT, addresses: [''], options });
    assert.equal(bench.server.leases(0)[0]?.hostname, name);
    bench.ask({ type: RENEW, server: SERVER_DUID, addresses: ['2001:db8::100'] });
    assert.equal(bench.server.leases(0)[0]?.hostname, name, 'a Renew without is no change');
  }
});

test('leases are exported as plain data and taken in again; nonsense is passed over', () => {
  const bench = new Bench();
  bench.ask({
    type: SOLICIT,
    addresses: [''],
    prefixes: [''],
    options: [dhcpv6Option(Dhcpv6OptionCode.RAPID_COMMIT)],
  });
  const records = bench.server.leases(HOUR / 2);
  assert.deepEqual(
    records.map(({ kind, lease, remaining }) => [kind, lease, remaining]),
    [
      ['address', '2001:db8::100/128', HOUR / 2],
      ['prefix', '2001:db8:ff00::/48', HOUR / 2],
    ],
  );
  const good = { ...records[0]!, client: 'duid:0102', lease: '2001:db8::102/128' };
  const bad = [
    { ...good, lease: 'x' },
    { ...good, lease: '2001:db8::1/128' },
    { ...good, lease: '2001:db8::/128' },
    { ...good, lease: '2001:db8::103/64' },
    { ...good, lease: '10.0.0.1/32' },
    { ...good, kind: 'prefix' as const, lease: '2001:db8:aa00::/48' },
    { ...good, client: '' },
    { ...good, remaining: 0 },
    { ...good, isReserved: true as const },
  ];
  const next = new Bench();
  assert.equal(next.server.importLeases([...records, ...bad, good, good], 0), 3);
  const renewed = next.ask({ type: RENEW, server: SERVER_DUID, addresses: ['2001:db8::100'] });
  assert.deepEqual(addressesOf(renewed), ['2001:db8::100']);
});

test('leases without end are infinite on the wire', () => {
  const bench = new Bench({ leaseDuration: Infinity });
  bench.lease(1);
  const [{ renew, rebind, addresses }] = associationsOf(
    readMessage6(bench.replies.at(-1)!.bytes),
  ) as [Dhcpv6Association];
  const { preferred, valid } = addresses[0]!;
  assert.deepEqual(new Set([renew, rebind, preferred, valid]), new Set([DHCPV6_INFINITE]));
  assert.equal(bench.server.deadline(), Infinity);
});

test('what makes no sense is refused at once', () => {
  const block = Cidr.parse('2001:db8:ff00::/40');
  for (const options of [
    { pool: { first: at('2001:db8::9'), last: at('2001:db8::8') } },
    { pool: { first: at('2001:db8::9'), last: at('2001:db8:0:1::9') } },
    { pool: { first: at('2001:db8::'), last: at('2001:db8::2:0:0:0') } },
    { delegation: { block, length: 32 } },
    { delegation: { block, length: 80 } },
    { delegation: { block: Cidr.parse('10.0.0.0/8'), length: 16 } },
    { reservations: [{ address: at('2001:db8::1'), mac: macOf(1) }] },
    { reservations: [{ address: at('2001:db9::2'), mac: macOf(1) }] },
  ]) {
    assert.throws(() => new Bench(options), { code: 'DHCP_POOL_INVALID' });
  }
  for (const options of [
    { leaseDuration: NaN },
    { leaseDuration: 500 },
    { leaseDuration: 1000, preferredDuration: 1001 },
  ]) {
    assert.throws(() => new Bench(options), { code: 'DHCP_LEASE_INVALID' });
  }
});

test('any messages: never a throw, never two clients with one lease, never a table past its limit', () => {
  const address = fc.integer({ min: 0, max: 6 }).map((n) => `2001:db8::${(0xff + n).toString(16)}`);
  const step = fc.record({
    type: fc.integer({ min: 1, max: 12 }),
    client: fc.nat(5),
    addresses: fc.array(fc.oneof(fc.constant(''), address), { maxLength: 3 }),
    prefixes: fc.array(fc.constantFrom('', '2001:db8:ff01::/48'), { maxLength: 2 }),
    named: fc.constantFrom(SERVER_DUID, duidOfMac(macOf(77)), undefined),
    rapid: fc.boolean(),
    wait: fc.constantFrom(0, 1000, 61_000, HOUR),
    mutations: fc.array(fc.tuple(fc.nat(330), fc.nat(255)), { maxLength: 2 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const held = new Map<string, string>();
      const server = new Dhcpv6Server(
        { ...OPTIONS, limits: { bindings: 5, clientBindings: 3 } },
        {
          send: (bytes) => assert.notEqual(typeof parseDhcpv6(bytes, 0, bytes.length), 'string'),
          leased: (lease, client) => {
            const holder = held.get(lease.toString());
            assert.ok(holder === undefined || holder === client, `${lease} has two holders`);
            held.set(lease.toString(), client);
          },
          freed: (lease) => assert.ok(held.delete(lease.toString())),
        },
      );
      let now = 0;
      for (const { named, rapid, mutations, wait, ...ask } of steps) {
        now += wait;
        const options = rapid ? [dhcpv6Option(Dhcpv6OptionCode.RAPID_COMMIT)] : [];
        const server6 = named === undefined ? {} : { server: named };
        const bytes = encodeDhcpv6(messageOf({ ...ask, ...server6, options }));
        for (const [index, value] of mutations) if (index < bytes.length) bytes[index] = value;
        server.receive(bytes, CLIENT, now);
        assert.ok(server.size <= 5);
        assert.equal(server.leases(now).length, held.size);
        assert.ok(server.deadline() > now);
      }
      server.advance(Number.MAX_SAFE_INTEGER);
      assert.equal(server.size, 0);
      assert.equal(held.size, 0);
    }),
    { numRuns: 300 },
  );
});

/** The server on a {@link VirtualLan}. */
class ServerOnLan implements Station {
  readonly engine: Dhcpv6Server;

  constructor(lan: VirtualLan, options: Partial<Dhcpv6ServerOptions> = {}) {
    this.engine = new Dhcpv6Server(
      { ...OPTIONS, pool: { first: at('2001:db8::100'), last: at('2001:db8::1ff') }, ...options },
      { send: (bytes, destination) => lan.send(bytes, SERVER_ADDRESS, destination, this) },
    );
    lan.add(this);
  }

  takes(destination: IpAddress): boolean {
    return destination.equals(DHCPV6_ALL_SERVERS);
  }

  receive(bytes: Uint8Array, from: IpAddress, now: number): void {
    this.engine.receive(bytes, from, now);
  }
}

/** Many clients and a server in bad weather. */
function storm(seed: number): { lan: VirtualLan; server: ServerOnLan; clients: ClientStation6[] } {
  const lan = new VirtualLan(seed, { loss: 0.3, duplication: 0.2, delay: 3000 });
  const server = new ServerOnLan(lan);
  const clients = Array.from({ length: 30 }, (_, index) =>
    new ClientStation6(lan, {
      duid: duidOfMac(macOf(index)),
      prefixes: index % 3 === 0,
      rapidCommit: index % 2 === 0,
    }).start(),
  );
  const bound = (): boolean => clients.every(({ engine }) => engine.state === 'bound');
  lan.run(HOUR, bound);
  assert.ok(bound(), `seed ${seed}: all are bound within an hour`);
  return { lan, server, clients };
}

test('our client and our server in bad weather: all are bound, each with an address of its own, for a day', () => {
  for (const seed of [1, 2, 3]) {
    const { lan, server, clients } = storm(seed);
    for (let hour = 1; hour <= 24; hour++) {
      lan.run(hour * HOUR);
      const leased = clients.flatMap(
        ({ lease }) => lease?.addresses.map(({ address }) => address.toString()) ?? [],
      );
      assert.equal(new Set(leased).size, leased.length);
      assert.ok(server.engine.leases(lan.now).length <= 40);
    }
    for (const { engine } of clients) engine.release(lan.now);
    lan.run(lan.now + HOUR / 2);
    // A Release that was lost four times leaves its lease to expire.
    lan.run(lan.now + 2 * HOUR);
    assert.deepEqual(server.engine.leases(lan.now), []);
  }
});

test('a declined address is given to nobody: the client takes the next', () => {
  const lan = new VirtualLan(4);
  const server = new ServerOnLan(lan);
  const client = new ClientStation6(lan);
  client.inUse = (address) => address.toString() === '2001:db8::100';
  client.start();
  lan.run(60_000, () => client.engine.state === 'bound');
  assert.equal(client.lease?.addresses[0]?.address.toString(), '2001:db8::101');
  assert.equal(server.engine.leases(lan.now).length, 1);
});

test('a flood of Solicits in many names does not keep a neighbour from a lease; memory is bounded', () => {
  const bench = new Bench();
  assert.equal(bench.lease(9999), '2001:db8::100');
  for (let client = 1; client <= 2000; client++) {
    bench.ask({ type: SOLICIT, client, addresses: [''], now: client });
    assert.ok(bench.server.size <= 4);
  }
  assert.match(
    bench.lease(6000, 2001),
    /^2001:db8::10[123]$/,
    'an offer gives way to who asks now',
  );
  assert.equal(bench.lease(9999, 2002), '2001:db8::100', 'a lease does not');
  // One client that asks for more and more takes nothing from itself.
  const greedy = bench.ask({ type: SOLICIT, client: 7000, addresses: ['', '', '', ''], now: 2003 });
  assert.ok(addressesOf(greedy).length <= 2);
});

test('a prefix with bits behind its length is none of the block’s: another is given', () => {
  const bench = new Bench();
  const offered = bench.ask({ type: SOLICIT, prefixes: ['2001:db8:ff05:1::/48'] });
  assert.deepEqual(prefixesOf(offered), ['2001:db8:ff00::/48']);
});

test('what is offered to the client it is reserved for does not give way to others', () => {
  const bench = new Bench({ reservations: [{ address: at('2001:db8::7'), mac: macOf(1) }] });
  bench.ask({ type: SOLICIT, client: 1, addresses: [''] });
  for (const client of [2, 3, 4, 5]) bench.lease(client);
  assert.equal(bench.lease(6), `status ${Dhcpv6Status.NO_ADDRESSES}`);
  assert.equal(bench.server.size, 5);
  assert.equal(bench.server.drops.get('offer-taken-back'), 0);
});

test('a station that is many clients has as much as it leaves, of addresses and of prefixes, and is served so often', () => {
  const bench = new Bench({
    pool: { first: at('2001:db8::100'), last: at('2001:db8::109') },
    delegation: { block: Cidr.parse('2001:db8:ff00::/40'), length: 43 },
    limits: { messagesPerStation: 1000 },
  });
  const options = [dhcpv6Option(Dhcpv6OptionCode.RAPID_COMMIT)];
  const leased = (station: number, what: Pick<Ask, 'addresses' | 'prefixes'>): number => {
    const before = bench.server.leases(0).length;
    for (let client = 1; client <= 50; client++) {
      bench.ask({ type: SOLICIT, client: 100 * station + client, ...what, options, station });
    }
    return bench.server.leases(0).length - before;
  };
  assert.deepEqual([leased(1, { addresses: [''] }), leased(2, { addresses: [''] })], [5, 3]);
  assert.deepEqual([leased(3, { prefixes: [''] }), leased(4, { prefixes: [''] })], [4, 2]);
  assert.equal(bench.server.drops.get('station-rate'), 0);
  const slow = new Bench({ limits: { messagesPerStation: 2 } });
  for (let client = 1; client <= 10; client++) {
    slow.ask({ type: SOLICIT, client, addresses: [''], station: 1 });
  }
  assert.equal(slow.server.drops.get('station-rate'), 6);
});

test('offers of a station give way to its own, and not to it those of another', () => {
  const bench = new Bench({ limits: { messagesPerStation: 1000 } });
  const offered = (client: number, station: number): string | undefined =>
    addressesOf(bench.ask({ type: SOLICIT, client, addresses: [''], station }))[0];
  const kept = offered(1, 1);
  for (let client = 100; client < 150; client++) offered(client, 2);
  assert.equal(offered(1, 1), kept);
  assert.ok(bench.server.size <= 3);
  assert.ok(bench.server.drops.get('offer-taken-back') > 40);
});
