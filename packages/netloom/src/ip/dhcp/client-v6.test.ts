import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Cidr, IpAddress, MacAddress, fromHex, toHex } from '../../core/index.ts';
import {
  Dhcpv6MessageType,
  Dhcpv6OptionCode,
  Dhcpv6RelayMessage,
  Dhcpv6Status,
  dhcpv6Association,
  dhcpv6Number,
  dhcpv6Option,
  dhcpv6Status,
  duidOfMac,
  encodeDhcpv6,
  readDhcpv6Number,
  readDhcpv6OptionRequest,
  type Dhcpv6Association,
  type Dhcpv6Message,
  type Dhcpv6Option,
} from '../../wire/index.ts';
import {
  ClientStation6,
  SERVER_ADDRESS,
  SERVER_DUID,
  ServerStation6,
  addressNumber,
  answerTo,
  associationsOf,
} from '../../../test/dhcp/lan-v6.ts';
import { VirtualLan } from '../../../test/dhcp/virtual-lan.ts';
import type { Dhcpv6Client, Dhcpv6ClientOptions } from './index.ts';

const { SOLICIT, ADVERTISE, REPLY, REQUEST } = Dhcpv6MessageType;
const OTHER_DUID = duidOfMac(MacAddress.parse('02:00:00:00:00:02'));
const HOUR = 3_600_000;

/** A client bound by a server on a link where nothing is lost. */
function boundPair(options: Partial<Dhcpv6ClientOptions> = {}): {
  lan: VirtualLan;
  client: ClientStation6;
  server: ServerStation6;
} {
  const lan = new VirtualLan(1);
  const server = new ServerStation6(lan);
  const client = new ClientStation6(lan, options).start();
  lan.run(5000);
  assert.equal(client.engine.state, 'bound');
  return { lan, client, server };
}

test('from nothing to a lease: Solicit, Advertise, Request, Reply', () => {
  const { client } = boundPair();
  assert.deepEqual(client.kinds, ['solicit', 'request']);
  assert.deepEqual(client.path, ['soliciting', 'requesting', 'checking', 'bound']);
  assert.deepEqual(client.events, ['probe 2001:db8::101', 'bound 2001:db8::101']);
  const lease = client.lease!;
  assert.deepEqual(lease.dnsServers.map(String), ['2001:db8::53']);
  assert.deepEqual(lease.searchDomains, ['lan']);
  const received = lease.addresses[0]!.validUntil - HOUR;
  assert.ok(received > 1000 && received < 5000, 'lifetimes count from the Reply');
  assert.equal(lease.addresses[0]!.preferredUntil, received + HOUR / 2);
  assert.equal(lease.renewAt, received + 0.5 * (HOUR / 2), 'T1 is half of the preferred lifetime');
  assert.equal(lease.rebindAt, received + 0.8 * (HOUR / 2));
});

test('messages have what RFC 8415, section 18.2 says', () => {
  const { lan, client } = boundPair({ prefixes: Cidr.parse('::/56') });
  const [solicit, request] = client.sent;
  assert.equal(solicit!.option(Dhcpv6OptionCode.SERVER_IDENTIFIER), undefined);
  assert.equal(readDhcpv6Number(solicit!.options, Dhcpv6OptionCode.ELAPSED_TIME, 2), 0);
  assert.ok(
    readDhcpv6OptionRequest(solicit!.options)!.includes(Dhcpv6OptionCode.SOLICIT_MAXIMUM_TIME),
  );
  const [addresses, prefixes] = associationsOf(solicit!);
  assert.equal(addresses!.id, 7);
  assert.deepEqual(addresses!.addresses, []);
  assert.deepEqual(
    prefixes!.prefixes.map(({ prefix }) => String(prefix)),
    ['::/56'],
  );
  assert.notEqual(request!.transactionId, solicit!.transactionId);
  assert.ok(request!.option(Dhcpv6OptionCode.SERVER_IDENTIFIER));
  assert.equal(associationsOf(request!)[0]!.addresses[0]!.address.toString(), '2001:db8::101');
  assert.equal(associationsOf(request!)[0]!.addresses[0]!.valid, 0);
  assert.equal(client.events.at(-1), 'bound 2001:db8::101 2001:db8:1::/48');
  lan.run(client.lease!.renewAt);
  assert.equal(client.kinds.at(-1), 'renew');
  assert.ok(client.sent.at(-1)!.option(Dhcpv6OptionCode.SERVER_IDENTIFIER));
});

