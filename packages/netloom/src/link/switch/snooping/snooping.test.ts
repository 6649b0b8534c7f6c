/** Groups' frames through a switch that listens to IGMP and MLD. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { IpAddress, MacAddress, writeUint16 } from '../../../core/index.ts';
import {
  emitIgmp,
  emitIpv4,
  emitIpv6,
  emitIpv6RouterAlert,
  emitMld,
  finishIcmpv6,
  GroupRecordType,
  igmpLength,
  IpProtocol,
  Ipv4Header,
  Ipv6Header,
  mldLength,
  pseudoHeaderSumV6,
  type IgmpMessage,
  type MldMessage,
} from '../../../wire/index.ts';
import { FRAMES } from '../../../../test/frames.ts';
import { internetSum, SwitchWorld, TEST_GROUP, type TestStation } from '../switch-world.ts';
import type { SwitchOptions } from '../switch.ts';
import type { SnoopingSettings } from './settings.ts';

/** One family's way to say things about groups. */
interface Family {
  readonly family: 4 | 6;
  readonly groups: readonly [IpAddress, IpAddress];
  /** Of the link; everybody hears it. */
  readonly linkLocal: IpAddress;
  /** The message in a packet in a frame, addressed to `to`. */
  join(group: IpAddress): Uint8Array;
  leave(group: IpAddress): Uint8Array;
  /** A report of the newer version. */
  records(type: number, group: IpAddress, sources: readonly IpAddress[]): Uint8Array;
  /** Of any group, without one. */
  query(group?: IpAddress, more?: { fromRouter?: boolean; suppress?: boolean }): Uint8Array;
}

const ROUTER_MAC = new MacAddress(0x0200, 0xffff);

function ethernet(to: IpAddress, type: number, payloadLength: number): Uint8Array {
  const frame = new Uint8Array(14 + payloadLength);
  MacAddress.ofMulticast(to.family, to.word3).copyTo(frame, 0);
  ROUTER_MAC.copyTo(frame, 6);
  writeUint16(frame, 12, type);
  return frame;
}

function igmpFrame(to: IpAddress, message: IgmpMessage, source = '10.0.0.9'): Uint8Array {
  const length = 24 + igmpLength(message);
  const frame = ethernet(to, 0x0800, length);
  const header = Object.assign(new Ipv4Header(), {
    headerLength: 24,
    totalLength: length,
    timeToLive: 1,
    protocol: IpProtocol.IGMP,
    source: IpAddress.parse(source).word3,
    destination: to.word3,
  });
  // A router alert (RFC 2113).
  frame.set([0x94, 4, 0, 0], 34);
  emitIgmp(message, frame, emitIpv4(header, frame, 14));
  return frame;
}

function mldFrame(to: IpAddress, message: MldMessage, source = 'fe80::9'): Uint8Array {
  const payloadLength = 8 + mldLength(message);
  const frame = ethernet(to, 0x86dd, 40 + payloadLength);
  const header = new Ipv6Header();
  Object.assign(header, { payloadLength, nextHeader: IpProtocol.HOP_BY_HOP, hopLimit: 1 });
  const from = IpAddress.parse(source);
  header.setSource(from);
  header.setDestination(to);
  const at = emitIpv6RouterAlert(IpProtocol.ICMPV6, 0, frame, emitIpv6(header, frame, 14));
  const end = emitMld(message, frame, at);
  const sum = pseudoHeaderSumV6(
    from.word0,
    from.word1,
    from.word2,
    from.word3,
    to.word0,
    to.word1,
    to.word2,
    to.word3,
    IpProtocol.ICMPV6,
    end - at,
  );
  finishIcmpv6(frame, at, end, sum);
  return frame;
}

const QUERY = {
  kind: 'query',
  maximumResponseTime: 1000,
  suppressRouterProcessing: false,
  robustness: 2,
  queryInterval: 125,
  sources: [],
} as const;

