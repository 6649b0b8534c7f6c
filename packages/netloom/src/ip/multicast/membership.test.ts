import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { IpAddress, mermaid, seededRandom } from '../../core/index.ts';
import {
  GroupRecordType,
  emitIgmp,
  emitMld,
  igmpLength,
  isFault,
  mldLength,
  parseIgmp,
  parseMld,
  type IgmpMessage,
  type MldMessage,
} from '../../wire/index.ts';
import {
  COMPATIBILITY_TRANSITIONS,
  GroupMembership,
  IGMP,
  MLD,
  type MembershipLimits,
  type MembershipProtocol,
} from './index.ts';

const GROUP = '239.1.2.3';
const GROUP_6 = 'ff05::1:3';

/** A membership engine in virtual time, with what it sent as text: `at: what > destination`. */
class Station<Message extends IgmpMessage | MldMessage> {
  now = 0;
  readonly sent: string[] = [];
  readonly engine: GroupMembership<Message>;

  constructor(
    protocol: MembershipProtocol<Message>,
    options: { seed?: number; limits?: Partial<MembershipLimits> } = {},
  ) {
    this.engine = new GroupMembership(
      protocol,
      { random: seededRandom(options.seed ?? 1), limits: options.limits ?? {} },
      { send: (message, destination) => this.sent.push(`${describe(message)} > ${destination}`) },
    );
  }

  join(group: string): void {
    this.engine.join(IpAddress.parse(group), this.now);
  }

  leave(group: string): boolean {
    return this.engine.leave(IpAddress.parse(group), this.now);
  }

  /** Lets time pass, calling the engine whenever it asked to be called. */
  pass(milliseconds: number): void {
    const until = this.now + milliseconds;
    while (this.engine.deadline() <= until) {
      this.now = Math.max(this.now, this.engine.deadline());
      this.engine.advance(this.now);
    }
    this.now = until;
  }

  /** What was sent since the last call. */
  take(): string[] {
    return this.sent.splice(0);
  }

  query(
    version: number,
    options: { group?: string; time?: number; sources?: string[]; robustness?: number } = {},
  ): void {
    this.engine.receiveQuery(
      {
        version,
        group: options.group === undefined ? IpAddress.ANY4 : IpAddress.parse(options.group),
        maximumResponseTime: options.time ?? 10_000,
        robustness: options.robustness ?? 0,
        queryInterval: 0,
        sources: (options.sources ?? []).map((source) => IpAddress.parse(source)),
      },
      this.now,
    );
  }
}

const RECORD_NAMES = ['', 'is-in', 'is-ex', 'to-in', 'to-ex', 'allow', 'block'];

function describe(message: IgmpMessage | MldMessage): string {
  if (message.kind === 'report-v3' || message.kind === 'report-v2') {
    return message.records
      .map(({ type, group, sources }) => `${RECORD_NAMES[type]} ${group} {${sources.join(' ')}}`)
      .join(', ');
  }
  assert.ok(message.kind !== 'query');
  const version = 'version' in message ? ` v${message.version}` : '';
  return `${message.kind}${version} ${message.group}`;
}

test('joining is reported at once and again within a second (RFC 3376, section 5.1)', () => {
  const station = new Station(IGMP);
  station.join(GROUP);
  const report = `to-ex ${GROUP} {} > 224.0.0.22`;
  assert.deepEqual(station.take(), [report]);
  station.pass(1000);
  assert.deepEqual(station.take(), [report]);
  station.pass(100_000);
  assert.deepEqual(station.take(), []);
  assert.equal(station.engine.deadline(), Infinity);
});

test('leaving is reported as often, and then the group is forgotten', () => {
  const station = new Station(IGMP);
  station.join(GROUP);
  station.pass(5000);
  station.take();
  assert.equal(station.leave(GROUP), true);
  assert.deepEqual(station.engine.groups(), []);
  station.pass(1000);
  const report = `to-in ${GROUP} {} > 224.0.0.22`;
  assert.deepEqual(station.take(), [report, report]);
  assert.equal(station.leave(GROUP), false);
});