test('retransmission of a Solicit: a first wait above 1 s, doubling, up to SOL_MAX_RT', () => {
  const lan = new VirtualLan(2);
  const client = new ClientStation6(lan).start();
  lan.run(12 * HOUR);
  assert.ok(client.times[0]! > 0 && client.times[0]! <= 1000, 'a delay at random');
  const waits = client.times.slice(1).map((at, i) => at - client.times[i]!);
  assert.ok(waits[0]! >= 1000 && waits[0]! <= 1100, `${waits[0]}`);
  for (const [i, wait] of waits.slice(1).entries()) {
    const factor = wait / waits[i]!;
    const capped = Math.abs(wait - HOUR) <= 0.1 * HOUR;
    assert.ok(
      (factor >= 1.9 && factor <= 2.1) || capped,
      `wait ${i + 1} is ${factor} times the last`,
    );
  }
  const elapsed = client.sent.map(({ options }) => readDhcpv6Number(options, 8, 2)!);
  assert.equal(elapsed[1], Math.floor((client.times[1]! - client.times[0]!) / 10));
  assert.equal(elapsed.at(-1), 0xffff);
  assert.equal(new Set(client.sent.map(({ transactionId }) => transactionId)).size, 1);
});

test('SOL_MAX_RT of a server that has nothing is obeyed', () => {
  const lan = new VirtualLan(3);
  const server = new ServerStation6(lan);
  server.change = (answer) => {
    answer.options = [
      ...answer.options.slice(0, 2),
      dhcpv6Status(Dhcpv6Status.NO_ADDRESSES),
      dhcpv6Number(Dhcpv6OptionCode.SOLICIT_MAXIMUM_TIME, 4, 60),
    ];
    return answer;
  };
  const client = new ClientStation6(lan).start();
  lan.run(HOUR);
  const waits = client.times.slice(1).map((at, i) => at - client.times[i]!);
  assert.ok(Math.max(...waits) <= 66_000);
  assert.ok(client.engine.drops.get('server-failure') > 50);
});

/** A client that has heard servers of these preferences. */
function preferring(preferences: number[]): ClientStation6 {
  const lan = new VirtualLan(4);
  for (const preference of preferences) {
    const server = new ServerStation6(lan, duidOfMac(new MacAddress(0x0200, preference)));
    server.extra = [dhcpv6Number(Dhcpv6OptionCode.PREFERENCE, 1, preference)];
  }
  const client = new ClientStation6(lan).start();
  lan.run(10_000);
  return client;
}

/** The last byte of the DUID of the client's server. */
function chosen({ lease }: ClientStation6): string {
  return toHex(lease!.server.subarray(-1));
}

test('of Advertises, the highest preference wins; 255 at once, and after the first wait the first', () => {
  const waited = preferring([3, 9, 5]);
  assert.equal(chosen(waited), '09');
  assert.ok(waited.times[1]! - waited.times[0]! >= 1000);
  const atOnce = preferring([3, 255]);
  assert.equal(chosen(atOnce), 'ff');
  assert.ok(atOnce.times[1]! - atOnce.times[0]! < 10);
  const lan = new VirtualLan(5);
  const client = new ClientStation6(lan).start();
  lan.run(10_000);
  const server = new ServerStation6(lan);
  lan.run(20_000);
  assert.equal(client.engine.state, 'bound');
  assert.ok(client.times.at(-1)! - client.times.at(-2)! < 10);
  assert.deepEqual(server.received, ['solicit', 'request']);
});

test('rapid commit: two messages instead of four, and only if it was asked for', () => {
  const { client } = boundPair({ rapidCommit: true });
  assert.deepEqual(client.kinds, ['solicit']);
  assert.deepEqual(client.path, ['soliciting', 'checking', 'bound']);
  const lan = new VirtualLan(6);
  const server = new ServerStation6(lan);
  server.change = (answer) => {
    answer.type = REPLY;
    answer.options = [...answer.options, dhcpv6Option(Dhcpv6OptionCode.RAPID_COMMIT)];
    return answer;
  };
  const other = new ClientStation6(lan).start();
  lan.run(2500);
  assert.equal(other.engine.state, 'soliciting');
  assert.ok(other.engine.drops.get('unexpected') > 0);
});

