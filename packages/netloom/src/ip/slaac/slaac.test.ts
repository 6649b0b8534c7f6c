import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Cidr, IpAddress, MacAddress, SipHash, seededRandom } from '../../core/index.ts';
import type {
  NdpOption,
  NeighbourAdvertisement,
  NeighbourSolicitation,
  RouterAdvertisement,
  RouterPreference,
} from '../../wire/index.ts';
import {
  AUTO_ADDRESS_STEPS,
  Slaac,
  type AutoAddress,
  type SlaacLimits,
  type SlaacOptions,
  type SlaacSink,
} from './index.ts';

const MAC = MacAddress.parse('02:00:00:00:00:01');
const ROUTER = IpAddress.parse('fe80::1');
const PREFIX = '2001:db8:1:2::/64';
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

interface RouterWord {
  readonly lifetime?: number;
  readonly preference?: RouterPreference;
  readonly options?: readonly NdpOption[];
  readonly hopLimit?: number;
  readonly reachableTime?: number;
  readonly retransmitTime?: number;
  readonly managed?: boolean;
}

function prefix(
  text: string,
  valid: number,
  preferred: number,
  flags: { onLink?: boolean; autonomous?: boolean } = {},
): NdpOption {
  const { onLink = true, autonomous = true } = flags;
  return {
    kind: 'prefix',
    prefix: Cidr.parse(text),
    onLink,
    autonomous,
    validLifetime: valid,
    preferredLifetime: preferred,
  };
}

/** A lifetime as a message has it. */
function seconds(time: number): number {
  return time === Infinity ? 0xffff_ffff : time / 1000;
}

function servers(lifetime: number, ...addresses: string[]): NdpOption {
  return {
    kind: 'dns-servers',
    lifetime,
    addresses: addresses.map((text) => IpAddress.parse(text)),
  };
}

function nothing(): void {
  return undefined;
}

/** An interface in virtual time, with what autoconfiguration told it. */
class Station {
  now = 0;
  readonly told: { at: number; what: string }[] = [];
  readonly slaac: Slaac;

  constructor(
    options: Partial<Omit<SlaacOptions, 'limits'>> & {
      limits?: Partial<SlaacLimits>;
      seed?: number;
    } = {},
  ) {
    const { seed = 1, ...rest } = options;
    const tell = (what: string): void => {
      this.told.push({ at: this.now, what });
    };
    const tellAddress =
      (what: string) =>
      (address: AutoAddress): void =>
        tell(`${what} ${address.kind}`);
    const sink: SlaacSink = {
      sendRouterSolicitation: ({ options: [option] }, source) =>
        tell(`ask ${option?.kind} ${source.isLinkLocal ? 'link-local' : source}`),
      sendNeighbourSolicitation: (_message, destination) =>
        tell(`solicit ${destination.toString().slice(0, 13)}`),
      addressTentative: tellAddress('tentative'),
      addressReady: (address) => tell(`ready ${address.kind} ${address.state}`),
      addressChanged: (address) => tell(`changed ${address.kind} ${address.state}`),
      addressFailed: tellAddress('failed'),
      addressRemoved: tellAddress('removed'),
      routerAdded: (router) => tell(`router+ ${router.address} ${router.preference}`),
      routerChanged: (router) => tell(`router= ${router.address} ${router.preference}`),
      routerRemoved: (router) => tell(`router- ${router.address}`),
      prefixAdded: (cidr) => tell(`prefix+ ${cidr}`),
      prefixRemoved: (cidr) => tell(`prefix- ${cidr}`),
      dnsServers: (addresses) => tell(`dns ${addresses.join()}`),
      parameters: ({ mtu, hopLimit, retransmitTime, managed }) =>
        tell(`parameters ${mtu} ${hopLimit} ${retransmitTime} ${managed}`),
      failed: () => tell('failed'),
    };
    this.slaac = new Slaac(
      {
        mac: MAC,
        mtu: 1500,
        random: seededRandom(seed),
        identity: { hash: new SipHash(new Uint8Array(16)), interfaceIdentity: 'eth0' },
        ...rest,
      },
      sink,
    );
  }

