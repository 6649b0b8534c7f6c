/** The Linux kernel's vxlan device as the peer of our overlay. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import {
  Cidr,
  IpAddress,
  MacAddress,
  secureRandom,
  type Host,
  type SocketAddress,
} from 'netloom/core';
import { osHost, SystemClock, stackHost, type StackHost } from 'netloom/host';
import { createClient, serve } from 'netloom/http';
import { Switch, VxlanEndpoint, type VxlanLink, type VxlanOptions } from 'netloom/link';
import { KernelNamespace, tapObstacle } from '../kernel-namespace.ts';
import { privilege, program, requires } from '../requires.ts';
import { FAMILIES as UNDERLAYS, KernelLan, type Ends } from './kernel-lan.ts';
import { NGINX_PORT, Nginx } from './nginx.ts';
import { Sum, patternStream, patternSum, writePattern } from './pattern.ts';
import { wireObstacle } from './veth-wire.ts';

const VXLAN = ['vxlan0', 'type', 'vxlan', 'id', '1', 'dstport', '4789', 'local', '127.0.0.1'];
const needed = [
  privilege(),
  tapObstacle,
  wireObstacle(...VXLAN),
  program('ping'),
  program('bridge'),
];
const options = { skip: requires(...needed), timeout: 60_000 };
const transfers = [program('nginx'), program('curl'), program('sha256sum')];

const PORT = 4789;
const IDENTIFIER = 42;
const LARGE = 16 << 20;
/** Stations of the overlay: the kernel's own, and ours behind a switch. */
const INNER = [
  { kernel: '10.87.0.1', ours: '10.87.0.2', kernelInUrl: '10.87.0.1', oursInUrl: '10.87.0.2' },
  {
    kernel: 'fd00:87::1',
    ours: 'fd00:87::2',
    kernelInUrl: '[fd00:87::1]',
    oursInUrl: '[fd00:87::2]',
  },
] as const;

/** How an {@link Overlay} is made. */
interface OverlayOptions {
  /** The namespace of the kernel's vxlan device, and its address on the underlay. */
  readonly namespace: KernelNamespace;
  readonly kernel: IpAddress;
  /** Whose socket is ours, and its address. */
  readonly host: Host;
  readonly ours: IpAddress;
  /** More for `ip link add ... type vxlan`. */
  readonly device?: readonly string[];
  readonly network?: VxlanOptions;
}

/** The kernel's device, and our switch with a host of ours behind our tunnel end. */
class Overlay implements AsyncDisposable {
  readonly switch = new Switch(new SystemClock(), { random: secureRandom() });
  readonly station: StackHost;
  readonly endpoint: VxlanEndpoint;
  readonly link: VxlanLink;
  readonly peer: SocketAddress;
  readonly #namespace: KernelNamespace;

  private constructor(options: OverlayOptions, endpoint: VxlanEndpoint) {
    const { namespace, kernel, ours, device = ['remote', `${ours}`] } = options;
    this.#namespace = namespace;
    this.endpoint = endpoint;
    this.peer = { address: kernel, port: PORT };
    this.link = endpoint.network(IDENTIFIER, { peers: [this.peer], ...options.network });
    this.switch.connect(this.link);
    this.station = stackHost({ clock: new SystemClock(), name: 'station' });
    const cable = this.switch.port({
      name: 'station',
      mac: MacAddress.parse('02:00:00:00:00:87'),
      mtu: this.link.mtu,
    });
    this.station.addInterface(cable, {
      addresses: INNER.map((ends) =>
        Cidr.parse(`${ends.ours}/${ends.ours.includes(':') ? 64 : 24}`),
      ),
    });
    const vxlan = `type vxlan id ${IDENTIFIER} dstport ${PORT} local ${kernel}`.split(' ');
    namespace.ip('link', 'add', 'vxlan0', 'mtu', `${this.link.mtu}`, ...vxlan, ...device);
    namespace.ip('link', 'set', 'vxlan0', 'up');
    namespace.ip('address', 'add', '10.87.0.1/24', 'dev', 'vxlan0');
    namespace.ip('address', 'add', 'fd00:87::1/64', 'dev', 'vxlan0', 'nodad');
  }

  static async open(options: OverlayOptions): Promise<Overlay> {
    const socket = await options.host.bind({ address: options.ours, port: PORT });
    const { clock } = options.host;
    return new Overlay(options, new VxlanEndpoint(socket, { clock, random: secureRandom() }));
  }

  async pingBothWays(): Promise<void> {
    for (const { kernel, ours } of INNER) {
      for (const size of [56, 1300, 4000]) {
        const words = `-n -c 3 -i 0.02 -w 20 -s ${size} ${ours}`.split(' ');
        const said = await this.#namespace.run('ping', ...words);
        assert.match(said, /[3-9] received, 0% packet loss/);
        assert.doesNotMatch(said, /wrong data|truncated|DUP/);
        const reply = await this.station.ping(IpAddress.parse(kernel), { size, timeout: 5000 });
        assert.equal(reply.size, size);
      }
    }
  }

  /** Which peers the kernel knows stations of ours behind, as `bridge fdb` says. */
  async kernelKnows(): Promise<string> {
    return this.#namespace.run('bridge', 'fdb', 'show', 'dev', 'vxlan0');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.station.close();
    await this.switch.close();
    await this.endpoint.close();
  }
}

/** Our tunnel end's socket is one of our stack's, on a TAP. */
function overStack(
  lan: KernelLan,
  { kernel, ours }: Ends,
  more: Partial<OverlayOptions> = {},
): Promise<Overlay> {
  return Overlay.open({ namespace: lan.namespace, kernel, host: lan.host, ours, ...more });
}