test('a change that undoes another takes its place', () => {
  const station = new Station(IGMP);
  station.join(GROUP);
  station.leave(GROUP);
  station.join(GROUP);
  station.pass(10_000);
  assert.deepEqual(
    station.take().map((line) => line.slice(0, 5)),
    ['to-ex', 'to-in', 'to-ex', 'to-ex'],
  );
});

test('only the first join and the last leave are told', () => {
  const station = new Station(IGMP);
  station.join(GROUP);
  station.join(GROUP);
  station.pass(5000);
  assert.equal(station.take().length, 2);
  assert.equal(station.leave(GROUP), true);
  assert.deepEqual(station.take(), []);
  assert.deepEqual(station.engine.groups().map(String), [GROUP]);
  station.leave(GROUP);
  assert.equal(station.take().length, 1);
});

test('groups that every node is in, or that do not leave it, are members without a word', () => {
  const four = new Station(IGMP);
  four.join('224.0.0.1');
  four.query(3);
  const six = new Station(MLD);
  for (const group of ['ff02::1', 'ff01::1', 'ff00::5']) six.join(group);
  six.query(2);
  six.leave('ff02::1');
  for (const station of [four, six]) {
    station.pass(100_000);
    assert.deepEqual(station.take(), []);
  }
  assert.equal(six.engine.groups().length, 2);
});

test('membership is by all words of the address', () => {
  const station = new Station(MLD);
  station.join('ff02::1:ff00:1');
  station.join('ff05::1:ff00:1');
  const isMember = (text: string): boolean => {
    const { word0, word1, word2, word3 } = IpAddress.parse(text);
    return station.engine.isMember(word0, word1, word2, word3);
  };
  assert.equal(isMember('ff02::1:ff00:1'), true);
  assert.equal(isMember('ff02::1:ff00:2'), false);
  assert.equal(isMember('ff08::1:ff00:1'), false);
  station.leave('ff02::1:ff00:1');
  assert.equal(isMember('ff02::1:ff00:1'), false);
  assert.equal(isMember('ff05::1:ff00:1'), true);
});

test('a general query is answered once, for all groups together, within the time it gives', () => {
  const station = new Station(IGMP);
  station.join(GROUP);
  station.join('239.9.9.9');
  station.pass(5000);
  station.take();
  station.query(3, { time: 2000 });
  assert.deepEqual(station.take(), []);
  station.pass(2000);
  assert.deepEqual(station.take(), [`is-ex ${GROUP} {}, is-ex 239.9.9.9 {} > 224.0.0.22`]);
  station.pass(100_000);
  assert.deepEqual(station.take(), []);
});

test('queries of a group, of sources in it, and of a group that is not joined', () => {
  const station = new Station(IGMP);
  station.join(GROUP);
  station.pass(5000);
  station.take();
  station.query(3, { group: GROUP, time: 1000 });
  station.pass(1000);
  assert.deepEqual(station.take(), [`is-ex ${GROUP} {} > 224.0.0.22`]);
  station.query(3, { group: GROUP, time: 1000, sources: ['192.0.2.1', '192.0.2.2'] });
  station.pass(1000);
  // RFC 3376, section 5.2: in EXCLUDE mode the answer is the sources asked for that are not excluded.
  assert.deepEqual(station.take(), [`is-in ${GROUP} {192.0.2.1 192.0.2.2} > 224.0.0.22`]);
  station.query(3, { group: '239.9.9.9', time: 1000 });
  station.pass(10_000);
  assert.deepEqual(station.take(), []);
});