  pass(milliseconds: number): void {
    const until = this.now + milliseconds;
    while (this.slaac.deadline() <= until) {
      this.now = Math.max(this.now, this.slaac.deadline());
      this.slaac.advance(this.now);
    }
    this.now = until;
  }

  take(): string[] {
    return this.told.splice(0).map(({ what }) => what);
  }

  advertise(word: RouterWord, router: IpAddress = ROUTER): void {
    const message: RouterAdvertisement = {
      kind: 'router-advertisement',
      hopLimit: word.hopLimit ?? 0,
      managed: word.managed ?? false,
      otherConfiguration: false,
      preference: word.preference ?? 'medium',
      routerLifetime: word.lifetime ?? 1800,
      reachableTime: word.reachableTime ?? 0,
      retransmitTime: word.retransmitTime ?? 0,
      options: word.options ?? [],
    };
    this.slaac.receiveRouterAdvertisement(router, message, this.now);
  }

  /** The first address of this kind. */
  address(kind: string): AutoAddress {
    const found = this.slaac.addresses().find((address) => address.kind === kind);
    assert.ok(found !== undefined, `a ${kind} address`);
    return found;
  }

  /** Another node says that it has the address. */
  contradict(kind: string): void {
    const found = this.slaac
      .addresses()
      .find((address) => address.kind === kind && address.state === 'tentative');
    assert.ok(found !== undefined);
    assert.equal(
      this.slaac.receiveNeighbourAdvertisement(advertisement(found.address), this.now),
      true,
    );
  }
}

function advertisement(target: IpAddress): NeighbourAdvertisement {
  return {
    kind: 'neighbour-advertisement',
    target,
    router: false,
    solicited: false,
    override: true,
    options: [],
  };
}

/** A station that is up, has a router and one prefix with the lifetimes given. */
function configured(
  valid: number,
  preferred: number,
  options: ConstructorParameters<typeof Station>[0] = {},
): Station {
  const station = new Station(options);
  station.slaac.start(0);
  station.pass(3000);
  station.advertise({ options: [prefix(PREFIX, valid, preferred)] });
  station.pass(3000);
  station.take();
  return station;
}

test('a link-local address first, then routers are asked, ever more seldom (RFC 4862, RFC 7559)', () => {
  const station = new Station();
  station.slaac.start(0);
  station.slaac.start(0);
  station.pass(10 * HOUR);
  const what = station.told.map((entry) => entry.what);
  const [tentative, solicitation, ready, ask] = what;
  assert.equal(tentative, 'tentative link-local');
  assert.match(solicitation!, /^solicit ff02::1:ff/);
  assert.equal(ready, 'ready link-local preferred');
  assert.equal(ask, 'ask source-link-address link-local');
  assert.match(station.address('link-local').address.toString(), /^fe80::[^:]+:/);
  const asked = station.told.filter((entry) => entry.what.startsWith('ask')).map(({ at }) => at);
  const intervals = asked.slice(1).map((at, i) => at - asked[i]!);
  assert.ok(intervals[0]! >= 3600 && intervals[0]! <= 4400);
  for (const [i, interval] of intervals.entries()) {
    const before = intervals[i - 1] ?? 2000;
    const isLongest = interval >= 3_240_000 && interval <= 3_960_000;
    assert.ok(isLongest || (interval >= 1.8 * before && interval <= 2.2 * before), `${interval}`);
  }
  assert.ok(intervals.at(-1)! > 3_200_000 && Math.max(...intervals) <= 3_960_000);
});

test('no more is asked once a default router has answered, but one that is none does not count', () => {
  const station = new Station();
  station.slaac.start(0);
  station.pass(2000);
  station.take();
  station.advertise({ lifetime: 0 });
  station.pass(10_000);
  assert.ok(station.take().includes('ask source-link-address link-local'));
  station.advertise({ lifetime: 9000 });
  station.pass(HOUR);
  assert.deepEqual(station.take(), ['router+ fe80::1 medium']);
});

