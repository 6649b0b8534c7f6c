/** Linux kernels, each in a namespace of its own, as stations of our switch. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { secureRandom } from 'netloom/core';
import { SystemClock } from 'netloom/host';
import { Switch, type PortSettings, type SwitchPort } from 'netloom/link';
import { openTap } from 'netloom/link/tap';
import { KernelNamespace, tapObstacle } from '../kernel-namespace.ts';
import { privilege, program, requires } from '../requires.ts';
import { NGINX_PORT, Nginx } from './nginx.ts';
import { writePattern } from './pattern.ts';

const needed = [privilege(), tapObstacle, program('ping')];
const timeout = 60_000;
const TAP = 'tap0';
const VLAN_STATION = fileURLToPath(new URL('vlan-station.py', import.meta.url));
const LARGE = 64 * (1 << 20);

/** How a kernel is plugged in. */
interface StationOptions {
  readonly offload?: boolean;
  readonly settings?: Partial<PortSettings>;
}

/** A switch, and kernels 10.81.0.1, fd00:81::1 and so on at its ports; all gone when it is disposed of. */
class KernelSwitch implements AsyncDisposable {
  readonly switch = new Switch(new SystemClock(), { random: secureRandom() });
  readonly namespaces: KernelNamespace[] = [];

  /** Plugs another kernel in. */
  station({ offload = true, settings }: StationOptions = {}): [KernelNamespace, SwitchPort] {
    const number = this.namespaces.length + 1;
    const namespace = new KernelNamespace(`switch${number}`);
    this.namespaces.push(namespace);
    namespace.enableIpv6();
    const port = this.switch.connect(
      openTap({ name: TAP, namespace: namespace.name, offload }),
      settings,
    );
    namespace.ip('address', 'add', `10.81.0.${number}/24`, 'dev', TAP);
    namespace.ip('address', 'add', `fd00:81::${number}/64`, 'dev', TAP, 'nodad');
    return [namespace, port];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.switch.close();
    for (const namespace of this.namespaces) namespace[Symbol.dispose]();
  }
}

/** Pings from a namespace; the output, or undefined if nothing came back. */
async function ping(
  namespace: KernelNamespace,
  to: string,
  size = 56,
): Promise<string | undefined> {
  try {
    return await namespace.run(
      'ping',
      '-n',
      '-c',
      '3',
      '-i',
      '0.02',
      '-W',
      '1',
      '-s',
      `${size}`,
      to,
    );
  } catch {
    return undefined;
  }
}

test(
  'kernels reach each other through the switch, by IPv4 and IPv6, in small packets and fragments',
  { skip: requires(...needed), timeout },
  async () => {
    await using lan = new KernelSwitch();
    const [[one], [two]] = [lan.station(), lan.station({ offload: false }), lan.station()];
    for (const [from, to] of [
      [one, '10.81.0.2'],
      [two, '10.81.0.1'],
      [one, 'fd00:81::2'],
      [two, 'fd00:81::3'],
    ] as const) {
      for (const size of [56, 1400, 9000]) {
        const said = await ping(from, to, size);
        assert.match(said ?? 'nothing', /3 packets transmitted, 3 received, 0% packet loss/);
        assert.doesNotMatch(said!, /wrong data|truncated|DUP/);
      }
    }
    const known = lan.switch.stations().map(({ mac, port }) => `${mac} ${port.number}`);
    const expected = lan.namespaces.map(
      (namespace, index) => `${namespace.describe(TAP).address} ${index + 1}`,
    );
    assert.deepEqual(known.sort(), expected.sort());
  },
);

test(
  'a large file from one kernel to another, however much each leaves to the switch',
  { skip: requires(...needed, program('nginx'), program('curl'), program('sha256sum')), timeout },
  async () => {
    using nginx = new Nginx();
    const sum = writePattern(nginx.path('large'), LARGE);
    await using lan = new KernelSwitch();
    const [[server, serverPort], [able, ablePort], [plain, plainPort]] = [
      lan.station(),
      lan.station(),
      lan.station({ offload: false }),
    ];
    await nginx.start(server);
    for (const client of [able, plain]) {
      for (const host of ['10.81.0.1', '[fd00:81::1]']) {
        const url = `http://${host}:${NGINX_PORT}/large`;
        const command = `curl --silent --show-error --globoff --fail '${url}' | sha256sum`;
        assert.equal(await client.run('sh', '-c', command), `${sum}  -\n`);
      }
    }
    const [whole, cut] = [ablePort, plainPort].map(({ link }) => link.statistics);
    assert.ok(whole!.sentBytes / whole!.sentFrames > 3000, 'segments go whole where they may');
    assert.ok(cut!.sentBytes / cut!.sentFrames <= 1514, 'and are cut where not');
    for (const port of [serverPort, ablePort, plainPort]) {
      // What the kernel says to groups nobody else is in is all that is lost.
      assert.deepEqual(
        Object.keys(port.drops()).filter((reason) => reason !== 'no-port'),
        [],
      );
    }
  },
);

test(
  'kernels in different VLANs do not reach each other, until one is moved',
  { skip: requires(...needed), timeout },
  async () => {
    await using lan = new KernelSwitch();
    const [[one], [, second]] = [10, 20].map((vlan) =>
      lan.station({ settings: { vlan: { mode: 'access', vlan } } }),
    ) as [[KernelNamespace, SwitchPort], [KernelNamespace, SwitchPort]];
    assert.equal(await ping(one, '10.81.0.2'), undefined);
    second.configure({ vlan: { mode: 'access', vlan: 10 } });
    assert.match((await ping(one, '10.81.0.2')) ?? 'nothing', /3 received/);
  },
);

test(
  'a station that speaks with tags is reached over a trunk, in its VLAN only',
  { skip: requires(...needed, program('python3')), timeout },
  async () => {
    await using lan = new KernelSwitch();
    const [ten] = lan.station({ settings: { vlan: { mode: 'access', vlan: 10 }, priority: 5 } });
    const [twenty] = lan.station({ settings: { vlan: { mode: 'access', vlan: 20 } } });
    const [tagged, trunk] = lan.station({
      settings: { vlan: { mode: 'trunk', allowed: [10, 20] } },
    });
    const station = tagged.startProgram('python3', VLAN_STATION, TAP, '10', '10.81.0.77');
    assert.equal(await station.line(), 'ready');
    assert.match((await ping(ten, '10.81.0.77', 1400)) ?? 'nothing', /3 received/);
    // An ARP request and three pings, of priority 5 in VLAN 10.
    const tags = [await station.line(), await station.line(), await station.line()];
    assert.deepEqual(tags, [
      `0806 ${(5 << 13) | 10}`,
      `0800 ${(5 << 13) | 10}`,
      `0800 ${(5 << 13) | 10}`,
    ]);
    assert.equal(await ping(twenty, '10.81.0.77'), undefined);
    trunk.configure({ vlan: { mode: 'trunk', allowed: [20] } });
    assert.equal(await ping(ten, '10.81.0.77'), undefined);
  },
);
