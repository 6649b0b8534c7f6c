/** ICMP of both families: echo, and what is said and heard of packets that went wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cidr, IpAddress, MacAddress, NetloomError, type EchoReply } from '../../core/index.ts';
import { IpProtocol, describeFrame } from '../../wire/index.ts';
import { icmpFrame, ipFrame, udpFrame, type Ends } from '../../../test/ip/frames.ts';
import {
  PEER_MAC,
  SECOND_PEER_MAC,
  SECOND_STACK_MAC,
  STACK_MAC,
  StackBench,
  type StackBenchOptions,
} from '../../../test/ip/stack-bench.ts';

const OWN = { 4: IpAddress.parse('10.0.0.1'), 6: IpAddress.parse('2001:db8::1') } as const;
const PEER = { 4: IpAddress.parse('10.0.0.2'), 6: IpAddress.parse('2001:db8::2') } as const;
const ECHO = { 4: [8, 0], 6: [128, 129] } as const;

function bench(options: StackBenchOptions = {}): StackBench {
  const made = new StackBench(options);
  made.learn(PEER[4]);
  made.learn(PEER[6]);
  return made;
}

function ends(family: 4 | 6, change: Partial<Ends> = {}): Ends {
  return {
    source: PEER[family],
    destination: OWN[family],
    sourceMac: PEER_MAC,
    destinationMac: STACK_MAC,
    ...change,
  };
}

const DATA = Uint8Array.from({ length: 300 }, (_, i) => i);

/** Sends an echo request to the peer; what became of it is in the answer's `outcome`. */
function ping(
  { stack }: StackBench,
  family: 4 | 6,
  options: { size?: number; sequence?: number; to?: IpAddress } = {},
): { outcome: EchoReply | NetloomError | undefined; giveUp: () => void } {
  const result: { outcome: EchoReply | NetloomError | undefined; giveUp: () => void } = {
    outcome: undefined,
    giveUp: () => undefined,
  };
  const { size = 56, sequence, to = PEER[family] } = options;
  result.giveUp = stack.ping(to, { size, sequence, hopLimit: 64 }, (settled) => {
    result.outcome = settled;
  });
  return result;
}

/** The reply that came, where one must have. */
function replyOf(pending: { readonly outcome: EchoReply | NetloomError | undefined }): EchoReply {
  const { outcome } = pending;
  assert.ok(outcome !== undefined && !(outcome instanceof NetloomError));
  return outcome;
}

/** Answers the echo request in a frame, as the peer would or another host. */
function answer(
  made: StackBench,
  family: 4 | 6,
  request: Uint8Array,
  source: IpAddress = PEER[family],
): void {
  const at = family === 4 ? 34 : 54;
  const rest = new DataView(request.buffer, request.byteOffset).getInt32(at + 4);
  const data = request.slice(at + 8);
  made.inject(icmpFrame(ends(family, { source }), ECHO[family][1], 0, rest, data));
}

test('an echo request is answered with its data (RFC 1122, section 3.2.2.6; RFC 4443, section 4.2)', () => {
  for (const family of [4, 6] as const) {
    const made = bench();
    made.inject(icmpFrame(ends(family), ECHO[family][0], 0, 0x1234_0007, DATA));
    const [sent] = made.take();
    const { source, destination } = ends(family);
    const back = ends(family, {
      source: destination,
      destination: source,
      sourceMac: STACK_MAC,
      destinationMac: PEER_MAC,
    });
    const like = icmpFrame(back, ECHO[family][1], 0, 0x1234_0007, DATA);
    const transport = family === 4 ? 34 : 54;
    assert.deepEqual(sent!.bytes.subarray(transport), like.subarray(transport));
  }
});

test('an echo request larger than the MTU is reassembled, and its answer cut', () => {
  const made = bench({ addresses: ['10.0.0.1/24', '2001:db8::1/64'] });
  const peer = new StackBench();
  for (const family of [4, 6] as const) {
    const request = icmpFrame(ends(family), ECHO[family][0], 0, 7, new Uint8Array(4000).fill(5));
    peer.take();
    // Cut by hand for IPv4 only; a stack cuts the IPv6 one.
    if (family === 4) {
      const payload = request.subarray(34);
      for (let at = 0; at < payload.length; at += 1400) {
        const v4 = {
          dontFragment: false,
          identification: 9,
          fragmentOffset: at,
          moreFragments: at + 1400 < payload.length,
        };
        made.inject(ipFrame(ends(4, { v4 }), IpProtocol.ICMP, payload.subarray(at, at + 1400)));
      }
      const lines = made.lines();
      assert.equal(lines.length, 3);
      assert.match(lines[0]!, /echo reply id=0 seq=7 .*fragment/);
    }
  }
});

