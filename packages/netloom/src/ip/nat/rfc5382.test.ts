/** RFC 5382, requirement by requirement: TCP through a NAT; and what RFC 7857 adds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NatBench, end, portOf } from '../../../test/ip/nat-bench.ts';

const A = '10.0.0.2:5000';
const R = '198.51.100.7:80';
const R2 = '198.51.100.7:81';
const S = '192.0.2.9:80';
const OUT = '203.0.113.1:5000';
const MINUTE = 60_000;

/** A NAT through which a connection from A to R is open. */
function connected(options: ConstructorParameters<typeof NatBench>[0] = {}): NatBench {
  const bench = new NatBench(options);
  assert.equal(bench.tcp(A, R, 'S').length, 1);
  assert.equal(bench.tcp(R, OUT, 'S.').length, 1);
  assert.equal(bench.tcp(A, R, '.').length, 1);
  assert.equal(stateOf(bench), 'established');
  return bench;
}

function stateOf(bench: NatBench): string {
  return [...bench.nat.flows()].map(({ state }) => state).join();
}

test('a connection is followed through its states, in both families', () => {
  for (const [inside, remote, external] of [
    [A, R, OUT],
    ['[fd00::2]:5000', '[2001:db8:f::7]:80', '[2001:db8::1]:5000'],
  ] as const) {
    const bench = new NatBench();
    assert.match(bench.tcp(inside, remote, 'S').join(), /^out/);
    assert.equal(stateOf(bench), 'inside-opening');
    assert.match(bench.tcp(remote, external, 'S.').join(), /^in/);
    assert.equal(stateOf(bench), 'established');
    bench.tcp(inside, remote, 'F.');
    assert.equal(stateOf(bench), 'inside-ended');
    bench.tcp(remote, external, '.', 100);
    assert.equal(stateOf(bench), 'inside-ended');
    bench.tcp(remote, external, 'F.');
    assert.equal(stateOf(bench), 'ended');
    assert.match(bench.tcp(inside, remote, '.').join(), /^out/);
    bench.tcp(inside, remote, 'S');
    assert.equal(stateOf(bench), 'inside-opening', 'the same ports again');
  }
});

test('REQ-1: the mapping is endpoint-independent unless another is asked for', () => {
  for (const [mapping, again] of [
    ['endpoint-independent', true],
    ['address-and-port-dependent', false],
  ] as const) {
    const bench = new NatBench({ behaviour: { mapping, ports: 'random' } });
    const port = portOf(bench.tcp(A, R, 'S'));
    assert.equal(portOf(bench.tcp(A, S, 'S')) === port, again, mapping);
  }
});

test('REQ-2: both may open at once', () => {
  const bench = new NatBench({ behaviour: { filtering: 'address-and-port-dependent' } });
  bench.tcp(A, R, 'S');
  assert.equal(bench.tcp(R, OUT, 'S').length, 1);
  assert.equal(stateOf(bench), 'established');
  assert.equal(bench.tcp(R, OUT, 'S.').length, 1);
  assert.equal(bench.tcp(A, R, 'S.').length, 1);
});

test('REQ-3: the filter lets SYNs in from whom it says', () => {
  for (const [filtering, samePort, sameAddress, other] of [
    ['endpoint-independent', true, true, true],
    ['address-dependent', true, true, false],
    ['address-and-port-dependent', true, false, false],
  ] as const) {
    const bench = new NatBench({ behaviour: { filtering } });
    bench.tcp(A, R, 'S');
    const got = (from: string): boolean => bench.tcp(from, OUT, 'S').length === 1;
    assert.deepEqual([got(R), got(R2), got(S)], [samePort, sameAddress, other], filtering);
  }
});

test('REQ-4: an unsolicited SYN is refused after six seconds, and not before', () => {
  const filtering = 'address-and-port-dependent';
  for (const known of [true, false]) {
    const bench = new NatBench({ behaviour: { filtering } });
    if (known) bench.tcp(A, R, 'S');
    assert.deepEqual(bench.tcp(S, OUT, 'S'), []);
    assert.deepEqual(bench.tcp(S, OUT, 'S'), [], 'sent again');
    assert.deepEqual(bench.pass(5999), []);
    const [line, ...more] = bench.pass(2);
    assert.match(
      line!,
      /^out 203\.0\.113\.1 > 192\.0\.2\.9 ICMP port unreachable for 192\.0\.2\.9:80 > 203\.0\.113\.1:5000 TCP/,
    );
    assert.deepEqual(more, []);
  }
});

