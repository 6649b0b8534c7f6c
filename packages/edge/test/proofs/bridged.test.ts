/**
 * A node on the network its machine is on: joined to a bridge of the kernel's, to an interface, or with a machine straight on one. The node runs in a namespace that
 * stands for a machine; the stations around it are the kernel's.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runNetloom } from '../../../cli/test/netloom-process.ts';
import { KernelNamespace, tapObstacle } from '../../../netloom/test/kernel-namespace.ts';
import { wireObstacle } from '../../../netloom/test/kernel/veth-wire.ts';
import { privilege, program, requires } from '../../../netloom/test/requires.ts';
import { sumOf } from './bytes-module.ts';
import { fetchSum, lease } from './kernel-station.ts';
import { RunningNode, temporaryFile } from './running-node.ts';

const programs = ['udhcpc', 'dnsmasq', 'curl', 'dig', 'ping', 'sha256sum'].map(program);
const needed = [privilege(), tapObstacle, wireObstacle('br0', 'type', 'bridge'), ...programs];
const options = { skip: requires(...needed), timeout: 120_000 };
const MODULE = fileURLToPath(new URL('bytes-module.ts', import.meta.url));
const SIZE = 2 << 20;

/** Joins two namespaces by a cable whose ends are up. */
function cable(one: KernelNamespace, device: string, other: KernelNamespace, end: string): void {
  one.ip('link', 'add', device, 'type', 'veth', 'peer', 'name', end, 'netns', other.name);
  one.ip('link', 'set', device, 'up');
  other.ip('link', 'set', end, 'up');
}

for (const [what, kind] of [
  ['a bridge', 'bridge: br0'],
  ['an interface', 'interface: house0'],
] as const) {
  test(
    `a station beyond ${what} has its address, names and files from the node`,
    options,
    async () => {
      using house = new KernelNamespace('house');
      using desk = new KernelNamespace('desk');
      cable(house, 'house0', desk, 'eth0');
      if (kind.startsWith('bridge')) {
        house.ip('link', 'add', 'br0', 'type', 'bridge');
        house.ip('link', 'set', 'house0', 'master', 'br0');
        house.ip('link', 'set', 'br0', 'up');
      }
      const links = house.ip('-o', 'link');
      const text = `networks:
  house:
    kind: bridged
    ${kind}
    subnets: [10.91.0.0/24]
    gateway: 10.91.0.1
    machines: { files: { run: ${MODULE}, address: 10.91.0.80 }, lodger: echo }
`;
      await using node = await RunningNode.up(text, { namespace: house.name });
      const address = await lease(desk, 'eth0', 'desk');
      assert.match(address, /^10\.91\.0\.(12[89]|1[3-9]\d|2\d\d)$/);
      const found = await desk.run('dig', '+short', '@10.91.0.1', 'desk.house', 'files.house');
      assert.equal(found, `${address}\n10.91.0.80\n`);
      assert.equal(await fetchSum(desk, '10.91.0.80', SIZE), sumOf(SIZE));
      const [lodger] = (await node.interface('lodger')).addresses;
      await desk.run('ping', '-n', '-c', '3', '-i', '0.1', '-s', '4000', lodger!);
      const uplink = await node.interface('uplink');
      assert.ok(uplink.sent.bytes > SIZE);
      await node.stop();
      assert.deepEqual(names(house.ip('-o', 'link')), names(links), 'an interface was left');
    },
  );
}

/** Of the interfaces that `ip -o link` lists. */
function names(listed: string): string[] {
  return [...listed.matchAll(/^\d+: ([^:@]+)/gm)].map(([, name]) => name!);
}

test('where somebody else gives addresses, machines have theirs from there', options, async () => {
  using house = new KernelNamespace('house');
  using router = new KernelNamespace('router');
  router.enableIpv6();
  cable(house, 'house0', router, 'eth0');
  cable(house, 'dmz0', router, 'eth1');
  house.ip('link', 'add', 'br0', 'type', 'bridge');
  house.ip('link', 'set', 'house0', 'master', 'br0');
  house.ip('link', 'set', 'br0', 'up');
  for (const [index, device] of ['eth0', 'eth1'].entries()) {
    router.ip('address', 'add', `10.9${index}.0.1/24`, 'dev', device);
    router.ip('address', 'add', `fd00:9${index}::1/64`, 'dev', device, 'nodad');
  }
  const ranges = [0, 1].flatMap((index) => [
    `--dhcp-range=10.9${index}.0.100,10.9${index}.0.150,255.255.255.0,1h`,
    `--dhcp-range=fd00:9${index}::100,fd00:9${index}::1ff,64,1h`,
  ]);
  const words = [
    '-k -C /dev/null --user=root --pid-file= --log-facility=- --dhcp-leasefile=/dev/null',
    '--bind-interfaces --interface=eth0 --interface=eth1 --except-interface=lo --no-resolv --no-hosts',
    `--enable-ra --dhcp-authoritative --no-ping --domain=home ${ranges.join(' ')}`,
  ].join(' ');
  const dnsmasq = router.startProgram('sh', '-c', `exec dnsmasq ${words} 2>&1`);
  // The last line before it waits for messages.
  while (!(await dnsmasq.line()).includes('cleared cache'));
  const text = `networks:
  house: { kind: bridged, bridge: br0, machines: { box: { run: ${MODULE} } } }
  dmz: { kind: direct, interface: dmz0, machines: { front: { run: ${MODULE} } } }
`;
  await using node = await RunningNode.up(text, { namespace: house.name });
  for (const [index, name] of ['box', 'front'].entries()) {
    const { addresses } = await node.untilInterface(name, (port) => port.addresses.length >= 2);
    const four = addresses.find((one) => one.startsWith(`10.9${index}.0.1`));
    const six = addresses.find((one) => one.startsWith(`fd00:9${index}::`));
    assert.ok(four !== undefined && six !== undefined, addresses.join(' '));
    assert.equal(await fetchSum(router, four, SIZE), sumOf(SIZE));
    assert.equal(await fetchSum(router, `[${six}]`, SIZE), sumOf(SIZE));
    const found = await router.run('dig', '+short', `@10.9${index}.0.1`, `${name}.home`);
    assert.equal(found, `${four}\n`);
  }
  await node.stop();
});