test('an echo request to a group is answered over IPv6 from an address of ours, over IPv4 not (RFC 1122, section 3.2.2.6; RFC 4443, section 4.2)', () => {
  const made = bench();
  for (const [family, group] of [
    [4, '224.0.0.1'],
    [4, '10.0.0.255'],
    [6, 'ff02::1'],
  ] as const) {
    const destination = IpAddress.parse(group);
    const mac =
      group === '10.0.0.255'
        ? MacAddress.BROADCAST
        : MacAddress.ofMulticast(family, destination.word3);
    const to = ends(family, { destination, destinationMac: mac });
    made.inject(icmpFrame(to, ECHO[family][0], 0, 1, new Uint8Array(8)));
  }
  assert.deepEqual(made.lines(), ['2001:db8::1 > 2001:db8::2 ICMPv6 echo reply id=0 seq=1 len=8']);
  assert.equal(made.stack.icmp.drops.get('icmp-echo-to-group'), 2);
});

test('a ping hears of its reply: from whom, how large, after how long', () => {
  for (const family of [4, 6] as const) {
    const made = bench();
    const pending = ping(made, family, { size: 100, sequence: 7 });
    const [request] = made.take();
    made.pass(25);
    answer(made, family, request!.bytes);
    assert.ok(pending.outcome !== undefined && !(pending.outcome instanceof NetloomError));
    const { from, ...rest } = pending.outcome;
    assert.equal(from.toString(), PEER[family].toString());
    assert.deepEqual(rest, { sequence: 7, size: 100, hopLimit: 64, roundTrip: 25 });
  }
});

test('a reply is believed from the host that was asked, not from another', () => {
  for (const [family, other] of [
    [4, '10.0.0.3'],
    [6, '2001:db8::3'],
  ] as const) {
    const made = bench();
    const pending = ping(made, family);
    const [request] = made.take();
    const source = IpAddress.parse(other);
    answer(made, family, request!.bytes, source);
    assert.equal(pending.outcome, undefined);
    assert.equal(made.stack.icmp.drops.get('icmp-reply-from-elsewhere'), 1);
    answer(made, family, request!.bytes);
    assert.equal(String(replyOf(pending).from), String(PEER[family]));
  }
});

test('a link-local reply is believed from the link that was asked (RFC 4007, section 6)', () => {
  const made = bench();
  const second = made.addCable({ addresses: ['fe80::9/64'] });
  const to = IpAddress.parse('fe80::2%eth0');
  made.learn(to);
  second.learn(IpAddress.parse('fe80::2%eth1'), SECOND_PEER_MAC);
  const pending = ping(made, 6, { to });
  const [request] = made.take();
  const rest = new DataView(request!.bytes.buffer).getInt32(58);
  const source = IpAddress.parse('fe80::2');
  const reply = (destination: string, change: Partial<Ends>): Uint8Array =>
    icmpFrame(
      ends(6, { source, destination: IpAddress.parse(destination), ...change }),
      ECHO[6][1],
      0,
      rest,
      DATA,
    );
  second.inject(reply('fe80::9', { sourceMac: SECOND_PEER_MAC, destinationMac: SECOND_STACK_MAC }));
  assert.equal(pending.outcome, undefined);
  assert.equal(made.stack.icmp.drops.get('icmp-reply-from-elsewhere'), 1);
  made.inject(reply('fe80::1', {}));
  assert.equal(String(replyOf(pending).from), 'fe80::2%eth0');
});

test('of a group or a broadcast the first to reply is heard, whoever it is, and once', () => {
  for (const [family, group] of [
    [4, '10.0.0.255'],
    [4, '224.0.0.1'],
    [6, 'ff02::1%eth0'],
  ] as const) {
    const made = bench();
    made.stack.addRoute(Cidr.parse('224.0.0.0/4'), made.interface);
    const pending = ping(made, family, { to: IpAddress.parse(group) });
    const [request] = made.take();
    assert.ok(request !== undefined, group);
    answer(made, family, request.bytes);
    const first = replyOf(pending);
    assert.equal(String(first.from), String(PEER[family]));
    answer(made, family, request.bytes, IpAddress.parse(family === 4 ? '10.0.0.9' : 'fe80::9'));
    assert.equal(pending.outcome, first);
    assert.equal(made.stack.icmp.drops.get('icmp-unexpected-reply'), 1);
  }
});

