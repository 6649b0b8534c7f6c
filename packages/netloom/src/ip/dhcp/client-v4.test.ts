import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Cidr, IpAddress, MacAddress, fromHex, seededRandom, toHex } from '../../core/index.ts';
import {
  Dhcpv4MessageType,
  Dhcpv4OptionCode,
  Dhcpv4Operation,
  dhcpv4Addresses,
  dhcpv4Number,
  dhcpv4Routes,
  encodeDhcpv4,
  Dhcpv4Message,
  type Dhcpv4Option,
} from '../../wire/index.ts';
import {
  ClientStation,
  SERVER,
  ServerStation,
  readMessage,
  requestedAddress,
} from '../../../test/dhcp/lan-v4.ts';
import { VirtualLan } from '../../../test/dhcp/virtual-lan.ts';
import { Dhcpv4Client } from './index.ts';

const MAC = MacAddress.parse('52:54:00:12:34:56');
const HOUR = 3_600_000;

/** A client bound by a server on a link where nothing is lost. */
function boundPair(
  seed = 1,
  options = {},
): { lan: VirtualLan; client: ClientStation; server: ServerStation } {
  const lan = new VirtualLan(seed);
  const server = new ServerStation(lan, options);
  const client = new ClientStation(lan, { mac: MAC }).start();
  lan.run(1000);
  assert.equal(client.engine.state, 'bound');
  return { lan, client, server };
}

test('from nothing to a lease, with all that the server gives', () => {
  const { client, server } = boundPair();
  assert.deepEqual(client.kinds, ['discover', 'request']);
  assert.deepEqual(server.kinds, ['offer', 'acknowledge']);
  assert.deepEqual(client.path, ['init', 'selecting', 'requesting', 'checking', 'bound']);
  assert.deepEqual(client.events, ['probe 10.0.0.100', 'bound 10.0.0.100']);
  const lease = client.lease!;
  assert.equal(lease.prefixLength, 24);
  assert.equal(lease.server.toString(), '10.0.0.1');
  assert.deepEqual(
    lease.routes.map(({ destination, gateway }) => `${destination} ${gateway}`),
    ['0.0.0.0/0 10.0.0.1'],
  );
  assert.deepEqual(lease.dnsServers.map(String), ['10.0.0.53']);
  assert.equal(lease.domain, 'lan');
  assert.deepEqual(lease.searchDomains, ['lan', 'example.com']);
  assert.equal(lease.mtu, 1400);
  assert.ok(lease.expiresAt >= HOUR && lease.expiresAt < HOUR + 1000);
  assert.ok(lease.renewAt > 0.48 * HOUR && lease.renewAt < 0.5 * HOUR + 1000);
});

test('messages have what RFC 2131, table 5 says, and no more', () => {
  const { lan, client } = boundPair();
  const [discover, request] = client.sent;
  assert.equal(discover!.option(Dhcpv4OptionCode.SERVER_IDENTIFIER), undefined);
  assert.equal(requestedAddress(discover!), undefined);
  assert.equal(toHex(discover!.option(Dhcpv4OptionCode.CLIENT_IDENTIFIER)!), '01525400123456');
  const wishes = [...discover!.option(Dhcpv4OptionCode.PARAMETER_REQUEST_LIST)!];
  assert.ok(
    wishes.indexOf(Dhcpv4OptionCode.CLASSLESS_ROUTES) < wishes.indexOf(Dhcpv4OptionCode.ROUTERS),
  );
  assert.equal(request!.transactionId, discover!.transactionId);
  assert.equal(request!.seconds, discover!.seconds);
  assert.equal(requestedAddress(request!), '10.0.0.100');
  assert.equal(request!.address(Dhcpv4OptionCode.SERVER_IDENTIFIER)?.toString(), '10.0.0.1');
  assert.equal(request!.clientAddress.isUnspecified, true);
  lan.run(0.51 * HOUR);
  const renewal = client.sent.at(-1)!;
  assert.equal(renewal.clientAddress.toString(), '10.0.0.100');
  assert.equal(requestedAddress(renewal), undefined);
  assert.equal(renewal.option(Dhcpv4OptionCode.SERVER_IDENTIFIER), undefined);
  assert.equal(client.destinations.at(-1), '10.0.0.1', 'renewals go to the server alone');
  client.engine.release(lan.now);
  const release = client.sent.at(-1)!;
  assert.equal(release.type, Dhcpv4MessageType.RELEASE);
  assert.equal(release.clientAddress.toString(), '10.0.0.100');
  assert.equal(release.address(Dhcpv4OptionCode.SERVER_IDENTIFIER)?.toString(), '10.0.0.1');
  assert.equal(release.option(Dhcpv4OptionCode.PARAMETER_REQUEST_LIST), undefined);
});

