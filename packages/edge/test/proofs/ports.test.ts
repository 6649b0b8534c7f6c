/** Ports as a file has them, seen by what they count: VLANs, limits of storms, rates. Stations are the kernel's, in namespaces behind TAPs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { KernelNamespace, tapObstacle } from '../../../netloom/test/kernel-namespace.ts';
import { privilege, program, requires } from '../../../netloom/test/requires.ts';
import type { PortStatus } from '../../src/status/index.ts';
import { RunningNode } from './running-node.ts';

const needed = [privilege(), tapObstacle, program('python3'), program('ping')];
const options = { skip: requires(...needed), timeout: 120_000 };
const SENDER = fileURLToPath(new URL('frame-sender.py', import.meta.url));
const VLAN_STATION = fileURLToPath(
  new URL('../../../netloom/test/kernel/vlan-station.py', import.meta.url),
);
const BURST = 300;

/** A network without a gateway: nobody speaks unasked. */
function file(stations: readonly string[], machines: readonly string[] = []): string {
  return `networks:
  lab:
    subnets: [10.97.0.0/24]
    gateway: false
    machines: { ${machines.join(', ')} }
    taps: { ${stations.join(', ')} }
`;
}

function tap(name: string, { name: namespace }: KernelNamespace, more: string): string {
  return `${name}: { interface: eth0, namespace: ${namespace}, ${more} }`;
}

async function burst(
  from: KernelNamespace,
  to: string,
  vlan: number,
  count: number,
): Promise<void> {
  await from.run('python3', SENDER, 'eth0', 'burst', to, `${vlan}`, `${count}`);
}

async function reaches(namespace: KernelNamespace, address: string): Promise<boolean> {
  return namespace.run('ping', '-n', '-c', '1', '-W', '1', address).then(
    () => true,
    () => false,
  );
}

test('a VLAN reaches who is in it, with a tag on a trunk, and no other', options, async () => {
  using ten = new KernelNamespace('ten');
  using twenty = new KernelNamespace('twenty');
  using trunk = new KernelNamespace('trunk');
  await using node = await RunningNode.up(
    file(
      [
        tap('ten', ten, 'address: 10.97.0.5, vlan: 10'),
        tap('twenty', twenty, 'address: 10.97.0.6, vlan: 20'),
        tap('trunk', trunk, "vlan: { trunk: '10,20' }"),
      ],
      ['box: { address: 10.97.0.10, vlan: 10 }', 'crate: { address: 10.97.0.20, vlan: 20 }'],
    ),
  );
  const reached = async (from: KernelNamespace): Promise<boolean[]> => [
    await reaches(from, '10.97.0.10'),
    await reaches(from, '10.97.0.20'),
  ];
  assert.deepEqual(await reached(ten), [true, false]);
  assert.deepEqual(await reached(twenty), [false, true]);

  const station = trunk.startProgram('python3', VLAN_STATION, 'eth0', '10', '10.97.0.100');
  assert.equal(await station.line(), 'ready');
  assert.equal(await reaches(ten, '10.97.0.100'), true);
  assert.deepEqual([await station.line(), await station.line()], ['0806 10', '0800 10']);
  assert.equal(await reaches(twenty, '10.97.0.100'), false);
  station.signal('SIGKILL');

  // Of a VLAN that is not on the trunk; and a tag where there is to be none.
  const before = { box: await node.interface('box'), crate: await node.interface('crate') };
  await burst(trunk, 'ff:ff:ff:ff:ff:ff', 30, 7);
  await burst(ten, 'ff:ff:ff:ff:ff:ff', 20, 5);
  await burst(trunk, 'ff:ff:ff:ff:ff:ff', 20, 50);
  await node.untilInterface('crate', ({ sent }) => sent.frames >= before.crate.sent.frames + 50);
  assert.equal((await node.interface('trunk')).drops['vlan-not-allowed'], 7);
  assert.equal((await node.interface('ten')).drops['tagged'], 5);
  // The kernel asks now and then whether the box is still there.
  assert.ok((await node.interface('box')).sent.frames < before.box.sent.frames + 10);
  assert.match(await node.run('list', 'interfaces'), /^lab +trunk +tap +trunk 10,20 /m);
  await node.stop();
});

test('of a storm only as much passes as the file lets', options, async () => {
  using loud = new KernelNamespace('loud');
  using quiet = new KernelNamespace('quiet');
  const limits = 'storm: { broadcast: 10, multicast: 10, unknownUnicast: 10 }';
  await using node = await RunningNode.up(
    file([tap('loud', loud, limits), tap('quiet', quiet, '')]),
  );
  for (const [to, reason] of [
    ['ff:ff:ff:ff:ff:ff', 'storm-broadcast'],
    ['01:00:5e:00:00:99', 'storm-multicast'],
    ['02:00:00:00:00:42', 'storm-unknown-unicast'],
  ] as const) {
    const before = await node.interface('quiet');
    const seen = await node.interface('loud');
    await burst(loud, to, 0, BURST);
    const { drops } = await node.untilInterface(
      'loud',
      ({ received }) => received.frames >= seen.received.frames + BURST,
    );
    const dropped = drops[reason] ?? 0;
    assert.ok(dropped > BURST / 2, `${reason}: ${dropped} of ${BURST}`);
    const passed = (await node.interface('quiet')).sent.frames - before.sent.frames;
    assert.equal(passed, BURST - dropped, reason);
    assert.ok(passed > 0, reason);
  }
  await node.stop();
});

test('stations are sent as much as their rates let, each its own', options, async () => {
  using sender = new KernelNamespace('sender');
  using narrow = new KernelNamespace('narrow');
  using wide = new KernelNamespace('wide');
  await using node = await RunningNode.up(
    file([
      tap('sender', sender, ''),
      tap('narrow', narrow, 'address: 10.97.0.7, shaping: 1mbit'),
      tap('wide', wide, 'address: 10.97.0.8, shaping: 4mbit'),
    ]),
  );
  // So that the switch knows both, and each frame goes to one of them.
  assert.equal(await reaches(narrow, '10.97.0.8'), true);
  const macs = [narrow, wide].map((one) => one.describe('eth0').address);
  const flood = sender.startProgram('python3', SENDER, 'eth0', 'flood', ...macs);
  const both = async (): Promise<PortStatus[]> => {
    const ports = await node.interfaces();
    return ['narrow', 'wide'].map((name) => ports.find((one) => one.name === name)!);
  };
  const first = await both();
  await node.untilInterface('narrow', ({ sent }) => sent.frames > first[0]!.sent.frames + 300);
  const last = await both();
  flood.signal('SIGKILL');
  const [slow, fast] = last.map(({ sent }, index) => sent.bytes - first[index]!.sent.bytes);
  const ratio = fast! / slow!;
  assert.ok(ratio > 3.6 && ratio < 4.4, `${ratio}`);
  for (const { drops, link } of last) {
    assert.ok((drops['queue-full'] ?? 0) > 0, 'what does not fit is counted');
    assert.ok(link.queuedBytes > 0);
  }
  await node.stop();
});