const [ALL_SYSTEMS, ALL_ROUTERS, IGMP_ROUTERS] = ['224.0.0.1', '224.0.0.2', '224.0.0.22'].map(
  (text) => IpAddress.parse(text),
) as [IpAddress, IpAddress, IpAddress];
const [ALL_NODES, ALL_ROUTERS_6, MLD_ROUTERS] = ['ff02::1', 'ff02::2', 'ff02::16'].map((text) =>
  IpAddress.parse(text),
) as [IpAddress, IpAddress, IpAddress];

const IPV4: Family = {
  family: 4,
  // They have one MAC address in common.
  groups: [IpAddress.parse('239.1.2.3'), IpAddress.parse('239.129.2.3')],
  linkLocal: IpAddress.parse('224.0.0.251'),
  join: (group) => igmpFrame(group, { kind: 'report', version: 2, group }),
  leave: (group) => igmpFrame(ALL_ROUTERS, { kind: 'leave', group }),
  records: (type, group, sources) =>
    igmpFrame(IGMP_ROUTERS, { kind: 'report-v3', records: [{ type, group, sources }] }),
  query: (group, { fromRouter = true, suppress = false } = {}) =>
    igmpFrame(
      group ?? ALL_SYSTEMS,
      { ...QUERY, version: 3, group: group ?? IpAddress.ANY4, suppressRouterProcessing: suppress },
      fromRouter ? '10.0.0.1' : '0.0.0.0',
    ),
};

const IPV6: Family = {
  family: 6,
  groups: [IpAddress.parse('ff05::1:2:3'), IpAddress.parse('ff08::9:2:3')],
  linkLocal: IpAddress.parse('ff02::fb'),
  join: (group) => mldFrame(group, { kind: 'report', group }),
  leave: (group) => mldFrame(ALL_ROUTERS_6, { kind: 'done', group }),
  records: (type, group, sources) =>
    mldFrame(MLD_ROUTERS, { kind: 'report-v2', records: [{ type, group, sources }] }),
  query: (group, { fromRouter = true, suppress = false } = {}) =>
    mldFrame(
      group ?? ALL_NODES,
      { ...QUERY, version: 2, group: group ?? IpAddress.ANY6, suppressRouterProcessing: suppress },
      fromRouter ? 'fe80::1' : '::',
    ),
};

const FAMILIES = [IPV4, IPV6];

/** A UDP datagram to a group, as far as a switch looks at it. */
function data(group: IpAddress): Uint8Array {
  if (group.family === 6) {
    const frame = ethernet(group, 0x86dd, 60);
    const header = Object.assign(new Ipv6Header(), {
      payloadLength: 20,
      nextHeader: IpProtocol.UDP,
    });
    header.setDestination(group);
    emitIpv6(header, frame, 14);
    return frame;
  }
  const frame = ethernet(group, 0x0800, 40);
  const header = { totalLength: 40, protocol: IpProtocol.UDP, destination: group.word3 };
  emitIpv4(Object.assign(new Ipv4Header(), header), frame, 14);
  return frame;
}

/** A router, two members to be, one who never is, and one who sends. */
class SnoopingWorld extends SwitchWorld {
  readonly router: TestStation = this.station();
  readonly one: TestStation = this.station();
  readonly two: TestStation = this.station();
  readonly other: TestStation = this.station();
  readonly sender: TestStation = this.station();

  constructor(snooping: SnoopingSettings = {}, options: Partial<SwitchOptions> = {}) {
    super({ snooping, ...options });
  }

  /** Sends a frame and answers who has had it, by number. */
  to(from: TestStation, frame: Uint8Array): number[] {
    from.send(frame);
    this.clock.runDeferred();
    return this.stations.flatMap(({ recorder }, number) =>
      recorder.received.splice(0).length > 0 ? [number] : [],
    );
  }

  /** Who has a group's frames. */
  heard(group: IpAddress): number[] {
    return this.to(this.sender, data(group));
  }

  /** The router asks everybody, and the time to answer passes. */
  start(how: Family): void {
    this.to(this.router, how.query());
    this.clock.advance(this.clock.now() + 1000);
  }
}