test('renewed at T1, again and again', () => {
  const { lan, client, server } = boundPair();
  lan.run(10 * HOUR);
  assert.equal(client.engine.state, 'bound');
  assert.ok(client.events.length > 30);
  assert.deepEqual(new Set(client.events.slice(2)), new Set(['renewed 2001:db8::101']));
  assert.deepEqual(new Set(server.received.slice(2)), new Set(['renew']));
});

test('a silent server: Renew from T1, Rebind from T2, taken up by another', () => {
  const { lan, client, server } = boundPair();
  lan.remove(server);
  lan.run(client.lease!.rebindAt - 1);
  assert.equal(client.engine.state, 'renewing');
  assert.ok(client.kinds.filter((kind) => kind === 'renew').length > 3);
  const other = new ServerStation6(lan, OTHER_DUID);
  lan.run(client.lease!.rebindAt + 1000);
  assert.equal(client.engine.state, 'bound');
  assert.deepEqual(other.received, ['rebind']);
  assert.equal(toHex(client.lease!.server), toHex(OTHER_DUID));
});

test('no server at all: the lease ends with its valid lifetime, and the search begins anew', () => {
  const { lan, client, server } = boundPair();
  const { validUntil } = client.lease!.addresses[0]!;
  lan.remove(server);
  lan.run(validUntil - 1);
  assert.equal(client.engine.state, 'rebinding');
  lan.run(validUntil);
  assert.equal(client.events.at(-1), 'lost expired');
  assert.equal(client.engine.state, 'soliciting');
});

test('a clock that jumps past everything: the lease is lost, once', () => {
  const { client } = boundPair();
  client.engine.advance(1e12);
  assert.deepEqual(client.events.slice(2), ['lost expired']);
  assert.equal(client.engine.state, 'soliciting');
  assert.ok(client.engine.deadline() > 1e12 - 1);
});

test('an address in use is declined, and another is asked for', () => {
  const lan = new VirtualLan(7);
  const server = new ServerStation6(lan);
  const client = new ClientStation6(lan);
  let asked = 0;
  client.inUse = () => asked++ === 0;
  client.start();
  lan.run(10_000);
  assert.deepEqual(client.kinds, ['solicit', 'request', 'decline', 'solicit', 'request']);
  assert.equal(
    associationsOf(client.sent[2]!)[0]!.addresses[0]!.address.toString(),
    '2001:db8::101',
  );
  assert.equal(server.received.filter((kind) => kind === 'decline').length, 1);
  assert.equal(client.engine.state, 'bound');
});

test('of two addresses one is in use: it is declined, the other is used', () => {
  const lan = new VirtualLan(8);
  const server = new ServerStation6(lan);
  server.change = (answer) => {
    answer.options = answer.options.map((option) =>
      option.code === Dhcpv6OptionCode.IA_NA
        ? dhcpv6Association({
            ...granted(1),
            addresses: [...granted(1).addresses, ...granted(2).addresses],
          })
        : option,
    );
    return answer;
  };
  const client = new ClientStation6(lan);
  client.inUse = (address) => address.toString() === '2001:db8::102';
  client.start();
  lan.run(10_000);
  assert.deepEqual(client.path.slice(-3), ['checking', 'declining', 'bound']);
  assert.deepEqual(client.events.slice(2), ['bound 2001:db8::101']);
});

test('a Decline nobody answers is given up after four', () => {
  const lan = new VirtualLan(9);
  const server = new ServerStation6(lan);
  server.change = (answer, { type }) => (type === Dhcpv6MessageType.DECLINE ? undefined : answer);
  const client = new ClientStation6(lan);
  let asked = 0;
  client.inUse = () => asked++ === 0;
  client.start();
  lan.run(60_000);
  assert.equal(client.kinds.filter((kind) => kind === 'decline').length, 4);
  assert.equal(client.engine.state, 'bound');
});

test('an owner that never answers the probe: the address counts as free', () => {
  const lan = new VirtualLan(10);
  const server = new ServerStation6(lan);
  const client = new ClientStation6(lan);
  client.engine.probed = () => undefined;
  client.start();
  lan.run(5000);
  assert.equal(client.engine.state, 'checking');
  lan.run(20_000);
  assert.equal(client.engine.state, 'bound');
  assert.equal(server.received.length, 2);
});