test('who has heard a router before its address was ready need not ask', () => {
  const station = new Station();
  station.slaac.start(0);
  station.advertise({});
  station.pass(60_000);
  assert.ok(!station.take().some((what) => what.startsWith('ask')));
});

test('an autonomous prefix on the link: an address, and a prefix to be reached directly', () => {
  const station = new Station();
  station.slaac.start(0);
  station.pass(3000);
  station.take();
  station.advertise({ options: [prefix(PREFIX, 7200, 3600)] });
  assert.deepEqual(station.take(), [
    'router+ fe80::1 medium',
    `prefix+ ${PREFIX}`,
    'tentative stable',
  ]);
  station.pass(3000);
  assert.equal(station.take().at(-1), 'ready stable preferred');
  const { address, prefix: from } = station.address('stable');
  assert.ok(from.contains(address));
  assert.equal(from.toString(), PREFIX);
  // The same word again changes nothing.
  station.advertise({ options: [prefix(PREFIX, 7200, 3600)] });
  station.pass(3000);
  assert.deepEqual(station.take(), []);
});

test('the flags mean what they say, each for itself', () => {
  const station = configured(7200, 3600);
  station.advertise({
    options: [
      prefix('2001:db8:a::/64', 7200, 3600, { autonomous: false }),
      prefix('2001:db8:b::/64', 7200, 3600, { onLink: false }),
      prefix('2001:db8:c::/48', 7200, 3600, { autonomous: false }),
    ],
  });
  assert.deepEqual(station.take(), [
    'prefix+ 2001:db8:a::/64',
    'tentative stable',
    'prefix+ 2001:db8:c::/48',
  ]);
});

test('prefixes that no router can give are passed over (RFC 4862, section 5.5.3)', () => {
  const station = configured(7200, 3600);
  station.advertise({
    options: [
      prefix('fe80::/64', 7200, 3600),
      prefix('ff05::/64', 7200, 3600),
      prefix('2001:db8:a::/64', 3600, 7200, { onLink: false }),
      prefix('2001:db8:b::/56', 7200, 3600, { onLink: false }),
      prefix('2001:db8:c::/64', 0, 0),
    ],
  });
  assert.deepEqual(station.take(), []);
  assert.deepEqual(station.slaac.drops.snapshot(), {
    'prefix-length': 1,
    'prefix-not-unicast': 2,
    'prefix-preferred-beyond-valid': 1,
  });
});

test('host bits in a prefix are not looked at', () => {
  const station = configured(7200, 3600);
  station.advertise({ options: [prefix('2001:db8:1:2::77/64', 7200, 3600)] });
  assert.deepEqual(station.take(), []);
  assert.equal(station.slaac.addresses().length, 2);
});

test('an address is deprecated, and later invalid, when routers fall silent', () => {
  const station = configured(7200, 3600);
  const since = 3000;
  station.pass(since + HOUR - station.now - 1);
  assert.deepEqual(
    station.take().filter((what) => !what.startsWith('router')),
    [],
  );
  station.pass(1);
  assert.deepEqual(station.take(), ['changed stable deprecated']);
  station.pass(HOUR - 1);
  assert.deepEqual(station.take(), []);
  station.pass(1);
  assert.deepEqual(station.take().toSorted(), [`prefix- ${PREFIX}`, 'removed stable']);
});

test('a router can deprecate an address at once, and make it preferred again', () => {
  const station = configured(7200, 3600);
  station.advertise({ options: [prefix(PREFIX, 7200, 0)] });
  assert.deepEqual(station.take(), ['changed stable deprecated']);
  station.advertise({ options: [prefix(PREFIX, 7200, 3600)] });
  assert.deepEqual(station.take(), ['changed stable preferred']);
});