test('queries that come while an answer waits are answered together (RFC 3376, section 5.2)', () => {
  const station = new Station(IGMP);
  station.join(GROUP);
  station.pass(5000);
  station.take();
  station.query(3, { group: GROUP, time: 1000, sources: ['192.0.2.1'] });
  station.query(3, { group: GROUP, time: 1000, sources: ['192.0.2.1', '192.0.2.2'] });
  station.pass(1000);
  assert.deepEqual(station.take(), [`is-in ${GROUP} {192.0.2.1 192.0.2.2} > 224.0.0.22`]);
  // One for the group as such outweighs those for sources, whichever comes first.
  for (const sources of [[], ['192.0.2.1']]) {
    station.query(3, { group: GROUP, time: 1000, sources });
    station.query(3, {
      group: GROUP,
      time: 1000,
      sources: sources.length > 0 ? [] : ['192.0.2.7'],
    });
    station.pass(1000);
    assert.deepEqual(station.take(), [`is-ex ${GROUP} {} > 224.0.0.22`]);
  }
  // An answer to all that comes sooner serves.
  station.query(3, { time: 0 });
  station.query(3, { group: GROUP, time: 5000 });
  station.pass(10_000);
  assert.deepEqual(station.take(), [`is-ex ${GROUP} {} > 224.0.0.22`]);
});

test('of two queries for a group the one that leaves less time decides (RFC 3376, section 5.2)', () => {
  for (let seed = 1; seed < 30; seed++) {
    const station = new Station(IGMP, { seed });
    station.join(GROUP);
    station.pass(5000);
    for (const times of [
      [500, 50_000],
      [50_000, 500],
    ]) {
      station.take();
      for (const time of times) station.query(3, { group: GROUP, time });
      station.pass(500);
      assert.equal(station.take().length, 1);
    }
  }
});

test('too many sources to remember: the answer is for the whole group', () => {
  const station = new Station(IGMP, { limits: { sources: 2 } });
  station.join(GROUP);
  station.pass(5000);
  station.take();
  const sources = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];
  station.query(3, { group: GROUP, time: 1000, sources });
  station.pass(1000);
  assert.deepEqual(station.take(), [`is-ex ${GROUP} {} > 224.0.0.22`]);
  assert.deepEqual(station.engine.drops.snapshot(), { 'too-many-sources': 1 });
});

test('many groups are reported in as many reports as they need', () => {
  const station = new Station(MLD);
  for (let i = 1; i <= 130; i++) station.join(`ff05::${i.toString(16)}`);
  station.pass(5000);
  station.take();
  station.query(2, { time: 1000 });
  station.pass(1000);
  assert.deepEqual(
    station.take().map((line) => line.split(',').length),
    [61, 61, 8],
  );
});

test('the querier says how often changes are reported', () => {
  const station = new Station(IGMP);
  station.query(3, { robustness: 5, time: 0 });
  station.pass(1);
  station.join(GROUP);
  station.pass(20_000);
  assert.equal(station.take().length, 5);
});

test('a version 2 querier: version 2 reports, a leave, and version 3 again when it is gone', () => {
  const station = new Station(IGMP);
  station.query(2);
  assert.equal(station.engine.mode, 'older');
  station.join(GROUP);
  station.pass(10_000);
  const report = `report v2 ${GROUP} > ${GROUP}`;
  assert.deepEqual(station.take(), [report, report]);
  station.query(2);
  station.pass(10_000);
  assert.deepEqual(station.take(), [report]);
  station.query(2, { group: GROUP, time: 1000 });
  station.pass(1000);
  assert.deepEqual(station.take(), [report]);
  // A version 3 query is answered in version 2 for as long (RFC 3376, section 7.2.1).
  station.query(3, { time: 1000 });
  station.pass(1000);
  assert.deepEqual(station.take(), [report]);
  station.leave(GROUP);
  assert.deepEqual(station.take(), [`leave ${GROUP} > 224.0.0.2`]);
  // The last general query of version 2 was at 10,000: robustness x interval + response time.
  station.pass(10_000 + 2 * 125_000 + 10_000 - station.now - 1);
  assert.equal(station.engine.mode, 'older');
  station.pass(1);
  assert.equal(station.engine.mode, 'newest');
  assert.equal(station.engine.deadline(), Infinity);
});