test('release: nothing is used from the call on; answered, or given up after four', () => {
  const { lan, client, server } = boundPair();
  client.engine.release(lan.now);
  assert.equal(client.events.at(-1), 'lost released');
  assert.equal(client.engine.state, 'releasing');
  client.engine.release(lan.now);
  lan.run(lan.now + 1000);
  assert.equal(client.engine.state, 'stopped');
  assert.equal(server.received.at(-1), 'release');
  assert.equal(associationsOf(client.sent.at(-1)!)[0]!.addresses.length, 1);
  client.engine.release(lan.now);
  client.engine.stop(lan.now);
  assert.equal(client.engine.deadline(), Infinity);
  const other = boundPair();
  other.lan.remove(other.server);
  other.client.engine.release(other.lan.now);
  other.lan.run(HOUR);
  assert.equal(other.client.kinds.filter((kind) => kind === 'release').length, 4);
  assert.equal(other.client.engine.state, 'stopped');
});

test('the link goes and comes: addresses are confirmed', () => {
  const { lan, client, server } = boundPair();
  const flap = (): void => {
    client.engine.linkChanged(false, lan.now);
    lan.run(lan.now + 1000);
    client.engine.linkChanged(true, lan.now);
    lan.run(lan.now + 20_000);
  };
  flap();
  assert.deepEqual(client.kinds.slice(2), ['confirm']);
  assert.equal(client.sent[2]!.option(Dhcpv6OptionCode.SERVER_IDENTIFIER), undefined);
  assert.deepEqual(client.path.slice(-3), ['link-down', 'confirming', 'bound']);
  // Nobody answers: within ten seconds what is held is used on.
  server.change = () => undefined;
  flap();
  assert.equal(client.engine.state, 'bound');
  assert.ok(!client.events.some((event) => event.startsWith('lost')));
  // Another link.
  server.change = (answer, { type }) => {
    if (type === Dhcpv6MessageType.CONFIRM) {
      answer.options = [...answer.options.slice(0, 2), dhcpv6Status(Dhcpv6Status.NOT_ON_LINK)];
    }
    return answer;
  };
  flap();
  assert.ok(client.events.includes('lost refused'));
  assert.equal(client.engine.state, 'bound');
});

test('the link comes back and there are prefixes: they are rebound', () => {
  const { lan, client } = boundPair({ prefixes: true });
  client.engine.linkChanged(false, lan.now);
  client.engine.linkChanged(true, lan.now);
  lan.run(lan.now + 2000);
  assert.equal(client.kinds.at(-1), 'rebind');
  assert.equal(client.engine.state, 'bound');
});

test('an earlier lease is confirmed at the start, and its addresses are checked', () => {
  const { lan, client, server } = boundPair();
  const previous = client.lease!;
  client.engine.stop(lan.now);
  assert.equal(client.events.at(-1), 'lost stopped');
  lan.remove(client);
  const next = new ClientStation6(lan, { previous }).start();
  lan.run(lan.now + 2000);
  assert.deepEqual(next.kinds, ['confirm']);
  assert.deepEqual(next.events, ['probe 2001:db8::101', 'bound 2001:db8::101']);
  assert.equal(server.received.at(-1), 'confirm');
  const late = new ClientStation6(lan, { previous });
  lan.run(3 * HOUR);
  late.start();
  lan.run(lan.now + 1500);
  assert.deepEqual(late.kinds.slice(0, 1), ['solicit']);
});

test('a lease that ends while the link is down is lost then', () => {
  const { lan, client } = boundPair();
  client.engine.linkChanged(false, lan.now);
  lan.run(2 * HOUR);
  assert.equal(client.events.at(-1), 'lost expired');
  assert.equal(client.engine.deadline(), Infinity);
});

test('a server that has forgotten the lease is asked for it anew', () => {
  const { lan, client, server } = boundPair();
  server.change = (answer, request) => {
    if (request.type === Dhcpv6MessageType.RENEW) {
      const unknown = { ...granted(1), addresses: [], status: Dhcpv6Status.NO_BINDING };
      answer.options = [...answer.options.slice(0, 2), dhcpv6Association(unknown)];
    }
    return answer;
  };
  lan.run(client.lease!.renewAt + 1000);
  assert.deepEqual(client.kinds.slice(2), ['renew', 'request']);
  assert.deepEqual(client.path.slice(-3), ['renewing', 'requesting', 'bound']);
  assert.equal(client.events.at(-1), 'renewed 2001:db8::101');
});

