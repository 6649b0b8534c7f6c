import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { concatBytes } from '../core/index.ts';
import type { CaptureFault, CaptureFileLimits } from './capture-file.ts';
import { captureReader } from './capture-reader.ts';
import { PcapngWriter, type PcapngWriterOptions } from './pcapng-writer.ts';

/** What a file said, in comparable values. */
interface Story {
  readonly events: unknown[];
  readonly fault: CaptureFault | undefined;
}

/** Reads the file in chunks that end at `cuts`, each overwritten once it was read: it was only borrowed. */
function read(
  file: Uint8Array,
  cuts: readonly number[] = [],
  limits?: Partial<CaptureFileLimits>,
): Story {
  const events: unknown[] = [];
  const reader = captureReader(
    {
      packet: ({ interface: from, data, ...rest }) =>
        events.push({ packet: from.id, data: data.slice(), ...rest }),
      interface: ({ id, name, linkType, snapLength }) =>
        events.push({ interface: id, name, linkType, snapLength }),
      statistics: ({ interface: of, ...rest }) => events.push({ statistics: of.id, ...rest }),
    },
    limits,
  );
  let from = 0;
  for (const to of [...cuts.toSorted((a, b) => a - b), file.length]) {
    const chunk = file.slice(from, to);
    reader.push(chunk);
    chunk.fill(0xdb);
    from = Math.max(from, to);
  }
  return { events, fault: reader.end() };
}

function written(fill: (writer: PcapngWriter) => void, options?: PcapngWriterOptions): Uint8Array {
  const blocks: Uint8Array[] = [];
  fill(new PcapngWriter((block) => blocks.push(block), options));
  return concatBytes(blocks);
}

const interfaces = fc.record(
  {
    name: fc.string({ maxLength: 20 }),
    linkType: fc.nat(0xffff),
    snapLength: fc.constantFrom(0, 0, 10, 100),
    timeUnit: fc.constantFrom<'microseconds' | 'nanoseconds'>('microseconds', 'nanoseconds'),
  },
  { requiredKeys: [] },
);
const packets = fc.record({
  interfaceId: fc.nat(2),
  time: fc.bigInt({ min: 0n, max: 2n ** 63n }),
  data: fc.uint8Array({ maxLength: 200 }),
  extra: fc.nat(100),
  direction: fc.constantFrom<'in' | 'out' | undefined>('in', 'out', undefined),
});

test('what the writer writes, in either byte order, the reader reads, cut anywhere', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<'little' | 'big'>('little', 'big'),
      fc.array(interfaces, { minLength: 3, maxLength: 3 }),
      fc.array(packets, { maxLength: 10 }),
      fc.array(fc.nat(2000)),
      (byteOrder, descriptions, sent, cuts) => {
        const expected: unknown[] = [];
        const file = written(
          (writer) => {
            for (const [id, each] of descriptions.entries()) {
              assert.equal(writer.addInterface(each), id);
              const { name = '', linkType = 1, snapLength = 0 } = each;
              expected.push({ interface: id, name, linkType, snapLength });
            }
            for (const { extra, interfaceId, direction, time, data } of sent) {
              const originalLength = data.length + extra;
              const packet = { interfaceId, time, data, originalLength };
              writer.packet(direction === undefined ? packet : { ...packet, direction });
              const { snapLength = 0, timeUnit } = descriptions[interfaceId]!;
              expected.push({
                packet: interfaceId,
                data: snapLength > 0 ? data.slice(0, snapLength) : data,
                time: timeUnit === 'microseconds' ? time - (time % 1000n) : time,
                originalLength,
                direction,
              });
            }
          },
          { byteOrder },
        );
        assert.deepEqual(
          read(
            file,
            cuts.map((cut) => cut % file.length),
          ),
          {
            events: expected,
            fault: undefined,
          },
        );
      },
    ),
  );
});

test('counts of an interface come back', () => {
  const file = written((writer) => {
    writer.addInterface();
    writer.statistics({ interfaceId: 0, time: 5n, received: 2n ** 40n, dropped: 3n });
    writer.statistics({ interfaceId: 0, time: 6n });
  });
  assert.deepEqual(read(file).events.slice(1), [
    { statistics: 0, time: 5n, received: 2n ** 40n, dropped: 3n },
    { statistics: 0, time: 6n, received: undefined, dropped: undefined },
  ]);
});

