/** RFC 5508, requirement by requirement: ICMP through a NAT. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyBytes } from '../../core/index.ts';
import { icmpFrame, udpFrame } from '../../../test/ip/frames.ts';
import { NatBench, end, first } from '../../../test/ip/nat-bench.ts';

const A = '10.0.0.2';
const R = '198.51.100.7';
const OUT = '203.0.113.1';

/** The identifier of the echo message that left last. */
function identifierOf({ last }: NatBench, family: 4 | 6 = 4): number {
  const at = 14 + (family === 4 ? 20 : 40) + 4;
  return (last[at]! << 8) | last[at + 1]!;
}

test('REQ-1: echo requests go out, and their replies come back, in both families', () => {
  for (const [family, inside, remote, external] of [
    [4, A, R, OUT],
    [6, 'fd00::2', '2001:db8:f::7', '2001:db8::1'],
  ] as const) {
    const bench = new NatBench();
    assert.match(
      bench.echo(inside, remote, 77)[0]!,
      new RegExp(`^out ${external} > ${remote} .*echo request`),
    );
    assert.equal(identifierOf(bench, family), 77);
    assert.match(
      bench.echo(remote, external, 77, true)[0]!,
      new RegExp(`^in ${remote} > ${inside} .*echo reply`),
    );
    const other = inside.replace(/2$/, '3');
    bench.echo(other, remote, 77);
    const identifier = identifierOf(bench, family);
    assert.notEqual(identifier, 77);
    assert.match(bench.echo(remote, external, identifier, true)[0]!, new RegExp(`> ${other} `));
    assert.equal(identifierOf(bench, family), 77);
  }
});

test('REQ-1 a: an identifier is the same for all remote ends, but a reply comes only from who was asked', () => {
  const bench = new NatBench({ behaviour: { ports: 'random' } });
  bench.echo(A, R, 77);
  const identifier = identifierOf(bench);
  bench.echo(A, '192.0.2.9', 77);
  assert.equal(identifierOf(bench), identifier);
  assert.deepEqual(bench.echo('192.0.2.200', OUT, identifier, true), []);
});

test('REQ-2: a query is remembered for sixty seconds', () => {
  const bench = new NatBench();
  bench.echo(A, R, 77);
  bench.pass(59_000);
  assert.equal(bench.echo(R, OUT, 77, true).length, 1);
  bench.pass(2000);
  assert.equal(bench.nat.flowCount, 0);
  assert.deepEqual(bench.echo(R, OUT, 77, true), []);
});

test('REQ-3: an error whose checksum is wrong goes nowhere', () => {
  const bench = new NatBench();
  bench.udp(`${A}:5000`, `${R}:53`);
  const sent = bench.last;
  const lines = bench.send(end(`${R}:0`), end(`${OUT}:0`), (ends) => {
    const frame = icmpFrame(ends, 3, 3, 0, sent.subarray(14));
    frame[14 + 20 + 2]! ^= 0x55;
    return frame;
  });
  assert.deepEqual(lines, []);
});

/** [type and code, the type's word, what is said of it] */
const ERRORS = {
  4: [
    [3, 1, 0, 'host unreachable'],
    [3, 3, 0, 'port unreachable'],
    [3, 4, 1400, 'fragmentation needed mtu=1400'],
    [11, 0, 0, 'time to live exceeded'],
    [12, 0, 0, 'parameter problem at byte 0'],
  ],
  6: [
    [1, 4, 0, 'port unreachable'],
    [2, 0, 1400, 'packet too big mtu=1400'],
    [3, 0, 0, 'time to live exceeded'],
  ],
} as const;