test('a server that takes the address away, and one that gives another', () => {
  const { lan, client, server } = boundPair();
  server.change = (answer, { type }) => {
    if (type === Dhcpv6MessageType.RENEW) {
      const [old] = granted(1).addresses;
      const addresses = [{ ...old!, preferred: 0, valid: 0 }, ...granted(9).addresses];
      answer.options = [
        ...answer.options.slice(0, 2),
        dhcpv6Association({ ...granted(1), addresses }),
      ];
    }
    return answer;
  };
  lan.run(client.lease!.renewAt + 1000);
  assert.deepEqual(client.events.slice(2), ['probe 2001:db8::109', 'renewed 2001:db8::109']);
  server.change = (answer, { type }) => {
    if (type === Dhcpv6MessageType.RENEW) {
      const addresses = [{ ...granted(9).addresses[0]!, preferred: 0, valid: 0 }];
      answer.options = [
        ...answer.options.slice(0, 2),
        dhcpv6Association({ ...granted(1), addresses }),
      ];
    }
    return answer;
  };
  lan.run(client.lease!.renewAt + 5000);
  assert.ok(client.events.includes('lost refused'));
  assert.equal(client.events.at(-1), 'bound 2001:db8::101', 'and the search begins anew');
});

test('one of two valid lifetimes ends: the lease goes on without it', () => {
  const lan = new VirtualLan(11);
  const server = new ServerStation6(lan);
  server.change = (answer, { type }) => {
    if (type === REQUEST) {
      const addresses = [
        ...granted(1).addresses,
        { ...granted(2).addresses[0]!, preferred: 100, valid: 200 },
      ];
      answer.options = [
        ...answer.options.slice(0, 2),
        dhcpv6Association({ ...granted(1), addresses }),
      ];
    }
    return type === SOLICIT || type === REQUEST ? answer : undefined;
  };
  const client = new ClientStation6(lan).start();
  lan.run(300_000);
  assert.deepEqual(client.events.slice(2), [
    'bound 2001:db8::101 2001:db8::102',
    'renewed 2001:db8::101',
  ]);
});

test('stateless: parameters alone, refreshed when the server says', () => {
  const lan = new VirtualLan(12);
  const server = new ServerStation6(lan);
  const client = new ClientStation6(lan, { mode: 'stateless' }).start();
  lan.run(23 * HOUR);
  assert.deepEqual(client.kinds, ['information_request']);
  assert.deepEqual(client.events, ['configured 2001:db8::53']);
  assert.deepEqual(associationsOf(client.sent[0]!), []);
  assert.ok(
    readDhcpv6OptionRequest(client.sent[0]!.options)!.includes(
      Dhcpv6OptionCode.INFORMATION_REFRESH_TIME,
    ),
  );
  lan.run(25 * HOUR);
  assert.equal(client.kinds.length, 2, 'a day later');
  server.extra = [dhcpv6Number(Dhcpv6OptionCode.INFORMATION_REFRESH_TIME, 4, 1)];
  lan.run(49 * HOUR);
  const count = client.kinds.length;
  lan.run(50 * HOUR);
  assert.ok(client.kinds.length - count <= 6, 'ten minutes at least');
  client.engine.linkChanged(false, lan.now);
  client.engine.linkChanged(true, lan.now);
  lan.run(lan.now + 2000);
  assert.equal(client.engine.state, 'informed');
});

/** An association of one address, as the server of these tests gives it. */
function granted(number: number): Dhcpv6Association {
  const lifetimes = { preferred: 1800, valid: 3600, status: 0 };
  return {
    code: Dhcpv6OptionCode.IA_NA,
    id: 7,
    renew: 0,
    rebind: 0,
    addresses: [{ address: addressNumber(number), ...lifetimes }],
    prefixes: [],
    status: 0,
  };
}

/** A client that has sent its Solicit. */
function soliciting(options: Partial<Dhcpv6ClientOptions> = {}): ClientStation6 {
  const client = new ClientStation6(new VirtualLan(13), options).start();
  client.engine.advance(1000);
  return client;
}

/** Hands the client an answer to its last message. */
function give(
  client: ClientStation6,
  type: number,
  options: readonly Dhcpv6Option[],
  change: (message: Dhcpv6Message) => void = () => undefined,
): void {
  const message = answerTo(client.sent.at(-1)!, type, options);
  change(message);
  client.engine.receive(encodeDhcpv6(message), SERVER_ADDRESS, 1001);
}

