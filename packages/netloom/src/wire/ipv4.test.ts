import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bool, int32, uint16, uint8 } from '../../test/arbitraries.ts';
import { FRAMES } from '../../test/frames.ts';
import { emitted, parseGood, parseGuarded } from '../../test/guarded.ts';
import { concatBytes } from '../core/index.ts';
import { finishChecksum, sumWords } from './checksum.ts';
import { IpProtocol } from './ip-protocol.ts';
import { Ipv4Header, emitIpv4, parseIpv4, parseQuotedIpv4 } from './ipv4.ts';

const parse = (bytes: Uint8Array, start: number, end: number) => parseIpv4(bytes, start, end);
const parseQuoted = (bytes: Uint8Array, start: number, end: number) =>
  parseQuotedIpv4(bytes, start, end);
const udp = FRAMES.udp.subarray(14);

/** The packet with one header byte changed and the checksum made good again. */
function changed(packet: Uint8Array, index: number, value: number): Uint8Array {
  const bytes = packet.with(index, value).with(10, 0).with(11, 0);
  const checksum = finishChecksum(sumWords(bytes, 0, 4 * (bytes[0]! & 15)));
  return bytes.with(10, checksum >>> 8).with(11, checksum);
}

test('the header of a packet of the kernel', () => {
  const header = parseGood(udp, parse);
  assert.equal(header.headerLength, 20);
  assert.equal(header.totalLength, 35);
  assert.equal(header.identification, 0x3f89);
  assert.equal(header.dontFragment, true);
  assert.equal(header.isFragment, false);
  assert.equal(header.timeToLive, 64);
  assert.equal(header.protocol, IpProtocol.UDP);
  assert.equal(header.sourceAddress.toString(), '192.0.2.1');
  assert.equal(header.destinationAddress.toString(), '192.0.2.2');
  assert.deepEqual(
    emitted(20, (buffer, at) => emitIpv4(header, buffer, at)),
    udp.slice(0, 20),
  );
});

test('what is emitted is parsed as it was', () => {
  const fields = fc.record({
    trafficClass: uint8,
    totalLength: fc.integer({ min: 20, max: 120 }),
    identification: uint16,
    reservedFlag: bool,
    dontFragment: bool,
    moreFragments: bool,
    fragmentOffset: fc.nat(0x1fff).map((units) => 8 * units),
    timeToLive: uint8,
    protocol: uint8,
    source: int32,
    destination: int32,
  });
  fc.assert(
    fc.property(fields, (values) => {
      const header = Object.assign(new Ipv4Header(), values);
      const bytes = emitted(20, (buffer, at) => emitIpv4(header, buffer, at));
      const packet = concatBytes([bytes, new Uint8Array(header.totalLength - 20)]);
      assert.deepEqual(parseGood(packet, parse), header);
      assert.equal(
        parseGood(packet, parse).isFragment,
        values.moreFragments || values.fragmentOffset > 0,
      );
    }),
  );
});

test('a header with options is re-encoded as it was', () => {
  const packet = FRAMES.igmpV3Query.subarray(14);
  const header = parseGood(packet, parse);
  assert.equal(header.headerLength, 24);
  const again = packet.slice();
  assert.equal(emitIpv4(header, again, 0), 24);
  assert.deepEqual(again, packet);
});

test('padding of the link after the packet does no harm', () => {
  assert.equal(parseGood(concatBytes([udp, new Uint8Array(11)]), parse).totalLength, 35);
});

test('each check refuses by its own name', () => {
  assert.equal(parseGuarded(udp.subarray(0, 19), parse), 'truncated');
  assert.equal(parseGuarded(udp.subarray(0, 34), parse), 'truncated');
  assert.equal(parseGuarded(changed(udp, 0, 0x65), parse), 'bad-version');
  assert.equal(parseGuarded(changed(udp, 0, 0x44), parse), 'bad-length');
  assert.equal(parseGuarded(changed(udp, 3, 19), parse), 'bad-length');
  assert.equal(parseGuarded(changed(udp, 0, 0x4f), parse), 'truncated');
  assert.equal(parseGuarded(udp.with(8, 63), parse), 'bad-checksum');
});

test('a packet quoted in an error is read though cut off and changed on its way', () => {
  const quote = FRAMES.portUnreachable.subarray(14 + 20 + 8);
  const header = parseGood(quote.with(8, 3).subarray(0, 28), parseQuoted);
  assert.equal(header.timeToLive, 3);
  assert.equal(header.destinationAddress.toString(), '192.0.2.2');
  assert.equal(parseGuarded(quote.subarray(0, 19), parseQuoted), 'truncated');
  assert.equal(parseGuarded(quote.with(0, 0x46).subarray(0, 20), parseQuoted), 'truncated');
});