test('in an old mode another host’s report makes ours superfluous, and our leave too', () => {
  const station = new Station(IGMP);
  station.query(2);
  station.join(GROUP);
  station.pass(20_000);
  station.take();
  station.query(2);
  station.engine.receiveReport(IpAddress.parse(GROUP));
  station.pass(20_000);
  assert.deepEqual(station.take(), []);
  station.leave(GROUP);
  assert.deepEqual(station.take(), []);
  assert.deepEqual(station.engine.groups(), []);
});

test('in version 3 reports of others change nothing (RFC 3376, section 5)', () => {
  const station = new Station(IGMP);
  station.join(GROUP);
  station.engine.receiveReport(IpAddress.parse(GROUP));
  station.pass(5000);
  assert.equal(station.take().length, 2);
});

test('a version 2 query shortens a waiting answer but never puts it off (RFC 2236, section 3)', () => {
  for (let seed = 1; seed < 30; seed++) {
    const station = new Station(IGMP, { seed });
    station.query(2, { time: 100 });
    station.join(GROUP);
    station.pass(50_000);
    station.take();
    station.query(2, { time: 10_000 });
    station.query(2, { group: GROUP, time: 500 });
    station.query(2, { time: 10_000 });
    station.pass(500);
    assert.equal(station.take().length, 1);
  }
});

test('a version 1 querier: version 1 reports and no leave; version 2 while only its querier is left', () => {
  const station = new Station(IGMP);
  station.query(1);
  assert.equal(station.engine.mode, 'oldest');
  station.join(GROUP);
  station.pass(10_000);
  const report = `report v1 ${GROUP} > ${GROUP}`;
  assert.deepEqual(station.take(), [report, report]);
  station.leave(GROUP);
  assert.deepEqual(station.take(), []);
  station.pass(200_000);
  station.query(2);
  assert.equal(station.engine.mode, 'oldest');
  station.pass(50_000);
  assert.equal(station.engine.mode, 'older');
  station.pass(210_000);
  assert.equal(station.engine.mode, 'newest');
});

test('a group-specific query of an old version does not change the version', () => {
  const station = new Station(IGMP);
  station.query(2, { group: GROUP });
  assert.equal(station.engine.mode, 'newest');
});

test('what was about to be said in another version is not', () => {
  const station = new Station(IGMP);
  station.join(GROUP);
  station.join('239.9.9.9');
  station.leave('239.9.9.9');
  station.take();
  station.query(2, { time: 1000 });
  station.pass(20_000);
  assert.deepEqual(station.take(), [`report v2 ${GROUP} > ${GROUP}`]);
  assert.deepEqual(station.engine.groups().map(String), [GROUP]);
});

test('MLD: joining, leaving, sources, and version 1 with its done', () => {
  const station = new Station(MLD);
  station.join(`${GROUP_6}%eth0`);
  assert.deepEqual(station.take(), [`to-ex ${GROUP_6} {} > ff02::16`]);
  station.pass(5000);
  station.take();
  station.query(2, { group: GROUP_6, time: 1000, sources: ['2001:db8::1'] });
  station.pass(1000);
  assert.deepEqual(station.take(), [`is-in ${GROUP_6} {2001:db8::1} > ff02::16`]);
  station.query(1, { time: 1000 });
  assert.equal(station.engine.mode, 'older');
  station.pass(1000);
  assert.deepEqual(station.take(), [`report ${GROUP_6} > ${GROUP_6}`]);
  station.leave(GROUP_6);
  assert.deepEqual(station.take(), [`done ${GROUP_6} > ff02::2`]);
});