for (const how of FAMILIES) {
  const { family, groups } = how;
  const [group, otherGroup] = groups;

  test(`IPv${family}: a group’s frames go to its members and to routers`, () => {
    const world = new SnoopingWorld();
    assert.deepEqual(world.to(world.router, how.query()), [1, 2, 3, 4], 'a query goes to all');
    world.start(how);
    assert.deepEqual(world.heard(group), [0], 'nobody has asked for it');
    assert.deepEqual(world.to(world.one, how.join(group)), [0], 'reports go to routers only');
    assert.deepEqual(world.heard(group), [0, 1]);
    world.to(world.two, how.join(group));
    assert.deepEqual(world.heard(group), [0, 1, 2]);
    assert.deepEqual(world.to(world.one, data(group)), [0, 2], 'and not back');
    assert.deepEqual(world.heard(otherGroup), [0]);
    const known = world.switch.groups();
    assert.deepEqual(
      known.map((each) => [each.vlan, `${each.group}`, each.ports.map(({ name }) => name)]),
      [[1, `${group}`, ['s1', 's2']]],
    );
    assert.deepEqual(
      world.switch.multicastRouters().map((each) => [each.vlan, each.family, each.port.name]),
      [[1, family, 's0']],
    );
  });

  test(`IPv${family}: as long as no querier is heard, and until members had the time to answer, all go everywhere`, () => {
    const world = new SnoopingWorld();
    world.to(world.one, how.join(group));
    assert.deepEqual(world.heard(group), [0, 1, 2, 3]);
    assert.deepEqual(world.to(world.one, how.join(group)), [0, 2, 3, 4]);
    world.to(world.router, how.query());
    assert.deepEqual(world.heard(group), [0, 1, 2, 3]);
    world.clock.advance(1000);
    assert.deepEqual(world.heard(group), [0, 1]);
    // Only of the family, and only in the VLAN.
    const [foreign] = FAMILIES.find((each) => each !== how)!.groups;
    assert.deepEqual(world.heard(foreign), [0, 1, 2, 3]);
    world.clock.advance(60_000);
    world.to(world.router, how.query());
    assert.deepEqual(world.heard(group), [0, 1], 'asking again does not begin anew');
    world.to(world.one, how.join(group));
    world.clock.advance(315_000 - 1);
    assert.deepEqual(world.heard(group), [0, 1]);
    world.clock.advance(315_000);
    assert.deepEqual(world.heard(group), [0, 1, 2, 3], 'the querier is gone');
    assert.deepEqual(world.switch.multicastRouters(), []);
  });

  test(`IPv${family}: groups of the link, and what is no IP, always go everywhere`, () => {
    const world = new SnoopingWorld();
    world.start(how);
    world.to(world.one, how.join(how.linkLocal));
    assert.deepEqual(world.heard(how.linkLocal), [0, 1, 2, 3]);
    assert.deepEqual(world.switch.groups(), [], 'there is nothing to be remembered');
    world.send(world.sender, TEST_GROUP, 1);
    assert.deepEqual(world.takeNumbers(), [[1], [1], [1], [1], []]);
    world.send(world.sender, MacAddress.BROADCAST, 2);
    assert.deepEqual(world.takeNumbers(), [[2], [2], [2], [2], []]);
  });

  test(`IPv${family}: a member that is not heard of any more is forgotten, to the millisecond`, () => {
    const world = new SnoopingWorld({ membershipTime: 5000 });
    world.start(how);
    world.to(world.one, how.join(group));
    world.clock.advance(4000);
    world.to(world.two, how.join(group));
    world.clock.advance(5999);
    assert.deepEqual(world.heard(group), [0, 1, 2]);
    world.clock.advance(6000);
    assert.deepEqual(world.heard(group), [0, 2]);
    world.clock.advance(9000);
    assert.deepEqual(world.switch.groups(), []);
  });

  test(`IPv${family}: who leaves is out when the querier has asked twice, and who answers stays`, () => {
    const world = new SnoopingWorld({ membershipTime: 10_000 });
    world.start(how);
    for (const member of [world.one, world.two]) world.to(member, how.join(group));
    world.to(world.one, how.leave(group));
    world.clock.advance(1500);
    assert.deepEqual(world.heard(group), [0, 1, 2], 'nobody has asked yet');
    world.to(world.router, how.query(group));
    world.clock.advance(3000);
    world.to(world.two, how.join(group));
    world.clock.advance(3499);
    assert.deepEqual(world.heard(group), [0, 1, 2]);
    world.clock.advance(3500);
    assert.deepEqual(world.heard(group), [0, 2]);
    world.clock.advance(12_500);
    world.to(world.router, how.query(group));
    world.clock.advance(13_000 - 1);
    assert.deepEqual(world.heard(group), [0, 2]);
    world.clock.advance(13_000);
    assert.deepEqual(world.heard(group), [0], 'being asked gives nobody more time');
  });

  test(`IPv${family}: a query that leaves timers as they are, leaves them`, () => {
    const world = new SnoopingWorld();
    world.start(how);
    world.to(world.two, how.join(group));
    world.to(world.router, how.query(group, { suppress: true }));
    world.clock.advance(60_000);
    assert.deepEqual(world.heard(group), [0, 2]);
  });

  test(`IPv${family}: with one station behind it, a port leaves at once`, () => {
    const world = new SnoopingWorld();
    world.start(how);
    world.one.port.configure({ multicast: { immediateLeave: true } });
    world.to(world.one, how.join(group));
    world.to(world.one, how.leave(otherGroup));
    assert.deepEqual(world.heard(group), [0, 1]);
    world.to(world.one, how.leave(group));
    assert.deepEqual(world.heard(group), [0]);
  });

  test(`IPv${family}: records of the newer version`, () => {
    const source = IpAddress.parse(family === 4 ? '10.0.0.7' : 'fd00::7');
    const { CHANGE_TO_EXCLUDE, CHANGE_TO_INCLUDE, ALLOW_NEW_SOURCES, BLOCK_OLD_SOURCES } =
      GroupRecordType;
    const { MODE_IS_INCLUDE, MODE_IS_EXCLUDE } = GroupRecordType;
    const cases: [type: number, sources: IpAddress[], joins: boolean, leaves: boolean][] = [
      [MODE_IS_EXCLUDE, [], true, false],
      [CHANGE_TO_EXCLUDE, [source], true, false],
      [MODE_IS_INCLUDE, [source], true, false],
      [CHANGE_TO_INCLUDE, [source], true, false],
      [ALLOW_NEW_SOURCES, [source], true, false],
      [MODE_IS_INCLUDE, [], false, true],
      [CHANGE_TO_INCLUDE, [], false, true],
      [BLOCK_OLD_SOURCES, [source], false, false],
      [99, [], false, false],
    ];
    for (const [type, sources, joins, leaves] of cases) {
      const world = new SnoopingWorld();
      world.start(how);
      for (const member of [world.one, world.two]) {
        member.port.configure({ multicast: { immediateLeave: true } });
      }
      world.to(world.two, how.join(group));
      const report = how.records(type, group, sources);
      assert.deepEqual(world.to(world.one, report), [0]);
      world.to(world.two, report);
      const expected = [0, ...(joins ? [1] : []), ...(leaves ? [] : [2])];
      assert.deepEqual(world.heard(group), expected, `type ${type}`);
    }
  });

  test(`IPv${family}: a query that no router sent makes no router, but a querier`, () => {
    const world = new SnoopingWorld();
    world.to(world.router, how.query(undefined, { fromRouter: false }));
    world.clock.advance(1000);
    assert.deepEqual(world.heard(group), []);
    assert.deepEqual(world.switch.multicastRouters(), []);
    assert.deepEqual(world.to(world.one, how.join(group)), [0], 'who asks is to hear the answer');
    assert.deepEqual(world.heard(group), [1]);
  });

  test(`IPv${family}: a port may be said to lead to a router, or not to`, () => {
    const world = new SnoopingWorld();
    world.other.port.configure({ multicast: { router: true } });
    world.router.port.configure({ multicast: { router: false } });
    world.start(how);
    assert.deepEqual(world.heard(group), [3]);
    assert.deepEqual(world.to(world.one, how.join(group)), [0, 3]);
  });

  test(`IPv${family}: unknown groups go everywhere where that is wanted`, () => {
    const world = new SnoopingWorld({ unknownGroups: 'flood' });
    world.start(how);
    assert.deepEqual(world.heard(group), [0, 1, 2, 3]);
    world.to(world.one, how.join(group));
    assert.deepEqual(world.heard(group), [0, 1]);
    assert.deepEqual(world.heard(otherGroup), [0, 1, 2, 3]);
  });

  test(`IPv${family}: groups are those of a VLAN`, () => {
    const world = new SnoopingWorld();
    for (const station of [world.two, world.other]) {
      station.port.configure({ vlan: { mode: 'access', vlan: 2 } });
    }
    world.start(how);
    world.to(world.two, how.join(group));
    assert.deepEqual(world.heard(group), [0]);
    assert.deepEqual(world.to(world.other, data(group)), [2], 'no querier there');
  });

  test(`IPv${family}: who joins more groups than a port may, has those it has; other ports have theirs`, () => {
    const world = new SnoopingWorld({}, { limits: { groupsPerPort: 10, groups: 15 } });
    world.start(how);
    const prefix = family === 4 ? '239.9.0.' : 'ff05::9:';
    for (let i = 1; i <= 100; i++) world.to(world.one, how.join(IpAddress.parse(`${prefix}${i}`)));
    assert.equal(world.switch.groups().length, 10);
    for (let i = 51; i <= 100; i++) world.to(world.two, how.join(IpAddress.parse(`${prefix}${i}`)));
    assert.equal(world.switch.groups().length, 15);
    assert.deepEqual(world.heard(IpAddress.parse(`${prefix}1`)), [0, 1]);
    assert.deepEqual(world.heard(IpAddress.parse(`${prefix}51`)), [0, 2]);
    assert.deepEqual(world.heard(IpAddress.parse(`${prefix}99`)), [0]);
    assert.equal(world.switch.snoopingRefusals!.get('group-limit'), 90 + 45);
    // Who leaves one may join another.
    world.one.port.configure({ multicast: { immediateLeave: true } });
    world.to(world.one, how.leave(IpAddress.parse(`${prefix}1`)));
    world.to(world.one, how.join(IpAddress.parse(`${prefix}99`)));
    assert.deepEqual(world.heard(IpAddress.parse(`${prefix}99`)), [0, 1]);
  });

  test(`IPv${family}: what is damaged, or not from the link, says nothing, and goes its way`, () => {
    const world = new SnoopingWorld();
    world.start(how);
    const join = how.join(group);
    const hopLimit = family === 4 ? 22 : 21;
    const checksum = join.length - 6;
    const farAway = join.with(hopLimit, 2);
    if (family === 4) {
      farAway.set([0, 0], 24);
      const sum = ~internetSum(farAway.subarray(14, 38)) & 0xffff;
      farAway.set([sum >>> 8, sum], 24);
    }
    for (const bad of [
      farAway,
      join.with(checksum, join[checksum]! ^ 1),
      join.subarray(0, join.length - 1),
    ]) {
      world.to(world.one, bad);
      assert.deepEqual(world.heard(group), [0]);
    }
    assert.deepEqual(world.switch.snoopingRefusals!.snapshot(), { invalid: 3 });
  });

  test(`IPv${family}: a port that goes is a member of nothing`, () => {
    const world = new SnoopingWorld();
    world.start(how);
    world.to(world.one, how.join(group));
    void world.one.link.close();
    void world.router.link.close();
    world.clock.runDeferred();
    assert.deepEqual(world.switch.groups(), []);
    assert.deepEqual(world.heard(group), [], 'others go on as they were');
  });
}