for (const underlay of UNDERLAYS) {
  test(
    `the kernel's device and ours learn of each other over IPv${underlay.family}, on our own stack`,
    options,
    async () => {
      await using lan = new KernelLan('vxlan');
      await using overlay = await overStack(lan, underlay);
      assert.equal(overlay.link.mtu, underlay.family === 4 ? 1450 : 1430);
      await overlay.pingBothWays();
      const mac = lan.namespace.describe('vxlan0').address;
      assert.deepEqual(
        overlay.link
          .stations()
          .map((station) => [station.mac.toString(), String(station.peer.address)]),
        [[mac, underlay.kernel.toString()]],
      );
      assert.match(
        await overlay.kernelKnows(),
        new RegExp(`02:00:00:00:00:87 .*dst ${underlay.ours}`),
      );
      assert.deepEqual(overlay.link.statistics.drops.snapshot(), {});
      assert.deepEqual(overlay.endpoint.drops.snapshot(), {});
    },
  );

  test(
    `files both ways through the kernel's device over IPv${underlay.family}, each way cut to the overlay's MTU`,
    { ...options, skip: requires(...needed, ...transfers) },
    async () => {
      using nginx = new Nginx();
      const expected = writePattern(nginx.path('large'), LARGE);
      await using lan = new KernelLan('vxlan-files');
      await using overlay = await overStack(lan, underlay);
      await nginx.start(lan.namespace);
      const headers = { 'Content-Length': String(LARGE) };
      await using _server = await serve(
        { fetch: () => new Response(patternStream(LARGE), { headers }) },
        { host: overlay.station, port: 80 },
      );
      await using client = createClient({ host: overlay.station });
      for (const { kernelInUrl, oursInUrl } of INNER) {
        const response = await client.fetch(`http://${kernelInUrl}:${NGINX_PORT}/large`);
        const sum = new Sum();
        for await (const chunk of response.body!) sum.add(chunk);
        assert.equal(sum.toString(), expected);
        const command = `curl --silent --show-error --globoff --fail http://${oursInUrl}/ | sha256sum`;
        assert.equal(await lan.namespace.run('sh', '-c', command), `${patternSum(LARGE)}  -\n`);
      }
      assert.equal(overlay.link.statistics.drops.get('outer-too-long'), 0);
    },
  );
}

test('neither side learns, and both know by static entries', options, async () => {
  await using lan = new KernelLan('vxlan-static');
  const [underlay] = UNDERLAYS as [Ends];
  await using overlay = await overStack(lan, underlay, {
    device: ['nolearning'],
    network: { peers: [], learning: false },
  });
  const fdb = (mac: string): Promise<string> =>
    lan.namespace.run('bridge', 'fdb', 'append', mac, 'dev', 'vxlan0', 'dst', `${underlay.ours}`);
  // What is for all goes to us, as head-end replication in the kernel is written.
  await fdb('00:00:00:00:00:00');
  await fdb('02:00:00:00:00:87');
  overlay.link.addPeer(overlay.peer);
  overlay.link.addStation(MacAddress.parse(lan.namespace.describe('vxlan0').address), overlay.peer);
  await overlay.pingBothWays();
  assert.deepEqual(
    overlay.link.stations().map(({ isStatic }) => isStatic),
    [true],
  );
});

test(
  'networks of other identifiers, and peers nobody has named, are not heard',
  options,
  async () => {
    await using lan = new KernelLan('vxlan-foreign');
    const [underlay] = UNDERLAYS as [Ends];
    await using overlay = await overStack(lan, underlay);
    await overlay.pingBothWays();
    overlay.link.removePeer(overlay.peer);
    const silent = `-n -c 2 -i 0.05 -W 0.2 10.87.0.2`.split(' ');
    await assert.rejects(lan.namespace.run('ping', ...silent));
    assert.ok(overlay.link.statistics.drops.get('unknown-peer') > 0);
    await overlay.link.close();
    await assert.rejects(lan.namespace.run('ping', ...silent));
    assert.ok(overlay.endpoint.drops.get('unknown-network') > 0);
  },
);

/** A veth pair from this process's own namespace into another: 10.88.77.1 here, 10.88.77.2 there. */
class HostCable implements Disposable {
  readonly name: string = `nl-vx${process.pid}`;

  constructor(namespace: KernelNamespace) {
    const peer = ['peer', 'name', 'far0', 'netns', namespace.name];
    execFileSync('ip', ['link', 'add', this.name, 'type', 'veth', ...peer]);
    execFileSync('ip', ['address', 'add', '10.88.77.1/30', 'dev', this.name]);
    execFileSync('ip', ['link', 'set', this.name, 'up']);
    namespace.ip('address', 'add', '10.88.77.2/30', 'dev', 'far0');
    namespace.ip('link', 'set', 'far0', 'up');
  }

  [Symbol.dispose](): void {
    execFileSync('ip', ['link', 'del', this.name]);
  }
}

test(
  'our tunnel end on the operating system’s socket, the kernel’s across a cable',
  options,
  async () => {
    using namespace = new KernelNamespace('vxlan-os');
    namespace.enableIpv6();
    using _cable = new HostCable(namespace);
    await using host = osHost();
    await using overlay = await Overlay.open({
      namespace,
      kernel: IpAddress.parse('10.88.77.2'),
      host,
      ours: IpAddress.parse('10.88.77.1'),
    });
    await overlay.pingBothWays();
    assert.deepEqual(overlay.link.statistics.drops.snapshot(), {});
  },
);
