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
  Dhcpv4Message,
  Dhcpv4MessageType,
  Dhcpv4OptionCode,
  dhcpv4Addresses,
  dhcpv4Number,
  dhcpv4Text,
  encodeDhcpv4,
  type Dhcpv4Option,
} from '../../wire/index.ts';
import { ClientStation, SERVER, ServerStation, readMessage } from '../../../test/dhcp/lan-v4.ts';
import { VirtualLan } from '../../../test/dhcp/virtual-lan.ts';
import { Dhcpv4Server, type Dhcpv4Destination, type Dhcpv4ServerOptions } from './index.ts';

const { DISCOVER, OFFER, REQUEST, DECLINE, ACKNOWLEDGE, REFUSE, RELEASE, INFORM } =
  Dhcpv4MessageType;
const OWN = SERVER.interface.address;
const HOUR = 3_600_000;

/** A server, and what it has sent. */
class Bench {
  readonly server: Dhcpv4Server;
  readonly replies: { message: Dhcpv4Message; destination: Dhcpv4Destination }[] = [];
  readonly events: string[] = [];

  constructor(options: Partial<Dhcpv4ServerOptions> = {}) {
    this.server = new Dhcpv4Server(
      { ...SERVER, ...options },
      {
        send: (bytes, destination) =>
          this.replies.push({ message: readMessage(bytes), destination }),
        leased: (address) => this.events.push(`leased ${address}`),
        freed: (address, _client, reason) => this.events.push(`freed ${address} ${reason}`),
        displaced: ({ address, client, remaining }) =>
          this.events.push(`displaced ${address} of ${client} for ${remaining}`),
      },
    );
  }

  /** Hands the server a client's message; answers its reply, if there is one. */
  ask(request: Ask, now = 0, station?: number): Dhcpv4Message | undefined {
    const before = this.replies.length;
    const bytes = encodeDhcpv4(messageOf(request));
    this.server.receive(bytes, IpAddress.ANY4, now, station);
    return this.replies.length > before ? this.replies.at(-1)!.message : undefined;
  }

  /** DISCOVER and REQUEST of a client; answers its address. */
  lease(client: number, now = 0, station?: number): string | undefined {
    const offer = this.ask({ type: DISCOVER, client }, now, station);
    if (offer === undefined) return undefined;
    const wanted = offer.yourAddress;
    const reply = this.ask({ type: REQUEST, client, wanted, server: OWN }, now, station);
    return reply?.type === ACKNOWLEDGE ? reply.yourAddress.toString() : undefined;
  }

  get lastDestination(): Dhcpv4Destination {
    return this.replies.at(-1)!.destination;
  }
}

interface Ask {
  readonly type: number;
  readonly client: number;
  readonly wanted?: IpAddress;
  readonly server?: IpAddress;
  readonly address?: IpAddress;
  readonly options?: readonly Dhcpv4Option[];
  readonly change?: (message: Dhcpv4Message) => void;
}

function messageOf({
  type,
  client,
  wanted,
  server,
  address,
  options = [],
  change,
}: Ask): Dhcpv4Message {
  const message = new Dhcpv4Message();
  message.mac = new MacAddress(0x0200, client);
  message.transactionId = 77;
  if (address !== undefined) message.clientAddress = address;
  const all = [dhcpv4Number(Dhcpv4OptionCode.MESSAGE_TYPE, 1, type), ...options];
  if (wanted !== undefined) {
    all.push(dhcpv4Addresses(Dhcpv4OptionCode.REQUESTED_ADDRESS, [wanted]));
  }
  if (server !== undefined) {
    all.push(dhcpv4Addresses(Dhcpv4OptionCode.SERVER_IDENTIFIER, [server]));
  }
  message.setOptions(all, 1400);
  change?.(message);
  return message;
}

const at = (text: string): IpAddress => IpAddress.parse(text);

test('an offer holds the address for a while, then it is free again', () => {
  const bench = new Bench({ limits: { offerTime: 30_000 } });
  const offer = bench.ask({ type: DISCOVER, client: 1 });
  assert.equal(offer?.type, OFFER);
  assert.equal(offer.yourAddress.toString(), '10.0.0.100');
  assert.equal(bench.server.size, 1);
  assert.equal(bench.server.deadline(), 30_000);
  bench.server.advance(30_000);
  assert.equal(bench.server.size, 0);
  assert.deepEqual(bench.events, [], 'nothing was leased');
});

test('the same client gets the same address: offered, leased, and after its lease', () => {
  const bench = new Bench();
  assert.equal(bench.lease(1), '10.0.0.100');
  assert.equal(bench.lease(2), '10.0.0.101');
  assert.equal(bench.lease(1), '10.0.0.100');
  bench.server.advance(2 * HOUR);
  assert.equal(bench.server.size, 0);
  assert.equal(bench.lease(3, 2 * HOUR), '10.0.0.102', 'one that was free longest');
  assert.equal(bench.lease(2, 2 * HOUR), '10.0.0.101');
});

