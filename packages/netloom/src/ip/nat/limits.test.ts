/** A NAT's tables are bounded, and one inside host cannot take them from the others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NatBench, end } from '../../../test/ip/nat-bench.ts';
import { openNat } from './open-nat.ts';

const R = '198.51.100.7';
const OUT = '203.0.113.1';

/** Opens flows from one host, each from another port; answers how many went out. */
function open(bench: NatBench, host: string, count: number, firstPort = 2000): number {
  let sent = 0;
  for (let i = 0; i < count; i++) sent += outside(bench.udp(`${host}:${firstPort + i}`, `${R}:53`));
  return sent;
}

function outside(lines: readonly string[]): number {
  return lines.filter((line) => line.startsWith('out ')).length;
}

function flowsOf(bench: NatBench, host: string): number {
  return [...bench.nat.flows()].filter(({ inside }) => String(inside.address) === host).length;
}

test('at its limit a host loses its own oldest flow that is not established', () => {
  const bench = new NatBench({ limits: { flowsPerHost: 10 } });
  open(bench, '10.0.0.3', 5);
  assert.equal(open(bench, '10.0.0.2', 30), 30, 'each new one is let in');
  assert.deepEqual([flowsOf(bench, '10.0.0.2'), flowsOf(bench, '10.0.0.3')], [10, 5]);
  assert.deepEqual(bench.nat.drops.snapshot(), { 'nat-flow-displaced': 20 });
  const ports = [...bench.nat.flows()].map(({ inside }) => inside.port);
  assert.ok(!ports.includes(2019) && ports.includes(2020));
});

test('established flows do not give way: new ones of that host are refused, and it is told', () => {
  const bench = new NatBench({ limits: { flowsPerHost: 3 } });
  for (let i = 0; i < 3; i++) {
    bench.udp(`10.0.0.2:${2000 + i}`, `${R}:53`);
    bench.udp(`${R}:53`, `${OUT}:${2000 + i}`);
  }
  assert.match(bench.udp('10.0.0.2:3000', `${R}:53`).join(), /^in .*prohibited/);
  assert.equal(open(bench, '10.0.0.3', 1), 1);
  assert.deepEqual(bench.nat.drops.snapshot(), { 'nat-host-limit': 1 });
});

test('when the table is full, the oldest flow that is not established gives way, whosever it is', () => {
  const bench = new NatBench({ limits: { flows: 20, flowsPerHost: 15 } });
  bench.udp('10.0.0.4:1234', `${R}:53`);
  bench.udp(`${R}:53`, `${OUT}:1234`);
  open(bench, '10.0.0.2', 40);
  open(bench, '10.0.0.3', 40);
  assert.equal(bench.nat.flowCount, 20);
  assert.equal(open(bench, '10.0.0.5', 1), 1);
  assert.equal(bench.nat.flowCount, 20);
  assert.equal(flowsOf(bench, '10.0.0.4'), 1, 'what is established stays');
  assert.equal(bench.udp(`${R}:53`, `${OUT}:1234`).length, 1);
});

test('connections that are open outlive a flood of SYNs by the same host', () => {
  const bench = new NatBench({ limits: { flowsPerHost: 50 } });
  bench.tcp('10.0.0.2:1234', `${R}:80`, 'S');
  bench.tcp(`${R}:80`, `${OUT}:1234`, 'S.');
  for (let i = 0; i < 500; i++) bench.tcp(`10.0.0.2:${2000 + i}`, `192.0.2.9:${1 + i}`, 'S');
  assert.equal(bench.nat.flowCount, 50);
  assert.equal(bench.tcp(`${R}:80`, `${OUT}:1234`, '.', 10).length, 1);
});

test('who scans a mapping from outside displaces no answered flow of the inside host', () => {
  const bench = new NatBench({ limits: { flowsPerHost: 20 } });
  bench.udp('10.0.0.2:1234', `${R}:53`);
  bench.udp(`${R}:53`, `${OUT}:1234`);
  for (let i = 0; i < 100; i++) bench.udp(`192.0.2.9:${1 + i}`, `${OUT}:1234`);
  assert.equal(bench.nat.flowCount, 20);
  assert.equal(bench.udp(`${R}:53`, `${OUT}:1234`).length, 1);
  assert.equal([...bench.nat.flows()].filter(({ state }) => state === 'answered').length, 1);
});

test('a mapping whose only flow gives way to a packet from outside is not used any more', () => {
  const bench = new NatBench({ limits: { flowsPerHost: 1 } });
  bench.udp('10.0.0.2:1234', `${R}:53`);
  assert.deepEqual(
    bench.udp('192.0.2.9:1', `${OUT}:1234`).filter((line) => line.startsWith('in')),
    [],
  );
  assert.deepEqual([bench.nat.flowCount, bench.nat.mappingCount], [0, 0]);
});

test('when no port is free, the host is told, and others are not troubled', () => {
  const bench = new NatBench({ limits: { flowsPerHost: 2000 } });
  // Ports below 1024 stay there: 1,022 of them.
  let sent = 0;
  for (const host of ['10.0.0.2', '10.0.0.3']) {
    for (let port = 1; port < 1024; port++)
      sent += outside(bench.udp(`${host}:${port}`, `${R}:53`));
  }
  assert.ok(sent >= 1021 && sent <= 1023, `${sent}`);
  assert.equal(bench.nat.drops.get('nat-ports-exhausted'), 2 * 1023 - sent);
  assert.equal(open(bench, '10.0.0.4', 1), 1);
});

test('publications are limited', () => {
  const bench = new NatBench({ limits: { publications: 2 } });
  const publish = (port: number): void => {
    bench.nat.publish({ protocol: 'tcp', external: { port }, inside: end('10.0.0.2:80') });
  };
  publish(1);
  assert.throws(() => publish(1), { code: 'ADDRESS_IN_USE' });
  publish(2);
  assert.throws(() => publish(3), { code: 'TOO_MANY_OPEN' });
});

test('what is neither TCP, UDP nor ICMP, or too short for its header, is dropped and counted', () => {
  const bench = new NatBench();
  const { sent } = bench;
  assert.equal(sent.length, 0);
  for (const [protocol, length] of [
    [47, 20],
    [6, 19],
    [17, 7],
    [1, 7],
  ] as const) {
    assert.deepEqual(bench.raw('10.0.0.2', R, protocol, new Uint8Array(length)), []);
  }
  assert.equal(bench.nat.drops.get('nat-untranslatable'), 4);
});

test('the inside and the outside are different interfaces', () => {
  const { bench } = new NatBench();
  const via = bench.interface;
  assert.throws(() => openNat(bench.stack, { inside: [via], outside: via }), {
    code: 'INTERFACE_INVALID',
  });
  assert.throws(() => openNat(bench.stack, { inside: [], outside: via }), {
    code: 'INTERFACE_INVALID',
  });
});