const PREFERRED = dhcpv6Number(Dhcpv6OptionCode.PREFERENCE, 1, 255);
const GRANT = dhcpv6Association(granted(1));

test('an Advertise that lies is passed over, and the lie is counted', () => {
  const only = (change: Partial<Dhcpv6Association>): Dhcpv6Option[] => [
    dhcpv6Association({ ...granted(1), ...change }),
    PREFERRED,
  ];
  const item = granted(1).addresses[0]!;
  const lies: [string, Dhcpv6Option[], ((message: Dhcpv6Message) => void)?][] = [
    ['wrong-transaction', [GRANT], (message) => void (message.transactionId ^= 1)],
    ['wrong-client', [GRANT], (message) => void (message.options = message.options.slice(1))],
    ['no-server', [GRANT], (message) => void (message.options = [message.options[0]!, GRANT])],
    ['wrong-type', [GRANT], (message) => void (message.type = Dhcpv6MessageType.RECONFIGURE)],
    ['unexpected', [GRANT], (message) => void (message.type = REPLY)],
    ['server-failure', [GRANT, dhcpv6Status(Dhcpv6Status.UNSPECIFIED_FAILURE)]],
    ['no-lease', []],
    ['no-lease', only({ id: 8 })],
    ['no-lease', only({ status: Dhcpv6Status.NO_ADDRESSES })],
    ['no-lease', only({ renew: 20, rebind: 10 })],
    ['no-lease', only({ addresses: [{ ...item, preferred: 3601 }] })],
    ['no-lease', only({ addresses: [{ ...item, valid: 0, preferred: 0 }] })],
    ['no-lease', only({ addresses: [{ ...item, status: Dhcpv6Status.NO_ADDRESSES }] })],
    ...['::', '::1', 'ff02::1', 'fe80::5'].map((text): [string, Dhcpv6Option[]] => [
      'no-lease',
      only({ addresses: [{ ...item, address: IpAddress.parse(text) }] }),
    ]),
  ];
  for (const [reason, options, change] of lies) {
    const client = soliciting();
    give(client, ADVERTISE, options, change);
    assert.equal(client.engine.state, 'soliciting', reason);
    assert.deepEqual(client.engine.drops.snapshot(), { [reason]: 1 });
  }
  const client = soliciting();
  give(client, ADVERTISE, [GRANT, PREFERRED]);
  assert.equal(client.engine.state, 'requesting', 'the honest one is taken');
});

test('bytes are borrowed: a lease keeps nothing of them, even where they are a Buffer', () => {
  const client = soliciting();
  for (const type of [ADVERTISE, REPLY]) {
    const answer = encodeDhcpv6(answerTo(client.sent.at(-1)!, type, [GRANT, PREFERRED]));
    const buffer = Buffer.from(answer);
    client.engine.receive(buffer, SERVER_ADDRESS, 1001);
    buffer.fill(0xee);
  }
  assert.equal(toHex(client.lease!.server), toHex(SERVER_DUID));
  client.engine.advance(client.lease!.renewAt);
  const named = client.sent.at(-1)!.option(Dhcpv6OptionCode.SERVER_IDENTIFIER)!;
  assert.equal(toHex(named), toHex(SERVER_DUID));
});

test('messages of relay agents, truncated ones, and those before the first Solicit are dropped', () => {
  const client = soliciting();
  const { engine } = client;
  engine.receive(encodeDhcpv6(new Dhcpv6RelayMessage()), SERVER_ADDRESS, 1001);
  engine.receive(fromHex('0200'), SERVER_ADDRESS, 1001);
  engine.receive(fromHex('02000000 0001000a 00'), SERVER_ADDRESS, 1001);
  assert.deepEqual(engine.drops.snapshot(), { 'bad-option': 1, truncated: 1, 'wrong-type': 1 });
  const quiet = new ClientStation6(new VirtualLan(14)).start();
  const early = answerTo(client.sent[0]!, ADVERTISE, [GRANT]);
  quiet.engine.receive(encodeDhcpv6(early), SERVER_ADDRESS, 0);
  assert.deepEqual(quiet.engine.drops.snapshot(), { unexpected: 1 });
});

