/** Addresses that several stations of a link want: RFC 5227 and RFC 4862 on whole stacks, in virtual time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Cidr, IpAddress, MacAddress, ManualClock, seededRandom } from '../../core/index.ts';
import { Hub } from '../../link/index.ts';
import { describeFrame } from '../../wire/index.ts';
import {
  ADDRESS_CONFLICT,
  IpStack,
  type AddAddressOptions,
  type AddressConflict,
  type AllStackLimits,
  type Interface,
} from '../index.ts';

const V4 = Cidr.parse('192.0.2.1/24');
const V6 = Cidr.parse('2001:db8::1/64');
const ALL_NODES = IpAddress.parse('ff02::1');

/** A station of a {@link Lan}, and what it has been told of its addresses. */
interface Station {
  readonly stack: IpStack;
  readonly via: Interface;
  readonly told: string[];
  add(cidr: Cidr, options?: AddAddressOptions): void;
  has(cidr: Cidr): boolean;
}

/** Stations on a hub, and the frames on it as text. */
class Lan {
  readonly clock = new ManualClock();
  readonly hub = new Hub(this.clock);
  readonly frames: { at: number; line: string }[] = [];
  #stations = 0;

  constructor() {
    const ear = this.hub.port({ name: 'ear', mac: MacAddress.parse('02:00:00:00:00:ff') });
    ear.attach({
      receive: (frame) => this.frames.push({ at: this.clock.now(), line: describeFrame(frame) }),
      batchEnd() {},
    });
  }

  station(seed: number, limits: AllStackLimits = {}, hub: Hub = this.hub): Station {
    const { clock } = this;
    const mac = MacAddress.parse(`02:00:00:00:00:0${++this.#stations}`);
    const stack = new IpStack({ clock, random: seededRandom(seed), limits });
    const via = stack.addInterface(hub.port({ name: 'eth0', mac }));
    const told: string[] = [];
    return {
      stack,
      via,
      told,
      add: (cidr, options = {}) =>
        stack.addAddress(via, cidr, {
          duplicates: 'detect',
          ready: () => told.push('ready'),
          conflict: ({ outcome, other }) => told.push(`${outcome} ${other}`),
          removed: () => told.push('removed'),
          ...options,
        }),
      has: ({ address }) => via.find(address)?.tentative === false,
    };
  }

  pass(milliseconds: number): void {
    this.clock.advance(this.clock.now() + milliseconds);
  }

  /** When frames of this kind were sent. */
  times(pattern: RegExp): number[] {
    return this.frames.filter(({ line }) => pattern.test(line)).map(({ at }) => at);
  }
}

/** The conflicts published while `action` runs. */
function published(action: () => void): AddressConflict[] {
  const conflicts: AddressConflict[] = [];
  const stop = ADDRESS_CONFLICT.subscribe((conflict) => conflicts.push(conflict));
  try {
    action();
  } finally {
    stop();
  }
  return conflicts;
}