test('pings of the same number are told apart', () => {
  const made = bench();
  const first = ping(made, 4, { sequence: 1 });
  const second = ping(made, 4, { sequence: 1, size: 9 });
  const [one, two] = made.take();
  answer(made, 4, two!.bytes);
  assert.equal(first.outcome, undefined);
  assert.ok(second.outcome !== undefined && 'size' in second.outcome);
  assert.equal(second.outcome.size, 9);
  answer(made, 4, one!.bytes);
  assert.ok(first.outcome !== undefined);
});

test('a reply that nobody waits for is dropped and counted; so is one after giving up', () => {
  const made = bench();
  made.inject(icmpFrame(ends(4), 0, 0, 77, DATA));
  const pending = ping(made, 4);
  const [request] = made.take();
  pending.giveUp();
  answer(made, 4, request!.bytes);
  assert.equal(pending.outcome, undefined);
  assert.equal(made.stack.icmp.drops.get('icmp-unexpected-reply'), 2);
});

test('pings that wait are limited', () => {
  const made = bench({ limits: { stack: { pings: 2 } } });
  ping(made, 4);
  ping(made, 4);
  assert.throws(() => ping(made, 4), { code: 'TOO_MANY_OPEN' });
});

test('a ping to a host that is not there fails by name (RFC 4861, section 7.2.2)', () => {
  for (const [family, nobody] of [
    [4, '10.0.0.77'],
    [6, '2001:db8::77'],
  ] as const) {
    const made = bench();
    const pending = ping(made, family, { to: IpAddress.parse(nobody) });
    made.pass(3500);
    assert.ok(pending.outcome instanceof NetloomError);
    assert.equal(pending.outcome.code, 'HOST_UNREACHABLE');
  }
});

test('an error about a ping ends it; an error about somebody else’s does not', () => {
  const made = bench();
  const pending = ping(made, 4);
  const [request] = made.take();
  const quote = request!.bytes.slice(14);
  // Another sequence number, another host asked, a reply in the place of a request.
  for (const [at, byte] of [
    [27, quote[27]! ^ 1],
    [19, quote[19]! ^ 1],
    [20, 0],
  ] as const) {
    const forged = quote.slice();
    forged[at] = byte;
    made.inject(icmpFrame(ends(4), 3, 1, 0, forged));
  }
  assert.equal(pending.outcome, undefined);
  assert.equal(made.stack.icmp.drops.get('icmp-error-unmatched'), 3);
  made.inject(icmpFrame(ends(4), 11, 0, 0, quote));
  const outcome: unknown = pending.outcome;
  assert.ok(outcome instanceof NetloomError);
  assert.equal(outcome.code, 'HOST_UNREACHABLE');
});

test('what the network says of a ping is its named error', () => {
  for (const [family, type, code, name] of [
    [4, 3, 0, 'NETWORK_UNREACHABLE'],
    [4, 3, 1, 'HOST_UNREACHABLE'],
    [4, 3, 2, 'CONNECTION_REFUSED'],
    [4, 3, 13, 'HOST_UNREACHABLE'],
    [4, 11, 0, 'HOST_UNREACHABLE'],
    [6, 1, 0, 'NETWORK_UNREACHABLE'],
    [6, 1, 3, 'HOST_UNREACHABLE'],
    [6, 3, 0, 'HOST_UNREACHABLE'],
  ] as const) {
    const made = bench();
    const pending = ping(made, family);
    const [request] = made.take();
    const source = IpAddress.parse(family === 4 ? '10.0.0.7' : '2001:db8::7');
    made.inject(icmpFrame(ends(family, { source }), type, code, 0, request!.bytes.slice(14)));
    assert.ok(pending.outcome instanceof NetloomError);
    assert.equal(pending.outcome.code, name);
    assert.match(pending.outcome.message, /^the echo request/);
  }
});

test('an error about a link-local connection is for the one over the link it came by (RFC 4007, section 9)', () => {
  const made = bench();
  const second = made.addCable({ addresses: ['fe80::1/64'] });
  const errors: [string, string | undefined][] = [];
  for (const name of ['eth0', 'eth1']) {
    const peer = IpAddress.parse(`fe80::2%${name}`);
    (name === 'eth0' ? made : second).learn(peer, PEER_MAC);
    made.stack.tcp.connect(made.stack.paths.find(peer, undefined), 4000, 80, (_made, error) => {
      errors.push([name, error?.code]);
    });
  }
  const [syn] = made.take();
  assert.ok(syn !== undefined);
  const source = IpAddress.parse('fe80::2');
  const destination = IpAddress.parse('fe80::1');
  made.inject(icmpFrame(ends(6, { source, destination }), 1, 3, 0, syn.bytes.slice(14)));
  assert.deepEqual(errors, [['eth0', 'HOST_UNREACHABLE']]);
});

