/** The same frames pass our filters and tcpdump's, for random frames and random expressions. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { seededRandom, type Random } from '../../src/core/index.ts';
import { captureReader, compileFilter } from '../../src/wire/index.ts';
import { captureOf, type CapturedFrame } from '../capture.ts';
import { FRAMES } from '../frames.ts';
import { file, program, requires } from '../requires.ts';
import { expression, rawExpression } from './expressions.ts';
import { randomFrame } from './random-frames.ts';

// Names of ports and protocols are the system's for tcpdump.
const skip = requires(program('tcpdump'), file('/etc/services', 'netbase'));

const ETHERNET = 1;
const RAW_IP = 101;

function manyFrames(random: Random, count: number): CapturedFrame[] {
  const real = Object.values(FRAMES).map((bytes) => ({ bytes, length: bytes.length }));
  return [...real, ...Array.from({ length: count }, () => randomFrame(random))];
}

/** The indices of the frames that tcpdump lets pass, without its optimizer: that leaves out loads whose value does not matter. */
function tcpdump(capture: Uint8Array, text: string): number[] {
  const args = ['-O', '-r', '-', '-w', '-', '-U', '--', text];
  const run = spawnSync('tcpdump', args, { input: capture, maxBuffer: 64 * 1024 * 1024 });
  // It takes the index of a load on the right for what is divided by, or shifted by, and may refuse that.
  fc.pre(!/(?:division|modulus) by zero|shift by more than 31 bits/.test(String(run.stderr)));
  assert.equal(run.status, 0, `${text}: ${run.stderr}`);
  const passed: number[] = [];
  const reader = captureReader({
    packet: ({ time }) => void passed.push(Number(time! / 1_000_000_000n)),
  });
  assert.equal(reader.push(new Uint8Array(run.stdout)), undefined);
  return passed;
}

function ours(frames: readonly CapturedFrame[], text: string, linkType: number): number[] {
  const filter = compileFilter(text, { linkType });
  return frames.flatMap(({ bytes, length }, index) => (filter(bytes, length) ? index : []));
}

/** Compares the frames that pass; answers how many do. */
function comparison(frames: readonly CapturedFrame[], linkType: number): (text: string) => number {
  const capture = captureOf(frames, linkType);
  return (text) => {
    const passed = ours(frames, text, linkType);
    assert.deepEqual(passed, tcpdump(capture, text), text);
    return passed.length;
  };
}

test('random frames pass a random expression if they pass it in tcpdump', { skip }, () => {
  const frames = manyFrames(seededRandom(1), 600);
  const compare = comparison(frames, ETHERNET);
  let decided = 0;
  fc.assert(
    fc.property(expression, (text) => {
      const passed = compare(text);
      if (passed > 0 && passed < frames.length) decided++;
    }),
    { numRuns: 400 },
  );
  // Expressions that all frames pass, or none, would prove little.
  assert.ok(decided > 200, `only ${decided} expressions told frames apart`);
});

test('packets without a frame pass likewise', { skip }, () => {
  const frames = manyFrames(seededRandom(2), 400).map(({ bytes, length }) => ({
    bytes: bytes.subarray(14),
    length: Math.max(length - 14, 0),
  }));
  const compare = comparison(frames, RAW_IP);
  fc.assert(
    fc.property(rawExpression, (text) => void compare(text)),
    { numRuns: 100 },
  );
});

test('what people write passes the same frames as in tcpdump', { skip }, () => {
  const compare = comparison(manyFrames(seededRandom(3), 600), ETHERNET);
  for (const text of [
    'tcp port 80 or 443',
    'tcp port 80 or not 443',
    'port (80 or 443) and host 192.0.2.1',
    'tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 and not src and dst net 192.0.2.0/24',
    'tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)',
    'icmp[icmptype] != icmp-echo and icmp[icmptype] != icmp-echoreply',
    'ether[0] & 1 = 0 and ip[16] >= 224',
    'vlan 7 && !tcp || ip6',
    'vlan and vlan and ip',
    'net 10 or net 192.0.2 or net 198.51.100.0 mask 255.255.255.0',
    'ip6 and not icmp6 and less 100',
    'ether proto 0x88a8 or stp or ether proto 6 or ether proto 0xfe',
    'tcp[0 - 4 : 4] = 0xc0000202',
    'ip proto \\udp and ip6 proto 17 or proto \\tcp',
    'icmp6[icmp6type] = icmp6-neighborsolicit or arp[6:2] = 2',
  ]) {
    compare(text);
  }
});