test('REQ-4: it is not refused when the inside host opens meanwhile, and the open succeeds', () => {
  const bench = new NatBench({ behaviour: { filtering: 'address-and-port-dependent' } });
  bench.tcp(A, R, 'S');
  assert.deepEqual(bench.tcp(S, OUT, 'S'), []);
  bench.pass(3000);
  assert.equal(bench.tcp(A, S, 'S').length, 1);
  assert.deepEqual(bench.pass(10_000), []);
  assert.equal(bench.tcp(S, OUT, 'S').length, 1);
});

test('REQ-4: what is held is limited', () => {
  const bench = new NatBench({ limits: { heldSyns: 3 } });
  for (let port = 1; port <= 5; port++)
    assert.deepEqual(bench.tcp(`192.0.2.9:${port}`, OUT, 'S'), []);
  assert.equal(bench.nat.drops.get('nat-held-syns-limit'), 2);
  assert.equal(bench.pass(6001).length, 3);
});

test('REQ-5: an established connection lives two hours and four minutes without traffic', () => {
  const bench = connected();
  bench.pass(124 * MINUTE - 1000);
  assert.equal(bench.tcp(R, OUT, '.', 10).length, 1);
  bench.pass(124 * MINUTE - 1000);
  assert.equal(bench.nat.flowCount, 1);
  bench.pass(2000);
  assert.deepEqual([bench.nat.flowCount, bench.nat.mappingCount], [0, 0]);
  assert.deepEqual(bench.tcp(A, R, '.', 10), [], 'nothing is begun in the middle');
  assert.equal(bench.nat.drops.get('nat-no-flow'), 1);
});

test('REQ-5: what is opening, or has ended, lives four minutes', () => {
  const opening = new NatBench();
  opening.tcp(A, R, 'S');
  opening.pass(4 * MINUTE - 1000);
  assert.equal(opening.nat.flowCount, 1);
  opening.pass(2000);
  assert.equal(opening.nat.flowCount, 0);
  const ended = connected();
  ended.tcp(A, R, 'F.');
  ended.pass(60 * MINUTE);
  assert.equal(ended.nat.flowCount, 1, 'half closed is not ended');
  ended.tcp(R, OUT, 'F.');
  ended.pass(3 * MINUTE);
  assert.equal(ended.tcp(A, R, '.').length, 1, 'RFC 793 has the last acknowledgment sent again');
  ended.pass(MINUTE + 1000);
  assert.equal(ended.nat.flowCount, 0, 'and it does not live longer by that');
});

test('REQ-5: what is opening is kept by its SYN, sent again, and by nothing else', () => {
  const bench = new NatBench();
  bench.tcp(A, R, 'S');
  bench.pass(3 * MINUTE);
  assert.equal(bench.tcp(A, R, 'S').length, 1);
  bench.pass(3 * MINUTE);
  assert.equal(stateOf(bench), 'inside-opening');
  bench.tcp(R, OUT, '.', 10);
  bench.tcp(A, R, '.', 10);
  bench.pass(MINUTE + 1000);
  assert.equal(bench.nat.flowCount, 0);
});

test('RFC 7857, section 2.2: a reset is believed when nothing comes after it', () => {
  const bench = connected();
  bench.tcp(R, OUT, 'R');
  assert.equal(stateOf(bench), 'reset');
  bench.tcp(A, R, '.', 10);
  assert.equal(stateOf(bench), 'established', 'someone made it up');
  bench.pass(60 * MINUTE);
  assert.equal(bench.nat.flowCount, 1);
  bench.tcp(A, R, 'R');
  bench.tcp(A, R, 'R');
  bench.pass(4 * MINUTE + 1000);
  assert.equal(bench.nat.flowCount, 0);
});

