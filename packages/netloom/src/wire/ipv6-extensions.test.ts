import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bytes as anyBytes } from '../../test/arbitraries.ts';
import { FRAMES } from '../../test/frames.ts';
import { emitted, parseGood, parseGuarded } from '../../test/guarded.ts';
import { concatBytes, fromHex } from '../core/index.ts';
import { Icmpv6ParameterProblem } from './icmpv6.ts';
import { IpProtocol } from './ip-protocol.ts';
import {
  IPV6_CHAIN_LIMITS,
  Ipv6Chain,
  emitIpv6Fragment,
  emitIpv6RouterAlert,
  walkIpv6,
} from './ipv6-extensions.ts';
import { Ipv6Header, emitIpv6, parseQuotedIpv6 } from './ipv6.ts';

const { HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION_OPTIONS, UDP, TCP, NO_NEXT_HEADER } = IpProtocol;

/** The walk's answer, and the chain it filled, on a packet that begins at `start`. */
function walk(bytes: Uint8Array, start: number, end: number) {
  const header = parseQuotedIpv6(bytes, start, end);
  assert.ok(header instanceof Ipv6Header);
  const chain = new Ipv6Chain();
  const answer = walkIpv6(bytes, start, end, header, chain);
  // Indexes are easier to read counted from the packet's start.
  return {
    fault: answer === chain ? 'none' : answer,
    protocol: chain.protocol,
    protocolField: chain.protocolField - start,
    transport: chain.transport - start,
    fragment: chain.fragment < 0 ? -1 : chain.fragment - start,
    fragmentField: chain.fragmentField < 0 ? -1 : chain.fragmentField - start,
    chain,
  };
}

/** A packet whose fixed header is followed by these bytes. */
function packet(nextHeader: number, hex: string): Uint8Array {
  const body = fromHex(hex);
  const header = Object.assign(new Ipv6Header(), { nextHeader, payloadLength: body.length });
  const bytes = new Uint8Array(40);
  emitIpv6(header, bytes, 0);
  return concatBytes([bytes, body]);
}

/** The problem that a refused packet asks to be reported. */
function problem(bytes: Uint8Array) {
  const { fault, chain } = parseGuarded(bytes, walk);
  return {
    fault,
    code: chain.problemCode,
    pointer: chain.problemPointer,
    forGroups: chain.problemForGroups,
  };
}

const udp8 = '0035 0035 0008 0000';
/** No report is to be sent. */
const silent = { code: -1, pointer: 0, forGroups: false };

test('a packet without extension headers', () => {
  const found = parseGood(packet(UDP, udp8), walk);
  assert.deepEqual([found.protocol, found.protocolField, found.transport], [UDP, 6, 40]);
  assert.equal(found.chain.isFragment, false);
  assert.equal(found.fragment, -1);
});

test('the router alert of an MLD report of the kernel (RFC 2711)', () => {
  const report = FRAMES.mldV2Report.subarray(14);
  const found = parseGood(report, walk);
  assert.deepEqual(
    [found.protocol, found.protocolField, found.transport],
    [IpProtocol.ICMPV6, 40, 48],
  );
  assert.equal(found.chain.routerAlert, 0);
  // RFC 2711 leaves open where the padding stands; ours stands behind the option, the kernel's, too.
  assert.deepEqual(
    emitted(8, (buffer, at) => emitIpv6RouterAlert(IpProtocol.ICMPV6, 0, buffer, at)),
    report.slice(40, 48),
  );
});

test('fragments of the kernel: the first with its transport header, the last with data only', () => {
  const first = parseGood(FRAMES.fragment6First.subarray(14), walk);
  assert.deepEqual(
    [first.protocol, first.transport, first.fragment, first.fragmentField],
    [UDP, 48, 40, 6],
  );
  assert.equal(first.chain.isFragment, true);
  assert.equal(first.chain.moreFragments, true);
  assert.equal(first.chain.fragmentOffset, 0);
  const last = parseGood(FRAMES.fragment6Last.subarray(14), walk);
  assert.equal(last.transport, 48);
  assert.equal(last.chain.moreFragments, false);
  assert.equal(last.chain.fragmentOffset, 1232);
  assert.equal(last.chain.identification, first.chain.identification);
  assert.deepEqual(
    emitted(8, (buffer, at) =>
      emitIpv6Fragment(UDP, 1232, false, last.chain.identification, buffer, at),
    ),
    FRAMES.fragment6Last.slice(54, 62),
  );
});

