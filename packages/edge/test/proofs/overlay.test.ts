/** One network over two nodes, and over a node and the kernel's vxlan device: in namespaces that stand for machines. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { KernelNamespace, tapObstacle } from '../../../netloom/test/kernel-namespace.ts';
import { wireObstacle } from '../../../netloom/test/kernel/veth-wire.ts';
import { privilege, program, requires } from '../../../netloom/test/requires.ts';
import { sumOf } from './bytes-module.ts';
import { fetchSum, lease } from './kernel-station.ts';
import { RunningNode } from './running-node.ts';

const VXLAN = ['vx0', 'type', 'vxlan', 'id', '42', 'dstport', '4789', 'local', '10.93.0.2'];
const programs = ['udhcpc', 'curl', 'dig', 'ping', 'python3', 'sha256sum'].map(program);
const needed = [privilege(), tapObstacle, wireObstacle(...VXLAN), ...programs];
const options = { skip: requires(...needed), timeout: 120_000 };
const MODULE = fileURLToPath(new URL('bytes-module.ts', import.meta.url));
const NO_OFFLOAD = fileURLToPath(new URL('no-offload.py', import.meta.url));
const SIZE = 2 << 20;

/** Two machines on one cable: 10.93.0.1 and 10.93.0.2. */
class Underlay implements Disposable {
  readonly near = new KernelNamespace('near');
  readonly far = new KernelNamespace('far');

  constructor() {
    this.near.ip(
      'link',
      'add',
      'eth0',
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'netns',
      this.far.name,
    );
    for (const [index, end] of [this.near, this.far].entries()) {
      end.ip('link', 'set', 'eth0', 'up');
      end.ip('address', 'add', `10.93.0.${index + 1}/24`, 'dev', 'eth0');
    }
  }

  [Symbol.dispose](): void {
    this.near[Symbol.dispose]();
    this.far[Symbol.dispose]();
  }
}

/** The node with the gateway, in the near namespace. */
const NEAR = `networks:
  lab:
    kind: overlay
    identifier: 42
    local: 10.93.0.1:4789
    peers: [10.93.0.2]
    subnets: [10.94.0.0/24]
    gateway: true
    machines: { registry: { run: ${MODULE}, address: 10.94.0.80 }, twin: { address: 10.94.0.81 } }
`;

test('stations of two nodes are on one network, with one gateway', options, async () => {
  using underlay = new Underlay();
  using desk = new KernelNamespace('desk');
  await using near = await RunningNode.up(NEAR, { namespace: underlay.near.name });
  const text = `networks:
  lab:
    kind: overlay
    identifier: 42
    local: 10.93.0.2:4789
    peers: [10.93.0.1]
    subnets: [10.94.0.0/24]
    machines: { mirror: { run: ${MODULE} }, twin: { address: 10.94.0.82 } }
    taps: { desk: { interface: eth0, namespace: ${desk.name} } }
`;
  await using far = await RunningNode.up(text, { namespace: underlay.far.name });
  // Both have their addresses from the gateway at the other node: a kernel's station, and a machine of ours.
  const address = await lease(desk, 'eth0', 'desk');
  assert.match(address, /^10\.94\.0\.\d+$/);
  const mirror = await far.untilInterface('mirror', ({ addresses }) => addresses.length > 0);
  assert.equal(await fetchSum(desk, '10.94.0.80', SIZE), sumOf(SIZE));
  assert.equal(await fetchSum(desk, mirror.addresses[0]!, SIZE), sumOf(SIZE));
  const found = await desk.run(
    'dig',
    '+short',
    '@10.94.0.1',
    'desk.lab',
    'mirror.lab',
    'registry.lab',
  );
  assert.equal(found, `${address}\n${mirror.addresses[0]}\n10.94.0.80\n`);
  const said = await desk.run('ping', '-n', '-c', '3', '-i', '0.1', '-s', '4000', '10.94.0.80');
  assert.match(said, /[3-9] received, 0% packet loss/);
  // Those that have one name at both nodes are two stations.
  for (const twin of ['10.94.0.81', '10.94.0.82', '10.94.0.81']) {
    await desk.run('ping', '-n', '-c', '1', '-w', '10', twin);
  }
  assert.notEqual((await near.interface('twin')).mac, (await far.interface('twin')).mac);
  assert.ok((await near.interface('uplink')).sent.bytes > SIZE);
  assert.ok((await far.interface('uplink')).received.bytes > SIZE);
  await far.stop();
  await near.stop();
});

test('a node of an overlay that is killed is met again when it is back', options, async () => {
  using underlay = new Underlay();
  using desk = new KernelNamespace('desk');
  await using near = await RunningNode.up(NEAR, { namespace: underlay.near.name });
  const text = `networks:
  lab:
    kind: overlay
    identifier: 42
    local: 10.93.0.2:4789
    peers: [10.93.0.1]
    subnets: [10.94.0.0/24]
    taps: { desk: { interface: eth0, namespace: ${desk.name} } }
`;
  const addresses: string[] = [];
  for (const signal of ['SIGKILL', 'SIGINT'] as const) {
    await using far = await RunningNode.up(text, { namespace: underlay.far.name, name: 'far' });
    addresses.push(await lease(desk, 'eth0', 'desk'));
    assert.equal(await fetchSum(desk, '10.94.0.80', SIZE), sumOf(SIZE));
    await far.end(signal);
  }
  // Who is at the TAP is the same, and so is what the gateway at the other node has given it.
  assert.equal(addresses[0], addresses[1]);
  await near.stop();
});

test('the kernel’s vxlan device is a peer', options, async () => {
  using underlay = new Underlay();
  const { far } = underlay;
  // A veth leaves checksums in a tunnel to the other end, where nobody finishes them for a socket.
  await far.run('python3', NO_OFFLOAD, 'eth0');
  await using near = await RunningNode.up(NEAR, { namespace: underlay.near.name });
  far.ip('link', 'add', ...VXLAN, 'remote', '10.93.0.1');
  far.ip('link', 'set', 'vx0', 'mtu', '1450', 'up');
  const address = await lease(far, 'vx0', 'kernel');
  assert.equal(await fetchSum(far, '10.94.0.80', SIZE), sumOf(SIZE));
  const found = await far.run('dig', '+short', '@10.94.0.1', 'kernel.lab');
  assert.equal(found, `${address}\n`);
  assert.ok((await near.interface('uplink')).sent.bytes > SIZE);
  await near.stop();
});