test('without a server, DISCOVER is repeated at doubling waits, up to about a minute', () => {
  const lan = new VirtualLan(2);
  const client = new ClientStation(lan).start();
  lan.run(400_000);
  assert.equal(client.engine.state, 'selecting');
  const times = lan.trace.map((line) => Number(line.split(' ')[0]));
  const waits = times.slice(1).map((at, i) => at - times[i]!);
  for (const [i, wait] of waits.entries()) {
    const nominal = Math.min(4000 * 2 ** i, 64_000);
    assert.ok(Math.abs(wait - nominal) <= 1000, `wait ${i} is ${wait}`);
  }
  assert.ok(
    waits.some((wait) => Math.round(wait) % 1000 !== 0),
    'moved at random',
  );
  assert.ok(client.sent.at(-1)!.seconds > 300, 'secs counts from the beginning');
});

test('renewed at T1, again and again; no probing of an address that is held', () => {
  const { lan, client, server } = boundPair();
  lan.run(10 * HOUR);
  assert.equal(client.engine.state, 'bound');
  assert.ok(client.events.length >= 18, `${client.events.length} events`);
  assert.deepEqual(new Set(client.events.slice(2)), new Set(['renewed 10.0.0.100']));
  assert.ok(server.kinds.every((kind) => kind !== 'refuse'));
});

test('a silent server: renewing, rebinding with another server that knows the lease', () => {
  const { lan, client, server } = boundPair();
  const other = new ServerStation(lan, { interface: Cidr.parse('10.0.0.2/24') });
  other.engine.importLeases(server.engine.leases(lan.now), lan.now);
  lan.remove(server);
  lan.run(0.8 * HOUR);
  assert.equal(client.engine.state, 'renewing');
  assert.ok(client.sent.length > 3, 'the renewal is repeated');
  assert.equal(other.sent.length, 0, 'which the other server does not see');
  lan.run(HOUR);
  assert.equal(client.engine.state, 'bound');
  assert.equal(client.lease?.server.toString(), '10.0.0.2');
  assert.deepEqual(client.path.slice(-3), ['renewing', 'rebinding', 'bound']);
  assert.equal(client.events.at(-1), 'renewed 10.0.0.100');
});

test('no server at all: the lease ends when it ends, and the search begins anew', () => {
  const { lan, client, server } = boundPair();
  const { renewAt, rebindAt, expiresAt } = client.lease!;
  lan.remove(server);
  lan.run(expiresAt - 1);
  assert.equal(client.engine.state, 'rebinding');
  assert.equal(client.lease?.address.toString(), '10.0.0.100');
  lan.run(expiresAt);
  assert.equal(client.events.at(-1), 'lost expired');
  assert.equal(client.engine.state, 'selecting');
  assert.equal(requestedAddress(client.sent.at(-1)!), '10.0.0.100', 'it hopes for the same');
  const times = lan.trace.map((line) => Number(line.split(' ')[0])).slice(4);
  for (const [from, to] of [
    [renewAt, rebindAt],
    [rebindAt, expiresAt],
  ] as const) {
    const sent = times.filter((at) => at >= from && at < to);
    assert.ok(sent.length > 2);
    for (const [i, at] of sent.slice(1).entries()) {
      assert.ok(at - sent[i]! >= 60_000, `${at - sent[i]!} ms apart: a minute at least`);
    }
  }
});