test('a free IPv4 address is probed three times, then used and announced twice (RFC 5227, sections 2.1.1 and 2.3)', () => {
  const lan = new Lan();
  const a = lan.station(1);
  a.add(V4);
  assert.equal(a.has(V4), false, 'tentative as yet');
  lan.pass(3999);
  assert.equal(a.has(V4), false);
  assert.deepEqual(a.told, []);
  lan.pass(6001);
  assert.equal(a.has(V4), true);
  assert.deepEqual(a.told, ['ready']);
  const probes = lan.times(/who has 192\.0\.2\.1\? \(probe/);
  const announcements = lan.times(/192\.0\.2\.1 is at .*\(announcement\)/);
  assert.equal(probes.length, 3);
  assert.ok(probes[0]! <= 1000);
  for (const i of [1, 2]) {
    const gap = probes[i]! - probes[i - 1]!;
    assert.ok(gap >= 1000 && gap <= 2000, `${gap} ms between probes`);
  }
  assert.equal(announcements[0]! - probes[2]!, 2000, 'ANNOUNCE_WAIT');
  assert.equal(announcements[1]! - announcements[0]!, 2000, 'ANNOUNCE_INTERVAL');
  assert.equal(announcements.length, 2);
});

test('an address that another station has is never used, whichever family', () => {
  for (const cidr of [V4, V6]) {
    const lan = new Lan();
    const owner = lan.station(1);
    owner.add(cidr, { duplicates: 'assume-none' });
    const late = lan.station(2);
    const conflicts = published(() => {
      late.add(cidr);
      lan.pass(20_000);
    });
    assert.deepEqual(owner.told, ['ready']);
    const other = cidr === V4 ? owner.via.mac : undefined;
    assert.deepEqual(late.told, [`before-use ${other}`]);
    assert.equal(late.via.find(cidr.address), undefined);
    assert.equal(conflicts.length, 1);
    assert.equal(conflicts[0]!.interface, 'eth0');
    assert.equal(conflicts[0]!.address, cidr.address);
    assert.equal(conflicts[0]!.outcome, 'before-use');
    assert.equal(late.stack.claims.conflicts.get('before-use'), 1);
    assert.equal(late.stack.routes.lookup(IpAddress.parse('192.0.2.9')), undefined);
  }
});

test('what is asked for a tentative address is not answered, and nothing is sent from it (RFC 4862, section 5.4; RFC 5227, section 2.1.1)', () => {
  for (const cidr of [V4, V6]) {
    const lan = new Lan();
    const a = lan.station(1);
    const asker = lan.station(2);
    asker.add(new Cidr(neighbourOf(cidr), cidr.prefixLength), { duplicates: 'assume-none' });
    lan.pass(10);
    a.add(cidr);
    asker.stack.ping(cidr.address, { size: 8, hopLimit: 64 }, () => undefined);
    lan.pass(900);
    assert.throws(() => a.stack.paths.find(neighbourOf(cidr), undefined));
    assert.deepEqual(lan.times(/192\.0\.2\.1 is at|2001:db8::1 is at/), []);
    lan.pass(20_000);
    assert.equal(a.has(cidr), true, 'who resolves it is no conflict');
  }
});

test('a free IPv6 address is asked for once from ::, after at most a second, and used a second later (RFC 4862, section 5.4)', () => {
  const lan = new Lan();
  const a = lan.station(3);
  a.add(V6);
  lan.pass(999);
  assert.equal(a.has(V6), false);
  lan.pass(1001);
  assert.equal(a.has(V6), true);
  assert.deepEqual(a.told, ['ready']);
  const asked = lan.frames.filter(({ line }) => line.startsWith(':: > ff02::1:ff00:1 NDP who has'));
  assert.equal(asked.length, 1, lan.frames.map(({ line }) => line).join('\n'));
});

test('stations that want one address at the same time never both have it', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.nat(3000), fc.boolean(), (one, two, later, isV4) => {
      fc.pre(one !== two);
      const cidr = isV4 ? V4 : V6;
      const lan = new Lan();
      const a = lan.station(one);
      const b = lan.station(two);
      a.add(cidr);
      lan.pass(later);
      b.add(cidr);
      lan.pass(20_000);
      assert.ok(!(a.has(cidr) && b.has(cidr)));
      for (const { told } of [a, b]) assert.equal(told.length, 1, `told ${told}`);
    }),
    { numRuns: 60 },
  );
});

test('an address in use is defended once in ten seconds, then given up with its connections (RFC 5227, section 2.4 b)', () => {
  const lan = new Lan();
  const a = lan.station(1);
  const peer = lan.station(2);
  peer.add(Cidr.parse('192.0.2.9/24'), { duplicates: 'assume-none' });
  a.add(V4);
  lan.pass(10_000);
  const ends: string[] = [];
  peer.stack.tcp.listen(80, undefined, undefined, (connection) =>
    connection.start({ closed: (error) => ends.push(`peer ${error?.code}`) }),
  );
  const path = a.stack.paths.find(IpAddress.parse('192.0.2.9'), undefined);
  a.stack.tcp.connect(path, 0, 80, (connection) =>
    connection.start({ closed: (error) => ends.push(`ours ${error?.code}`) }),
  );
  lan.pass(1000);
  const intruder = lan.station(3);
  const claim = (): void => intruder.stack.arp.request(intruder.via, V4.address, V4.address);
  const defences = (): number => lan.times(/192\.0\.2\.1 is at .*01 \(announcement\)/).length;
  const before = defences();
  const conflicts = published(() => {
    claim();
    lan.pass(10_001);
    assert.equal(a.has(V4), true);
    assert.equal(defences(), before + 1);
    claim();
    lan.pass(1000);
    assert.equal(defences(), before + 2, 'ten seconds later it is defended again');
    claim();
    lan.pass(1000);
  });
  assert.deepEqual(
    conflicts.map(({ outcome }) => outcome),
    ['defended', 'defended', 'gave-way'],
  );
  assert.equal(a.via.find(V4.address), undefined);
  assert.deepEqual(a.told, ['ready', `gave-way ${intruder.via.mac}`]);
  assert.deepEqual(ends.toSorted(), ['ours ADDRESS_NOT_AVAILABLE', 'peer CONNECTION_RESET']);
  assert.throws(() => a.stack.paths.find(IpAddress.parse('192.0.2.9'), undefined));
});

