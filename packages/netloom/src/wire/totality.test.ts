/** Every parser of this layer, on any bytes: a value or a fault, never a throw, and nothing read outside of start and end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bytes as anyBytes } from '../../test/arbitraries.ts';
import { parseGuarded, type Parse } from '../../test/guarded.ts';
import { IpAddress } from '../core/index.ts';
import {
  Ipv6Header,
  parseArp,
  parseBpdu,
  parseEthernet,
  parseIcmpv4,
  parseIcmpv6,
  parseIgmp,
  parseIpv4,
  parseIpv4Options,
  parseIpv6,
  parseMld,
  parseNdp,
  parseQuotedIpv4,
  parseQuotedIpv6,
  parseTcp,
  parseUdp,
  parseVlan,
  parseVxlan,
  walkIpv6,
  type WireFault,
} from './index.ts';

const FAULTS: Readonly<Record<WireFault, true>> = {
  truncated: true,
  'bad-length': true,
  'bad-version': true,
  'bad-checksum': true,
  'bad-option': true,
  'too-many': true,
  'bad-value': true,
};

const local = IpAddress.parse('fe80::1');

const PARSERS: Readonly<Record<string, Parse<unknown>>> = {
  ethernet: (bytes, start, end) => parseEthernet(bytes, start, end),
  vlan: (bytes, start, end) => parseVlan(bytes, start, end),
  arp: (bytes, start, end) => parseArp(bytes, start, end),
  bpdu: parseBpdu,
  ipv4: (bytes, start, end) => parseIpv4(bytes, start, end),
  'quoted ipv4': (bytes, start, end) => parseQuotedIpv4(bytes, start, end),
  'ipv4 options': (bytes, start, end) => parseIpv4Options(bytes, start, end),
  ipv6: (bytes, start, end) => parseIpv6(bytes, start, end),
  'ipv6 extensions': (bytes, start, end) => {
    const header = parseQuotedIpv6(bytes, start, end);
    return header instanceof Ipv6Header ? walkIpv6(bytes, start, end, header) : header;
  },
  icmpv4: (bytes, start, end) => parseIcmpv4(bytes, start, end),
  icmpv6: (bytes, start, end) => parseIcmpv6(bytes, start, end),
  ndp: (bytes, start, end) =>
    parseNdp(bytes, start, end, { hopLimit: 255, source: local, destination: local }),
  mld: (bytes, start, end) => parseMld(bytes, start, end),
  igmp: (bytes, start, end) => parseIgmp(bytes, start, end),
  tcp: (bytes, start, end) => parseTcp(bytes, start, end),
  udp: (bytes, start, end) => parseUdp(bytes, start, end),
  vxlan: (bytes, start, end) => parseVxlan(bytes, start, end),
};

/** Bytes that get past the first check more often than random ones do: a version and a type to begin with. */
const likely = fc
  .tuple(fc.constantFrom(0x45, 0x4f, 0x60, 0x11, 0x22, 0x82, 0x85, 0x86, 0x88, 0x8f), anyBytes(160))
  .map(([first, rest]) => Uint8Array.of(first, ...rest));

for (const [name, parse] of Object.entries(PARSERS)) {
  test(`${name}: any bytes give a value or a fault`, () => {
    fc.assert(
      fc.property(fc.oneof(anyBytes(160), likely), (body) => {
        const answer = parseGuarded(body, parse);
        assert.ok(
          typeof answer === 'string' ? Object.hasOwn(FAULTS, answer) : typeof answer === 'object',
        );
      }),
      { numRuns: 300 },
    );
  });
}