test('a ping that was too big for the path teaches its MTU (RFC 8201, section 4)', () => {
  const made = bench();
  const pending = ping(made, 6, { size: 1400 });
  const [request] = made.take();
  made.inject(icmpFrame(ends(6), 2, 0, 1300, request!.bytes.slice(14, 14 + 1000)));
  assert.ok(pending.outcome instanceof NetloomError);
  assert.equal(pending.outcome.code, 'DATAGRAM_TOO_LARGE');
  ping(made, 6, { size: 1400 });
  assert.equal(made.take().length, 2, 'the next is cut');
});

test('a datagram to a port where nothing listens is answered with an error (RFC 1122, section 4.1.3.1; RFC 4443, section 3.1)', () => {
  for (const [family, line] of [
    [4, '10.0.0.1 > 10.0.0.2 ICMP port unreachable for 10.0.0.2:7 > 10.0.0.1:8 UDP'],
    [
      6,
      '2001:db8::1 > 2001:db8::2 ICMPv6 port unreachable for [2001:db8::2]:7 > [2001:db8::1]:8 UDP',
    ],
  ] as const) {
    const made = bench();
    made.inject(udpFrame(ends(family), 7, 8, new Uint8Array(3)));
    assert.deepEqual(made.lines(), [line]);
  }
});

test('a protocol that nobody knows is answered with an error (RFC 1122, section 3.2.2.1; RFC 8200, section 4)', () => {
  const made = bench();
  made.inject(ipFrame(ends(4), 200, new Uint8Array(8)));
  made.inject(ipFrame(ends(6), 200, new Uint8Array(8)));
  const [four, six] = made.take();
  assert.match(describeFrame(four!.bytes), /ICMP protocol unreachable/);
  assert.match(describeFrame(six!.bytes), /ICMPv6 parameter problem code 1 at byte 6 /);
  // The pointer says where: the fixed header's next header field.
  assert.equal(new DataView(six!.bytes.buffer).getUint32(58), 6);
  // No error about what was sent to a group.
  const destination = IpAddress.parse('224.0.0.1');
  made.inject(
    ipFrame(
      ends(4, { destination, destinationMac: MacAddress.ofMulticast(4, 0xe000_0001) }),
      200,
      DATA,
    ),
  );
  assert.deepEqual(made.lines(), []);
});

test('an error is never answered with an error (RFC 1122, section 3.2.2; RFC 4443, section 2.4 e)', () => {
  const made = bench();
  made.inject(icmpFrame(ends(4), 3, 3, 0, DATA));
  made.inject(icmpFrame(ends(4), 3, 99, 0, DATA));
  made.inject(icmpFrame(ends(6), 1, 4, 0, DATA));
  made.inject(icmpFrame(ends(6), 100, 0, 0, DATA));
  assert.deepEqual(made.lines(), []);
});

test('unknown types, wrong checksums and short messages are dropped and counted', () => {
  const made = bench();
  made.inject(icmpFrame(ends(4), 40, 0, 0, DATA));
  made.inject(icmpFrame(ends(6), 200, 0, 0, DATA));
  for (const family of [4, 6] as const) {
    const frame = icmpFrame(ends(family), ECHO[family][0], 0, 0, DATA);
    frame[frame.length - 1]! ^= 1;
    made.inject(frame);
    made.inject(
      ipFrame(ends(family), family === 4 ? IpProtocol.ICMP : IpProtocol.ICMPV6, new Uint8Array(4)),
    );
  }
  assert.deepEqual(made.lines(), []);
  assert.deepEqual(made.stack.icmp.drops.snapshot(), {
    'icmp-bad-checksum': 2,
    'icmp-truncated': 2,
    'icmp-unknown-type': 2,
  });
});

test('ICMP of the other family is no protocol of this one', () => {
  const made = bench();
  made.inject(ipFrame(ends(4), IpProtocol.ICMPV6, DATA));
  made.inject(ipFrame(ends(6), IpProtocol.ICMP, DATA));
  assert.equal(made.interface.drops.get('ip-unknown-protocol'), 2);
});