test('a packet of an interface that was not described is the writer caller’s defect', () => {
  const packet = { interfaceId: 1, time: 0n, data: new Uint8Array(1) };
  assert.throws(() => written((writer) => writer.packet(packet)), {
    code: 'PCAPNG_INTERFACE_UNKNOWN',
  });
});

/** A little-endian pcapng block around words of 32 bits. */
function block(type: number, ...words: number[]): Uint8Array {
  const length = 12 + 4 * words.length;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  [type, length, ...words, length].forEach((word, i) => view.setUint32(4 * i, word, true));
  return bytes;
}
const section = block(0x0a0d0d0a, 0x1a2b3c4d, 0x0000_0001, 0xffff_ffff, 0xffff_ffff);
const ethernet = block(1, 1, 0);

test('blocks of unknown kinds are passed over, and options that are not known', () => {
  const file = concatBytes([
    section,
    block(4, 1, 2, 3),
    // An interface with a comment (code 1, 2 bytes) and without an end of options.
    block(1, 1, 0, 0x0002_0001, 0x0000_6868),
    block(0x8000_0bad),
    block(6, 0, 0, 1000, 4, 4, 0x0403_0201),
  ]);
  const { events, fault } = read(file);
  assert.equal(fault, undefined);
  assert.deepEqual(events[1], {
    packet: 0,
    data: Uint8Array.of(1, 2, 3, 4),
    time: 1_000_000n,
    originalLength: 4,
    direction: undefined,
  });
});

test('a simple packet is of the first interface, without time, cut to its snap length', () => {
  const file = concatBytes([section, block(1, 1, 6), block(3, 100, 0x0403_0201, 0x0000_0605)]);
  assert.deepEqual(read(file).events[1], {
    packet: 0,
    data: Uint8Array.of(1, 2, 3, 4, 5, 6),
    time: undefined,
    originalLength: 100,
    direction: undefined,
  });
});

/** The time of a packet of an interface with these options; the file says 2^32 units. */
function timeOf(...options: number[]): bigint {
  const file = concatBytes([section, block(1, 1, 0, ...options), block(6, 0, 1, 0, 0, 0)]);
  return (read(file).events[1] as { time: bigint }).time;
}

test('time has the unit and the offset that the interface names', () => {
  const units = 2n ** 32n;
  assert.equal(timeOf(), units * 1000n);
  assert.equal(timeOf(0x0001_0009, 9, 0), units);
  assert.equal(timeOf(0x0001_0009, 12, 0), units / 1000n);
  assert.equal(timeOf(0x0001_0009, 0x80 | 32, 0), 1_000_000_000n);
  assert.equal(timeOf(0x0001_0009, 0, 0), units * 1_000_000_000n);
  assert.equal(timeOf(0x0008_000e, 2, 0, 0), units * 1000n + 2_000_000_000n);
  assert.equal(timeOf(0x0008_000e, 0xffff_ffff, 0xffff_ffff, 0), units * 1000n - 1_000_000_000n);
});

test('a new section begins anew: its byte order and its interfaces', () => {
  const big = written((writer) => void writer.addInterface({ name: 'b' }), { byteOrder: 'big' });
  const { events, fault } = read(concatBytes([section, ethernet, big]));
  assert.equal(fault, undefined);
  assert.deepEqual(
    events.map((event) => (event as { interface: number }).interface),
    [0, 0],
  );
  assert.equal(
    read(concatBytes([section, ethernet, section, block(6, 0, 0, 0, 0, 0)])).fault,
    'unknown-interface',
  );
});

function withLength(bytes: Uint8Array, length: number): Uint8Array {
  const changed = bytes.slice();
  new DataView(changed.buffer).setUint32(4, length, true);
  return changed;
}