test('an address whose prefix is deprecated from the start is ready as such', () => {
  const station = new Station();
  station.slaac.start(0);
  station.pass(3000);
  station.advertise({ options: [prefix(PREFIX, 7200, 0)] });
  station.pass(3000);
  assert.equal(station.take().at(-1), 'ready stable deprecated');
});

test('the two-hour rule (RFC 4862, section 5.5.3 e)', () => {
  for (const [remaining, advertised, expected] of [
    // Longer than two hours, or than what remains: as advertised.
    [DAY, 3 * HOUR, 3 * HOUR],
    [HOUR, 1.5 * HOUR, 1.5 * HOUR],
    [HOUR, 2 * DAY, 2 * DAY],
    // Shorter, with two hours or less remaining: not heeded.
    [HOUR, 0.5 * HOUR, HOUR],
    [2 * HOUR, 0, 2 * HOUR],
    // Shorter, with more remaining: two hours.
    [DAY, HOUR, 2 * HOUR],
    [DAY, 0, 2 * HOUR],
    [Infinity, 0, 2 * HOUR],
  ] as const) {
    const station = new Station();
    station.slaac.start(0);
    station.pass(3000);
    station.advertise({ options: [prefix(PREFIX, seconds(remaining), 0)] });
    station.advertise({ options: [prefix(PREFIX, seconds(advertised), 0)] });
    assert.equal(
      station.address('stable').validUntil - station.now,
      expected,
      `${remaining} ${advertised}`,
    );
  }
});

test('a prefix of lifetime 0 is off the link at once, though its addresses live on', () => {
  const station = configured(DAY / 1000, 3600);
  station.advertise({ options: [prefix(PREFIX, 0, 0)] });
  assert.deepEqual(station.take(), [`prefix- ${PREFIX}`, 'changed stable deprecated']);
});

test('for ever is for ever', () => {
  const station = configured(0xffff_ffff, 0xffff_ffff);
  station.pass(1000 * DAY);
  assert.ok(!station.take().some((what) => what.includes('stable') || what.includes('prefix')));
  assert.equal(station.address('stable').state, 'preferred');
});

test('a duplicate: another identifier is tried a second later, three times, and then no more (RFC 7217, section 6)', () => {
  const station = new Station();
  station.slaac.start(0);
  station.pass(3000);
  station.advertise({ options: [prefix(PREFIX, 7200, 3600)] });
  station.take();
  const tried = new Set<string>();
  for (let i = 0; i < 4; i++) {
    tried.add(station.address('stable').address.toString());
    station.contradict('stable');
    const told = station.take();
    assert.deepEqual(told, i < 3 ? ['failed stable', 'tentative stable'] : ['failed stable']);
    station.pass(999);
    assert.deepEqual(station.take(), []);
  }
  assert.equal(tried.size, 4);
  station.advertise({ options: [prefix(PREFIX, 7200, 3600)] });
  station.pass(60_000);
  assert.deepEqual(station.take(), [], 'the next word does not begin it again');
  assert.equal(station.address('stable').state, 'duplicate');
  // When the prefix has been gone for a while, it is forgotten, without another word.
  station.pass(3 * HOUR);
  assert.ok(!station.take().some((what) => what.includes('stable')));
  assert.equal(station.slaac.addresses().length, 1);
});

test('no link-local address, no IPv6 (RFC 4862, section 5.4.5)', () => {
  const station = new Station();
  station.slaac.start(0);
  station.advertise({ options: [prefix(PREFIX, 7200, 3600)] });
  station.take();
  for (let i = 0; i < 4; i++) station.contradict('link-local');
  const told = station.take();
  assert.equal(told.at(-1), 'failed');
  assert.ok(told.includes('removed stable') && told.includes(`prefix- ${PREFIX}`));
  assert.equal(told.filter((what) => what === 'failed link-local').length, 4);
  assert.equal(station.slaac.deadline(), Infinity);
  assert.deepEqual(station.slaac.addresses(), []);
  station.advertise({});
  assert.deepEqual(station.slaac.drops.snapshot(), { stopped: 1 });
});