for (const [family, inside, remote, external, router] of [
  [4, A, R, OUT, '192.0.2.1'],
  [6, 'fd00::2', '2001:db8:f::7', '2001:db8::1', '2001:db8:e::1'],
] as const) {
  const at = (address: string, port: number): string =>
    family === 4 ? `${address}:${port}` : `[${address}]:${port}`;

  test(`REQ-4: errors from outside reach the inside host, about what it sent (IPv${family})`, () => {
    for (const [type, code, rest, name] of ERRORS[family]) {
      for (const send of [
        (bench: NatBench) => bench.udp(at(inside, 5000), at(remote, 53)),
        (bench: NatBench) => bench.tcp(at(inside, 5000), at(remote, 53), 'S'),
        (bench: NatBench) => bench.echo(inside, remote, 77),
      ]) {
        const bench = new NatBench({ behaviour: { ports: 'random' } });
        send(bench);
        const sent = bench.last;
        const line = first(bench.error(router, external, type, code, rest, sent));
        assert.ok(line.startsWith(`in ${router} > ${inside} `), line);
        assert.ok(
          line.includes(`${name} for ${inside}`) ||
            line.includes(`${name} for ${at(inside, 5000)}`),
          line,
        );
        assert.ok(line.includes(remote), line);
        // A quote of eight bytes behind the header, as RFC 792 has it, is enough.
        const short = sent.subarray(0, 14 + (family === 4 ? 20 : 40) + 8);
        assert.match(bench.error(router, external, type, code, rest, short).join(), /^in /);
      }
    }
  });

  test(`REQ-5: errors from inside are seen as from the external address (IPv${family})`, () => {
    for (const [type, code, rest, name] of ERRORS[family]) {
      const bench = new NatBench({ behaviour: { ports: 'random' } });
      bench.udp(at(inside, 5000), at(remote, 53));
      const [flow] = [...bench.nat.flows()];
      const { port } = flow!.external;
      bench.udp(at(remote, 53), at(external, port));
      const line = first(bench.error(inside, remote, type, code, rest, bench.last));
      assert.ok(line.startsWith(`out ${external} > ${remote} `), line);
      assert.ok(line.includes(`${name} for ${at(remote, 53)} > ${at(external, port)}`), line);
      assert.ok(!line.includes(inside), line);
    }
  });

  test(`REQ-7: errors between inside hosts are translated both ways (IPv${family})`, () => {
    const bench = new NatBench({ behaviour: { ports: 'random' } });
    const other = inside.replace(/2$/, '3');
    bench.udp(at(inside, 5000), at(remote, 53));
    const target = at(external, [...bench.nat.flows()][0]!.external.port);
    const [hairpinned] = bench.udp(at(other, 6000), target);
    assert.match(hairpinned!, /^in /);
    const [type, code] = family === 4 ? [3, 3] : [1, 4];
    const line = first(bench.error(inside, external, type!, code!, 0, bench.last));
    assert.ok(line.startsWith(`in ${external} > ${other} `), line);
    assert.ok(line.includes(`port unreachable for ${at(other, 6000)} > ${target}`), line);
  });

  test(`an error about nothing that went through is not passed on (IPv${family})`, () => {
    const bench = new NatBench();
    bench.udp(at(inside, 5000), at(remote, 53));
    const sent = copyBytes(bench.last);
    // Another port, of which there is no mapping.
    sent[14 + (family === 4 ? 20 : 40) + 1]! ^= 1;
    const [type, code] = family === 4 ? [3, 3] : [1, 4];
    assert.deepEqual(bench.error(router, external, type!, code!, 0, sent), []);
    // It went outside, so nobody inside can know of it; and it did not go to whom the error goes.
    assert.deepEqual(bench.error(inside, remote, type!, code!, 0, bench.last), []);
  });
}

test('REQ-6: an error about a query neither ends it nor prolongs it', () => {
  const bench = new NatBench();
  bench.echo(A, R, 77);
  const sent = bench.last;
  bench.pass(50_000);
  assert.match(first(bench.error(R, OUT, 3, 1, 0, sent)), /^in .*host unreachable/);
  assert.equal(bench.nat.flowCount, 1);
  bench.pass(11_000);
  assert.equal(bench.nat.flowCount, 0);
});

test('REQ-8: a host that may open no more flows is told', () => {
  const bench = new NatBench({ limits: { flowsPerHost: 1 } });
  bench.udp(`${A}:5000`, `${R}:53`);
  bench.udp(`${R}:53`, `${OUT}:5000`);
  assert.match(
    bench.udp(`${A}:5001`, `${R}:53`).join(),
    /^in 10\.0\.0\.1 > 10\.0\.0\.2 ICMP .*prohibited/,
  );
  assert.equal(bench.nat.drops.get('nat-host-limit'), 1);
});

test('REQ-10: a packet on its last hop is reported by the router, and nothing is remembered of it', () => {
  const bench = new NatBench();
  const [line] = bench.send(end(`${A}:0`), end(`${R}:0`), (ends) =>
    icmpFrame({ ...ends, hopLimit: 1 }, 8, 0, 77 << 16, new Uint8Array(8)),
  );
  assert.match(line!, /^in 10\.0\.0\.1 > 10\.0\.0\.2 ICMP time to live exceeded/);
  assert.equal(bench.nat.flowCount, 0);
});

