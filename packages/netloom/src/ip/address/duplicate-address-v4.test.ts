import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { IpAddress, MacAddress, seededRandom } from '../../core/index.ts';
import { ArpOperation, ArpPacket } from '../../wire/index.ts';
import { ConflictDetector, ConflictHistory, type ConflictOptions } from './duplicate-address-v4.ts';

const OURS = MacAddress.parse('02:00:00:00:00:01');
const OTHER = MacAddress.parse('02:00:00:00:00:02');
const ADDRESS = IpAddress.parse('192.0.2.1');

interface ArpFields {
  readonly mac?: MacAddress;
  readonly operation?: number;
  readonly sender?: string;
  readonly target?: string;
}

/** A detector in virtual time, with what it told. */
class Station {
  now = 0;
  readonly told: { at: number; what: string }[] = [];
  /** Claims of others while the address stayed ours. */
  readonly contested: string[] = [];
  readonly detector: ConflictDetector;

  constructor(options: Partial<ConflictOptions> = {}) {
    const tell = (what: string): void => {
      this.told.push({ at: this.now, what });
    };
    this.detector = new ConflictDetector(
      { mac: OURS, random: seededRandom(1), ...options },
      {
        sendProbe: () => tell('probe'),
        sendAnnouncement: () => tell('announce'),
        free: (address) => tell(`free ${address}`),
        contested: (_address, other, outcome) => this.contested.push(`${outcome} ${other}`),
        conflict: (_address, other, wasInUse) => tell(`conflict ${other} ${wasInUse}`),
      },
    );
  }

  pass(milliseconds: number): void {
    const until = this.now + milliseconds;
    while (this.detector.deadline() <= until) {
      this.now = Math.max(this.now, this.detector.deadline());
      this.detector.advance(this.now);
    }
    this.now = until;
  }

  hear({
    mac = OTHER,
    operation = ArpOperation.REQUEST,
    sender = '0.0.0.0',
    target = '0.0.0.0',
  }: ArpFields): void {
    const packet = new ArpPacket();
    packet.operation = operation;
    packet.senderMacHigh = mac.high;
    packet.senderMacLow = mac.low;
    packet.senderAddress = IpAddress.parse(sender).word3;
    packet.targetAddress = IpAddress.parse(target).word3;
    this.detector.receive(packet, this.now);
  }

  take(): string[] {
    return this.told.splice(0).map(({ what }) => what);
  }
}

test('three probes, a wait, then the address is used and announced twice (RFC 5227, sections 2.1.1 and 2.3)', () => {
  for (let seed = 1; seed < 20; seed++) {
    const station = new Station({ random: seededRandom(seed) });
    station.detector.start(ADDRESS, 0);
    station.pass(20_000);
    const { told } = station;
    assert.deepEqual(
      told.map(({ what }) => what),
      ['probe', 'probe', 'probe', 'free 192.0.2.1', 'announce', 'announce'],
    );
    const at = told.map((entry) => entry.at);
    assert.ok(at[0]! >= 0 && at[0]! <= 1000);
    for (const i of [1, 2]) assert.ok(at[i]! - at[i - 1]! >= 1000 && at[i]! - at[i - 1]! <= 2000);
    assert.equal(at[3], at[2]! + 2000);
    assert.equal(at[4], at[3]);
    assert.equal(at[5], at[4]! + 2000);
    assert.equal(station.detector.state, 'in-use');
    assert.equal(station.detector.deadline(), Infinity);
  }
});

test('before use, any packet from the address is a conflict, and so is another’s probe for it', () => {
  for (const fields of [
    { operation: ArpOperation.REPLY, sender: '192.0.2.1', target: '192.0.2.9' },
    { operation: ArpOperation.REQUEST, sender: '192.0.2.1', target: '192.0.2.9' },
    { operation: ArpOperation.REQUEST, target: '192.0.2.1' },
  ]) {
    for (const wait of [0, 1500, 4000]) {
      const station = new Station();
      station.detector.start(ADDRESS, 0);
      station.pass(wait);
      station.take();
      station.hear(fields);
      assert.deepEqual(station.take(), [`conflict ${OTHER} false`]);
      assert.equal(station.detector.state, 'conflict');
      station.hear(fields);
      station.pass(100_000);
      assert.deepEqual(station.take(), [], 'and that is all');
    }
  }
});

test('what is no conflict: our own packets, questions about the address, other addresses', () => {
  const station = new Station();
  station.detector.start(ADDRESS, 0);
  for (let i = 0; i < 10; i++) {
    station.hear({ mac: OURS, target: '192.0.2.1' });
    station.hear({ mac: OURS, sender: '192.0.2.1' });
    station.hear({ sender: '192.0.2.9', target: '192.0.2.1' });
    station.hear({ sender: '192.0.2.9', target: '192.0.2.8' });
    station.hear({ target: '192.0.2.8' });
    station.pass(1000);
  }
  assert.equal(station.detector.state, 'in-use');
  // In use, another's probe is answered by ARP itself.
  station.hear({ target: '192.0.2.1' });
  assert.equal(station.detector.state, 'in-use');
});

function inUse(options: Partial<ConflictOptions> = {}): Station {
  const station = new Station(options);
  station.detector.start(ADDRESS, 0);
  station.pass(20_000);
  station.take();
  return station;
}