test('a Reply to a Request that lies, fails or refuses', () => {
  const requesting = (): ClientStation6 => {
    const client = soliciting();
    give(client, ADVERTISE, [GRANT, PREFERRED]);
    assert.equal(client.kinds.at(-1), 'request');
    return client;
  };
  const wrong = requesting();
  const message = answerTo(wrong.sent.at(-1)!, REPLY, [GRANT], OTHER_DUID);
  wrong.engine.receive(encodeDhcpv6(message), SERVER_ADDRESS, 1001);
  assert.deepEqual(wrong.engine.drops.snapshot(), { 'wrong-server': 1 });
  const failing = requesting();
  give(failing, REPLY, [GRANT, dhcpv6Status(Dhcpv6Status.UNSPECIFIED_FAILURE)]);
  assert.equal(failing.engine.state, 'requesting', 'it is sent again in its time');
  for (const options of [
    [GRANT, dhcpv6Status(Dhcpv6Status.NOT_ON_LINK)],
    [dhcpv6Association({ ...granted(1), addresses: [], status: Dhcpv6Status.NO_ADDRESSES })],
  ]) {
    const refused = requesting();
    give(refused, REPLY, options);
    assert.equal(refused.engine.state, 'soliciting');
    assert.deepEqual(refused.events, []);
  }
});

test('a Request nobody answers is given up after ten, and a server that always refuses is asked ever more slowly', () => {
  const lan = new VirtualLan(15);
  const server = new ServerStation6(lan);
  server.change = (answer, { type }) => (type === REQUEST ? undefined : answer);
  const client = new ClientStation6(lan).start();
  lan.run(HOUR / 6);
  const first = client.kinds.indexOf('request');
  assert.deepEqual(client.kinds.slice(first, first + 11), [
    ...Array.from({ length: 10 }, () => 'request'),
    'solicit',
  ]);
  const other = new VirtualLan(16);
  const refusing = new ServerStation6(other);
  refusing.extra = [PREFERRED];
  refusing.change = (answer, { type }) => {
    if (type === REQUEST)
      answer.options = [...answer.options, dhcpv6Status(Dhcpv6Status.NOT_ON_LINK)];
    return answer;
  };
  const patient = new ClientStation6(other).start();
  other.run(HOUR);
  assert.ok(
    patient.sent.length > 20 && patient.sent.length < 120,
    `${patient.sent.length} messages`,
  );
});

test('times: given ones are kept, infinite ones too, and T1 is never so short that it floods', () => {
  const times = (change: Partial<Dhcpv6Association>): number[] => {
    const client = soliciting();
    const option = dhcpv6Association({ ...granted(1), ...change });
    give(client, ADVERTISE, [option, PREFERRED]);
    give(client, REPLY, [option]);
    const lease = client.lease!;
    return [lease.renewAt - 1001, lease.rebindAt - 1001];
  };
  const item = granted(1).addresses[0]!;
  const endless = { ...item, preferred: 0xffff_ffff, valid: 0xffff_ffff };
  assert.deepEqual(times({ renew: 600, rebind: 1200 }), [600_000, 1_200_000]);
  assert.deepEqual(times({}), [900_000, 1_440_000]);
  assert.deepEqual(times({ renew: 1, rebind: 2 }), [10_000, 10_000]);
  assert.deepEqual(times({ addresses: [endless] }), [Infinity, Infinity]);
  assert.deepEqual(times({ renew: 0xffff_ffff, rebind: 0xffff_ffff }), [Infinity, Infinity]);
  assert.deepEqual(
    times({ addresses: [{ ...item, preferred: 0 }] }),
    [1_800_000, 2_880_000],
    'not preferred at all: by the valid lifetime',
  );
});

test('a lease is bounded', () => {
  const addresses = Array.from({ length: 50 }, (_, i) => granted(i).addresses[0]!);
  const client = soliciting({ limits: { addresses: 5 } });
  const option = dhcpv6Association({ ...granted(1), addresses });
  give(client, ADVERTISE, [option, PREFERRED]);
  give(client, REPLY, [option]);
  assert.equal(client.lease!.addresses.length, 5);
});