test('REQ-10: so is one from outside, and one from inside host to inside host', () => {
  const bench = new NatBench();
  bench.udp(`${A}:5000`, `${R}:53`);
  const lastHop = (from: string, to: string): string[] =>
    bench.send(end(from), end(to), (ends) =>
      udpFrame({ ...ends, hopLimit: 1 }, end(from).port, end(to).port, new Uint8Array(4)),
    );
  assert.match(
    first(lastHop(`${R}:53`, `${OUT}:5000`)),
    /^out 203\.0\.113\.1 > 198\.51\.100\.7 ICMP time to live exceeded for 198\.51\.100\.7:53 > 203\.0\.113\.1:5000/,
  );
  assert.match(
    first(lastHop('10.0.0.3:6000', `${OUT}:5000`)),
    /^in \S+ > 10\.0\.0\.3 ICMP time to live exceeded for 10\.0\.0\.3:6000 > 203\.0\.113\.1:5000/,
  );
  const [flow, ...others] = [...bench.nat.flows()];
  assert.deepEqual([flow!.inbound.packets, others.length], [0, 0]);
});

test('an error that does not go to the sender of what it quotes is not passed on', () => {
  const bench = new NatBench({ externals: ['203.0.113.1/24', '203.0.113.2/24'] });
  const [one, two] = ['203.0.113.1', '203.0.113.2'] as const;
  const sent = first(bench.udp(`${A}:5000`, `${R}:53`));
  const used = sent.startsWith(`out ${one}:`) ? one : two;
  const outbound = bench.last;
  assert.deepEqual(bench.error('192.0.2.1', used === one ? two : one, 3, 3, 0, outbound), []);
  assert.equal(bench.error('192.0.2.1', used, 3, 3, 0, outbound).length, 1);
  bench.udp(`${R}:53`, `${used}:5000`);
  const inbound = bench.last;
  assert.deepEqual(bench.error(A, '192.0.2.9', 3, 3, 0, inbound), []);
  assert.equal(bench.error(A, R, 3, 3, 0, inbound).length, 1);
});

test('a station that is not there is reported to the sender, about what it sent', () => {
  const bench = new NatBench();
  bench.send(end(`${A}:5000`), end('203.0.113.200:53'), () => new Uint8Array(14));
  assert.deepEqual(bench.udp(`${A}:5000`, '203.0.113.200:53'), []);
  assert.match(
    bench.pass(5000).join(),
    /in 10\.0\.0\.1 > 10\.0\.0\.2 ICMP host unreachable for 10\.0\.0\.2:5000 > 203\.0\.113\.200:53/,
  );
  // And from outside: an inside host that has gone.
  bench.udp('10.0.0.99:5000', `${R}:53`);
  const [flow] = [...bench.nat.flows()].filter(
    ({ inside }) => String(inside.address) === '10.0.0.99',
  );
  const { port } = flow!.external;
  bench.udp(`${R}:53`, `${OUT}:${port}`);
  const said = bench.pass(5000).join();
  assert.match(
    said,
    new RegExp(`out ${OUT} > ${R} ICMP host unreachable for ${R}:53 > ${OUT}:${port}`),
  );
});

test('the router answers echo requests to the external address itself', () => {
  const bench = new NatBench();
  assert.match(bench.echo(R, OUT, 5).join(), /^out 203\.0\.113\.1 > 198\.51\.100\.7 .*echo reply/);
  assert.match(bench.echo(A, OUT, 5).join(), /^in 203\.0\.113\.1 > 10\.0\.0\.2 .*echo reply/);
});

test('the router’s own pings work, even where an inside host has come to the same identifier', () => {
  const bench = new NatBench();
  const replies: unknown[] = [];
  bench.learn();
  const options = { size: 8, sequence: 1, hopLimit: 64 };
  bench.bench.stack.ping(end(`${R}:0`).address, options, (reply) => replies.push(reply));
  bench.lines();
  const identifier = identifierOf(bench);
  bench.echo(A, '192.0.2.9', identifier);
  assert.equal(identifierOf(bench), identifier);
  assert.deepEqual(bench.echo(R, OUT, identifier, true), []);
  assert.equal(replies.length, 1);
});