test('in use: defended once in ten seconds, then given up (RFC 5227, section 2.4 b)', () => {
  const station = inUse();
  station.hear({ sender: '192.0.2.1' });
  assert.deepEqual(station.take(), ['announce']);
  station.pass(10_000);
  station.hear({ sender: '192.0.2.1' });
  assert.deepEqual(station.take(), ['announce']);
  station.pass(9999);
  station.hear({ sender: '192.0.2.1' });
  assert.deepEqual(station.take(), [`conflict ${OTHER} true`]);
  assert.deepEqual(station.detector.conflicts.snapshot(), { defended: 2, 'gave-way': 1 });
  assert.deepEqual(station.contested, [`defended ${OTHER}`, `defended ${OTHER}`]);
});

test('in use: given up at once, or never, as asked (RFC 5227, section 2.4 a and c)', () => {
  const meek = inUse({ defence: 'give-way' });
  meek.hear({ sender: '192.0.2.1' });
  assert.deepEqual(meek.take(), [`conflict ${OTHER} true`]);

  const stubborn = inUse({ defence: 'defend-always' });
  for (let i = 0; i < 100; i++) {
    stubborn.hear({ sender: '192.0.2.1' });
    stubborn.pass(1000);
  }
  assert.deepEqual(stubborn.take(), Array(10).fill('announce'), 'at most one in ten seconds');
  assert.deepEqual(stubborn.contested.slice(0, 2), [`defended ${OTHER}`, `ignored ${OTHER}`]);
  assert.equal(stubborn.detector.state, 'in-use');
});

test('a conflict between the announcements is one in use', () => {
  const station = new Station({ defence: 'give-way' });
  station.detector.claim(ADDRESS, 0);
  assert.deepEqual(station.take(), ['free 192.0.2.1', 'announce']);
  station.hear({ sender: '192.0.2.1' });
  assert.deepEqual(station.take(), [`conflict ${OTHER} true`]);
});

test('an address can be claimed without probes', () => {
  const station = new Station();
  station.detector.claim(ADDRESS, 0);
  station.pass(10_000);
  assert.deepEqual(station.take(), ['free 192.0.2.1', 'announce', 'announce']);
});

test('after ten conflicts a new try is made once a minute (RFC 5227, section 2.1.1)', () => {
  const station = new Station();
  for (let i = 0; i < 10; i++) {
    station.detector.start(ADDRESS, station.now);
    station.pass(1000);
    station.hear({ sender: '192.0.2.1' });
  }
  const lastTry = station.now - 1000;
  station.take();
  for (let i = 1; i <= 3; i++) {
    station.detector.start(ADDRESS, station.now);
    station.pass(lastTry + i * 60_000 - station.now - 1);
    assert.deepEqual(station.take(), [], `try ${i} waits`);
    station.pass(1001);
    assert.deepEqual(station.take(), ['probe']);
    station.hear({ sender: '192.0.2.1' });
    station.take();
  }
  station.detector.start(ADDRESS, station.now);
  station.pass(100_000);
  assert.equal(station.detector.state, 'in-use', 'success');
  station.take();
  station.detector.start(ADDRESS, station.now);
  station.pass(1000);
  assert.deepEqual(station.take(), ['probe'], 'and the count begins anew');
});

test('conflicts count for all detectors of an interface (RFC 5227, section 2.1.1)', () => {
  const history = new ConflictHistory();
  for (let i = 0; i < 10; i++) {
    const station = new Station({ history });
    station.detector.start(ADDRESS, 0);
    station.hear({ sender: '192.0.2.1' });
  }
  const next = new Station({ history });
  next.detector.start(IpAddress.parse('192.0.2.2'), 0);
  next.pass(59_999);
  assert.deepEqual(next.take(), [], 'the eleventh address waits a minute');
  next.pass(1001);
  assert.deepEqual(next.take(), ['probe']);
});

test('stopped, nothing is sent and nothing is heard', () => {
  const station = inUse();
  station.detector.stop(station.now);
  station.detector.stop(station.now);
  station.hear({ sender: '192.0.2.1' });
  station.pass(100_000);
  assert.deepEqual(station.take(), []);
  assert.equal(station.detector.address, undefined);
});

test('a handler may end it while it is told that the address is free', () => {
  const told: string[] = [];
  const detector: ConflictDetector = new ConflictDetector(
    { mac: OURS, random: seededRandom(1) },
    {
      sendProbe: () => told.push('probe'),
      sendAnnouncement: () => told.push('announce'),
      free: () => detector.stop(0),
      contested: () => told.push('contested'),
      conflict: () => told.push('conflict'),
    },
  );
  detector.claim(ADDRESS, 0);
  assert.deepEqual(told, []);
  assert.equal(detector.deadline(), Infinity);
});

test('whatever is heard and done, no step is illegal, and an address is free only after its probes', () => {
  const event = fc.record({
    kind: fc.constantFrom('start', 'claim', 'stop', 'hear', 'pass', 'pass'),
    sender: fc.constantFrom('0.0.0.0', '192.0.2.1', '192.0.2.9'),
    target: fc.constantFrom('192.0.2.1', '192.0.2.9'),
    time: fc.nat(5000),
  });
  const defence = fc.constantFrom('give-way', 'defend-once', 'defend-always');
  fc.assert(
    fc.property(fc.array(event, { maxLength: 50 }), defence, (events, how) => {
      const station = new Station({ defence: how as 'give-way' });
      let probes = 0;
      let wasClaimed = false;
      for (const { kind, sender, target, time } of events) {
        if (kind === 'start' || kind === 'claim') {
          station.detector[kind](ADDRESS, station.now);
          probes = 0;
          wasClaimed = kind === 'claim';
        } else if (kind === 'stop') station.detector.stop(station.now);
        else if (kind === 'hear') station.hear({ sender, target });
        else station.pass(time);
        for (const what of station.take()) {
          if (what === 'probe') probes++;
          if (what.startsWith('free')) assert.ok(wasClaimed || probes === 3);
        }
      }
    }),
  );
});