test('a NAK in each state that can meet one', () => {
  const { lan, client, server } = boundPair();
  // RENEWING: the server has given the address to another meanwhile.
  const stranger = new ServerStation(lan, SERVER);
  lan.remove(server);
  const record = { ...server.engine.leases(lan.now)[0]!, client: 'id:beef' };
  stranger.engine.importLeases([record], lan.now);
  lan.run(0.51 * HOUR);
  assert.deepEqual(client.events.slice(2, 3), ['lost refused']);
  assert.equal(client.events.at(-1), 'bound 10.0.0.101');
  // INIT-REBOOT: another network.
  client.engine.stop(lan.now);
  lan.remove(stranger);
  const elsewhere = new ServerStation(lan, {
    interface: Cidr.parse('192.168.7.1/24'),
    pool: { first: IpAddress.parse('192.168.7.10'), last: IpAddress.parse('192.168.7.20') },
  });
  client.engine.start(lan.now);
  lan.run(lan.now + 1000);
  assert.equal(elsewhere.kinds[0], 'refuse');
  assert.equal(client.lease?.address.toString(), '192.168.7.10');
  // REBINDING.
  lan.remove(elsewhere);
  lan.run(client.lease!.rebindAt + 1);
  assert.equal(client.engine.state, 'rebinding');
  const home = new ServerStation(lan, SERVER);
  lan.run(client.lease!.expiresAt - 1);
  assert.equal(home.kinds[0], 'refuse');
  assert.equal(client.lease?.address.toString(), '10.0.0.100');
});

test('a server that offers and refuses in turn is asked ever more slowly', () => {
  const lan = new VirtualLan(3);
  const server = new ServerStation(lan);
  // Every ACK becomes a NAK.
  server.spoil = (bytes) => {
    const message = readMessage(bytes.slice());
    if (message.type === Dhcpv4MessageType.ACKNOWLEDGE) {
      message.setOptions([
        dhcpv4Number(Dhcpv4OptionCode.MESSAGE_TYPE, 1, Dhcpv4MessageType.REFUSE),
        dhcpv4Addresses(Dhcpv4OptionCode.SERVER_IDENTIFIER, [server.address]),
      ]);
      return encodeDhcpv4(message);
    }
    return bytes;
  };
  const client = new ClientStation(lan).start();
  lan.run(HOUR);
  assert.equal(client.lease, undefined);
  assert.ok(client.sent.length > 20 && client.sent.length < 150, `${client.sent.length} messages`);
});

test('an address in use is declined, and another is got ten seconds later', () => {
  const lan = new VirtualLan(4);
  const server = new ServerStation(lan);
  const client = new ClientStation(lan);
  client.inUse = (address) => address.toString() === '10.0.0.100';
  client.start();
  lan.run(9000);
  assert.equal(client.engine.state, 'init');
  assert.deepEqual(client.kinds, ['discover', 'request', 'decline']);
  const decline = client.sent.at(-1)!;
  assert.equal(requestedAddress(decline), '10.0.0.100');
  assert.equal(decline.address(Dhcpv4OptionCode.SERVER_IDENTIFIER)?.toString(), '10.0.0.1');
  assert.equal(decline.clientAddress.isUnspecified, true);
  assert.equal(client.destinations.at(-1), '255.255.255.255');
  lan.run(12_000);
  assert.equal(client.lease?.address.toString(), '10.0.0.101');
  assert.deepEqual(
    server.events.slice(0, 2).map((event) => event.split(' ')[0]),
    ['leased', 'freed'],
  );
  assert.equal(client.events.includes('lost released'), false);
});

test('an owner that never answers the probe: the address counts as free', () => {
  const lan = new VirtualLan(5);
  const server = new ServerStation(lan);
  const events: string[] = [];
  const client = new Dhcpv4Client(
    { mac: MAC, random: lan.random },
    {
      send: (bytes, destination, source) => lan.send(bytes, source, destination, station),
      probe: () => events.push('probe'),
      bound: () => events.push(`bound at ${Math.floor(lan.now / 1000)} s`),
      renewed: () => events.push('renewed'),
      lost: () => events.push('lost'),
    },
  );
  const station = {
    engine: client,
    takes: (): boolean => true,
    receive: client.receive.bind(client),
  };
  lan.add(station);
  client.start(0);
  lan.run(60_000);
  assert.deepEqual(events, ['probe', 'bound at 12 s']);
  assert.equal(server.engine.size, 1);
});