test('a chain of all kinds, and what may be passed over', () => {
  // Hop-by-hop with an unknown option to skip, spent routing header, options, an atomic fragment (RFC 6946).
  const chain =
    '2b 00 1e 04 00000000' +
    '3c 00 04 00 00000000' +
    '2c 00 01 04 00000000' +
    '11 00 0000 0000002a';
  const found = parseGood(packet(HOP_BY_HOP, chain + udp8), walk);
  assert.equal(found.fault, 'none');
  assert.deepEqual([found.protocol, found.protocolField, found.transport], [UDP, 64, 72]);
  assert.deepEqual([found.fragment, found.fragmentField], [64, 56]);
  assert.equal(found.chain.isFragment, false);
  assert.equal(found.chain.identification, 42);
  assert.equal(parseGood(packet(NO_NEXT_HEADER, ''), walk).protocol, NO_NEXT_HEADER);
});

/** A packet with an option of this type. */
function withOption(type: string): Uint8Array {
  return packet(DESTINATION_OPTIONS, `11 00 01 00 ${type} 02 0000`);
}

test('an unknown option does what its type says (RFC 8200, section 4.2)', () => {
  const { OPTION } = Icmpv6ParameterProblem;
  assert.equal(problem(withOption('1e')).fault, 'none');
  assert.deepEqual(problem(withOption('5e')), { fault: 'bad-option', ...silent });
  const reported = { fault: 'bad-option', code: OPTION, pointer: 44 };
  assert.deepEqual(problem(withOption('9e')), { ...reported, forGroups: true });
  assert.deepEqual(problem(withOption('de')), { ...reported, forGroups: false });
});

test('options that do not fit in their header are refused', () => {
  for (const bad of ['1e 05 00000000', '01 06 00000000', '00 00 00 00 00 1e']) {
    const refused = problem(packet(DESTINATION_OPTIONS, `3b 00 ${bad}`));
    assert.deepEqual(refused, { fault: 'bad-option', ...silent }, bad);
  }
});

test('hop-by-hop options elsewhere than first are an unknown header (RFC 8200, section 4.1)', () => {
  const twice = packet(HOP_BY_HOP, '00 00 01 04 00000000  3b 00 01 04 00000000');
  assert.deepEqual(problem(twice), {
    fault: 'bad-option',
    code: Icmpv6ParameterProblem.NEXT_HEADER,
    pointer: 40,
    forGroups: false,
  });
});

test('a routing header with segments left is refused, type 0 like any (RFC 5095)', () => {
  for (const type of ['00', '02', '04']) {
    const routed = packet(ROUTING, `3b 02 ${type} 01 00000000 20010db8000000000000000000000099`);
    assert.deepEqual(problem(routed), {
      fault: 'bad-option',
      code: Icmpv6ParameterProblem.HEADER_FIELD,
      pointer: 42,
      forGroups: false,
    });
  }
});

test('fragments of impossible length are reported (RFC 8200, section 4.5)', () => {
  const { HEADER_FIELD } = Icmpv6ParameterProblem;
  const notEight = packet(FRAGMENT, '11 00 0001 00000001' + udp8 + '00');
  const report = { fault: 'bad-length', code: HEADER_FIELD, forGroups: false };
  assert.deepEqual(problem(notEight), { ...report, pointer: 4 });
  // 65528 + 8 is one more than a payload length can say; with 7 bytes it is the largest there is.
  const tooFar = packet(FRAGMENT, '11 00 fff8 00000001' + udp8);
  assert.deepEqual(problem(tooFar), { ...report, pointer: 42 });
  const farthest = packet(FRAGMENT, '11 00 fff8 00000001 00112233445566');
  assert.equal(problem(farthest).fault, 'none');
  // Headers in front of the fragment count as well: they will stand in the whole packet.
  const behindOptions = packet(
    DESTINATION_OPTIONS,
    '2c 00 01 04 00000000  11 00 fff8 00000001 00112233445566',
  );
  assert.deepEqual(problem(behindOptions), { ...report, pointer: 50 });
});