test('a client may ask for a free address of the pool, and for no other', () => {
  const bench = new Bench({
    reservations: [{ address: at('10.0.0.150'), mac: new MacAddress(0x0200, 9) }],
  });
  const offered = (client: number, wanted: string): string | undefined =>
    bench.ask({ type: DISCOVER, client, wanted: at(wanted) })?.yourAddress.toString();
  assert.equal(offered(1, '10.0.0.140'), '10.0.0.140');
  assert.equal(offered(2, '10.0.0.140'), '10.0.0.100', 'taken');
  assert.equal(offered(3, '10.0.0.7'), '10.0.0.101', 'not of the pool');
  assert.equal(offered(4, '10.0.0.150'), '10.0.0.102', 'reserved');
  assert.equal(offered(5, '192.168.1.1'), '10.0.0.103', 'of another network');
});

test('reservations by hardware address and by client identifier', () => {
  const bench = new Bench({
    reservations: [
      { address: at('10.0.0.7'), mac: new MacAddress(0x0200, 1) },
      { address: at('10.0.0.8'), clientIdentifier: fromHex('ff0102') },
    ],
  });
  assert.equal(bench.lease(1), '10.0.0.7');
  const options = [{ code: Dhcpv4OptionCode.CLIENT_IDENTIFIER, data: fromHex('ff0102') }];
  assert.equal(
    bench.ask({ type: DISCOVER, client: 5, options })?.yourAddress.toString(),
    '10.0.0.8',
  );
  const other = [{ code: Dhcpv4OptionCode.CLIENT_IDENTIFIER, data: fromHex('ff0103') }];
  assert.equal(
    bench.ask({ type: DISCOVER, client: 1, options: other })?.yourAddress.toString(),
    '10.0.0.7',
    'it is the same station under another name',
  );
});

test('a client that had an address before one was reserved for it is moved', () => {
  const before = new Bench();
  before.lease(1);
  const bench = new Bench({
    reservations: [{ address: at('10.0.0.7'), mac: new MacAddress(0x0200, 1) }],
  });
  bench.server.importLeases(before.server.leases(0), 0);
  assert.equal(bench.lease(1), '10.0.0.7');
  assert.equal(bench.server.size, 1);
});

test('an exhausted pool: no offer, until an address comes free', () => {
  const bench = new Bench({ pool: { first: at('10.0.0.1'), last: at('10.0.0.3') } });
  assert.equal(bench.lease(1), '10.0.0.2', "the server's own address is not given out");
  assert.equal(bench.lease(2), '10.0.0.3');
  assert.equal(bench.lease(3), undefined);
  assert.deepEqual(bench.server.drops.snapshot(), { 'no-address': 1 });
  bench.ask({ type: RELEASE, client: 1, address: at('10.0.0.2'), server: OWN });
  assert.equal(bench.lease(3), '10.0.0.2');
});

test('a station that is many clients leases as much as it leaves, so that there is something for the next', () => {
  const bench = new Bench({
    ...pool('10.0.0.100', '10.0.0.109'),
    limits: { messagesPerStation: 1000 },
  });
  const leased = (station: number, first: number): number => {
    let count = 0;
    for (let client = first; client < first + 50; client++) {
      if (bench.lease(client, 0, station) !== undefined) count++;
    }
    return count;
  };
  assert.deepEqual([leased(1, 100), leased(2, 200), leased(3, 300), leased(4, 400)], [5, 3, 1, 1]);
  assert.equal(leased(5, 500), 0);
});

test('a station that takes nothing has no more offers than its share, and its oldest give way', () => {
  const bench = new Bench({
    ...pool('10.0.0.100', '10.0.0.109'),
    limits: { messagesPerStation: 1000 },
  });
  for (let client = 100; client < 200; client++) {
    assert.equal(bench.ask({ type: DISCOVER, client }, 0, 1)?.type, OFFER);
  }
  assert.equal(bench.server.size, 5);
  assert.equal(bench.server.drops.get('offer-taken-back'), 95);
  assert.ok(bench.lease(1, 0, 2));
  assert.equal(bench.server.size, 6);
});

test('a station is served so often a second, and its neighbour is not kept waiting', () => {
  const bench = new Bench({ limits: { messagesPerStation: 2 } });
  const served = (station: number, now: number): number =>
    Array.from({ length: 10 }, (_, client) =>
      bench.ask({ type: DISCOVER, client: 10 * station + client }, now, station),
    ).filter((reply) => reply !== undefined).length;
  assert.deepEqual([served(1, 0), served(2, 0), served(1, 500), served(1, 500)], [4, 4, 1, 0]);
  assert.equal(bench.server.drops.get('station-rate'), 6 + 6 + 9 + 10);
});

test('the table is bounded, whatever the pool', () => {
  const bench = new Bench({ limits: { bindings: 2 } });
  assert.ok(bench.lease(1) && bench.lease(2));
  assert.equal(bench.lease(3), undefined);
  assert.equal(bench.server.size, 2);
});

test('REQUEST for another server: our offer is withdrawn, in silence', () => {
  const bench = new Bench();
  bench.ask({ type: DISCOVER, client: 1 });
  const reply = bench.ask({
    type: REQUEST,
    client: 1,
    wanted: at('10.0.0.9'),
    server: at('10.0.0.2'),
  });
  assert.equal(reply, undefined);
  assert.equal(bench.server.size, 0);
});