test('INIT-REBOOT: an earlier lease is asked for again, in one exchange', () => {
  const lan = new VirtualLan(6);
  const server = new ServerStation(lan);
  const first = new ClientStation(lan, { mac: MAC }).start();
  lan.run(1000);
  const { address, expiresAt } = first.lease!;
  first.engine.stop(lan.now);
  assert.equal(first.events.at(-1), 'lost stopped');
  lan.remove(first);
  const second = new ClientStation(lan, { mac: MAC, previous: { address, expiresAt } }).start();
  lan.run(2000);
  assert.deepEqual(second.kinds, ['request']);
  assert.equal(second.sent[0]!.option(Dhcpv4OptionCode.SERVER_IDENTIFIER), undefined);
  assert.equal(requestedAddress(second.sent[0]!), address.toString());
  assert.deepEqual(second.path, ['init-reboot', 'rebooting', 'checking', 'bound']);
  assert.equal(server.engine.size, 1);
});

test('INIT-REBOOT: nobody answers, so an address of an earlier run is not used', () => {
  const lan = new VirtualLan(7);
  const previous = { address: IpAddress.parse('10.0.0.150'), expiresAt: HOUR };
  const client = new ClientStation(lan, { mac: MAC, previous }).start();
  lan.run(60_000);
  assert.deepEqual(client.kinds.slice(0, 4), ['request', 'request', 'discover', 'discover']);
  assert.deepEqual(client.events, []);
});

test('an earlier lease that has ended is asked for in the DISCOVER', () => {
  const lan = new VirtualLan(8);
  const server = new ServerStation(lan);
  const previous = { address: IpAddress.parse('10.0.0.150'), expiresAt: 0 };
  const client = new ClientStation(lan, { mac: MAC, previous }).start();
  lan.run(1000);
  assert.deepEqual(client.kinds, ['discover', 'request']);
  assert.equal(client.lease?.address.toString(), '10.0.0.150');
  assert.equal(server.engine.size, 1);
});

test('the link goes and comes: the address is verified, and kept if nobody answers', () => {
  const { lan, client, server } = boundPair();
  client.engine.linkChanged(false, lan.now);
  assert.equal(client.engine.state, 'link-down');
  assert.equal(client.engine.deadline(), client.lease!.expiresAt);
  lan.run(5000);
  client.engine.linkChanged(true, lan.now);
  lan.run(6000);
  assert.equal(client.engine.state, 'bound');
  assert.deepEqual(client.events.slice(2), ['renewed 10.0.0.100']);
  client.engine.linkChanged(false, lan.now);
  lan.remove(server);
  client.engine.linkChanged(true, lan.now);
  lan.run(60_000);
  assert.equal(client.engine.state, 'bound');
  assert.deepEqual(client.path.slice(-3), ['init-reboot', 'rebooting', 'bound']);
  assert.equal(client.events.length, 3, 'the owner has nothing to do');
});

test('a lease that ends while the link is down is lost then', () => {
  const { lan, client } = boundPair();
  client.engine.linkChanged(false, lan.now);
  lan.run(2 * HOUR);
  assert.equal(client.events.at(-1), 'lost expired');
  assert.equal(client.engine.deadline(), Infinity);
  client.engine.linkChanged(true, lan.now);
  lan.run(lan.now + 1000);
  assert.equal(client.engine.state, 'bound');
});

test('a link that is down at the start, and one that goes down midway', () => {
  const lan = new VirtualLan(9);
  const server = new ServerStation(lan);
  const client = new ClientStation(lan);
  client.engine.linkChanged(false, 0);
  client.start();
  lan.run(1000);
  assert.deepEqual(client.kinds, []);
  client.engine.linkChanged(true, lan.now);
  client.engine.linkChanged(false, lan.now);
  lan.run(2000);
  assert.equal(client.engine.state, 'link-down');
  client.engine.linkChanged(true, lan.now);
  lan.run(3000);
  assert.equal(client.engine.state, 'bound');
  assert.equal(server.engine.size, 1);
});

