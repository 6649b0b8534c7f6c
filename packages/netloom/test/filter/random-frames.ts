/** Frames whose fields come from few values, so that filters over those values tell them apart. */
import type { Random } from '../../src/core/index.ts';
import type { CapturedFrame } from '../capture.ts';

/** What the fields are chosen from; expressions ask for the same. */
export const MACS = ['02:00:00:00:00:01', '02:00:00:00:00:02', 'ff:ff:ff:ff:ff:ff'];
export const IPV4S = ['192.0.2.1', '192.0.2.2', '10.1.2.3', '224.0.0.251'];
export const IPV6S = ['2001:db8::1', '2001:db8::2', 'fe80::1', 'ff02::fb'];
export const PORTS = [53, 80, 443, 5353, 50_000];
export const VLANS = [1, 7, 4095];

const IPV6_WORDS: Readonly<Record<string, readonly number[]>> = {
  '2001:db8::1': [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1],
  '2001:db8::2': [0x2001, 0xdb8, 0, 0, 0, 0, 0, 2],
  'fe80::1': [0xfe80, 0, 0, 0, 0, 0, 0, 1],
  'ff02::fb': [0xff02, 0, 0, 0, 0, 0, 0, 0xfb],
};

function choose<T>(random: Random, values: readonly T[]): T {
  return values[random.below(values.length)]!;
}

function word(value: number): number[] {
  return [(value >>> 8) & 255, value & 255];
}

function mac(random: Random): number[] {
  return choose(random, MACS)
    .split(':')
    .map((octet) => parseInt(octet, 16));
}

function ipv4(random: Random): number[] {
  return choose(random, IPV4S).split('.').map(Number);
}

function ipv6(random: Random): number[] {
  return IPV6_WORDS[choose(random, IPV6S)]!.flatMap(word);
}

function transport(random: Random): number[] {
  const rest = Array.from({ length: choose(random, [4, 16, 40]) }, () => random.below(256));
  return [...word(choose(random, PORTS)), ...word(choose(random, PORTS)), ...rest];
}

function protocol(random: Random): number {
  return choose(random, [6, 6, 17, 17, 1, 2, 58, 132, 103, 44]);
}

function ipv4Packet(random: Random): number[] {
  const words = choose(random, [5, 5, 5, 6, 15, 4]);
  const options = Array.from({ length: Math.max(0, 4 * words - 20) }, () => random.below(256));
  const fragment = choose(random, [0, 0, 0, 0x4000, 0x2000, 0x2001, 0x1000, 0x1fff]);
  const fixed = [0x40 | words, 0, ...word(100), ...word(1), ...word(fragment), 64];
  const header = [...fixed, protocol(random), 0, 0, ...ipv4(random), ...ipv4(random)];
  return [...header, ...options, ...transport(random)];
}

function ipv6Packet(random: Random): number[] {
  const next = protocol(random);
  const header = [0x60, 0, 0, 0, ...word(48), next, 64, ...ipv6(random), ...ipv6(random)];
  const fragment = next === 44 ? [protocol(random), 0, ...word(0), 0, 0, 0, 1] : [];
  return [...header, ...fragment, ...transport(random)];
}

function arpPacket(random: Random): number[] {
  const fixed = [0, 1, 8, 0, 6, 4, 0, 1 + random.below(2)];
  return [...fixed, ...mac(random), ...ipv4(random), ...mac(random), ...ipv4(random)];
}

/** The type of a payload, and the payload. */
function payload(random: Random): number[] {
  const noise = Array.from({ length: 30 }, () => random.below(256));
  const point = choose(random, [0x42, 6, 0xfe]);
  return choose<() => number[]>(random, [
    () => [8, 0, ...ipv4Packet(random)],
    () => [8, 0, ...ipv4Packet(random)],
    () => [0x86, 0xdd, ...ipv6Packet(random)],
    () => [0x86, 0xdd, ...ipv6Packet(random)],
    () => [8, 6, ...arpPacket(random)],
    () => [0x80, 0x35, ...arpPacket(random)],
    () => [0, 40, point, point, 3, ...noise],
    () => [0x12, 0x34, ...noise],
  ])();
}

function tags(random: Random): number[] {
  const count = choose(random, [0, 0, 0, 1, 2]);
  return Array.from({ length: count }, () => [
    ...word(choose(random, [0x8100, 0x8100, 0x88a8, 0x9100])),
    ...word((random.below(16) << 12) | choose(random, VLANS)),
  ]).flat();
}

/** A frame, now and then cut off. */
export function randomFrame(random: Random): CapturedFrame {
  const whole = [...mac(random), ...mac(random), ...tags(random), ...payload(random)];
  const kept = random.below(4) === 0 ? random.below(whole.length + 1) : whole.length;
  const bytes = Uint8Array.from(whole.slice(0, kept));
  return { bytes, length: random.below(2) === 0 ? kept : whole.length };
}