test('everything is announced anew when the link comes up', () => {
  const station = new Station(MLD);
  station.join(GROUP_6);
  station.join('ff02::1');
  station.pass(5000);
  station.take();
  station.engine.announce(station.now);
  station.pass(5000);
  assert.deepEqual(station.take(), Array(2).fill(`to-ex ${GROUP_6} {} > ff02::16`));
});

test('what is no group, or one too many, is refused by name', () => {
  const station = new Station(IGMP, { limits: { groups: 1 } });
  assert.throws(() => station.join('192.0.2.1'), { code: 'MULTICAST_GROUP_INVALID' });
  assert.throws(() => station.join(GROUP_6), { code: 'MULTICAST_GROUP_INVALID' });
  station.join(GROUP);
  assert.throws(() => station.join('239.9.9.9'), { code: 'MULTICAST_GROUPS_FULL' });
});

test('what it sends can be written and read', () => {
  const four: IgmpMessage[] = [];
  const igmp = new GroupMembership(
    IGMP,
    { random: seededRandom(1) },
    { send: (m) => four.push(m) },
  );
  igmp.join(IpAddress.parse(GROUP), 0);
  for (const message of four) {
    const bytes = new Uint8Array(igmpLength(message));
    emitIgmp(message, bytes, 0);
    assert.ok(!isFault(parseIgmp(bytes, 0, bytes.length)));
  }
  const six: MldMessage[] = [];
  const mld = new GroupMembership(MLD, { random: seededRandom(1) }, { send: (m) => six.push(m) });
  mld.join(IpAddress.parse(GROUP_6), 0);
  for (const message of six) {
    const bytes = new Uint8Array(mldLength(message));
    emitMld(message, bytes, 0);
    const parsed = parseMld(bytes, 0, bytes.length);
    assert.ok(!isFault(parsed) && parsed.kind === 'report-v2');
    assert.equal(parsed.records[0]!.type, GroupRecordType.CHANGE_TO_EXCLUDE);
  }
  assert.equal(four.length + six.length, 2);
});

test('a handler may call the engine while it sends', () => {
  const engine: GroupMembership<IgmpMessage> = new GroupMembership(
    IGMP,
    { random: seededRandom(1) },
    {
      send: () => {
        for (const group of engine.groups()) engine.leave(group, 0);
      },
    },
  );
  engine.join(IpAddress.parse(GROUP), 0);
  assert.deepEqual(engine.groups(), []);
});

test('whatever happens, members answer a general query of the newest version, and the engine comes to rest', () => {
  const event = fc.record({
    kind: fc.constantFrom('join', 'leave', 'query', 'report', 'pass'),
    group: fc.nat(3).map((last) => `239.0.0.${last}`),
    version: fc.integer({ min: 1, max: 3 }),
    isGeneral: fc.boolean(),
    time: fc.nat(20_000),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), fc.nat(1000), (events, seed) => {
      const station = new Station(IGMP, { seed });
      for (const { kind, group, version, isGeneral, time } of events) {
        if (kind === 'join') station.join(group);
        else if (kind === 'leave') station.leave(group);
        else if (kind === 'query') station.query(version, isGeneral ? { time } : { time, group });
        else if (kind === 'report') station.engine.receiveReport(IpAddress.parse(group));
        else station.pass(time);
      }
      station.pass(1_000_000);
      assert.equal(station.engine.mode, 'newest');
      assert.equal(station.engine.deadline(), Infinity);
      station.take();
      station.query(3, { time: 1000 });
      station.pass(1000);
      const answer = station.take().join();
      const members = station.engine.groups().map((group) => `is-ex ${group} {}`);
      assert.equal(answer, members.length > 0 ? `${members.join(', ')} > 224.0.0.22` : '');
    }),
  );
});

test('the table of modes can be drawn', () => {
  assert.match(mermaid(COMPATIBILITY_TRANSITIONS, 'newest'), /oldest --> older: only-older-left/);
});