test('a handler may call anything: stopping from within `bound`, releasing from within `probe`', () => {
  for (const at of ['bound', 'probe'] as const) {
    const lan = new VirtualLan(17);
    const server = new ServerStation6(lan);
    const client = new ClientStation6(lan);
    const { engine } = client;
    const act = (event: string): void => {
      if (event.startsWith(at)) engine[at === 'bound' ? 'release' : 'stop'](lan.now);
    };
    const push = client.events.push.bind(client.events);
    client.events.push = (event: string): number => {
      const length = push(event);
      act(event);
      return length;
    };
    client.start();
    lan.run(10_000);
    assert.equal(engine.state, 'stopped');
    const ends = at === 'bound' ? ['bound 2001:db8::101', 'lost released'] : [];
    assert.deepEqual(client.events.slice(1), ends);
    assert.equal(server.received.includes('release'), at === 'bound');
  }
});

/** Many clients and a server in bad weather; answers what was sent. */
function storm(seed: number): string[] {
  const lan = new VirtualLan(seed, { loss: 0.3, duplication: 0.2, delay: 2000 });
  const server = new ServerStation6(lan);
  const clients = Array.from({ length: 15 }, (_, i) =>
    new ClientStation6(lan, {
      duid: duidOfMac(new MacAddress(0x0200, i)),
      prefixes: i % 2 === 0,
    }).start(),
  );
  lan.run(HOUR / 2);
  const names = clients.map(({ lease }) => lease!.addresses.map(({ address }) => address).join());
  assert.equal(new Set(names).size, clients.length, `seed ${seed}`);
  assert.ok(server.received.length > 0);
  return lan.trace;
}

test('loss, duplication and reordering: every client ends bound, and the run is a function of the seed', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => void storm(seed)),
    { numRuns: 20 },
  );
  assert.deepEqual(storm(5), storm(5));
  assert.notDeepEqual(storm(5), storm(6));
});

test('any bytes at any time: never a throw, never a message without end', () => {
  const step = fc.tuple(
    fc.constantFrom(ADVERTISE, REPLY, Dhcpv6MessageType.RECONFIGURE),
    fc.constantFrom<Dhcpv6Option[]>(
      [GRANT, PREFERRED],
      [GRANT],
      [],
      [dhcpv6Status(Dhcpv6Status.NOT_ON_LINK)],
      [dhcpv6Association({ ...granted(1), addresses: [], status: Dhcpv6Status.NO_BINDING })],
      [dhcpv6Association({ ...granted(2), renew: 1, rebind: 1 }), PREFERRED],
    ),
    fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 2 }),
    fc.constantFrom(0, 10, 2000, 100_000, HOUR),
    fc.constantFrom('', 'link', 'release', 'start', 'used'),
  );
  fc.assert(
    fc.property(fc.nat(), fc.array(step, { maxLength: 25 }), fc.boolean(), (seed, steps, rapid) => {
      const lan = new VirtualLan(seed);
      const client = new ClientStation6(lan, {
        rapidCommit: rapid,
        prefixes: rapid,
      });
      client.inUse = (address) => address.word3 % 2 === 0;
      client.start();
      client.engine.advance(1000);
      let now = 1000;
      let sent = 0;
      for (const [type, options, mutations, wait, act] of steps) {
        now += wait;
        lan.now = now;
        const bytes = encodeDhcpv6(answerTo(client.sent.at(-1)!, type, options));
        for (const [at, value] of mutations) if (at < bytes.length) bytes[at] = value;
        client.engine.receive(bytes, SERVER_ADDRESS, now);
        if (act === 'link') client.engine.linkChanged(now % 3 === 0, now);
        if (act === 'release') client.engine.release(now);
        if (act === 'start') client.engine.start(now);
        assert.ok(client.engine.deadline() > now);
        assert.ok(client.sent.length - sent <= 8, `${client.sent.length - sent} at once`);
        sent = client.sent.length;
      }
    }),
    { numRuns: 500 },
  );
});

/** Makes a client when called. */
function make(options: Partial<Dhcpv6ClientOptions>): () => Dhcpv6Client {
  return () => new ClientStation6(new VirtualLan(1), options).engine;
}

test('what no server would take is refused at once', () => {
  assert.throws(make({ duid: new Uint8Array(2) }), { code: 'DHCP_OPTION_INVALID' });
  assert.throws(make({ duid: new Uint8Array(131) }), { code: 'DHCP_OPTION_INVALID' });
  assert.throws(make({ addresses: false }), { code: 'DHCP_OPTION_INVALID' });
  assert.ok(make({ addresses: false, mode: 'stateless' })());
});