test('REQ-7: no port is given to two connections', () => {
  const bench = new NatBench();
  bench.tcp(A, R, 'S');
  const port = portOf(bench.tcp('10.0.0.3:5000', R, 'S'));
  assert.notEqual(port, 5000);
  assert.match(bench.tcp(R, `203.0.113.1:${port}`, 'S.').join(), /^in .*10\.0\.0\.3:5000/);
});

test('REQ-8: inside hosts connect by external ends, and see external ends', () => {
  const bench = new NatBench();
  bench.tcp(A, R, 'S');
  assert.match(
    bench.tcp('10.0.0.3:6000', OUT, 'S').join(),
    /^in 203\.0\.113\.1:6000 > 10\.0\.0\.2:5000/,
  );
  assert.match(
    bench.tcp(A, '203.0.113.1:6000', 'S.').join(),
    /^in 203\.0\.113\.1:5000 > 10\.0\.0\.3:6000/,
  );
  assert.match(
    bench.tcp('10.0.0.3:6000', OUT, '.').join(),
    /^in 203\.0\.113\.1:6000 > 10\.0\.0\.2:5000/,
  );
});

test('REQ-9, REQ-10: an ICMP error reaches the sender and ends nothing', () => {
  const bench = connected();
  bench.tcp(A, R, '.', 1000);
  const sent = bench.last;
  const [line] = bench.error('192.0.2.1', '203.0.113.1', 3, 4, 1280, sent);
  assert.match(
    line!,
    /^in 192\.0\.2\.1 > 10\.0\.0\.2 ICMP fragmentation needed mtu=1280 for 10\.0\.0\.2:5000 > 198\.51\.100\.7:80 TCP/,
  );
  bench.error('198.51.100.7', '203.0.113.1', 3, 3, 0, sent);
  assert.equal(stateOf(bench), 'established');
  assert.equal(bench.tcp(R, OUT, '.', 10).length, 1);
});

test('a published port leads inside, for anybody, until it is closed', () => {
  const bench = new NatBench({ behaviour: { filtering: 'address-and-port-dependent' } });
  const inside = end('10.0.0.2:8080');
  const publication = bench.nat.publish({ protocol: 'tcp', external: { port: 80 }, inside });
  assert.match(
    bench.tcp(S, '203.0.113.1:80', 'S').join(),
    /^in 192\.0\.2\.9:80 > 10\.0\.0\.2:8080/,
  );
  assert.match(
    bench.tcp('10.0.0.2:8080', S, 'S.').join(),
    /^out 203\.0\.113\.1:80 > 192\.0\.2\.9:80/,
  );
  assert.match(
    bench.tcp('10.0.0.3:1234', '203.0.113.1:80', 'S').join(),
    /^in 203\.0\.113\.1:1234 > 10\.0\.0\.2:8080/,
  );
  assert.match(bench.tcp('10.0.0.2:8080', R, 'S').join(), /^out 203\.0\.113\.1:80 >/);
  assert.throws(() => bench.nat.publish({ protocol: 'tcp', external: { port: 80 }, inside }), {
    code: 'ADDRESS_IN_USE',
  });
  bench.nat.publish({ protocol: 'udp', external: { port: 80 }, inside });
  publication.close();
  publication.close();
  assert.deepEqual(bench.tcp(R2, '203.0.113.1:80', 'S'), []);
  assert.equal(bench.nat.mappingCount, 2, 'the UDP port, and the connection from 10.0.0.3');
});

test('a port where the router itself listens is its own, and cannot be published', () => {
  const bench = new NatBench();
  const { stack } = bench.bench;
  const listener = stack.tcp.listen(80, undefined, undefined, () => undefined);
  assert.match(bench.tcp(S, '203.0.113.1:80', 'S').join(), /^out 203\.0\.113\.1:80 > .*SYN,ACK/);
  const inside = end('10.0.0.2:8080');
  assert.throws(() => bench.nat.publish({ protocol: 'tcp', external: { port: 80 }, inside }), {
    code: 'ADDRESS_IN_USE',
  });
  stack.tcp.unlisten(listener);
});
