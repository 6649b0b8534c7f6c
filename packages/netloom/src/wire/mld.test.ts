import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bool, ipv6, ipv6Group, record, uint16 } from '../../test/arbitraries.ts';
import { FRAMES } from '../../test/frames.ts';
import { emitted, parseGood, parseGuarded } from '../../test/guarded.ts';
import { IpAddress, fromHex } from '../core/index.ts';
import { sumWords } from './checksum.ts';
import { GroupRecordType, decodeTimeCode, type GroupRecord } from './group-record.ts';
import { finishIcmpv6 } from './icmpv6.ts';
import { IpProtocol } from './ip-protocol.ts';
import { emitMld, mldLength, parseMld, type MldMessage } from './mld.ts';

const parse = (bytes: Uint8Array, start: number, end: number) => parseMld(bytes, start, end);

/** Where ICMPv6 begins in a frame with a router alert. */
const AT = 62;

function emit(message: MldMessage): Uint8Array {
  return emitted(mldLength(message), (buffer, at) => emitMld(message, buffer, at));
}

function answer(hex: string) {
  return parseGuarded(fromHex(hex), parse);
}

const toExclude = (group: string): GroupRecord => ({
  type: GroupRecordType.MODE_IS_EXCLUDE,
  group: IpAddress.parse(group),
  sources: [],
});

test('messages of the kernel are read, and re-encoded as they were', () => {
  const report = parseGood(FRAMES.mldV2Report.subarray(AT), parse);
  assert.ok(report.kind === 'report-v2');
  assert.equal(report.records.length, 5);
  assert.deepEqual(report.records.at(-1), {
    ...toExclude('ff02::6a'),
    type: GroupRecordType.CHANGE_TO_EXCLUDE,
  });
  const group = IpAddress.parse('ff02::1235');
  assert.deepEqual(parseGood(FRAMES.mldV1Report.subarray(AT), parse), { kind: 'report', group });
  assert.deepEqual(parseGood(FRAMES.mldV1Done.subarray(AT), parse), { kind: 'done', group });
  for (const frame of [FRAMES.mldV2Report, FRAMES.mldV1Report, FRAMES.mldV1Done]) {
    const again = frame.slice();
    again.set(emit(parseGood(frame.subarray(AT), parse)), AT);
    const pseudoSum = sumWords(again, 22, 54) + IpProtocol.ICMPV6 + again.length - AT;
    finishIcmpv6(again, AT, again.length, pseudoSum);
    assert.deepEqual(again, frame);
  }
});

test('the version of a query is told by its length (RFC 3810, section 8.1)', () => {
  const first = '8200 0000 8001 0000' + '00'.repeat(16);
  assert.deepEqual(answer(first), {
    kind: 'query',
    version: 1,
    group: IpAddress.ANY6,
    maximumResponseTime: 0x8001,
    suppressRouterProcessing: false,
    robustness: 0,
    queryInterval: 0,
    sources: [],
  });
  assert.deepEqual(answer(first + '0a 7d 0001 20010db8000000000000000000000001'), {
    kind: 'query',
    version: 2,
    group: IpAddress.ANY6,
    maximumResponseTime: 0x1001 << 3,
    suppressRouterProcessing: true,
    robustness: 2,
    queryInterval: 125,
    sources: [IpAddress.parse('2001:db8::1')],
  });
  assert.equal(answer(first + '0a7d00'), 'bad-length');
});

test('what is emitted is parsed as it was', () => {
  const groupRecord: fc.Arbitrary<GroupRecord> = record({
    type: fc.integer({ min: 1, max: 6 }),
    group: ipv6Group,
    sources: fc.array(ipv6, { maxLength: 3 }),
  });
  const any: fc.Arbitrary<MldMessage> = fc.oneof(
    record({
      kind: fc.constant('query' as const),
      version: fc.constant(2 as const),
      group: fc.oneof(ipv6Group, fc.constant(IpAddress.ANY6)),
      maximumResponseTime: uint16.map((code) => decodeTimeCode(code, 12)),
      suppressRouterProcessing: bool,
      robustness: fc.nat(7),
      queryInterval: fc.nat(255).map((code) => decodeTimeCode(code, 4)),
      sources: fc.array(ipv6, { maxLength: 4 }),
    }),
    record({
      kind: fc.constant('query' as const),
      version: fc.constant(1 as const),
      group: ipv6Group,
      maximumResponseTime: uint16,
      suppressRouterProcessing: fc.constant(false),
      robustness: fc.constant(0),
      queryInterval: fc.constant(0),
      sources: fc.constant([]),
    }),
    record({ kind: fc.constantFrom('report' as const, 'done' as const), group: ipv6Group }),
    record({
      kind: fc.constant('report-v2' as const),
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

test('each check refuses by its own name', () => {
  const unicast = '20010db8000000000000000000000001';
  const group = 'ff020000000000000000000000000001';
  assert.equal(answer('8200 0000 000000'), 'truncated');
  assert.equal(answer('8300 0000 0000 0000' + group.slice(2)), 'truncated');
  assert.equal(answer('8700 0000 0000 0000' + group), 'bad-version');
  assert.equal(answer('8300 0000 0000 0000' + unicast), 'bad-value');
  assert.equal(answer('8200 0000 0000 0000' + unicast), 'bad-value');
  assert.equal(answer('8f00 0000 0000 0001  0100 0000' + unicast), 'bad-value');
  assert.equal(answer('8200 0000 0000 0000' + group + '027d 0001'), 'truncated');
  assert.equal(answer('8f00 0000 0000 0001  0100 0001' + group), 'truncated');
  assert.equal(answer('8f00 0000 0000 00b9'), 'too-many');
});