test('each fault has its name', () => {
  const faultOf = (...blocks: Uint8Array[]): unknown => read(concatBytes(blocks)).fault;
  assert.equal(faultOf(Uint8Array.of(1, 2, 3, 4)), 'not-a-capture');
  assert.equal(faultOf(), 'not-a-capture');
  assert.equal(faultOf(section.slice(0, 3)), 'not-a-capture');
  assert.equal(faultOf(section.slice(0, 20)), 'truncated');
  assert.equal(faultOf(block(0x0a0d0d0a, 7, 1, 0, 0)), 'bad-version');
  assert.equal(faultOf(block(0x0a0d0d0a, 0x1a2b3c4d, 2, 0, 0)), 'bad-version');
  assert.equal(faultOf(section, withLength(ethernet, 8)), 'bad-length');
  assert.equal(faultOf(section, withLength(ethernet, 18)), 'bad-length');
  assert.equal(faultOf(section, withLength(ethernet, 16), ethernet), 'bad-length');
  assert.equal(faultOf(section, withLength(ethernet, 2 ** 31)), 'block-too-long');
  const contradicting = ethernet.with(ethernet.length - 4, 99);
  assert.equal(faultOf(section, contradicting), 'bad-length');
  assert.equal(faultOf(section, block(1, 1)), 'bad-length');
  assert.equal(faultOf(section, block(1, 1, 0, 0x00ff_0002)), 'bad-option');
  assert.equal(faultOf(section, block(6, 0, 0, 0, 0, 0)), 'unknown-interface');
  assert.equal(faultOf(section, block(3, 0)), 'unknown-interface');
  assert.equal(faultOf(section, block(5, 0, 0, 0)), 'unknown-interface');
  assert.equal(faultOf(section, ethernet, block(6, 0, 0, 0, 9, 9, 0)), 'bad-length');
  assert.equal(faultOf(section, ethernet, block(3, 9, 0)), 'bad-length');
  const few = read(concatBytes([section, ethernet, ethernet]), [], { interfaces: 1 });
  assert.equal(few.fault, 'too-many-interfaces');
  assert.equal(read(concatBytes([section, ethernet]), [10], { totalLength: 20 }).fault, 'too-long');
});

/** A classic pcap file with one packet, written by `DataView` rules of its own. */
function pcap(magic: number, littleEndian: boolean, length = 3): Uint8Array {
  const bytes = new Uint8Array(24 + 16 + 3);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic, littleEndian);
  view.setUint16(4, 2, littleEndian);
  view.setUint16(6, 4, littleEndian);
  [0, 0, 262_144, 1, 1_600_000_000, 123_456, length, 1514].forEach((word, i) =>
    view.setUint32(8 + 4 * i, word, littleEndian),
  );
  bytes.set([7, 8, 9], 40);
  return bytes;
}

test('classic pcap is read with all four magic numbers, cut anywhere', () => {
  for (const littleEndian of [true, false]) {
    for (const [magic, time] of [
      [0xa1b2c3d4, 1_600_000_000_123_456_000n],
      [0xa1b23c4d, 1_600_000_000_000_123_456n],
    ] as const) {
      const file = pcap(magic, littleEndian);
      for (let cut = 0; cut <= file.length; cut++) {
        assert.deepEqual(read(file, [cut]), {
          events: [
            { interface: 0, name: '', linkType: 1, snapLength: 262_144 },
            {
              packet: 0,
              data: Uint8Array.of(7, 8, 9),
              time,
              originalLength: 1514,
              direction: undefined,
            },
          ],
          fault: undefined,
        });
      }
    }
  }
});

test('faults of classic pcap', () => {
  assert.equal(read(pcap(0xa1b2c3d4, true).subarray(0, 23)).fault, 'truncated');
  assert.equal(read(pcap(0xa1b2c3d4, true).subarray(0, 42)).fault, 'truncated');
  assert.equal(read(pcap(0xa1b2c3d4, true, 2 ** 31)).fault, 'block-too-long');
  const version = pcap(0xa1b2c3d4, true);
  version[4] = 3;
  assert.equal(read(version).fault, 'bad-version');
});

test('any bytes behind a valid beginning give events and perhaps a fault, cut anywhere alike', () => {
  const starts = [
    section,
    concatBytes([section, ethernet]),
    pcap(0xa1b2c3d4, true).subarray(0, 24),
    written((writer) => {
      writer.addInterface({ name: 'x' });
      writer.packet({ interfaceId: 0, time: 1n, data: new Uint8Array(9), direction: 'in' });
    }),
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...starts),
      fc.uint8Array({ maxLength: 100 }),
      fc.array(fc.tuple(fc.nat(150), fc.nat(255)), { maxLength: 4 }),
      fc.array(fc.nat(200), { maxLength: 5 }),
      (start, more, changes, cuts) => {
        const file = concatBytes([start, more]);
        for (const [at, value] of changes) if (at < file.length) file[at] = value;
        const whole = read(file);
        assert.deepEqual(
          read(
            file,
            cuts.map((cut) => cut % (file.length + 1)),
          ),
          whole,
        );
      },
    ),
    { numRuns: 2000 },
  );
});