test('solicitations: those for a tentative address are kept from being answered, those for one in use are not', () => {
  const station = new Station();
  station.slaac.start(0);
  const message: NeighbourSolicitation = {
    kind: 'neighbour-solicitation',
    target: station.address('link-local').address,
    options: [],
  };
  assert.equal(station.slaac.receiveNeighbourSolicitation(ROUTER, message, 0), true);
  station.pass(3000);
  assert.equal(station.address('link-local').state, 'preferred');
  assert.equal(station.slaac.receiveNeighbourSolicitation(ROUTER, message, 0), false);
  const other = advertisement(station.address('link-local').address);
  assert.equal(station.slaac.receiveNeighbourAdvertisement(other, 0), false);
});

test('default routers come, change their preference, and go by word or by silence', () => {
  const station = configured(7200, 3600);
  const other = IpAddress.parse('fe80::2');
  station.advertise({ lifetime: 60, preference: 'low' }, other);
  station.advertise({ lifetime: 60, preference: 'high' }, other);
  station.advertise({ lifetime: 60, preference: 'high' }, other);
  assert.deepEqual(station.take(), ['router+ fe80::2 low', 'router= fe80::2 high']);
  assert.equal(station.slaac.routers().length, 2);
  station.pass(60_000);
  assert.deepEqual(station.take(), ['router- fe80::2']);
  station.advertise({ lifetime: 0 });
  station.advertise({ lifetime: 0 });
  assert.deepEqual(station.take(), ['router- fe80::1']);
});

test('parameters: what is said counts, what is not stays, what cannot be is not believed', () => {
  const station = configured(7200, 3600);
  station.advertise({
    hopLimit: 32,
    retransmitTime: 200,
    managed: true,
    options: [{ kind: 'mtu', mtu: 1400 }],
  });
  assert.deepEqual(station.take(), ['parameters 1400 32 200 true']);
  station.advertise({ managed: true });
  assert.deepEqual(station.take(), []);
  for (const mtu of [1279, 1501])
    station.advertise({ managed: true, options: [{ kind: 'mtu', mtu }] });
  station.advertise({ managed: true, reachableTime: 3_600_001, retransmitTime: 60_001 });
  assert.deepEqual(station.take(), []);
  assert.equal(station.slaac.drops.get('bad-parameter'), 4);
  // Duplicate detection uses the interval that routers ask for.
  station.advertise({ managed: true, options: [prefix('2001:db8:a::/64', 7200, 3600)] });
  station.pass(5000);
  const told = station.told.slice(-2);
  assert.match(told[0]!.what, /^solicit/);
  assert.equal(told[1]!.at - told[0]!.at, 200);
});

test('DNS servers are told whenever there are others (RFC 8106)', () => {
  const station = configured(7200, 3600);
  station.advertise({ options: [servers(60, '2001:db8::1', '2001:db8::2')] });
  station.advertise({ options: [servers(90, '2001:db8::2')] });
  assert.deepEqual(station.take(), ['dns 2001:db8::1,2001:db8::2']);
  station.pass(60_000);
  assert.deepEqual(station.take(), ['dns 2001:db8::2']);
  station.advertise({ options: [servers(0, '2001:db8::2')] });
  assert.deepEqual(station.take(), ['dns ']);
});

test('stopped, everything is given back and told; started again, it begins anew with the same addresses', () => {
  const station = configured(7200, 3600);
  station.advertise({
    hopLimit: 32,
    options: [{ kind: 'dns-servers', lifetime: 60, addresses: [ROUTER] }],
  });
  const before = station.slaac.addresses().map(({ address }) => address.toString());
  station.take();
  station.slaac.stop(station.now);
  station.slaac.stop(station.now);
  assert.deepEqual(station.take(), [
    'removed link-local',
    'removed stable',
    'router- fe80::1',
    `prefix- ${PREFIX}`,
    'dns ',
    'parameters undefined undefined undefined false',
  ]);
  assert.equal(station.slaac.deadline(), Infinity);
  station.slaac.start(station.now);
  station.advertise({ options: [prefix(PREFIX, 7200, 3600)] });
  assert.deepEqual(
    station.slaac.addresses().map(({ address }) => address.toString()),
    before,
  );
});