test('REQUEST for what was not offered: NAK, by broadcast', () => {
  const bench = new Bench();
  bench.ask({ type: DISCOVER, client: 1 });
  const wrong = bench.ask({ type: REQUEST, client: 1, wanted: at('10.0.0.9'), server: OWN });
  assert.equal(wrong?.type, REFUSE);
  assert.equal(wrong.yourAddress.isUnspecified, true);
  assert.ok(wrong.text(Dhcpv4OptionCode.MESSAGE)?.includes('not offered'));
  assert.equal(bench.lastDestination.address.toString(), '255.255.255.255');
  assert.equal(
    bench.ask({ type: REQUEST, client: 2, wanted: at('10.0.0.9'), server: OWN })?.type,
    REFUSE,
  );
});

test('INIT-REBOOT: confirmed, refused, or left to others', () => {
  const bench = new Bench();
  bench.lease(1);
  const reboot = (client: number, wanted: string): number | undefined =>
    bench.ask({ type: REQUEST, client, wanted: at(wanted) })?.type;
  assert.equal(reboot(1, '10.0.0.100'), ACKNOWLEDGE);
  assert.equal(reboot(1, '10.0.0.101'), REFUSE, 'not its address');
  assert.equal(reboot(2, '10.0.0.100'), REFUSE, "another's address");
  assert.equal(reboot(2, '192.168.1.1'), REFUSE, 'another network');
  assert.equal(reboot(2, '10.0.0.130'), undefined, 'no record: silence');
  assert.equal(bench.server.drops.get('unknown-client'), 1);
  assert.equal(bench.ask({ type: REQUEST, client: 3 }), undefined);
  assert.equal(bench.server.drops.get('no-address-asked'), 1);
});

test('RENEWING and REBINDING: extended to the client, by unicast', () => {
  const bench = new Bench();
  bench.lease(1);
  const reply = bench.ask({ type: REQUEST, client: 1, address: at('10.0.0.100') }, HOUR / 2);
  assert.equal(reply?.type, ACKNOWLEDGE);
  assert.equal(reply.uint32(Dhcpv4OptionCode.LEASE_TIME), 3600);
  assert.equal(bench.lastDestination.address.toString(), '10.0.0.100');
  assert.equal(bench.lastDestination.mac, undefined);
  assert.equal(bench.server.deadline(), 1.5 * HOUR);
  assert.equal(bench.ask({ type: REQUEST, client: 1, address: at('10.0.0.101') })?.type, REFUSE);
});

test('a lease ends when it ends, and not before', () => {
  const bench = new Bench();
  bench.lease(1);
  bench.server.advance(HOUR - 1);
  assert.equal(bench.server.size, 1);
  bench.server.advance(HOUR);
  assert.deepEqual(bench.events, ['leased 10.0.0.100', 'freed 10.0.0.100 expired']);
  assert.equal(bench.server.deadline(), Infinity);
});

test('DECLINE: the address is in quarantine, and only its holder can put it there', () => {
  const bench = new Bench();
  bench.lease(1);
  const decline = (client: number, server: IpAddress): void =>
    void bench.ask({ type: DECLINE, client, wanted: at('10.0.0.100'), server });
  decline(2, OWN);
  decline(1, at('10.0.0.2'));
  bench.ask({ type: DECLINE, client: 1, wanted: at('10.0.0.101'), server: OWN });
  assert.deepEqual(bench.server.drops.snapshot(), { 'not-leased': 2, 'other-server': 1 });
  decline(1, OWN);
  assert.deepEqual(bench.events, ['leased 10.0.0.100', 'freed 10.0.0.100 declined']);
  assert.equal(bench.lease(1), '10.0.0.101');
  assert.equal(
    bench.ask({ type: DISCOVER, client: 3, wanted: at('10.0.0.100') })?.yourAddress.toString(),
    '10.0.0.102',
  );
  assert.equal(bench.ask({ type: REQUEST, client: 1, address: at('10.0.0.100') })?.type, REFUSE);
  bench.server.advance(600_000);
  assert.equal(
    bench
      .ask({ type: DISCOVER, client: 4, wanted: at('10.0.0.100') }, 600_000)
      ?.yourAddress.toString(),
    '10.0.0.100',
  );
});

test('RELEASE: free at once, and only for its holder', () => {
  const bench = new Bench();
  bench.lease(1);
  const release = (client: number, address: string, server = OWN): void =>
    void bench.ask({ type: RELEASE, client, address: at(address), server });
  release(2, '10.0.0.100');
  release(1, '10.0.0.101');
  release(1, '10.0.0.100', at('10.0.0.2'));
  assert.equal(bench.server.size, 1);
  release(1, '10.0.0.100');
  release(1, '10.0.0.100');
  assert.deepEqual(bench.events, ['leased 10.0.0.100', 'freed 10.0.0.100 released']);
  assert.deepEqual(bench.server.drops.snapshot(), { 'not-leased': 3, 'other-server': 1 });
});

