/** What a filter is made of and what its mistakes are; that it passes what tcpdump passes is shown in test/filter. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FRAMES } from '../../../test/frames.ts';
import { parseGuarded } from '../../../test/guarded.ts';
import { compileFilter, FilterError } from './index.ts';
import { parseFilter } from './parse.ts';

/** The names of the frames that pass. */
function passing(text: string): string[] {
  const filter = compileFilter(text);
  return Object.entries(FRAMES).flatMap(([name, frame]) => (filter(frame) ? name : []));
}

function mistake(text: string, limits = {}): FilterError {
  try {
    compileFilter(text, { limits });
  } catch (error) {
    assert.ok(error instanceof FilterError, String(error));
    assert.equal(error.code, 'FILTER_INVALID');
    return error;
  }
  return assert.fail(`'${text}' is a filter`);
}

test('an empty filter passes every frame', () => {
  assert.equal(passing(' ').length, Object.keys(FRAMES).length);
});

test('frames of the kernel pass what they are', () => {
  assert.deepEqual(passing('tcp[tcpflags] & tcp-rst != 0'), ['tcpReset']);
  assert.deepEqual(passing('arp[6:2] = 2'), ['arpReply']);
  assert.deepEqual(passing('icmp[icmptype] = icmp-echo and less 98'), ['pingRequest']);
  assert.deepEqual(passing('udp port 9 and ip6'), ['udp6']);
});

test('a bare identifier is what the one before it was', () => {
  const same: [string, string][] = [
    ['tcp port 80 or 443', 'tcp port 80 or tcp port 443'],
    ['src host 10.0.0.1 or not 10.0.0.2', 'src host 10.0.0.1 or not src host 10.0.0.2'],
    ['port (80 or 443)', '(port 80 or port 443)'],
    ['port 80 or (443 or 8080) and 25', 'port 80 or (port 443 or port 8080) and port 25'],
    [
      'ether src 02:00:00:00:00:01 or 2-0-0-0-0-2',
      'ether src 2:0:0:0:0:1 or ether src 2:0:0:0:0:2',
    ],
    ['port 80 or (udp port 53) or 443', 'port 80 or (udp port 53) or port 443'],
  ];
  for (const [short, long] of same) assert.deepEqual(parseFilter(short, 64), parseFilter(long, 64));
});

test('and and or bind alike, not binds more, and there are two spellings of each', () => {
  const same: [string, string][] = [
    ['ip or tcp and udp', '(ip or tcp) and udp'],
    ['not ip and tcp', '(not ip) and tcp'],
    ['!ip&&tcp||udp', '((not ip) and tcp) or udp'],
    ['tcp[0]+1*2 == 4|1&3', 'tcp[0] + (1 * 2) = 4 | (1 & 3)'],
    ['len - 1 - 2 = 0x10', '(len - 1) - 2 = 020'],
    ['src or dst port 80', 'port 80'],
    ['less 60', 'len <= 60'],
    ['link[0] = 1', 'ether[0:1] = 1'],
    ['net 10.1', 'net 10.1.0.0/16'],
    ['net 10.1.0.0 mask 255.255.0.0', 'net 10.1.0.0/16'],
    ['ip proto tcp', 'ip proto \\tcp'],
    ['port https', 'port 443'],
  ];
  for (const [one, other] of same) assert.deepEqual(parseFilter(one, 64), parseFilter(other, 64));
});

test('a frame of which it cannot be told does not pass, nor does it pass the opposite', () => {
  const cut = FRAMES.tcpSyn.subarray(0, 30);
  assert.equal(compileFilter('port 9')(cut), false);
  assert.equal(compileFilter('not port 9')(cut), false);
  assert.equal(compileFilter('not arp')(cut), true);
});

test('the length is that of the frame as it was, where that is said', () => {
  const filter = compileFilter('greater 1000');
  assert.equal(filter(FRAMES.udp), false);
  assert.equal(filter(FRAMES.udp, 1000), true);
});

test('both loads of a sum must be there: the frame is of both protocols or does not pass', () => {
  assert.deepEqual(passing('ip[0] + tcp[0] >= 0'), ['tcpSyn', 'tcpReset']);
});