test('temporary addresses, where they are wanted: random, and made anew before the last is deprecated (RFC 8981)', () => {
  const station = configured(0xffff_ffff, 0xffff_ffff, { temporaryAddresses: true });
  const seen = new Map<string, { preferredUntil: number; validUntil: number }>();
  for (let day = 0; day < 10; day++) {
    const temporary = station.slaac.addresses().filter(({ kind }) => kind === 'temporary');
    assert.ok(
      temporary.some(({ state }) => state === 'preferred'),
      'one is always preferred',
    );
    assert.ok(temporary.length <= 4);
    for (const { address, preferredUntil, validUntil } of temporary) {
      seen.set(address.toString(), { preferredUntil, validUntil });
    }
    station.pass(DAY / 2);
    station.advertise({ options: [prefix(PREFIX, 0xffff_ffff, 0xffff_ffff)] });
    station.pass(DAY / 2);
  }
  assert.ok(seen.size >= 10);
  const told = station.take();
  assert.ok(told.includes('changed temporary deprecated') && told.includes('removed temporary'));
  for (const { preferredUntil, validUntil } of seen.values()) {
    // Valid for two days, preferred for one less up to 0.4 of it.
    const lead = validUntil - preferredUntil;
    assert.ok(lead >= DAY && lead <= 1.4 * DAY, `${lead}`);
  }
});

test('a temporary address lives no longer than its prefix, and without one that lasts it is not made', () => {
  const brief = configured(7200, 4, { temporaryAddresses: true });
  assert.equal(
    brief.slaac.addresses().some(({ kind }) => kind === 'temporary'),
    false,
  );
  const station = configured(7200, 3600, { temporaryAddresses: true });
  const { preferredUntil, validUntil } = station.address('temporary');
  assert.equal(preferredUntil, station.address('stable').preferredUntil);
  assert.equal(validUntil, station.address('stable').validUntil);
  station.pass(3 * HOUR);
  assert.deepEqual(
    station.slaac.addresses().map(({ kind }) => kind),
    ['link-local'],
  );
});

test('a temporary address that is a duplicate gives way to another', () => {
  const station = new Station({ temporaryAddresses: true });
  station.slaac.start(0);
  station.pass(3000);
  station.advertise({ options: [prefix(PREFIX, 7200, 3600)] });
  const first = station.address('temporary').address;
  station.contradict('temporary');
  station.pass(5000);
  assert.notEqual(station.address('temporary').address.toString(), first.toString());
  assert.equal(station.address('temporary').state, 'preferred');
});

test('identifiers that are reserved are passed over', () => {
  const counters: number[] = [];
  const hash = {
    high: 0,
    hash: (words: Int32Array) => {
      const counter = words.at(-1)!;
      counters.push(counter);
      return counter < 3 ? 0 : 5;
    },
  };
  const station = new Station({ identity: { hash, interfaceIdentity: 'eth0' } });
  station.slaac.start(0);
  assert.equal(station.address('link-local').address.toString(), 'fe80::5');
  assert.deepEqual(counters, [0, 1, 2, 3]);
});

test('a router that talks without end fills no table beyond its limit', () => {
  const limits = { addresses: 4, routers: 2, prefixes: 3, dnsServers: 2 };
  const station = configured(7200, 3600, { limits });
  for (let i = 1; i <= 50; i++) {
    const hex = i.toString(16);
    station.advertise(
      {
        options: [
          prefix(`2001:db8:${hex}::/64`, 7200, 3600),
          { kind: 'dns-servers', lifetime: 60, addresses: [IpAddress.parse(`2001:db8::${hex}`)] },
        ],
      },
      IpAddress.parse(`fe80::${hex}`),
    );
  }
  assert.equal(station.slaac.addresses().length, 4);
  assert.equal(station.slaac.routers().length, 2);
  assert.deepEqual(station.slaac.drops.snapshot(), {
    'too-many-addresses': 48,
    'too-many-dns-servers': 48,
    'too-many-prefixes': 48,
    'too-many-routers': 48,
  });
});