for (const [what, code, isTapDeleted] of [
  ['bridge', 'TAP_BRIDGE_GONE', false],
  ['bridge, with its ports,', 'TAP_GONE', true],
] as const) {
  test(
    `a ${what} that goes takes its network down, and \`apply\` makes it anew`,
    options,
    async () => {
      using house = new KernelNamespace('house');
      using desk = new KernelNamespace('desk');
      cable(house, 'house0', desk, 'eth0');
      desk.ip('address', 'add', '10.91.0.7/24', 'dev', 'eth0');
      const addBridge = (): void => {
        house.ip('link', 'add', 'br0', 'type', 'bridge');
        house.ip('link', 'set', 'house0', 'master', 'br0');
        house.ip('link', 'set', 'br0', 'up');
      };
      addBridge();
      const text = `networks:
  house:
    kind: bridged
    bridge: br0
    subnets: [10.91.0.0/24]
    machines: { box: { address: 10.91.0.80 } }
  lab:
    subnets: [10.90.0.0/24]
    machines: { web: { run: web, address: 10.90.0.80 } }
`;
      await using node = await RunningNode.up(text, { namespace: house.name });
      await desk.run('ping', '-n', '-c', '1', '-w', '10', '10.91.0.80');
      const [, tap] = /\d+: (nl-[0-9a-f]{8})/.exec(
        house.ip('-o', 'link', 'show', 'master', 'br0'),
      )!;
      if (isTapDeleted) house.ip('link', 'del', tap!);
      house.ip('link', 'del', 'br0');
      await node.until(/the network house has failed: /);
      const states = async (): Promise<string[]> =>
        (await node.status()).networks.map(({ name, state }) => `${name} ${state}`);
      assert.deepEqual((await states()).sort(), ['house failed', 'lab active']);
      assert.match(
        await node.run('status'),
        new RegExp(`^house has failed: .*\\(${code}\\)$`, 'm'),
      );

      // As long as there is no bridge it says so, and what else there is stays as it is.
      const refused = await node.tryApply(text);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /br0.*\(TAP_BRIDGE_MISSING\)\n$/);
      addBridge();
      await node.apply(text);
      assert.deepEqual((await states()).sort(), ['house active', 'lab active']);
      await desk.run('ping', '-n', '-c', '1', '-w', '10', '10.91.0.80');
      assert.equal((await node.end('SIGINT')).code, 0);
    },
  );
}

test('a machine straight on an interface serves who is behind it', options, async () => {
  using house = new KernelNamespace('house');
  using desk = new KernelNamespace('desk');
  cable(house, 'house0', desk, 'eth0');
  desk.ip('address', 'add', '10.92.0.7/24', 'dev', 'eth0');
  const text = `networks:
  dmz:
    kind: direct
    interface: house0
    subnets: [10.92.0.0/24]
    machines: { front: { run: ${MODULE}, address: 10.92.0.80, link: { delay: 20ms } } }
`;
  const pcap = temporaryFile('direct.pcapng', '');
  const args = ['--pcap', pcap];
  await using node = await RunningNode.up(text, { namespace: house.name, args });
  assert.equal(await fetchSum(desk, '10.92.0.80', SIZE), sumOf(SIZE));
  const said = await desk.run('ping', '-n', '-c', '2', '-i', '0.1', '10.92.0.80');
  assert.ok(Number(/min\/avg\/max\/mdev = ([\d.]+)/.exec(said)![1]) >= 40, said);
  assert.match(
    await node.run('list', 'interfaces'),
    /^dmz +front +machine .*10\.92\.0\.80 .* 20ms/m,
  );
  await node.stop();
  // Both ways are in the file, each frame once.
  const { stdout } = await runNetloom(['dump', pcap, '--time', 'none', 'icmp']);
  const kinds = [...stdout.matchAll(/ICMP echo (request|reply)/g)].map(([, kind]) => kind);
  assert.deepEqual(kinds, ['request', 'reply', 'request', 'reply']);
});