test('a fragment within a fragment is refused', () => {
  const nested = packet(FRAGMENT, '2c 00 0000 00000001  11 00 0000 00000002' + udp8);
  assert.deepEqual(problem(nested), { fault: 'bad-option', ...silent });
});

test('a first fragment without the whole chain is reported (RFC 7112, section 5)', () => {
  const report = {
    fault: 'truncated',
    code: Icmpv6ParameterProblem.INCOMPLETE_CHAIN,
    pointer: 0,
    forGroups: false,
  };
  const cutOptions = packet(FRAGMENT, '3c 00 0001 00000001  06 01 01 04 00000000');
  assert.deepEqual(problem(cutOptions), report);
  const cutTcp = packet(FRAGMENT, `06 00 0001 00000001 ${'00'.repeat(16)}`);
  assert.deepEqual(problem(cutTcp), report);
  assert.equal(problem(packet(FRAGMENT, `06 00 0001 00000001 ${'00'.repeat(24)}`)).fault, 'none');
  // A later fragment may hold anything.
  assert.equal(problem(packet(FRAGMENT, `06 00 0009 00000001 ${'00'.repeat(8)}`)).fault, 'none');
});

test('options behind a true Fragment header are not processed before reassembly', () => {
  const bytes = packet(FRAGMENT, '3c 00 0001 00000001  11 00 de 04 00000000' + udp8);
  const found = parseGuarded(bytes, walk);
  assert.equal(found.fault, 'none');
  assert.deepEqual([found.protocol, found.transport], [UDP, 56]);
});

test('headers cut off in a whole packet are dropped without a report', () => {
  const cut = { fault: 'truncated', ...silent };
  assert.deepEqual(problem(packet(DESTINATION_OPTIONS, '11 01 01 04 00000000')), cut);
  assert.deepEqual(problem(packet(DESTINATION_OPTIONS, '11 00 01 04 000000')), cut);
  assert.deepEqual(problem(packet(DESTINATION_OPTIONS, '')), cut);
});

function headersInPacket(count: number): Uint8Array {
  const header = '00 01 04 00000000';
  return packet(DESTINATION_OPTIONS, `3c ${header}`.repeat(count - 1) + `3b ${header}`);
}

/** Two bytes an option; the rest of the 24 is one-byte padding, which does not count. */
function optionsInHeader(count: number): Uint8Array {
  return packet(DESTINATION_OPTIONS, `3b02${'1e00'.repeat(count)}${'00'.repeat(22 - 2 * count)}`);
}

test('chains and option lists are followed to their limits only', () => {
  const { extensionHeaders, options } = IPV6_CHAIN_LIMITS;
  assert.equal(problem(headersInPacket(extensionHeaders)).fault, 'none');
  assert.equal(problem(headersInPacket(extensionHeaders + 1)).fault, 'too-many');
  assert.equal(problem(optionsInHeader(options)).fault, 'none');
  assert.equal(problem(optionsInHeader(options + 1)).fault, 'too-many');
});

test('a chain that was used before keeps nothing', () => {
  const header = new Ipv6Header();
  const chain = new Ipv6Chain();
  const fragment = packet(FRAGMENT, `06 00 0009 00000007 ${'00'.repeat(8)}`);
  parseQuotedIpv6(fragment, 0, 56, header);
  walkIpv6(fragment, 0, 56, header, chain);
  const plain = packet(TCP, '00'.repeat(20));
  parseQuotedIpv6(plain, 0, 60, header);
  walkIpv6(plain, 0, 60, header, chain);
  assert.deepEqual(chain, walk(plain, 0, 60).chain);
});

test('any bytes behind the fixed header: an answer within the packet', () => {
  const kinds = fc.constantFrom(HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION_OPTIONS, TCP);
  fc.assert(
    fc.property(kinds, anyBytes(120), (nextHeader, body) => {
      const bytes = concatBytes([packet(nextHeader, ''), body]);
      bytes[5] = body.length;
      const { fault, transport, fragment } = parseGuarded(bytes, walk);
      if (fault !== 'none') return;
      assert.ok(transport >= 40 && transport <= bytes.length);
      assert.ok(fragment + 8 <= transport);
    }),
    { numRuns: 2000 },
  );
});
