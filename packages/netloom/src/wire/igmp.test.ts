import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bool, ipv4, ipv4Group, record } from '../../test/arbitraries.ts';
import { FRAMES } from '../../test/frames.ts';
import { emitted, parseGood, parseGuarded } from '../../test/guarded.ts';
import { IpAddress, fromHex } from '../core/index.ts';
import { finishChecksum, sumWords } from './checksum.ts';
import { GroupRecordType, decodeTimeCode, type GroupRecord } from './group-record.ts';
import { emitIgmp, igmpLength, parseIgmp, type IgmpMessage } from './igmp.ts';

const parse = (bytes: Uint8Array, start: number, end: number) => parseIgmp(bytes, start, end);

function emit(message: IgmpMessage): Uint8Array {
  return emitted(igmpLength(message), (buffer, at) => emitIgmp(message, buffer, at));
}

/** A message from hexadecimal, its checksum made good. */
function message(hex: string): Uint8Array {
  const bytes = fromHex(hex);
  const checksum = finishChecksum(sumWords(bytes, 0, bytes.length));
  return bytes.with(2, checksum >>> 8).with(3, checksum);
}

test('messages of the kernel are read, and re-encoded as they were', () => {
  const expected: readonly [Uint8Array, IgmpMessage][] = [
    [
      FRAMES.igmpV3Query,
      {
        kind: 'query',
        version: 3,
        group: IpAddress.ANY4,
        maximumResponseTime: 10_000,
        suppressRouterProcessing: false,
        robustness: 2,
        queryInterval: 125,
        sources: [],
      },
    ],
    [
      FRAMES.igmpV3Report,
      {
        kind: 'report-v3',
        records: [
          {
            type: GroupRecordType.CHANGE_TO_EXCLUDE,
            group: IpAddress.parse('239.1.2.3'),
            sources: [],
          },
        ],
      },
    ],
    [FRAMES.igmpV2Report, { kind: 'report', version: 2, group: IpAddress.parse('239.1.2.4') }],
    [FRAMES.igmpV2Leave, { kind: 'leave', group: IpAddress.parse('239.1.2.4') }],
  ];
  for (const [frame, value] of expected) {
    const bytes = frame.subarray(38);
    assert.deepEqual(parseGood(bytes, parse), value);
    assert.deepEqual(emit(value), bytes);
  }
});

test('the version of a query is told by its length and time (RFC 3376, section 7.1)', () => {
  const query = (hex: string) => {
    const answer = parseGood(message(hex), parse);
    assert.equal(answer.kind, 'query');
    return answer.kind === 'query' ? [answer.version, answer.maximumResponseTime] : [];
  };
  assert.deepEqual(query('1100 0000 00000000'), [1, 10_000]);
  // In version 2 a code above 127 is no floating-point number.
  assert.deepEqual(query('11c8 0000 00000000'), [2, 20_000]);
  assert.deepEqual(query('11c8 0000 00000000 027d 0000'), [3, 100 * (24 << 7)]);
  assert.equal(parseGuarded(message('1164 0000 00000000 027d'), parse), 'bad-length');
});

test('what is emitted is parsed as it was', () => {
  const code = fc.nat(255);
  const newQuery = record({
    kind: fc.constant('query' as const),
    version: fc.constant(3 as const),
    group: fc.oneof(ipv4Group, fc.constant(IpAddress.ANY4)),
    maximumResponseTime: code.map((value) => 100 * decodeTimeCode(value, 4)),
    suppressRouterProcessing: bool,
    robustness: fc.nat(7),
    queryInterval: code.map((value) => decodeTimeCode(value, 4)),
    sources: fc.array(ipv4, { maxLength: 4 }),
  });
  const oldQuery = fc.tuple(ipv4Group, code).map(([group, value]) => ({
    kind: 'query' as const,
    version: value === 0 ? (1 as const) : (2 as const),
    group,
    maximumResponseTime: value === 0 ? 10_000 : 100 * value,
    suppressRouterProcessing: false,
    robustness: 0,
    queryInterval: 0,
    sources: [],
  }));
  const groupRecord: fc.Arbitrary<GroupRecord> = record({
    type: fc.integer({ min: 1, max: 6 }),
    group: ipv4Group,
    sources: fc.array(ipv4, { maxLength: 3 }),
  });
  const any: fc.Arbitrary<IgmpMessage> = fc.oneof(
    newQuery,
    oldQuery,
    record({
      kind: fc.constant('report' as const),
      version: fc.constantFrom(1 as const, 2 as const),
      group: ipv4Group,
    }),
    record({ kind: fc.constant('leave' as const), group: ipv4Group }),
    record({
      kind: fc.constant('report-v3' as const),
      records: fc.array(groupRecord, { maxLength: 3 }),
    }),
  );
  fc.assert(
    fc.property(any, (value) => {
      assert.deepEqual(parseGood(emit(value), parse), value);
    }),
    { numRuns: 300 },
  );
});

test('auxiliary data of a record is passed over (RFC 3376, section 4.2.10)', () => {
  const report = parseGood(
    message('2200 0000 0000 0002  0101 0000 e1000001 deadbeef  0200 0001 e1000002 c0000201'),
    parse,
  );
  assert.ok(report.kind === 'report-v3');
  assert.deepEqual(
    report.records.map(({ group, sources }) => [String(group), sources.map(String)]),
    [
      ['225.0.0.1', []],
      ['225.0.0.2', ['192.0.2.1']],
    ],
  );
});

test('as many records and sources as the limits allow are read, and not one more', () => {
  const bytes = message('2200 0000 0000 0002 0100 0001 e1000001 c0000201 0100 0000 e1000002');
  const within = (records: number, sources: number) => {
    const answer = parseIgmp(bytes, 0, bytes.length, { records, sources });
    return typeof answer === 'string' ? answer : answer.kind;
  };
  assert.equal(within(2, 1), 'report-v3');
  assert.equal(within(1, 1), 'too-many');
  assert.equal(within(2, 0), 'too-many');
});

test('each check refuses by its own name', () => {
  const fault = (hex: string) => parseGuarded(message(hex), parse);
  assert.equal(fault('1100 0000 0000'), 'truncated');
  assert.equal(parseGuarded(FRAMES.igmpV2Leave.subarray(38).with(7, 9), parse), 'bad-checksum');
  assert.equal(fault('1300 0000 e1000001'), 'bad-version');
  assert.equal(fault('1600 0000 c0000201'), 'bad-value');
  assert.equal(fault('1164 0000 c0000201'), 'bad-value');
  assert.equal(fault('2200 0000 0000 0001  0100 0000 c0000201'), 'bad-value');
  assert.equal(fault('1164 0000 00000000 027d 0002 c0000201'), 'truncated');
  assert.equal(fault('2200 0000 0000 0002  0100 0000 e1000001'), 'truncated');
  assert.equal(fault('2200 0000 0000 0001  0101 0000 e1000001'), 'truncated');
  assert.equal(fault('2200 0000 0000 ffff  0100 0000 e1000001'), 'too-many');
  assert.equal(fault('1164 0000 00000000 027d ffff'), 'too-many');
});