test('where two networks become one and both have the address, both defend it and one of them gives way', () => {
  const lan = new Lan();
  const elsewhere = new Hub(lan.clock);
  const a = lan.station(1);
  const b = lan.station(2, {}, elsewhere);
  for (const station of [a, b]) station.add(V4);
  lan.pass(20_000);
  assert.ok(a.has(V4) && b.has(V4));
  const mac = MacAddress.parse('02:00:00:00:00:fe');
  elsewhere.connect(lan.hub.port({ name: 'bridge', mac }));
  const conflicts = published(() => {
    a.stack.arp.request(a.via, V4.address, V4.address);
    lan.pass(1000);
  });
  assert.deepEqual(
    conflicts.map(({ outcome }) => outcome),
    ['defended', 'defended', 'gave-way'],
  );
  assert.deepEqual([a.has(V4), b.has(V4)], [true, false]);
});

test('an address that is never to be given up is kept, and defended no more than once in ten seconds (RFC 5227, section 2.4 c)', () => {
  const lan = new Lan();
  const a = lan.station(1);
  a.add(V4, { duplicates: 'announce', defence: 'defend-always' });
  assert.equal(a.has(V4), true, 'announced, it is used at once');
  const intruder = lan.station(2);
  const conflicts = published(() => {
    for (let i = 0; i < 11; i++) {
      intruder.stack.arp.request(intruder.via, V4.address, V4.address);
      lan.pass(1000);
    }
  });
  assert.equal(a.has(V4), true);
  assert.equal(conflicts.filter(({ outcome }) => outcome === 'defended').length, 2);
  assert.equal(conflicts.filter(({ outcome }) => outcome === 'ignored').length, 9);
});

test('an IPv6 address in use is not given up for a neighbour’s word, but the conflict is published (RFC 4862, section 5.4.4)', () => {
  const lan = new Lan();
  const a = lan.station(1);
  a.add(V6);
  lan.pass(5000);
  const intruder = lan.station(2);
  intruder.add(V6, { duplicates: 'assume-none' });
  const conflicts = published(() => {
    intruder.stack.ndp.send(intruder.via, IpAddress.parse('fe80::2'), ALL_NODES, {
      kind: 'neighbour-advertisement',
      target: V6.address,
      router: false,
      solicited: false,
      override: true,
      options: [{ kind: 'target-link-address', mac: intruder.via.mac }],
    });
    lan.pass(1000);
  });
  assert.equal(a.has(V6), true);
  assert.deepEqual(
    conflicts.map(({ outcome, other }) => `${outcome} ${other}`),
    [`ignored ${intruder.via.mac}`],
  );
});

test('a probe tells whether an address is taken, and nothing is announced or kept', () => {
  for (const cidr of [V4, V6]) {
    for (const isTaken of [false, true]) {
      const lan = new Lan();
      const asker = lan.station(1);
      if (isTaken) lan.station(2).add(cidr, { duplicates: 'assume-none' });
      const answers: boolean[] = [];
      asker.stack.claims.probe(asker.via, cidr.address, (taken) => answers.push(taken));
      assert.deepEqual(answers, [], 'never from within the call');
      lan.pass(20_000);
      assert.deepEqual(answers, [isTaken]);
      assert.equal(asker.via.find(cidr.address), undefined);
      assert.deepEqual(lan.times(/announcement/), []);
      assert.deepEqual([asker.stack.claims.size, asker.stack.claims.deadline()], [0, Infinity]);
    }
  }
});

