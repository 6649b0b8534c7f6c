/** The switch against a model of it that is as plain as can be: over random ports, VLANs and frames each station receives exactly what the model says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { fromHex, MacAddress } from '../../core/index.ts';
import { NO_OFFLOAD } from '../link.ts';
import type { PortSettings } from './settings.ts';
import {
  stationMac,
  SwitchWorld,
  testFrame,
  TEST_GROUP,
  type SeenFrame,
  type TestStation,
} from './switch-world.ts';
import type { VlanSettings } from './vlan.ts';

const AGEING = 1000;
const VLANS = [1, 2, 4094];

/** What is done to the switch. */
type Step =
  | { do: 'send'; port: number; from: number; to: number; tag: number | undefined; pcp: number }
  | { do: 'wait'; time: number }
  | { do: 'configure'; port: number; settings: Partial<PortSettings> }
  | { do: 'close'; port: number };

const vlanSettings: fc.Arbitrary<VlanSettings> = fc.oneof(
  fc.record({ mode: fc.constant('access' as const), vlan: fc.constantFrom(...VLANS) }),
  fc.record(
    {
      mode: fc.constant('trunk' as const),
      allowed: fc.oneof(
        fc.constant('all' as const),
        fc.constant([[1, 2]] as [number, number][]),
        fc.subarray(VLANS),
      ),
      native: fc.constantFrom(...VLANS),
    },
    { requiredKeys: ['mode', 'allowed'] },
  ),
);

const portSettings = fc.record({
  vlan: vlanSettings,
  isolated: fc.boolean(),
  priority: fc.constantFrom(0, 5),
  stations: fc.constantFrom(1, 2, 100),
  whenFull: fc.constantFrom('forward' as const, 'drop' as const),
});

const PORTS = 5;
/** Addresses; the two after them stand for broadcast and a group. */
const MACS = 6;
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      port: fc.nat(PORTS - 1),
      from: fc.nat(MACS - 1),
      to: fc.nat(MACS + 1),
      tag: fc.constantFrom(undefined, undefined, 0, 3, ...VLANS),
      pcp: fc.nat(7),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), time: fc.nat(AGEING) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('configure' as const),
      port: fc.nat(PORTS - 1),
      settings: portSettings,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('close' as const), port: fc.nat(PORTS - 1) }),
  },
);

function macOf(index: number): MacAddress {
  if (index === MACS) return MacAddress.BROADCAST;
  return index > MACS ? TEST_GROUP : stationMac(500 + index);
}

interface ModelStation {
  readonly vlan: number;
  readonly mac: number;
  port: number;
  seenAt: number;
}

/** The model: lists, and a look through all of them for everything. */
class Model {
  now = 0;
  readonly ports: (PortSettings | undefined)[];
  stations: ModelStation[] = [];

  constructor(ports: readonly PortSettings[]) {
    this.ports = [...ports];
  }

  untagged(port: number): number | undefined {
    const { vlan } = this.ports[port]!;
    return vlan.mode === 'access' ? vlan.vlan : vlan.native;
  }

  isMember(port: number, vlan: number): boolean {
    const settings = this.ports[port]!.vlan;
    if (this.untagged(port) === vlan) return true;
    if (settings.mode === 'access') return false;
    if (settings.allowed === 'all') return true;
    return settings.allowed.some((range) =>
      typeof range === 'number' ? range === vlan : vlan >= range[0] && vlan <= range[1],
    );
  }

  forget(port: number): void {
    this.stations = this.stations.filter((station) => station.port !== port);
  }

  age(): void {
    this.stations = this.stations.filter(({ seenAt }) => seenAt + AGEING > this.now);
  }

  /** Who receives what of a frame: a list of port and frame. */
  send(frame: Step & { do: 'send' }, number: number): [port: number, SeenFrame][] {
    const { port, tag, pcp, to } = frame;
    const settings = this.ports[port];
    if (settings === undefined) return [];
    const isTagged = tag !== undefined && tag !== 0;
    if (isTagged && settings.vlan.mode === 'access') return [];
    const vlan = isTagged ? tag : this.untagged(port);
    if (vlan === undefined || !this.isMember(port, vlan)) return [];
    if (!this.learn(port, vlan, frame.from, settings)) return [];
    const known = this.stations.find((other) => other.vlan === vlan && other.mac === to);
    const targets = known === undefined ? [...this.ports.keys()] : [known.port];
    const priority = tag === undefined ? Number(settings.priority) : pcp;
    return targets
      .filter((target) => target !== port && this.ports[target] !== undefined)
      .filter((target) => this.isMember(target, vlan))
      .filter((target) => !(settings.isolated && this.ports[target]!.isolated))
      .map((target) => [
        target,
        this.untagged(target) === vlan ? { number } : { number, vlan, priority },
      ]);
  }

