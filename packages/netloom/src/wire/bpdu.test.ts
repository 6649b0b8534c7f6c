import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bool, bytes, mac, record, uint16, uint32 } from '../../test/arbitraries.ts';
import { emitted, parseGood, parseGuarded } from '../../test/guarded.ts';
import { MacAddress, concatBytes, fromHex, toHex } from '../core/index.ts';
import {
  BridgeIdentifier,
  bpduLength,
  emitBpdu,
  emitBpduFrame,
  isBpduFrame,
  parseBpdu,
  parseBpduFrame,
  type Bpdu,
  type BpduConfiguration,
  type RapidBpdu,
} from './bpdu.ts';
import { describeFrame } from './describe/index.ts';

/** Frames of the bridge of Linux 6.18, a root and its neighbour, taken by tcpdump on the veth between them. */
const KERNEL = {
  root: '0180c2000000 4662ce7a7ef5 0026 424203 0000 00 00 00 100002000000000a 00000000 100002000000000a 8001 0000 1400 0200 0400',
  notification: '0180c2000000 8eaf8ac2b128 0007 424203 0000 00 80',
  acknowledgment:
    '0180c2000000 4662ce7a7ef5 0026 424203 0000 00 00 81 100002000000000a 00000000 100002000000000a 8001 0000 1400 0200 0400',
};

/** By hand, from figure 9-3 of IEEE 802.1D-2004: a designated port proposes. */
const PROPOSAL =
  '0000 02 02 0e 8000020000000001 00004e20 9000020000000002 8003 0100 1400 0200 0f00 00';

const root = new BridgeIdentifier(0x1000, MacAddress.parse('02:00:00:00:00:0a'));

test('frames of the kernel’s bridge are read, and written as they were', () => {
  const expected: Record<keyof typeof KERNEL, Bpdu> = {
    root: configuration(false, false),
    notification: { kind: 'topology-change-notification' },
    acknowledgment: configuration(true, true),
  };
  for (const [name, hex] of Object.entries(KERNEL) as [keyof typeof KERNEL, string][]) {
    const frame = fromHex(hex);
    const bpdu = parseBpduFrame(frame);
    assert.deepEqual(bpdu, expected[name]);
    assert.ok(typeof bpdu !== 'string');
    assert.equal(toHex(emitBpduFrame(bpdu, MacAddress.read(frame, 6))), toHex(frame), name);
  }
});

function configuration(topologyChange: boolean, topologyChangeAcknowledgment: boolean): Bpdu {
  return {
    kind: 'configuration',
    topologyChange,
    topologyChangeAcknowledgment,
    root,
    rootPathCost: 0,
    bridge: root,
    port: 0x8001,
    messageAge: 0,
    maxAge: 20_000,
    helloTime: 2000,
    forwardDelay: 4000,
  };
}

test('the fields of a rapid BPDU are where IEEE 802.1D-2004, figure 9-3 has them', () => {
  const body = fromHex(PROPOSAL);
  const bpdu = parseGood(body, parseBpdu);
  assert.deepEqual(bpdu, {
    kind: 'rapid',
    topologyChange: false,
    topologyChangeAcknowledgment: false,
    root: new BridgeIdentifier(0x8000, MacAddress.parse('02:00:00:00:00:01')),
    rootPathCost: 20_000,
    bridge: new BridgeIdentifier(0x9000, MacAddress.parse('02:00:00:00:00:02')),
    port: 0x8003,
    messageAge: 1000,
    maxAge: 20_000,
    helloTime: 2000,
    forwardDelay: 15_000,
    proposal: true,
    role: 'designated',
    learning: false,
    forwarding: false,
    agreement: false,
  });
  assert.deepEqual(emit(bpdu), body);
});

/** A rapid BPDU with these flags. */
function withFlags(value: number): RapidBpdu {
  const bpdu = parseGood(fromHex(PROPOSAL).with(4, value), parseBpdu);
  assert.ok(bpdu.kind === 'rapid');
  return bpdu;
}

test('each flag of a rapid BPDU has its bit (figure 9-4)', () => {
  assert.equal(withFlags(0x01).topologyChange, true);
  assert.equal(withFlags(0x02).proposal, true);
  assert.deepEqual(
    [0x00, 0x04, 0x08, 0x0c].map((value) => withFlags(value).role),
    ['unknown', 'alternate-or-backup', 'root', 'designated'],
  );
  assert.equal(withFlags(0x10).learning, true);
  assert.equal(withFlags(0x20).forwarding, true);
  assert.equal(withFlags(0x40).agreement, true);
  assert.equal(withFlags(0x80).topologyChangeAcknowledgment, true);
});

function emit(bpdu: Bpdu): Uint8Array {
  return emitted(bpduLength(bpdu), (buffer, at) => emitBpdu(bpdu, buffer, at));
}

const identifier = fc
  .tuple(uint16, mac)
  .map(([priority, address]) => new BridgeIdentifier(priority, address));
const time = uint16.map((units) => units * 3.906_25);
const told: { [K in keyof BpduConfiguration]: fc.Arbitrary<BpduConfiguration[K]> } = {
  topologyChange: bool,
  topologyChangeAcknowledgment: bool,
  root: identifier,
  rootPathCost: uint32,
  bridge: identifier,
  port: uint16,
  messageAge: time,
  maxAge: time,
  helloTime: time,
  forwardDelay: time,
};
const anyBpdu: fc.Arbitrary<Bpdu> = fc.oneof(
  record({ kind: fc.constant('configuration' as const), ...told }),
  record({
    kind: fc.constant('rapid' as const),
    ...told,
    proposal: bool,
    role: fc.constantFrom('unknown', 'alternate-or-backup', 'root', 'designated'),
    learning: bool,
    forwarding: bool,
    agreement: bool,
  }),
  fc.constant<Bpdu>({ kind: 'topology-change-notification' }),
);