test('two who probe for the same address are both told; one who gives up is not', () => {
  for (const cidr of [V4, V6]) {
    const lan = new Lan();
    const asker = lan.station(1);
    const answers: string[] = [];
    const probe = (name: string): (() => void) =>
      asker.stack.claims.probe(asker.via, cidr.address, (taken) =>
        answers.push(`${name} ${taken}`),
      );
    const giveUp = probe('first');
    probe('second');
    probe('third');
    lan.pass(500);
    giveUp();
    giveUp();
    lan.pass(20_000);
    assert.deepEqual(answers.toSorted(), ['second false', 'third false']);
  }
});

test('an address removed while it is probed is not used later, and one replaced is claimed anew', () => {
  for (const cidr of [V4, V6]) {
    const lan = new Lan();
    const a = lan.station(1);
    a.add(cidr);
    lan.pass(500);
    a.stack.removeAddress(a.via, cidr.address);
    lan.pass(20_000);
    assert.deepEqual(a.told.splice(0), ['removed']);
    assert.deepEqual(lan.times(/announcement/), []);
    a.add(cidr);
    a.add(cidr);
    lan.pass(20_000);
    assert.deepEqual(a.told, ['removed', 'ready']);
    assert.equal(a.via.addresses.length, 1);
  }
});

test('claims are limited, and those ended make room', () => {
  const lan = new Lan();
  const a = lan.station(1, { stack: { claimsPerInterface: 2 } });
  const probe = (last: number): (() => void) =>
    a.stack.claims.probe(a.via, IpAddress.v4(0xc0000200 + last), () => undefined);
  const giveUp = probe(1);
  probe(2);
  assert.throws(() => probe(3), { code: 'TOO_MANY_OPEN' });
  assert.throws(() => a.add(V4), { code: 'TOO_MANY_OPEN' });
  assert.deepEqual(a.via.addresses, [], 'an address that cannot be checked is not kept');
  giveUp();
  probe(3);
  lan.pass(20_000);
  probe(4);
  probe(5);
});

test('a handler may take the address away when it hears that it is ready', () => {
  const lan = new Lan();
  const a = lan.station(1);
  a.add(V4, { ready: () => a.stack.removeAddress(a.via, V4.address) });
  lan.pass(20_000);
  assert.deepEqual(a.told, ['removed']);
  assert.equal(a.stack.claims.deadline(), Infinity);
});

test('whoever claims a taken address anew at once asks anew, and slower after ten times (RFC 5227, section 2.1.1)', () => {
  const lan = new Lan();
  lan.station(1).add(V4, { duplicates: 'assume-none' });
  const a = lan.station(2);
  let tries = 0;
  const again = (): void => {
    tries++;
    a.add(V4, { conflict: again });
  };
  again();
  lan.pass(11_000);
  assert.equal(tries, 11, 'each try takes no more than a second');
  lan.pass(60_000);
  assert.equal(tries, 12, 'then one a minute');
});

test('two on one host that want the same IPv6 address, one of them by autoconfiguration, are both told of its owner', () => {
  const lan = new Lan();
  const a = lan.station(1);
  const secret = new Uint8Array(16).fill(7);
  a.stack.autoconfigure(a.via, { secret });
  const tentative = a.via.addresses[0]!.cidr.address;
  const owner = lan.station(2);
  const answers: boolean[] = [];
  a.stack.claims.probe(a.via, tentative, (taken) => answers.push(taken));
  owner.stack.ndp.send(owner.via, tentative, ALL_NODES, {
    kind: 'neighbour-advertisement',
    target: tentative,
    router: false,
    solicited: false,
    override: true,
    options: [],
  });
  lan.pass(100);
  assert.deepEqual(answers, [true]);
  assert.equal(a.via.find(tentative), undefined, 'autoconfiguration has heard it too');
});

/** Another address of the same network. */
function neighbourOf({ address }: Cidr): IpAddress {
  return address.family === 4
    ? IpAddress.v4(address.word3 + 8)
    : IpAddress.v6(address.word0, address.word1, address.word2, address.word3 + 8);
}