test('release and stop end everything, and may be called twice and at any time', () => {
  const { lan, client, server } = boundPair();
  client.engine.release(lan.now);
  client.engine.release(lan.now);
  client.engine.stop(lan.now);
  lan.run(2000);
  assert.deepEqual(client.events.slice(2), ['lost released']);
  assert.equal(client.engine.deadline(), Infinity);
  assert.equal(server.engine.size, 0);
  client.start();
  client.engine.stop(lan.now);
  lan.run(3000);
  assert.equal(client.engine.state, 'stopped');
});

test('a clock that jumps past everything: the lease is lost, once', () => {
  const { client } = boundPair();
  const sent = client.sent.length;
  client.engine.advance(1e12);
  assert.deepEqual(client.events.slice(2), ['lost expired']);
  assert.equal(client.sent.length, sent + 1, 'and one DISCOVER follows');
  assert.ok(client.engine.deadline() > 1e12);
  // A jump back does no harm: nothing is due.
  client.engine.advance(0);
  assert.equal(client.sent.length, sent + 1);
});

test('a clock that jumps past T2: rebinding at once', () => {
  const { client } = boundPair();
  client.engine.advance(0.9 * HOUR);
  assert.equal(client.engine.state, 'rebinding');
  assert.equal(client.destinations.at(-1), '255.255.255.255');
});

test('an answer to a lease that has ended does not revive it', () => {
  const { lan, client, server } = boundPair();
  let late: Uint8Array | undefined;
  server.spoil = (bytes) => {
    late ??= bytes;
    return undefined;
  };
  lan.run(0.51 * HOUR);
  assert.ok(late !== undefined);
  client.engine.receive(late, server.address, 2 * HOUR);
  assert.equal(client.events.at(-1), 'lost expired');
  assert.equal(client.engine.lease, undefined);
});

/** Answers to a client's requests, made by hand. */
function answer(
  request: Dhcpv4Message,
  type: number,
  options: readonly Dhcpv4Option[] = [],
  change: (message: Dhcpv4Message) => void = () => undefined,
): Uint8Array {
  const message = new Dhcpv4Message();
  message.operation = Dhcpv4Operation.REPLY;
  message.mac = request.mac!;
  message.transactionId = request.transactionId;
  message.yourAddress = IpAddress.parse('10.0.0.7');
  const basic = [
    dhcpv4Number(Dhcpv4OptionCode.MESSAGE_TYPE, 1, type),
    dhcpv4Addresses(Dhcpv4OptionCode.SERVER_IDENTIFIER, [SERVER.interface.address]),
    dhcpv4Number(Dhcpv4OptionCode.LEASE_TIME, 4, 3600),
    dhcpv4Addresses(Dhcpv4OptionCode.SUBNET_MASK, [IpAddress.parse('255.255.255.0')]),
  ];
  const own = new Set(options.map(({ code }) => code));
  message.setOptions([...basic.filter(({ code }) => !own.has(code)), ...options], 1400);
  change(message);
  return encodeDhcpv4(message);
}

/** A client in SELECTING, without a server. */
function selecting(options = {}): ClientStation {
  return new ClientStation(new VirtualLan(10), { mac: MAC, ...options }).start();
}

const OFFER = Dhcpv4MessageType.OFFER;
const ACK = Dhcpv4MessageType.ACKNOWLEDGE;
const FROM = SERVER.interface.address;
const LONG_NAME = { code: Dhcpv4OptionCode.HOST_NAME, data: new Uint8Array(100).fill(0x61) };