test('two groups with one MAC address are two groups', () => {
  const world = new SnoopingWorld();
  world.start(IPV4);
  const [group, alias] = IPV4.groups;
  assert.deepEqual(MacAddress.ofMulticast(4, group.word3), MacAddress.ofMulticast(4, alias.word3));
  world.to(world.one, IPV4.join(group));
  world.to(world.two, IPV4.join(alias));
  assert.deepEqual(world.heard(group), [0, 1]);
  assert.deepEqual(world.heard(alias), [0, 2]);
});

test('what the kernel says is understood', () => {
  const world = new SnoopingWorld();
  world.to(world.router, FRAMES.igmpV3Query);
  world.clock.advance(10_000);
  world.to(world.one, FRAMES.igmpV3Report);
  world.to(world.two, FRAMES.igmpV2Report);
  world.to(world.one, FRAMES.mldV2Report);
  world.to(world.two, FRAMES.mldV1Report);
  const known = world.switch.groups().map(({ group, ports }) => [`${group}`, ports[0]!.name]);
  const expected = [
    ['239.1.2.3', 's1'],
    ['239.1.2.4', 's2'],
    ['ff05::1:3', 's1'],
  ];
  assert.deepEqual(known.sort(), expected);
  world.two.port.configure({ multicast: { immediateLeave: true } });
  world.to(world.two, FRAMES.igmpV2Leave);
  world.to(world.two, FRAMES.mldV1Done);
  assert.equal(world.switch.groups().length, 2);
});

