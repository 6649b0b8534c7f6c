import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MacAddress, writeUint16 } from '../../../core/index.ts';
import { Passage } from '../passage.ts';
import { stationMac, testFrame } from '../switch-world.ts';
import { dscpPriority, FlowHash, rankOf } from './classify.ts';

const ETHERTYPE = { 4: [0x08, 0x00], 6: [0x86, 0xdd] } as const;
const UDP = 17;

/** What a packet is made from. */
interface Packet {
  readonly family: 4 | 6;
  /** The last byte of each address. */
  readonly source?: number;
  readonly destination?: number;
  readonly ports?: readonly [number, number];
  readonly protocol?: number;
  readonly dscp?: number;
  /** IPv4: in units of eight bytes. */
  readonly fragmentOffset?: number;
  readonly vlan?: number;
}

function passageOf(packet: Packet): Passage {
  const { family, source = 1, destination = 2, ports = [5, 6], dscp = 0 } = packet;
  const { protocol = UDP, fragmentOffset = 0, vlan } = packet;
  const frame = testFrame({ from: stationMac(1), to: stationMac(2), vlan, length: 100 });
  const at = vlan === undefined ? 14 : 18;
  frame.fill(0, at);
  frame.set(ETHERTYPE[family], at - 2);
  if (family === 4) {
    frame.set([0x45, dscp << 2], at);
    writeUint16(frame, at + 6, fragmentOffset);
    frame[at + 9] = protocol;
    frame.set([10, 0, 0, source, 10, 0, 0, destination], at + 12);
  } else {
    writeUint16(frame, at, 0x6000 | (dscp << 6));
    frame[at + 6] = protocol;
    frame[at + 23] = source;
    frame[at + 39] = destination;
  }
  const transport = at + (family === 4 ? 20 : 40);
  writeUint16(frame, transport, ports[0]);
  writeUint16(frame, transport + 2, ports[1]);
  return read(frame);
}

function read(frame: Uint8Array): Passage {
  const passage = new Passage();
  assert.equal(passage.read(frame, undefined), undefined);
  return passage;
}

/** A frame of no protocol that is known here. */
function otherPassage(from: number, to: MacAddress, length = 64): Passage {
  return read(testFrame({ from: stationMac(from), to, length }));
}

const flows = new FlowHash(new Uint8Array(8).fill(7));

for (const family of [4, 6] as const) {
  test(`IPv${family}: a flow is addresses, protocol and ports, with a tag or without`, () => {
    const own = flows.of(passageOf({ family }));
    assert.equal(flows.of(passageOf({ family, vlan: 7, dscp: 46 })), own);
    const others: Packet[] = [
      { family, source: 9 },
      { family, destination: 9 },
      { family, ports: [9, 6] },
      { family, ports: [5, 9] },
      { family, protocol: 6 },
    ];
    for (const other of others) assert.notEqual(flows.of(passageOf(other)), own);
    // ICMP has no ports: what stands there is no part of the flow.
    const echo = flows.of(passageOf({ family, protocol: 1 }));
    assert.equal(flows.of(passageOf({ family, protocol: 1, ports: [0, 77] })), echo);
  });

  test(`IPv${family}: the priority a packet asks for`, () => {
    const expected: [dscp: number, priority: number][] = [
      ...[0, 16, 24, 32, 40, 48, 56].map((code): [number, number] => [code, code >>> 3]),
      [1, 1],
      [8, 1],
      [10, 2],
      [14, 2],
      [18, 2],
      [34, 4],
      [44, 5],
      [46, 5],
    ];
    for (const [dscp, priority] of expected) {
      assert.equal(dscpPriority(passageOf({ family, dscp })), priority, `code point ${dscp}`);
      assert.equal(dscpPriority(passageOf({ family, dscp, vlan: 3 })), priority);
    }
  });
}

test('fragments of IPv4 are of one flow, the first with the others', () => {
  const more = 0x2000;
  const first = flows.of(passageOf({ family: 4, fragmentOffset: more }));
  const second = flows.of(passageOf({ family: 4, fragmentOffset: more | 10, ports: [1, 2] }));
  const last = flows.of(passageOf({ family: 4, fragmentOffset: 20, ports: [3, 4] }));
  assert.deepEqual([second, last], [first, first]);
});

test('what is no IP packet, or not a whole one, is of the flow of its stations, and asks for nothing', () => {
  const own = flows.of(otherPassage(1, stationMac(2)));
  assert.equal(flows.of(otherPassage(1, stationMac(2), 1000)), own);
  assert.notEqual(flows.of(otherPassage(3, stationMac(2))), own);
  assert.notEqual(flows.of(otherPassage(1, MacAddress.BROADCAST)), own);
  assert.equal(dscpPriority(otherPassage(1, stationMac(2))), 0);
  for (const family of [4, 6] as const) {
    for (let length = 14; length < 60; length++) {
      const cut = read(passageOf({ family, dscp: 46 }).frame.subarray(0, length));
      flows.of(cut);
      assert.equal(dscpPriority(cut), length < 16 ? 0 : 5);
    }
  }
});

test('ranks are in the order of IEEE 802.1Q: background, best effort, then the rest', () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 7].map(rankOf), [1, 0, 2, 3, 4, 5, 6, 7]);
});