test('INFORM: parameters without an address or times, and no lease', () => {
  const bench = new Bench();
  const reply = bench.ask({ type: INFORM, client: 1, address: at('10.0.0.7') });
  assert.equal(reply?.type, ACKNOWLEDGE);
  assert.equal(reply.yourAddress.isUnspecified, true);
  assert.equal(reply.option(Dhcpv4OptionCode.LEASE_TIME), undefined);
  assert.equal(reply.text(Dhcpv4OptionCode.DOMAIN_NAME), 'lan');
  assert.equal(bench.lastDestination.address.toString(), '10.0.0.7');
  assert.equal(bench.server.size, 0);
  assert.equal(bench.ask({ type: INFORM, client: 1, address: at('192.168.1.7') }), undefined);
});

test('where a reply goes: relay, client, everybody, or the station alone', () => {
  const bench = new Bench();
  bench.ask({ type: DISCOVER, client: 1 });
  assert.deepEqual(
    [bench.lastDestination.address.toString(), bench.lastDestination.mac?.toString()],
    ['10.0.0.100', '02:00:00:00:00:01'],
  );
  bench.ask({ type: DISCOVER, client: 1, change: (message) => void (message.broadcast = true) });
  assert.equal(bench.lastDestination.address.toString(), '255.255.255.255');
  const relayed = (message: Dhcpv4Message): void => void (message.relayAddress = at('10.0.0.254'));
  bench.ask({ type: DISCOVER, client: 1, change: relayed });
  assert.deepEqual(
    [bench.lastDestination.address.toString(), bench.lastDestination.port],
    ['10.0.0.254', 67],
  );
  const nak = bench.ask({ type: REQUEST, client: 1, wanted: at('10.9.9.9'), change: relayed });
  assert.equal(nak?.broadcast, true, 'the relay is told to broadcast a NAK');
  const elsewhere = (message: Dhcpv4Message): void => void (message.relayAddress = at('10.1.0.1'));
  assert.equal(bench.ask({ type: DISCOVER, client: 1, change: elsewhere }), undefined);
  assert.equal(bench.server.drops.get('other-subnet'), 1);
});

test('options: those asked for in their order, the mask always, identifier and relay agent repeated', () => {
  const bench = new Bench({
    parameters: { ...SERVER.parameters, options: [{ code: 224, data: fromHex('aa') }] },
  });
  const list = Uint8Array.of(224, Dhcpv4OptionCode.ROUTERS, 99);
  const reply = bench.ask({
    type: DISCOVER,
    client: 1,
    options: [
      { code: Dhcpv4OptionCode.PARAMETER_REQUEST_LIST, data: list },
      { code: Dhcpv4OptionCode.CLIENT_IDENTIFIER, data: fromHex('ff0102') },
      { code: Dhcpv4OptionCode.RELAY_AGENT_INFORMATION, data: fromHex('010161') },
    ],
  })!;
  assert.deepEqual(
    reply.options.map(({ code }) => code).slice(0, -1),
    [53, 54, 51, 58, 59, 1, 224, 3, 61, 82],
  );
  assert.equal(toHex(reply.option(82)!), '010161');
  const all = bench.ask({ type: DISCOVER, client: 2 })!;
  assert.deepEqual(all.domainSearch(), ['lan', 'example.com']);
});

/** An option of zeros. */
function filler(code: number, length: number): Dhcpv4Option {
  return { code, data: new Uint8Array(length) };
}

test('more options than the client takes: the old fields first, then what does not fit is counted', () => {
  const bench = new Bench({
    parameters: {
      options: [filler(224, 250), filler(225, 100), filler(226, 50), filler(227, 250)],
    },
  });
  const small = bench.ask({ type: DISCOVER, client: 1 })!;
  assert.deepEqual(
    [224, 225, 226, 227].map((code) => small.option(code)?.length),
    [250, 100, 50, undefined],
  );
  assert.ok(small.overloadedOptions.length > 0);
  assert.equal(bench.server.drops.get('option-without-room'), 1);
  const options = [dhcpv4Number(Dhcpv4OptionCode.MAXIMUM_MESSAGE_SIZE, 2, 1500)];
  const large = bench.ask({ type: DISCOVER, client: 2, options })!;
  assert.equal(large.option(227)?.length, 250);
});

test('lease times: a client may ask for less, down to a minute; or there is no end', () => {
  const asked = (bench: Bench, seconds: number): number | undefined =>
    bench
      .ask({
        type: DISCOVER,
        client: 1,
        options: [dhcpv4Number(Dhcpv4OptionCode.LEASE_TIME, 4, seconds)],
      })
      ?.uint32(Dhcpv4OptionCode.LEASE_TIME);
  const bench = new Bench();
  assert.equal(asked(bench, 600), 600);
  assert.equal(asked(bench, 1), 60);
  assert.equal(asked(bench, 0xffff_ffff), 3600);
  const endless = new Bench({ leaseDuration: Infinity });
  assert.equal(
    endless.ask({ type: DISCOVER, client: 1 })?.uint32(Dhcpv4OptionCode.LEASE_TIME),
    0xffff_ffff,
  );
  endless.lease(1);
  assert.equal(endless.server.deadline(), Infinity);
});