test('a server that lies in its offer is passed over, and the lie is counted', () => {
  const lies: [string, (request: Dhcpv4Message) => Uint8Array][] = [
    ['wrong-transaction', (request) => answer(request, OFFER, [], (m) => void m.transactionId++)],
    [
      'wrong-client',
      (request) => answer(request, OFFER, [], (m) => void (m.mac = MacAddress.ZERO)),
    ],
    [
      'wrong-client',
      (request) => answer(request, OFFER, [{ code: 61, data: fromHex('0102030405') }]),
    ],
    ['not-a-reply', (request) => answer(request, OFFER, [], (m) => void (m.operation = 1))],
    ['wrong-type', (request) => answer(request, Dhcpv4MessageType.INFORM)],
    ['wrong-type', (request) => answer(request, 99)],
    ['unexpected', (request) => answer(request, ACK)],
    ['unexpected', (request) => answer(request, Dhcpv4MessageType.REFUSE)],
    ['no-server', (request) => answer(request, OFFER, [dhcpv4Addresses(54, [])])],
    ['no-server', (request) => answer(request, OFFER, [dhcpv4Addresses(54, [IpAddress.ANY4])])],
    ['bad-lease-time', (request) => answer(request, OFFER, [dhcpv4Number(51, 4, 0)])],
    ['bad-lease-time', (request) => answer(request, OFFER, [dhcpv4Number(51, 4, 5)])],
    ['bad-lease-time', (request) => answer(request, OFFER, [dhcpv4Number(51, 2, 3600)])],
    ['bad-mask', (request) => answer(request, OFFER, [{ code: 1, data: fromHex('ff00ff00') }])],
    ...[
      '0.0.0.0',
      '127.0.0.1',
      '224.0.0.1',
      '255.255.255.255',
      '10.0.0.0',
      '10.0.0.255',
      '10.0.0.1',
    ].map((address): [string, (request: Dhcpv4Message) => Uint8Array] => [
      'bad-address',
      (request) =>
        answer(request, OFFER, [], (m) => void (m.yourAddress = IpAddress.parse(address))),
    ]),
    ['bad-option', (request) => answer(request, OFFER, [LONG_NAME]).subarray(0, -10)],
    ['truncated', (request) => answer(request, OFFER).subarray(0, 200)],
  ];
  for (const [reason, lie] of lies) {
    const client = selecting();
    client.engine.receive(lie(client.sent[0]!), FROM, 10);
    assert.equal(client.engine.state, 'selecting', reason);
    assert.deepEqual(client.engine.drops.snapshot(), { [reason]: 1 });
  }
  const client = selecting();
  client.engine.receive(answer(client.sent[0]!, OFFER), FROM, 10);
  assert.equal(client.engine.state, 'requesting', 'the honest offer is taken');
});

test('a server that lies in its ACK is not believed', () => {
  const lies: [string, (request: Dhcpv4Message) => Uint8Array][] = [
    [
      'wrong-server',
      (request) => answer(request, ACK, [dhcpv4Addresses(54, [IpAddress.parse('10.0.0.2')])]),
    ],
    [
      'wrong-address',
      (request) =>
        answer(request, ACK, [], (m) => void (m.yourAddress = IpAddress.parse('10.0.0.8'))),
    ],
    ['bad-lease-time', (request) => answer(request, ACK, [dhcpv4Number(51, 4, 0)])],
    [
      'wrong-server',
      (request) =>
        answer(request, Dhcpv4MessageType.REFUSE, [
          dhcpv4Addresses(54, [IpAddress.parse('10.0.0.2')]),
        ]),
    ],
    [
      'no-server',
      (request) => answer(request, Dhcpv4MessageType.REFUSE, [dhcpv4Addresses(54, [])]),
    ],
    ['unexpected', (request) => answer(request, OFFER)],
  ];
  for (const [reason, lie] of lies) {
    const client = selecting();
    client.engine.receive(answer(client.sent[0]!, OFFER), FROM, 10);
    client.engine.receive(lie(client.sent.at(-1)!), FROM, 20);
    assert.equal(client.engine.state, 'requesting', reason);
    assert.deepEqual(client.engine.drops.snapshot(), { [reason]: 1 });
  }
});

test('a REQUEST nobody answers is given up after four', () => {
  const client = selecting();
  client.engine.receive(answer(client.sent[0]!, OFFER), FROM, 10);
  for (let now = 0; now < 90_000; now += 100) client.engine.advance(now);
  assert.deepEqual(client.kinds.slice(0, 6), [
    'discover',
    'request',
    'request',
    'request',
    'request',
    'discover',
  ]);
});

/** The lease a client takes when the server's ACK has these options. */
function leaseOf(
  options: readonly Dhcpv4Option[],
  change?: (message: Dhcpv4Message) => void,
): ClientStation {
  const client = selecting();
  client.engine.receive(answer(client.sent[0]!, OFFER, options, change), FROM, 10);
  client.engine.receive(answer(client.sent.at(-1)!, ACK, options, change), FROM, 20);
  assert.equal(client.engine.state, 'bound');
  return client;
}