test('a handler may stop the engine while it is being told', () => {
  const told: string[] = [];
  const note = (what: string) => (): void => {
    told.push(what);
  };
  const slaac: Slaac = new Slaac(
    {
      mac: MAC,
      mtu: 1500,
      random: seededRandom(1),
      identity: { hash: new SipHash(new Uint8Array(16)), interfaceIdentity: 'eth0' },
    },
    {
      sendRouterSolicitation: nothing,
      sendNeighbourSolicitation: nothing,
      addressTentative: () => slaac.stop(0),
      addressReady: note('ready'),
      addressChanged: nothing,
      addressFailed: nothing,
      addressRemoved: note('removed'),
      routerAdded: nothing,
      routerChanged: nothing,
      routerRemoved: nothing,
      prefixAdded: nothing,
      prefixRemoved: nothing,
      dnsServers: nothing,
      parameters: nothing,
      failed: nothing,
    },
  );
  slaac.start(0);
  assert.deepEqual(told, ['removed']);
  assert.equal(slaac.deadline(), Infinity);
});

test('the steps of addresses are published', () => {
  const steps: string[] = [];
  const end = AUTO_ADDRESS_STEPS.subscribe(({ kind, step }) =>
    steps.push(`${kind} ${step.from} ${step.to}`),
  );
  const station = configured(7200, 3600);
  end();
  station.slaac.stop(station.now);
  assert.deepEqual(steps, ['link-local tentative preferred', 'stable tentative preferred']);
});

test('whatever routers say and neighbours claim, no step is illegal and what is added is removed once', () => {
  const lifetime = fc.constantFrom(0, 1, 3600, 7200, 7201, 86_400, 0xffff_ffff);
  const event = fc.record({
    kind: fc.constantFrom('advertise', 'advertise', 'contradict', 'pass', 'stop', 'start'),
    router: fc.nat(2),
    subnet: fc.nat(2),
    lifetime,
    valid: lifetime,
    preferred: lifetime,
    time: fc.oneof(fc.nat(3000), fc.nat(100_000_000)),
  });
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 40 }),
      fc.boolean(),
      fc.nat(99),
      (events, temporary, seed) => {
        const station = new Station({ temporaryAddresses: temporary, seed });
        station.slaac.start(0);
        for (const { kind, router, subnet, time, ...word } of events) {
          const tentative = station.slaac.addresses().find(({ state }) => state === 'tentative');
          if (kind === 'advertise') {
            const option = prefix(`2001:db8:${subnet}::/64`, word.valid, word.preferred);
            const routerLifetime = Math.min(word.lifetime, 65_535);
            station.advertise(
              { lifetime: routerLifetime, options: [option] },
              IpAddress.parse(`fe80::${router + 1}`),
            );
          } else if (kind === 'contradict') {
            if (tentative !== undefined) station.contradict(tentative.kind);
          } else if (kind === 'pass') station.pass(time);
          else if (kind === 'stop') station.slaac.stop(station.now);
          else station.slaac.start(station.now);
        }
        station.slaac.stop(station.now);
        assert.deepEqual(station.slaac.addresses(), []);
        const told = station.take();
        const count = (pattern: RegExp): number => told.filter((what) => pattern.test(what)).length;
        assert.equal(count(/^tentative/), count(/^failed ./) + count(/^removed/));
        assert.equal(count(/^router\+/), count(/^router-/));
        assert.equal(count(/^prefix\+/), count(/^prefix-/));
        assert.equal(station.slaac.deadline(), Infinity);
      },
    ),
  );
});
