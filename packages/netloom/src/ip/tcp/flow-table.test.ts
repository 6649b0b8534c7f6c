import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { IpAddress, seededRandom } from '../../core/index.ts';
import { TcpHeader } from '../../wire/index.ts';
import type { Interface } from '../interface/interface.ts';
import { Packet } from '../packet.ts';
import { FlowTable, type Flow } from './flow-table.ts';

/** The two ends of a flow. */
interface Ends {
  readonly local: IpAddress;
  readonly localPort: number;
  readonly remote: IpAddress;
  readonly remotePort: number;
}

function flow({ local, localPort, remote, remotePort }: Ends): Flow {
  return {
    localAddress: local,
    localPort,
    remoteAddress: remote,
    remotePort,
    nextInBucket: undefined,
    segmentArrives() {},
  };
}

function table(seed = 1): FlowTable {
  return new FlowTable(seededRandom(seed).fill(new Uint8Array(8)));
}

/** The flow that a segment from the remote end finds. */
function found(flows: FlowTable, ends: Ends, via = 'eth0'): Flow | undefined {
  const packet = new Packet();
  packet.family = ends.local.family;
  packet.interface = { name: via } as Interface;
  packet.source0 = ends.remote.word0;
  packet.source1 = ends.remote.word1;
  packet.source2 = ends.remote.word2;
  packet.source3 = ends.remote.word3;
  packet.destination0 = ends.local.word0;
  packet.destination1 = ends.local.word1;
  packet.destination2 = ends.local.word2;
  packet.destination3 = ends.local.word3;
  const header = new TcpHeader();
  header.sourcePort = ends.remotePort;
  header.destinationPort = ends.localPort;
  return flows.find(packet, header);
}

function got(flows: FlowTable, { local, localPort, remote, remotePort }: Ends): Flow | undefined {
  return flows.get(local, localPort, remote, remotePort);
}

/** Addresses that differ in one word, and so would collide under a weak hash; IPv4 ones too. */
const address = fc.oneof(
  fc.nat(2).map((last) => IpAddress.v4(0x0a00_0000 | last)),
  fc
    .tuple(fc.nat(1), fc.nat(1), fc.nat(1), fc.nat(1))
    .map(([a, b, c, d]) => IpAddress.v6(0x2001_0db8 + a, b, c, d)),
);
const port = fc.constantFrom(0, 1, 80, 0x8000, 0xffff);
const ends: fc.Arbitrary<Ends> = fc.record({
  local: address,
  localPort: port,
  remote: address,
  remotePort: port,
});

function keyOf({ local, localPort, remote, remotePort }: Ends): string {
  return `${local} ${localPort} ${remote} ${remotePort}`;
}

/** Compares the table with the model, whole. */
function compare(flows: FlowTable, model: Map<string, Flow>, asked: Iterable<Ends>): void {
  assert.equal(flows.size, model.size);
  assert.deepEqual(new Set(flows.values()), new Set(model.values()));
  assert.equal([...flows.values()].length, model.size);
  for (const each of asked) {
    const expected = model.get(keyOf(each));
    assert.equal(got(flows, each), expected);
    assert.equal(found(flows, each), expected);
  }
}

test('it finds what a Map finds, whatever is added and removed', () => {
  fc.assert(
    fc.property(fc.array(ends, { maxLength: 60, size: 'max' }), (steps) => {
      const flows = table();
      const model = new Map<string, Flow>();
      for (const each of steps) {
        const key = keyOf(each);
        const there = model.get(key);
        if (there === undefined) {
          const made = flow(each);
          flows.add(made);
          model.set(key, made);
        } else {
          flows.remove(there);
          flows.remove(there);
          model.delete(key);
        }
        // What was found last is asked for again first: it is remembered.
        compare(flows, model, [each, ...steps.slice(0, 5)]);
      }
    }),
    { numRuns: 100 },
  );
});

/** 200,000 flows between two hosts: by the birthday bound a few of them share a 32-bit hash. */
test('flows of the same hash are told apart, and removed one by one', () => {
  const flows = table();
  const local = IpAddress.parse('10.0.0.1');
  const remote = IpAddress.parse('10.0.0.2');
  const all: Flow[] = [];
  for (let i = 0; i < 200_000; i++) {
    all.push(flow({ local, localPort: i >>> 16, remote, remotePort: i & 0xffff }));
    flows.add(all[i]!);
  }
  const chained = all.filter(({ nextInBucket }) => nextInBucket !== undefined);
  assert.ok(chained.length >= 2, `${chained.length} share the hash of another`);
  for (const [i, first] of chained.entries()) {
    const second = first.nextInBucket!;
    const [removed, left] = i % 2 === 0 ? [first, second] : [second, first];
    for (const each of [first, second]) assert.equal(got(flows, endsOf(each)), each);
    flows.remove(removed);
    assert.equal(got(flows, endsOf(removed)), undefined);
    assert.equal(got(flows, endsOf(left)), left);
  }
  assert.equal(flows.size, all.length - chained.length);
});

function endsOf(of: Flow): Ends {
  return {
    local: of.localAddress,
    localPort: of.localPort,
    remote: of.remoteAddress,
    remotePort: of.remotePort,
  };
}

test('a flow that is removed is not found again as the one found last', () => {
  const flows = table();
  const ends: Ends = {
    local: IpAddress.parse('10.0.0.1'),
    localPort: 80,
    remote: IpAddress.parse('10.0.0.2'),
    remotePort: 5000,
  };
  const first = flow(ends);
  flows.add(first);
  assert.equal(found(flows, ends), first);
  flows.remove(first);
  assert.equal(found(flows, ends), undefined);
  const second = flow(ends);
  flows.add(second);
  assert.equal(found(flows, ends), second);
});

function between(zone: string): Ends {
  return {
    local: IpAddress.parse(`fe80::1%${zone}`),
    localPort: 80,
    remote: IpAddress.parse(`fe80::2%${zone}`),
    remotePort: 5000,
  };
}

test('link-local peers of the same address are told apart by the interface (RFC 4007, section 6)', () => {
  const flows = table();
  const [first, second] = ['eth0', 'eth1'].map((zone) => {
    const made = flow(between(zone));
    flows.add(made);
    return made;
  });
  assert.equal(found(flows, between('eth0'), 'eth0'), first);
  assert.equal(found(flows, between('eth1'), 'eth1'), second);
  assert.equal(found(flows, between('eth0'), 'eth0'), first);
  assert.equal(found(flows, between('eth2'), 'eth2'), undefined);
});