test('leases are exported as plain data and taken in again; nonsense is passed over', () => {
  const bench = new Bench();
  bench.lease(1);
  bench.lease(2, 1000);
  const records = bench.server.leases(HOUR / 2);
  assert.deepEqual(JSON.parse(JSON.stringify(records)), [
    { address: '10.0.0.100', client: 'hw:1:020000000001', remaining: HOUR / 2 },
    { address: '10.0.0.101', client: 'hw:1:020000000002', remaining: HOUR / 2 + 1000 },
  ]);
  const next = new Bench();
  const good = { address: '10.0.0.102', client: 'id:02', hostname: 'box', remaining: null };
  const bad = [
    { ...good, address: 'x' },
    { ...good, address: '10.0.0.1' },
    { ...good, address: '10.0.0.255' },
    { ...good, address: '192.168.0.1' },
    { ...good, client: '' },
    { ...good, remaining: 0 },
    { ...good, remaining: NaN },
  ];
  assert.equal(next.server.importLeases([...records, ...bad, good, good], 0), 3);
  assert.equal(next.server.deadline(), HOUR / 2);
  assert.equal(
    next.ask({ type: REQUEST, client: 2, address: at('10.0.0.101') })?.type,
    ACKNOWLEDGE,
  );
});

/** Makes a server when called. */
function make(options: Partial<Dhcpv4ServerOptions>): () => Bench {
  return () => new Bench(options);
}

/** The option of a pool. */
function pool(first: string, last: string): Partial<Dhcpv4ServerOptions> {
  return { pool: { first: at(first), last: at(last) } };
}

test('what makes no sense is refused at once', () => {
  for (const options of [
    pool('10.0.0.9', '10.0.0.8'),
    pool('10.0.0.0', '10.0.0.8'),
    pool('10.0.0.9', '10.0.1.9'),
    { reservations: [{ address: at('10.0.1.9') }] },
    { reservations: [{ address: OWN }] },
    { reservations: [{ address: at('10.0.0.9') }, { address: at('10.0.0.9') }] },
  ]) {
    assert.throws(make(options), { code: 'DHCP_POOL_INVALID' });
  }
  assert.throws(make({ leaseDuration: NaN }), { code: 'DHCP_LEASE_INVALID' });
});

test('what is no request is dropped and counted', () => {
  const bench = new Bench();
  bench.ask({ type: OFFER, client: 1 });
  bench.ask({ type: DISCOVER, client: 1, change: (message) => void (message.operation = 2) });
  bench.ask({ type: DISCOVER, client: 1, change: (message) => void (message.hardwareLength = 0) });
  bench.server.receive(new Uint8Array(10), OWN, 0);
  assert.deepEqual(bench.server.drops.snapshot(), {
    'no-client': 1,
    'not-a-request': 1,
    truncated: 1,
    'wrong-type': 1,
  });
});