/** T1, T2 and the end of the lease a client takes. */
function times(options: Dhcpv4Option[]): number[] {
  const lease = leaseOf(options).lease!;
  return [lease.renewAt, lease.rebindAt, lease.expiresAt];
}

/** Whether times are those after the REQUEST at 10 ms, or up to 2 % earlier. */
function near(actual: number[], seconds: number[]): void {
  for (const [i, second] of seconds.entries()) {
    const early = (1000 * second - (actual[i]! - 10)) / (1000 * second);
    assert.ok(early >= 0 && early <= 0.02, `${actual[i]} for ${second} s`);
  }
}

test('times: given ones are kept, senseless ones replaced, and a lease without end has none', () => {
  near(times([dhcpv4Number(58, 4, 600), dhcpv4Number(59, 4, 1200)]), [600, 1200, 3600]);
  near(times([]), [1800, 3150, 3600]);
  near(times([dhcpv4Number(58, 4, 1200), dhcpv4Number(59, 4, 600)]), [342.857, 600, 3600]);
  near(times([dhcpv4Number(58, 4, 5000), dhcpv4Number(59, 4, 4000)]), [1800, 3150, 3600]);
  near(times([dhcpv4Number(58, 4, 0), dhcpv4Number(59, 4, 0)]), [1800, 3150, 3600]);
  const endless = leaseOf([dhcpv4Number(51, 4, 0xffff_ffff)]);
  assert.equal(endless.engine.deadline(), Infinity);
  assert.equal(endless.lease?.expiresAt, Infinity);
});

/** The routes of the lease a client takes, in words. */
function routes(options: Dhcpv4Option[]): string[] {
  return leaseOf(options).lease!.routes.map(
    ({ destination, gateway }) => `${destination} ${gateway}`,
  );
}

test('classless routes override routers; senseless gateways are dropped', () => {
  const router = dhcpv4Addresses(
    3,
    ['10.0.0.1', '10.0.0.2', '0.0.0.0', '10.0.0.7'].map(IpAddress.parse),
  );
  assert.deepEqual(routes([router]), ['0.0.0.0/0 10.0.0.1', '0.0.0.0/0 10.0.0.2']);
  const classless = dhcpv4Routes([
    { destination: Cidr.parse('172.16.0.0/12'), gateway: IpAddress.parse('10.0.0.9') },
    { destination: Cidr.parse('169.254.169.254/32'), gateway: undefined },
  ]);
  assert.deepEqual(routes([router, classless]), [
    '172.16.0.0/12 10.0.0.9',
    '169.254.169.254/32 undefined',
  ]);
  const malformed = { code: 121, data: fromHex('ff') };
  assert.deepEqual(routes([malformed, router]).length, 2, 'a malformed one counts as absent');
});

/** The prefix length a client takes for 10.0.0.7 with this mask. */
function prefix(mask: string | undefined): number {
  const masks = mask === undefined ? [] : [IpAddress.parse(mask)];
  return leaseOf([dhcpv4Addresses(1, masks)]).lease!.prefixLength;
}

test('masks: /32 and /31 are good, and without a mask the class says', () => {
  assert.equal(prefix('255.255.255.255'), 32);
  assert.equal(prefix('255.255.255.254'), 31);
  assert.equal(prefix(undefined), 8);
});

test('senseless parameters are left out', () => {
  const lease = leaseOf([
    { code: Dhcpv4OptionCode.DOMAIN_NAME, data: new TextEncoder().encode('evil name; rm') },
    dhcpv4Number(Dhcpv4OptionCode.INTERFACE_MTU, 2, 40),
    dhcpv4Addresses(6, ['0.0.0.0', '224.1.1.1', '127.0.0.53'].map(IpAddress.parse)),
    { code: 119, data: fromHex('c000') },
  ]).lease!;
  assert.equal(lease.domain, undefined);
  assert.equal(lease.mtu, undefined);
  assert.deepEqual(lease.dnsServers.map(String), ['127.0.0.53']);
  assert.deepEqual(lease.searchDomains, []);
});

/** Offers the address to the client. */
function offer(client: ClientStation, address: string, now: number): void {
  const bytes = answer(client.sent[0]!, OFFER, [], (message) => {
    message.yourAddress = IpAddress.parse(address);
  });
  client.engine.receive(bytes, FROM, now);
}