test('MLD that comes from elsewhere than the link is not believed', () => {
  const world = new SnoopingWorld();
  world.start(IPV6);
  const [group] = IPV6.groups;
  world.to(world.one, mldFrame(group, { kind: 'report', group }, 'fd00::9'));
  assert.deepEqual(world.heard(group), [0]);
  world.to(world.one, mldFrame(group, { kind: 'report', group }, '::'));
  assert.deepEqual(world.heard(group), [0, 1], 'a node that has no address yet may speak');
});

test('a PIM router is known by its hello', () => {
  const world = new SnoopingWorld();
  world.start(IPV4);
  const hello = data(IpAddress.parse('224.0.0.13'));
  const header = { totalLength: 40, protocol: 103, timeToLive: 1, destination: 0xe000_000d | 0 };
  emitIpv4(Object.assign(new Ipv4Header(), header), hello, 14);
  hello[34] = 0x20;
  assert.deepEqual(world.to(world.other, hello), [0, 1, 2, 4]);
  assert.deepEqual(world.heard(IPV4.groups[0]), [0, 3]);
});

test('a change of the topology has all go everywhere until members have been asked again', () => {
  const world = new SnoopingWorld();
  world.start(IPV4);
  const [group] = IPV4.groups;
  world.to(world.one, IPV4.join(group));
  world.other.port.configure({ stations: 7 });
  assert.deepEqual(world.heard(group), [0, 1, 2, 3]);
  world.start(IPV4);
  assert.deepEqual(world.heard(group), [0, 1]);
});

test('whatever bytes come, it does not throw', () => {
  const messages = FAMILIES.flatMap((how) => [
    how.query(),
    how.join(how.groups[0]),
    how.records(3, how.groups[0], []),
  ]);
  fc.assert(
    fc.property(
      fc.constantFrom(...messages),
      fc.array(fc.tuple(fc.nat(99), fc.nat(255)), { maxLength: 4 }),
      fc.integer({ min: 14, max: 100 }),
      (message, changes, length) => {
        const world = new SnoopingWorld();
        const frame = message.slice(0, length);
        for (const [at, value] of changes) if (at > 11 && at < frame.length) frame[at] = value;
        world.to(world.one, frame);
      },
    ),
  );
});

test('settings that make no sense are refused', () => {
  assert.throws(() => new SnoopingWorld({ membershipTime: 0 }), { code: 'SWITCH_SETTING_INVALID' });
});