  learn(port: number, vlan: number, mac: number, settings: PortSettings): boolean {
    const known = this.stations.find((other) => other.vlan === vlan && other.mac === mac);
    if (known?.port !== port) {
      const here = this.stations.filter((other) => other.port === port);
      if (here.length >= settings.stations) return settings.whenFull === 'forward';
    }
    if (known === undefined) this.stations.push({ vlan, mac, port, seenAt: this.now });
    else Object.assign(known, { port, seenAt: this.now });
    return true;
  }
}

class Run {
  readonly world = new SwitchWorld({ ageing: AGEING });
  readonly model: Model;
  readonly stations: TestStation[];
  #number = 0;

  constructor(settings: readonly Partial<PortSettings>[]) {
    this.stations = settings.map((own) => this.world.station({ settings: own }));
    this.model = new Model(this.stations.map(({ port }) => port.settings));
  }

  take(what: Step): void {
    switch (what.do) {
      case 'send':
        this.#send(what);
        break;
      case 'wait':
        this.model.now += what.time;
        this.model.age();
        this.world.clock.advance(this.model.now);
        break;
      case 'configure':
        this.#configure(what.port, what.settings);
        break;
      case 'close':
        void this.stations[what.port]!.link.close();
        this.world.clock.runDeferred();
        this.model.ports[what.port] = undefined;
        this.model.forget(what.port);
    }
    const known = this.world.switch.stations();
    assert.equal(known.length, this.model.stations.length);
    const byPort = this.stations.map(({ port }) => port.stationCount);
    const modelled = this.stations.map(
      (_, index) => this.model.stations.filter(({ port }) => port === index).length,
    );
    assert.deepEqual(byPort, modelled);
  }

  #send(what: Step & { do: 'send' }): void {
    const number = ++this.#number & 0xffff;
    const { port, tag: vlan, pcp: priority } = what;
    const frame = testFrame({ from: macOf(what.from), to: macOf(what.to), number, vlan, priority });
    this.stations[port]!.send(frame);
    this.world.clock.runDeferred();
    const expected = this.stations.map((): SeenFrame[] => []);
    for (const [target, seen] of this.model.send(what, number)) expected[target]!.push(seen);
    const received = this.stations.map((station) => station.take());
    assert.deepEqual(received, expected);
  }

  #configure(port: number, settings: Partial<PortSettings>): void {
    if (this.model.ports[port] === undefined) return;
    this.stations[port]!.port.configure(settings);
    this.model.ports[port] = this.stations[port]!.port.settings;
    this.model.forget(port);
  }
}

test('each station receives exactly what a plain model of the switch says', () => {
  fc.assert(
    fc.property(
      fc.array(portSettings, { minLength: PORTS, maxLength: PORTS }),
      fc.array(step, { minLength: 20, maxLength: 120 }),
      (settings, steps) => {
        const run = new Run(settings);
        for (const what of steps) run.take(what);
      },
    ),
    { numRuns: 200 },
  );
});

/** Bytes that begin as frames do which a switch looks into. */
const wildFrame = fc
  .tuple(
    fc.constantFrom('ffffffffffff', '01005e000016', '333300000016', '0180c2000000', '020000000001'),
    fc.constantFrom('', '81000007', '8100e000', '81000fff'),
    fc.constantFrom('0800', '86dd', '8100', '0026', '0806'),
    fc.uint8Array({ maxLength: 120 }),
  )
  .map(([to, tag, type, rest]) =>
    Uint8Array.of(...fromHex(`${to}020000000009${tag}${type}`), ...rest),
  );
const wildOffload = fc.option(
  fc.record({
    checksumStart: fc.nat(200),
    checksumOffset: fc.nat(20),
    segmentSize: fc.constantFrom(0, 1, 1000),
  }),
  { nil: undefined },
);

test('whatever bytes come, with all that a switch can do turned on, it does not throw', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(wildFrame, wildOffload), { maxLength: 30 }), (frames) => {
      const world = new SwitchWorld({ snooping: {}, spanningTree: {} });
      const vlan = { mode: 'trunk', allowed: 'all', native: 1 } as const;
      const spanningTree = { edge: true };
      const sender = world.station({ settings: { vlan, spanningTree } });
      world.station({ settings: { spanningTree, queueing: { rate: 1_000_000 } } });
      world.station({ settings: { vlan: { mode: 'trunk', allowed: 'all' }, spanningTree } });
      world.station({ settings: { vlan, spanningTree }, offload: NO_OFFLOAD });
      const monitor = world.station({ settings: { spanningTree } });
      world.switch.mirror({ to: monitor.port });
      for (const [frame, offload] of frames) {
        sender.send(frame, offload);
        world.clock.advance(world.clock.now() + 1);
      }
      world.clock.advance(10_000);
    }),
  );
});