test('a mistake is told with its place, what was expected, and what may have been meant', () => {
  const table: [string, number, RegExp][] = [
    ['tcp prt 80', 4, /'prt' stands where 'and', 'or' or the end should; did you mean 'port'\?/],
    ['tpc port 80', 0, /'tpc' stands where a condition should; did you mean 'tcp'\?/],
    ['port', 4, /ends where a port from 0 to 65535 should follow/],
    ['port 65536', 5, /'65536' stands where a port/],
    ['port htpps', 5, /did you mean 'https'\?/],
    ['ip port 80', 0, /'ip port' means nothing: tcp, udp and sctp have ports/],
    ['host example.org', 5, /names are not looked up/],
    ['host 10.1', 5, /write net/],
    ['host 10.0.0.256', 5, /over 255/],
    ['ip host 2001:db8::1', 8, /no address of ip/],
    ['tcp host 10.0.0.1', 0, /'tcp host' means nothing/],
    ['net 10.0.0.1/8', 4, /bits set that are not of the network/],
    ['net 10.0.0.0/33', 13, /prefix length from 0 to 32/],
    ['10.0.0.1', 0, /as in 'host 10.0.0.1'/],
    ['80', 0, /as in 'port 80'/],
    ['02:00:00:00:00:01', 0, /as in 'ether host 02/],
    ['host 02:00:00:00:00:01', 5, /'ether host 02/],
    ['tcp and', 7, /ends where a condition should follow/],
    ['(tcp', 4, /ends where '\)' should follow/],
    ['tcp)', 3, /'\)' stands where/],
    ['tcp[0', 5, /ends where '\]'/],
    ['tcp[0:3] = 1', 6, /a size of 1, 2 or 4/],
    ['tcp[0]', 6, /ends where a comparison should/],
    ['tcp[0] = ', 9, /ends where a number should/],
    ['tcp[tcpflag] = 1', 4, /did you mean 'tcpflags'\?/],
    ['len / 0 = 1', 4, /divides by zero/],
    ['len << 32 = 1', 4, /more than 31/],
    ['len % 2 * 3 = 1', 8, /wants parentheses/],
    ['len * 2 ^ 3 = 1', 8, /wants parentheses/],
    ['len = 4294967296', 6, /does not fit into 32 bits/],
    ['len = 08', 6, /octal/],
    ['vlan 4096', 5, /a VLAN from 0 to 4095/],
    ['ip broadcast', 0, /only 'ether broadcast'/],
    ['ether proto foo', 12, /a number, or the name of a protocol over ether/],
    ['tcp proto 6', 0, /'tcp proto' means nothing/],
    ['host 1::2::3', 5, /neither an IPv6 nor an Ethernet address/],
    ['tcp # 80', 4, /'#' means nothing here/],
    ['tcp \u001b[2J', 4, /'U\+001B' means nothing here/],
    ['less than', 5, /a number of bytes/],
  ];
  for (const [text, position, message] of table) {
    const error = mistake(text);
    assert.match(error.message, message, text);
    assert.equal(error.position, position, `${text}: ${error.message}`);
    assert.equal(error.picture, `${text.replace('\u001b', ' ')}\n${' '.repeat(position)}^`);
  }
});

test('of a long expression the picture shows what is near, and nothing a terminal would obey', () => {
  const { picture } = mistake(`${'tcp or '.repeat(20)}foo\ttcp`);
  const [line, caret] = picture.split('\n');
  assert.match(line!, /^\.\.\..*or foo tcp$/);
  assert.equal(line![caret!.length - 1], 'f');
});

test('length and nesting are limited', () => {
  assert.match(mistake('tcp or udp', { length: 5 }).message, /more than 5 characters/);
  for (const deep of [
    '('.repeat(65) + 'tcp',
    `${'not '.repeat(65)}tcp`,
    `${'-'.repeat(65)}len = 1`,
  ]) {
    assert.match(mistake(deep).message, /more than 64 deep/);
  }
  assert.match(mistake(`${'tcp['.repeat(65)}0`).message, /more than 64 deep/);
  assert.equal(compileFilter(`${'('.repeat(64)}tcp${')'.repeat(64)}`)(FRAMES.tcpSyn), true);
  const many = compileFilter(Array.from({ length: 700 }, () => 'port 80').join(' or '));
  assert.equal(many(FRAMES.tcpSyn), false);
});

test('packets without a frame have no Ethernet addresses to filter by', () => {
  const linkType = 101;
  assert.equal(compileFilter('tcp', { linkType })(FRAMES.tcpSyn.subarray(14)), true);
  for (const text of ['ether host 02:00:00:00:00:01', 'broadcast', 'multicast', 'vlan']) {
    assert.throws(() => compileFilter(text, { linkType }), { code: 'FILTER_UNFIT' });
  }
  assert.throws(() => compileFilter('tcp', { linkType: 105 }), { code: 'FILTER_UNFIT' });
});

test('any text is a filter or a mistake, and no filter reads outside of a frame', () => {
  const words =
    'tcp udp port 80 ( ) [ ] : and or not host 10.0.0.1 net / 8 - len = < vlan proto ether \\ip 0x10 ! ::1';
  const text = fc
    .array(fc.oneof(fc.constantFrom(...words.split(' ')), fc.string({ maxLength: 3 })), {
      maxLength: 12,
    })
    .map((parts) => parts.join(' '));
  fc.assert(
    fc.property(text, fc.uint8Array({ maxLength: 80 }), (expression, frame) => {
      try {
        const filter = compileFilter(expression);
        parseGuarded(frame, (bytes, start, end) => Number(filter(bytes.subarray(start, end))));
      } catch (error) {
        assert.ok(error instanceof FilterError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