test('offers can be waited for: the address of before wins, else the first', () => {
  const previous = { address: IpAddress.parse('10.0.0.9'), expiresAt: 0 };
  const limits = { offerWait: 500, offers: 2 };
  const client = selecting({ previous, limits });
  offer(client, '10.0.0.8', 10);
  offer(client, '10.0.0.9', 20);
  offer(client, '10.0.0.10', 30);
  assert.deepEqual(client.engine.drops.snapshot(), { 'too-many-offers': 1 });
  assert.equal(client.engine.deadline(), 510);
  client.engine.advance(510);
  assert.equal(requestedAddress(client.sent.at(-1)!), '10.0.0.9');
  const other = selecting({ limits });
  offer(other, '10.0.0.8', 10);
  offer(other, '10.0.0.9', 20);
  other.engine.advance(510);
  assert.equal(requestedAddress(other.sent.at(-1)!), '10.0.0.8');
});

test('a wait for offers longer than a retransmission still ends on time', () => {
  const client = selecting({ limits: { offerWait: 6000 } });
  client.engine.receive(answer(client.sent[0]!, OFFER), FROM, 10);
  client.engine.advance(client.engine.deadline());
  assert.deepEqual(client.kinds, ['discover', 'discover']);
  assert.equal(client.engine.deadline(), 6010);
  client.engine.advance(6010);
  assert.equal(client.engine.state, 'requesting');
});

test('any bytes at any time: never a throw, never a message without end', () => {
  const mutation = fc.tuple(fc.nat(400), fc.nat(255));
  fc.assert(
    fc.property(
      fc.nat(),
      fc.array(fc.tuple(fc.nat(5), fc.array(mutation, { maxLength: 3 }), fc.nat(100_000)), {
        maxLength: 20,
      }),
      (seed, steps) => {
        const client = new ClientStation(new VirtualLan(seed), { mac: MAC }).start();
        let now = 0;
        for (const [type, mutations, wait] of steps) {
          now += wait;
          const bytes = answer(client.sent.at(-1)!, type + 1);
          for (const [at, value] of mutations) if (at < bytes.length) bytes[at] = value;
          client.engine.receive(bytes, FROM, now);
          assert.ok(client.engine.deadline() > now);
        }
        assert.ok(client.sent.length <= 4 * steps.length + 1);
      },
    ),
    { numRuns: 300 },
  );
});

test('a handler may call anything: stopping from within `bound`, releasing from within `probe`', () => {
  for (const at of ['bound', 'probe'] as const) {
    const lan = new VirtualLan(11);
    const server = new ServerStation(lan);
    const events: string[] = [];
    const client = new Dhcpv4Client(
      { mac: MAC, random: seededRandom(1) },
      {
        send: (bytes, destination, source) => lan.send(bytes, source, destination, station),
        probe: () => {
          events.push('probe');
          if (at === 'probe') client.release(lan.now);
          client.probed(false, lan.now);
        },
        bound: () => {
          events.push('bound');
          client.stop(lan.now);
          events.push('stopped');
        },
        renewed: () => events.push('renewed'),
        lost: (reason) => events.push(`lost ${reason}`),
      },
    );
    const station = { engine: client, takes: () => true, receive: client.receive.bind(client) };
    lan.add(station);
    client.start(0);
    lan.run(60_000);
    assert.equal(client.state, 'stopped');
    assert.equal(server.engine.size, 1);
    const bound = ['probe', 'bound', 'stopped', 'lost stopped'];
    assert.deepEqual(events, at === 'bound' ? bound : ['probe']);
  }
});

/** Makes a client when called. */
function make(options: object): () => Dhcpv4Client {
  return () => new ClientStation(new VirtualLan(1), options).engine;
}

test('what no server would take is refused at once', () => {
  assert.throws(make({ hostname: 'two words' }), { code: 'DHCP_OPTION_INVALID' });
  assert.throws(make({ clientIdentifier: new Uint8Array(1) }), { code: 'DHCP_OPTION_INVALID' });
  assert.throws(make({ limits: { patience: 3 } }), { code: 'LIMIT_INVALID' });
});