test('any bytes: never a throw, never two clients with one address, never a table past its limit', () => {
  const step = fc.record({
    type: fc.integer({ min: 1, max: 9 }),
    client: fc.nat(5),
    wanted: fc.integer({ min: 98, max: 106 }).map((last) => at(`10.0.0.${last}`)),
    server: fc.constantFrom(OWN, at('10.0.0.2'), undefined),
    renews: fc.boolean(),
    wait: fc.constantFrom(0, 1000, 61_000, HOUR),
    mutations: fc.array(fc.tuple(fc.nat(330), fc.nat(255)), { maxLength: 2 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const held = new Map<string, string>();
      const server = new Dhcpv4Server(
        {
          ...SERVER,
          pool: { first: at('10.0.0.100'), last: at('10.0.0.103') },
          limits: { bindings: 3 },
        },
        {
          send: () => undefined,
          leased: (address, client) => {
            const holder = held.get(address.toString());
            assert.ok(holder === undefined || holder === client, `${address} has two holders`);
            held.set(address.toString(), client);
          },
          freed: (address) => assert.ok(held.delete(address.toString())),
        },
      );
      let now = 0;
      for (const { renews, wanted, server: named, mutations, wait, ...rest } of steps) {
        now += wait;
        const ask = renews ? { ...rest, address: wanted } : { ...rest, wanted };
        const bytes = encodeDhcpv4(
          messageOf(named === undefined ? ask : { ...ask, server: named }),
        );
        for (const [index, value] of mutations) if (index < bytes.length) bytes[index] = value;
        server.receive(bytes, IpAddress.ANY4, now);
        assert.ok(server.size <= 3);
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

/** Many clients and a server in bad weather; answers the clients. */
function storm(seed: number, count: number): { lan: VirtualLan; clients: ClientStation[] } {
  const lan = new VirtualLan(seed, { loss: 0.3, duplication: 0.2, delay: 3000 });
  const server = new ServerStation(lan, {
    interface: Cidr.parse('10.0.0.1/24'),
    pool: { first: at('10.0.0.2'), last: at('10.0.0.254') },
  });
  const clients = Array.from({ length: count }, () => new ClientStation(lan).start());
  const bound = (): boolean => clients.every(({ engine }) => engine.state === 'bound');
  lan.run(HOUR, bound);
  assert.ok(bound(), `seed ${seed}: all are bound within an hour`);
  assert.equal(server.engine.leases(lan.now).length, count);
  return { lan, clients };
}

test('loss, duplication and reordering: every client ends bound, each with an address of its own', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const { clients } = storm(seed, 30);
      const addresses = new Set(clients.map(({ lease }) => lease!.address.toString()));
      assert.equal(addresses.size, clients.length);
    }),
    { numRuns: 25 },
  );
});

test('a day in bad weather: addresses stay unique at every instant', () => {
  const { lan, clients } = storm(42, 10);
  lan.weather = { loss: 0.6, duplication: 0.3, delay: 20_000 };
  let lost = 0;
  for (let hour = 0; hour < 24 * 6; hour++) {
    lan.run(lan.now + HOUR / 6);
    const held = clients.flatMap(({ lease }) =>
      lease === undefined ? [] : [lease.address.toString()],
    );
    assert.equal(new Set(held).size, held.length);
    lost += clients.length - held.length;
  }
  lan.weather = { loss: 0, duplication: 0, delay: 1 };
  lan.run(lan.now + HOUR);
  assert.ok(
    clients.every(({ lease }) => lease !== undefined),
    `${lost} were without now and then`,
  );
});

test('a run is a function of its seed', () => {
  const first = storm(7, 20).lan.trace;
  assert.deepEqual(storm(7, 20).lan.trace, first);
  assert.notDeepEqual(storm(8, 20).lan.trace, first);
});

test('reserve() leases an address before its client asks, and keeps it for that client', () => {
  const bench = new Bench();
  const mac = new MacAddress(0x0200, 1);
  const address = bench.server.reserve({ mac, hostname: 'box' }, 0);
  assert.equal(address.toString(), '10.0.0.100');
  assert.equal(bench.server.reserve({ mac }, 5).toString(), '10.0.0.100', 'the same each time');
  assert.deepEqual(bench.server.leases(9), [
    {
      address: '10.0.0.100',
      client: 'hw:1:020000000001',
      hostname: 'box',
      remaining: null,
      isReserved: true,
    },
  ]);
  assert.equal(bench.lease(2), '10.0.0.101', 'others get others');
  // The client asks after all, under an identifier of its own: the lease is then as any other.
  const identifier = { code: Dhcpv4OptionCode.CLIENT_IDENTIFIER, data: fromHex('ff0102') };
  const offer = bench.ask({ type: DISCOVER, client: 1, options: [identifier] });
  assert.equal(offer?.yourAddress.toString(), '10.0.0.100');
  const request = { type: REQUEST, client: 1, wanted: address, server: OWN, options: [identifier] };
  assert.equal(bench.ask(request)?.type, ACKNOWLEDGE);
  const { client, hostname, remaining, isReserved } = bench.server.leases(0)[0]!;
  assert.deepEqual([client, hostname, remaining], ['id:ff0102', 'box', HOUR]);
  assert.equal(isReserved, undefined);
  bench.server.advance(HOUR);
  assert.equal(bench.lease(3, HOUR), '10.0.0.102', 'it stays reserved after the lease');
});

test('reserve() takes an address of the owner’s choice, and refuses what is taken', () => {
  const bench = new Bench();
  const mac = new MacAddress(0x0200, 1);
  const reserved = bench.server.reserve({ mac, address: at('10.0.0.7') }, 0);
  assert.equal(reserved.toString(), '10.0.0.7');
  assert.equal(bench.lease(1), '10.0.0.7');
  const other = new MacAddress(0x0200, 9);
  const taken = { mac: other, address: at('10.0.0.7') };
  assert.throws(() => bench.server.reserve(taken, 0), { code: 'DHCP_POOL_INVALID' });
  const ownAddress = { mac: other, address: OWN };
  assert.throws(() => bench.server.reserve(ownAddress, 0), { code: 'DHCP_POOL_INVALID' });
  const outside = { mac: other, address: at('192.0.2.1') };
  assert.throws(() => bench.server.reserve(outside, 0), { code: 'DHCP_POOL_INVALID' });
  // A client with a lease keeps the address it has.
  const leased = bench.lease(9)!;
  assert.equal(bench.server.reserve({ mac: other }, 0).toString(), leased);
  assert.throws(() => bench.server.reserve({ mac, address: at(leased) }, 0), {
    code: 'DHCP_POOL_INVALID',
  });
});

test('unreserve() gives the address back to all; the pool’s count stays right', () => {
  const pool = { first: at('10.0.0.100'), last: at('10.0.0.101') };
  const bench = new Bench({ pool });
  const mac = new MacAddress(0x0200, 1);
  for (let round = 0; round < 5; round++) {
    bench.server.reserve({ mac }, 0);
    bench.server.unreserve({ mac }, 0);
  }
  assert.equal(bench.server.size, 0);
  bench.server.reserve({ mac }, 0);
  assert.notEqual(bench.lease(2), undefined);
  assert.equal(bench.lease(3), undefined, 'the pool is exhausted');
  assert.throws(() => bench.server.reserve({ mac: new MacAddress(0x0200, 4) }, 0), {
    code: 'DHCP_POOL_EXHAUSTED',
  });
  bench.server.unreserve({ mac }, 0);
  assert.notEqual(bench.lease(3), undefined);
});

test('a lease entered by reserve() is not taken in from an earlier run', () => {
  const bench = new Bench();
  bench.server.reserve({ mac: new MacAddress(0x0200, 1) }, 0);
  const after = new Bench();
  assert.equal(after.server.importLeases(bench.server.leases(0), 0), 0);
});

test('what a client has under its identifier may be reserved for its hardware address, then and in a later run', () => {
  const bench = new Bench();
  const options = [{ code: Dhcpv4OptionCode.CLIENT_IDENTIFIER, data: fromHex('ff0102') }];
  const offer = bench.ask({ type: DISCOVER, client: 1, options });
  const wanted = offer!.yourAddress;
  bench.ask({ type: REQUEST, client: 1, wanted, server: OWN, options });
  const mac = new MacAddress(0x0200, 1);
  const records = JSON.parse(JSON.stringify(bench.server.leases(0)));
  const after = new Bench();
  assert.equal(after.server.importLeases(records, 0), 1);
  for (const { server } of [bench, after]) {
    assert.equal(String(server.reserve({ mac, address: wanted }, 0)), String(wanted));
    const [lease, ...more] = server.leases(0);
    assert.deepEqual([lease?.client, lease?.isReserved, more.length], ['id:ff0102', undefined, 0]);
  }
  assert.equal(bench.ask({ type: REQUEST, client: 1, wanted, options })?.type, ACKNOWLEDGE);
});

const RESERVED = { mac: new MacAddress(0x0200, 9), hostname: 'box', address: at('10.0.0.100') };

test('an address that a client has leased may be reserved for another: the client is told of, and refused when it asks again', () => {
  const bench = new Bench();
  const address = at(bench.lease(1)!);
  assert.equal(bench.server.reserve(RESERVED, 1000).toString(), '10.0.0.100');
  assert.equal(bench.server.reserve(RESERVED, 1000).toString(), '10.0.0.100');
  assert.deepEqual(bench.events, [
    'leased 10.0.0.100',
    `displaced 10.0.0.100 of hw:1:020000000001 for ${HOUR - 1000}`,
  ]);
  assert.equal(bench.server.leases(1000)[0]?.client, 'hw:1:020000000001', 'it is promised');
  assert.equal(bench.lease(9, 1000), '10.0.0.101', 'two are not to have it at once');
  assert.equal(bench.ask({ type: REQUEST, client: 1, address }, 2000)?.type, REFUSE, 'RENEWING');
  assert.equal(bench.lease(1, 2000), '10.0.0.102');
  assert.equal(bench.lease(9, 2000), '10.0.0.100');
  assert.equal(bench.server.leases(2000).length, 2);
});

test('a displaced client that begins anew is offered another address; the one reserved is entered', () => {
  const options = { pool: { first: at('10.0.0.100'), last: at('10.0.0.101') } };
  const bench = new Bench(options);
  bench.lease(1);
  bench.server.reserve(RESERVED, 0);
  const wanted = at('10.0.0.100');
  const offer = bench.ask({ type: DISCOVER, client: 1, wanted });
  assert.equal(offer?.yourAddress.toString(), '10.0.0.101');
  assert.deepEqual(
    bench.server.leases(0).map(({ client, hostname }) => [client, hostname]),
    [['hw:1:020000000009', 'box']],
  );
  assert.equal(bench.ask({ type: REQUEST, client: 1, wanted })?.type, REFUSE, 'INIT-REBOOT');
});

test('a displaced lease that ends, is given back or declined leaves the address to whom it is reserved for', () => {
  for (const type of [undefined, RELEASE, DECLINE]) {
    const bench = new Bench({ limits: { quarantine: HOUR } });
    const address = at(bench.lease(1)!);
    bench.server.reserve(RESERVED, 0);
    if (type === RELEASE) bench.ask({ type, client: 1, address, server: OWN });
    if (type === DECLINE) bench.ask({ type, client: 1, wanted: address, server: OWN });
    if (type !== RELEASE) bench.server.advance(HOUR);
    const [lease, ...others] = bench.server.leases(HOUR);
    assert.deepEqual([lease?.client, others], ['hw:1:020000000009', []], `${type}`);
  }
});

test('an offer is no lease: what is reserved meanwhile is refused at once', () => {
  const bench = new Bench();
  const wanted = bench.ask({ type: DISCOVER, client: 1 })!.yourAddress;
  bench.server.reserve(RESERVED, 0);
  assert.deepEqual(bench.events, ['leased 10.0.0.100']);
  assert.equal(bench.ask({ type: REQUEST, client: 1, wanted, server: OWN })?.type, REFUSE);
  assert.equal(bench.lease(1), '10.0.0.101');
});

test('a reservation that is taken back displaces nobody; the pool’s count stays right', () => {
  const bench = new Bench({ pool: { first: at('10.0.0.100'), last: at('10.0.0.101') } });
  const address = at(bench.lease(1)!);
  bench.server.reserve(RESERVED, 0);
  bench.server.unreserve(RESERVED, 0);
  assert.equal(bench.ask({ type: REQUEST, client: 1, address })?.type, ACKNOWLEDGE);
  bench.server.advance(HOUR);
  assert.equal(bench.server.size, 0, 'nobody is entered');
  assert.notEqual(bench.lease(2, HOUR), undefined);
  assert.notEqual(bench.lease(3, HOUR), undefined);
  assert.equal(bench.lease(4, HOUR), undefined);
});

test('whatever is leased and reserved, no client is told an address of another, and in the end all are free', () => {
  const kinds = ['lease', 'reserve', 'any', 'unreserve', 'decline', 'wait'] as const;
  const step = fc.record({
    kind: fc.constantFrom(...kinds),
    client: fc.integer({ min: 1, max: 6 }),
    last: fc.integer({ min: 100, max: 103 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const bench = new Bench({
        pool: { first: at('10.0.0.100'), last: at('10.0.0.103') },
        limits: { quarantine: HOUR },
      });
      let now = 0;
      for (const { kind, client, last } of steps) {
        const mac = new MacAddress(0x0200, client);
        const address = at(`10.0.0.${last}`);
        if (kind === 'wait') now += HOUR / 2;
        if (kind === 'unreserve') bench.server.unreserve({ mac }, now);
        if (kind === 'decline')
          bench.ask({ type: DECLINE, client, wanted: address, server: OWN }, now);
        if (kind === 'reserve' || kind === 'any') {
          try {
            bench.server.reserve(kind === 'any' ? { mac } : { mac, address }, now);
          } catch (error) {
            assert.match((error as NetloomError).code, /^DHCP_POOL_(INVALID|EXHAUSTED)$/);
          }
        }
        const leased = kind === 'lease' ? bench.lease(client, now) : undefined;
        if (leased === undefined) continue;
        const holder = bench.server.leases(now).find((one) => one.address === leased);
        assert.equal(holder?.client, `hw:1:02000000000${client}`);
      }
      for (let client = 1; client <= 6; client++) {
        bench.server.unreserve({ mac: new MacAddress(0x0200, client) }, now);
      }
      now += 2 * HOUR;
      bench.server.advance(now);
      assert.equal(bench.server.size, 0);
      const given = [7, 8, 9, 10, 11].map((client) => bench.lease(client, now));
      assert.equal(new Set(given.slice(0, 4)).size, 4);
      assert.deepEqual(
        given.map((address) => address === undefined),
        [false, false, false, false, true],
      );
    }),
    { numRuns: 500 },
  );
});

test('a lease of an earlier run is displaced by a reservation of this one', () => {
  const before = new Bench();
  const address = at(before.lease(1)!);
  const bench = new Bench({ reservations: [RESERVED] });
  assert.equal(bench.server.importLeases(before.server.leases(0), 0), 1);
  assert.equal(bench.lease(9), '10.0.0.101');
  assert.equal(bench.ask({ type: REQUEST, client: 1, address })?.type, REFUSE);
  assert.equal(bench.lease(1), '10.0.0.102');
  assert.equal(bench.lease(9), '10.0.0.100');
});

test('a client has the name that its owner gave it, and no other client has that', () => {
  const bench = new Bench();
  const mac = new MacAddress(0x0200, 1);
  bench.server.setName({ mac }, 'box');
  const nameOf = (client: number, own?: string, now = 0): string | undefined => {
    const name = own === undefined ? [] : [dhcpv4Text(Dhcpv4OptionCode.HOST_NAME, own)];
    const wanted = bench.ask({ type: DISCOVER, client }, now)!.yourAddress;
    bench.ask({ type: REQUEST, client, wanted, server: OWN, options: name }, now);
    return bench.server.leases(now).find(({ address }) => wanted.toString() === address)?.hostname;
  };
  assert.equal(nameOf(1), 'box');
  assert.equal(nameOf(1, 'laptop'), 'box');
  assert.equal(nameOf(2, 'BOX.example.org'), undefined);
  assert.equal(nameOf(3, 'laptop'), 'laptop');
  assert.equal(nameOf(3), 'laptop', 'a client need not say it each time');
  bench.server.setName({ mac }, undefined);
  assert.equal(nameOf(1, 'laptop'), 'laptop');
  assert.equal(nameOf(2, 'box'), 'box');
});

test('a flood of DISCOVERs in many names does not keep a neighbour from a lease; memory is bounded', () => {
  const bench = new Bench({ pool: { first: at('10.0.0.100'), last: at('10.0.0.119') } });
  const leased = bench.lease(9999, 0);
  for (let client = 1; client <= 5000; client++) {
    bench.ask({ type: DISCOVER, client }, client);
    assert.ok(bench.server.size <= 20);
  }
  assert.notEqual(bench.lease(6000, 5001), undefined, 'an offer gives way to who asks now');
  assert.equal(bench.lease(9999, 5002), leased, 'a lease does not');
  assert.ok(bench.server.drops.get('offer-taken-back') > 4000);
});