test('what is emitted is parsed as it was, in a frame that is padded or not', () => {
  fc.assert(
    fc.property(anyBpdu, mac, fc.nat(20), (bpdu, source, padding) => {
      assert.deepEqual(parseGood(emit(bpdu), parseBpdu), bpdu);
      const frame = emitBpduFrame(bpdu, source);
      assert.equal(toHex(frame.subarray(0, 6)), '0180c2000000');
      assert.equal(frame.length, 17 + bpduLength(bpdu));
      assert.deepEqual(parseBpduFrame(concatBytes([frame, new Uint8Array(padding)])), bpdu);
    }),
  );
});

test('a BPDU of the multiple spanning tree protocol is read as the rapid one it begins with', () => {
  const multiple = concatBytes([
    fromHex(PROPOSAL).with(2, 3),
    fromHex('0040 00'),
    new Uint8Array(64),
  ]);
  assert.deepEqual(parseGood(multiple, parseBpdu), parseGood(fromHex(PROPOSAL), parseBpdu));
});

test('other protocols, versions and types are refused, and so is what is cut', () => {
  const rapid = fromHex(PROPOSAL);
  const plain = fromHex(KERNEL.root).subarray(17);
  const table: [Uint8Array, string][] = [
    [rapid.with(1, 1), 'bad-version'],
    [rapid.with(2, 1), 'bad-version'],
    [rapid.with(3, 1), 'bad-value'],
    [rapid.subarray(0, 35), 'truncated'],
    [plain.subarray(0, 34), 'truncated'],
    [plain.subarray(0, 3), 'truncated'],
  ];
  for (const [body, fault] of table) assert.equal(parseGuarded(body, parseBpdu), fault);
  assert.equal(parseGood(plain, parseBpdu).kind, 'configuration');
});

test('a frame of something else is told from one that is broken', () => {
  const frame = fromHex(KERNEL.root);
  const table: [Uint8Array, string][] = [
    [frame.subarray(0, 16), 'truncated'],
    [frame.subarray(0, 51), 'truncated'],
    // The length is the authority, whatever follows.
    [frame.with(13, 0x25), 'truncated'],
    [frame.with(13, 0x02), 'bad-length'],
    // An EtherType, another access point, another frame format.
    [frame.with(12, 0x08), 'bad-version'],
    [frame.with(14, 0xaa), 'bad-version'],
    [frame.with(16, 0xaf), 'bad-version'],
  ];
  for (const [bad, fault] of table) assert.equal(parseBpduFrame(bad), fault);
  assert.equal(isBpduFrame(frame), true);
  assert.equal(isBpduFrame(frame.with(14, 0xaa)), false);
});

test('any bytes have a description and a value or a fault', () => {
  fc.assert(
    fc.property(bytes(60), fc.boolean(), (body, likely) => {
      const head = fromHex(KERNEL.root).subarray(0, 17);
      const frame = likely ? concatBytes([head, body]) : body;
      const answer = parseBpduFrame(frame);
      assert.ok(typeof answer === 'string' || typeof answer.kind === 'string');
      assert.ok(describeFrame(frame).length > 0);
    }),
  );
});

function bridgeIdentifier(priority: number, address: string): BridgeIdentifier {
  return new BridgeIdentifier(priority, MacAddress.parse(address));
}

test('identifiers are in order of priority, then address', () => {
  const sorted = [
    bridgeIdentifier(0x1000, 'ff:00:00:00:00:00'),
    bridgeIdentifier(0x8000, '02:00:00:00:00:01'),
    bridgeIdentifier(0x8000, '02:00:00:00:01:00'),
    bridgeIdentifier(0x8000, 'f2:00:00:00:00:00'),
    bridgeIdentifier(0xf000, '00:00:00:00:00:00'),
  ];
  assert.deepEqual(
    sorted.toReversed().sort((a, b) => a.compare(b)),
    sorted,
  );
  assert.equal(sorted[1]!.compare(bridgeIdentifier(0x8000, '02:00:00:00:00:01')), 0);
  assert.equal(String(sorted[1]), '8000.02:00:00:00:00:01');
  assert.equal(JSON.stringify(sorted[0]), '"1000.ff:00:00:00:00:00"');
});

test('the lines that describe them', () => {
  const table: [string, string][] = [
    [
      KERNEL.root,
      'STP configuration root=1000.02:00:00:00:00:0a cost=0 bridge=1000.02:00:00:00:00:0a port=0x8001 age=0s',
    ],
    [KERNEL.notification, 'STP topology change notification'],
    [
      KERNEL.acknowledgment,
      'STP configuration root=1000.02:00:00:00:00:0a cost=0 bridge=1000.02:00:00:00:00:0a port=0x8001 age=0s topology-change acknowledged',
    ],
    [
      `0180c2000000 020000000002 0027 424203 ${PROPOSAL}`,
      'RSTP designated proposal root=8000.02:00:00:00:00:01 cost=20000 bridge=9000.02:00:00:00:00:02 port=0x8003 age=1s',
    ],
    [KERNEL.root.replace('0000 00 00', '0001 00 00'), 'STP (bad-version)'],
  ];
  for (const [hex, line] of table) assert.equal(describeFrame(fromHex(hex)), line);
});
