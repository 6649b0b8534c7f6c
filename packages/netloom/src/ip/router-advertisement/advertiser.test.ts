import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Cidr, IpAddress, MacAddress, seededRandom } from '../../core/index.ts';
import {
  emitNdp,
  findNdpOption,
  ndpLength,
  parseNdp,
  type RouterAdvertisement,
} from '../../wire/index.ts';
import { RouterAdvertiser, type AdvertisedNetwork, type RouterAdvertiserOptions } from './index.ts';

const MAC = MacAddress.parse('02:00:00:00:00:01');
const PREFIX = Cidr.parse('2001:db8::/64');
const HOST = IpAddress.parse('fe80::9');

/** An advertiser, and what it has sent, with the instants. */
class Bench {
  readonly engine: RouterAdvertiser;
  readonly sent: { at: number; to: string; message: RouterAdvertisement }[] = [];
  now = 0;

  constructor(network: AdvertisedNetwork = {}, options: Partial<RouterAdvertiserOptions> = {}) {
    this.engine = new RouterAdvertiser(
      { network, mac: MAC, random: seededRandom(1), ...options },
      {
        send: (message, to) => this.sent.push({ at: this.now, to: to.toString(), message }),
      },
    );
  }

  start(): this {
    this.engine.start(this.now);
    return this;
  }

  run(until: number): void {
    for (let next = this.engine.deadline(); next <= until; next = this.engine.deadline()) {
      this.now = next;
      this.engine.advance(next);
    }
    this.now = until;
  }

  ask(source = HOST): void {
    this.engine.solicited(source, this.now);
  }

  toAll(): number[] {
    return this.sent.filter(({ to }) => to === 'ff02::1').map(({ at }) => at);
  }
}

function gaps(times: readonly number[]): number[] {
  return times.slice(1).map((time, index) => time - times[index]!);
}

test('three at short intervals, then at random ones between the bounds (RFC 4861, 6.2.4)', () => {
  const bench = new Bench().start();
  bench.run(24 * 3_600_000);
  const [first, second, ...rest] = gaps(bench.toAll());
  assert.equal(bench.sent[0]?.at, 0);
  assert.deepEqual([first, second], [16_000, 16_000]);
  assert.ok(rest.length > 140);
  assert.ok(rest.every((gap) => gap >= 200_000 && gap <= 600_000));
  assert.ok(new Set(rest).size > rest.length / 2, 'they are random');
});

test('what is said: flags, times, and the options in full', () => {
  const bench = new Bench({
    prefixes: [{ prefix: PREFIX, validLifetime: 86_400, preferredLifetime: 14_400 }],
    routes: [{ prefix: Cidr.parse('fd00::/8'), preference: 'high' }],
    dnsServers: [IpAddress.parse('2001:db8::1')],
    searchDomains: ['lan', 'example.com'],
    mtu: 1400,
    managed: true,
    otherConfiguration: true,
    preference: 'high',
  }).start();
  const { message } = bench.sent[0]!;
  const bytes = new Uint8Array(ndpLength(message));
  emitNdp(message, bytes, 0);
  const envelope = { hopLimit: 255, source: HOST, destination: IpAddress.parse('ff02::1') };
  assert.deepEqual(parseNdp(bytes, 0, bytes.length, envelope), message, 'it survives the wire');
  assert.deepEqual(
    [message.managed, message.otherConfiguration, message.preference, message.hopLimit],
    [true, true, 'high', 64],
  );
  assert.equal(message.routerLifetime, 1800);
  assert.deepEqual(
    message.options.map(({ kind }) => kind),
    ['source-link-address', 'mtu', 'prefix', 'route', 'dns-servers', 'search-domains'],
  );
  const prefix = findNdpOption(message.options, 'prefix')!;
  assert.deepEqual([prefix.onLink, prefix.autonomous], [true, true]);
  assert.deepEqual([prefix.validLifetime, prefix.preferredLifetime], [86_400, 14_400]);
  assert.deepEqual(findNdpOption(message.options, 'search-domains')?.domains, [
    'lan',
    'example.com',
  ]);
  assert.equal(findNdpOption(message.options, 'dns-servers')?.lifetime, 1800);
  assert.equal(findNdpOption(message.options, 'route')?.lifetime, 1800);
});

test('who asks is answered alone, after half a second at most (RFC 4861, 6.2.6)', () => {
  const bench = new Bench().start();
  bench.run(100_000);
  const before = bench.sent.length;
  bench.ask();
  bench.ask();
  bench.run(100_500);
  assert.deepEqual(
    bench.sent.slice(before).map(({ to }) => to),
    ['fe80::9'],
  );
  const { at } = bench.sent.at(-1)!;
  assert.ok(at > 100_000 && at <= 100_500);
  assert.equal(bench.engine.counters.get('asked-again'), 1);
});

test('who asks without an address is answered by telling all, three seconds after the last time at least', () => {
  const bench = new Bench().start();
  bench.run(100_000);
  bench.ask(IpAddress.ANY6);
  bench.run(100_500);
  const first = bench.toAll().at(-1)!;
  assert.ok(first > 100_000);
  bench.ask(IpAddress.ANY6);
  bench.ask(IpAddress.ANY6);
  bench.run(first + 2999);
  assert.equal(bench.toAll().at(-1), first);
  bench.run(first + 3000);
  assert.equal(bench.toAll().at(-1), first + 3000);
});

test('a flood is answered in a bounded way: some alone, the rest by telling all', () => {
  const bench = new Bench({}, { limits: { answers: 4, answersPerSecond: 2 } }).start();
  bench.run(100_000);
  const before = bench.sent.length;
  for (let station = 0; station < 5000; station++) {
    bench.ask(IpAddress.v6(0xfe80_0000, 0, 0, station + 1));
    bench.run(bench.now + 1);
  }
  const answers = bench.sent.slice(before);
  const alone = answers.filter(({ to }) => to !== 'ff02::1').length;
  assert.ok(alone > 0 && alone <= 4 + 2 * 5, `${alone} answers to single stations`);
  assert.ok(answers.length - alone <= 2, 'all are told every three seconds at most');
  assert.ok(bench.engine.counters.get('answered-along-with-all') > 4000);
});

test('at the end a last word: a router no longer, its DNS servers neither (RFC 4861, 6.2.5)', () => {
  const bench = new Bench({
    prefixes: [{ prefix: PREFIX }],
    routes: [{ prefix: Cidr.parse('fd00::/8') }],
    dnsServers: [IpAddress.parse('2001:db8::1')],
    searchDomains: ['lan'],
    preference: 'high',
  }).start();
  bench.run(1000);
  bench.engine.stop(1000);
  bench.engine.stop(1000);
  assert.equal(bench.sent.length, 2);
  const { message } = bench.sent.at(-1)!;
  assert.deepEqual([message.routerLifetime, message.preference], [0, 'medium']);
  for (const kind of ['dns-servers', 'search-domains', 'route'] as const) {
    assert.equal(findNdpOption(message.options, kind)?.lifetime, 0);
  }
  assert.equal(bench.engine.deadline(), Infinity);
  bench.ask();
  assert.equal(bench.engine.deadline(), Infinity, 'nobody is answered any more');
  bench.start();
  assert.equal(bench.sent.at(-1)?.message.routerLifetime, 1800, 'it can begin anew');
});

test('a change is told soon, and several times', () => {
  const bench = new Bench({ mtu: 1500 }).start();
  bench.run(100_000);
  const before = bench.toAll().length;
  bench.engine.change({ mtu: 1400 }, bench.now);
  bench.run(140_000);
  assert.deepEqual(bench.toAll().slice(before), [100_000, 116_000, 132_000]);
  assert.equal(findNdpOption(bench.sent.at(-1)!.message.options, 'mtu')?.mtu, 1400);
  assert.throws(() => bench.engine.change({ mtu: 100 }, bench.now), {
    code: 'ROUTER_ADVERTISEMENT_INVALID',
  });
  assert.equal(bench.engine.network.mtu, 1400);
});

test('what RFC 4861, section 6.2.1 does not allow is refused', () => {
  const networks: AdvertisedNetwork[] = [
    { routerLifetime: 9001 },
    { routerLifetime: NaN },
    { mtu: 1279 },
    { prefixes: [{ prefix: PREFIX, validLifetime: 10, preferredLifetime: 11 }] },
    { prefixes: [{ prefix: Cidr.parse('2001:db8::/48') }] },
    { prefixes: [{ prefix: Cidr.parse('10.0.0.0/24'), autonomous: false }] },
  ];
  const code = 'ROUTER_ADVERTISEMENT_INVALID';
  for (const network of networks) assert.throws(() => new Bench(network), { code });
  for (const options of [
    { maximumInterval: 3999 },
    { maximumInterval: 1_800_001 },
    { minimumInterval: 2999 },
    { maximumInterval: 10_000, minimumInterval: 7501 },
  ]) {
    assert.throws(() => new Bench({}, options), { code });
  }
  assert.doesNotThrow(() => new Bench({}, { maximumInterval: 4000 }));
});

test('whoever asks when: all are told three seconds apart at least, and never too seldom', () => {
  const step = fc.record({ wait: fc.nat(4000), station: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const bench = new Bench().start();
      for (const { wait, station } of steps) {
        bench.run(bench.now + wait);
        bench.ask(station === 0 ? IpAddress.ANY6 : IpAddress.v6(0xfe80_0000, 0, 0, station));
        assert.ok(bench.engine.deadline() >= bench.now);
      }
      bench.run(bench.now + 700_000);
      for (const gap of gaps(bench.toAll())) assert.ok(gap >= 3000 && gap <= 600_000, `${gap}`);
    }),
    { numRuns: 200 },
  );
});

test('who asks when everybody is about to be told is answered by that', () => {
  const bench = new Bench().start();
  bench.run(100_000);
  const next = bench.engine.deadline();
  bench.run(next - 0.001);
  const before = bench.sent.length;
  bench.ask();
  bench.run(next + 1000);
  assert.deepEqual(
    bench.sent.slice(before).map(({ to }) => to),
    ['ff02::1'],
  );
});
