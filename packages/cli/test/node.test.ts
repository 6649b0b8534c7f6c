/** `netloom status` and `netloom list`, asked of a node that answers what a test wants. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ControlApi, StateFolder, claimNode, serveControl } from '@netloom/edge';
import { SystemClock } from 'netloom/host';
import { FakeNetwork, FakeNode, portStatus } from '../../edge/test/fake-node.ts';
import { runInProcess, runNetloom, startNetloom } from './netloom-process.ts';

const root = mkdtempSync(join(tmpdir(), 'netloom-node-'));
after(() => rmSync(root, { recursive: true }));

/** Serves the node as the one of that name; answers what runs commands at it. */
async function serving(node: FakeNode, name = 'default') {
  const claim = await claimNode(new StateFolder(name, root));
  const server = await serveControl(new ControlApi(node, { clock: new SystemClock() }), claim);
  return {
    async run(...args: string[]): Promise<string> {
      const { code, stdout, stderr } = await runInProcess([...args, '--state', root]);
      assert.deepEqual([code, stderr], [0, '']);
      return stdout;
    },
    async [Symbol.asyncDispose]() {
      await server.close();
      await claim.close();
    },
  };
}

/** A node with something of everything. */
function busyNode(): FakeNode {
  const lan = new FakeNetwork('lan', {
    subnets: ['10.0.0.0/24', 'fd00::/64'],
    ports: 3,
    stations: 2,
    leases: 2,
    flows: 3,
    publications: [
      { network: 'lan', protocol: 'tcp', listen: '127.0.0.1:8080', target: 'web:80' },
      { network: 'lan', protocol: 'udp', listen: '[::1]:5353', target: '10.0.0.80:53' },
    ],
    drops: { 'dhcp.exhausted': 3, 'uplink.denied': 12, 'dns.none': 0 },
  });
  const line = portStatus('lan', 'web').link;
  lan.portList.push(
    portStatus('lan', 'gateway', { number: 0, kind: 'gateway', addresses: ['10.0.0.1'] }),
    portStatus('lan', 'web', {
      received: { frames: 10, bytes: 1536 },
      sent: { frames: 2, bytes: 120 },
      drops: { queue: 3, vlan: 4 },
      link: { ...line, delay: 40, jitter: 5, rate: 1e7, loss: 0.02, queuedBytes: 3000 },
    }),
    portStatus('lan', 'vm', {
      number: 2,
      kind: 'qemu-stream',
      connected: false,
      state: 'unconnected',
      addresses: [],
      link: { ...line, partition: true },
    }),
  );
  const lease = { network: 'lan', client: '02:00:00:00:00:07' };
  lan.leaseList.push(
    { ...lease, address: '10.0.0.7', name: 'printer', remaining: 3_599_500, reserved: true },
    { ...lease, address: '10.0.0.128', name: null, remaining: null, reserved: false },
    {
      ...lease,
      address: '10.0.0.129',
      client: 'hw:1:020000000008',
      name: null,
      remaining: 1000,
      reserved: false,
    },
  );
  const flow = {
    network: 'lan',
    protocol: 'tcp',
    direction: 'outbound',
    guest: '10.0.0.7:40000',
    destination: '192.0.2.1:443',
    labels: ['example.org'],
    state: 'open',
    end: null,
    age: 61_000,
    bytesSent: 500,
    bytesReceived: 10_240,
  } as const;
  lan.flowList.push(
    { ...flow, id: 1, end: 'closed', bytesReceived: 99_999_999 },
    { ...flow, id: 2, labels: [], protocol: 'udp', bytesReceived: 0 },
    { ...flow, id: 3, direction: 'inbound', destination: '127.0.0.1:50000', labels: [] },
  );
  const dmz = new FakeNetwork('dmz', {
    kind: 'bridged',
    state: 'failed',
    subnets: [],
    error: { code: 'BRIDGE_MISSING', message: 'there is no bridge br9', remedy: 'Make it first.' },
  });
  const node = new FakeNode(lan, dmz);
  node.more = { file: '/etc/lab.yaml', routers: [{ name: 'edge', networks: ['lan', 'dmz'] }] };
  return node;
}

test('status tells how the node is, what has failed, and what to do about it', async () => {
  await using node = await serving(busyNode());
  assert.equal(
    await node.run('status'),
    `Node default: Netloom 0.1.0, process 4711, up for 1 h 2 min, 84.0 MiB of memory.
It follows /etc/lab.yaml.

network  kind      state   subnets                 mtu  interfaces  macs  leases  flows
lan      isolated  active  10.0.0.0/24 fd00::/64  1500           3     2       2      3
dmz      bridged   failed                         1500           0     0       0      0

published at    protocol  network  leads to
127.0.0.1:8080  tcp       lan      web:80
[::1]:5353      udp       lan      10.0.0.80:53

router  between
edge    lan, dmz

dmz has failed: there is no bridge br9. Make it first. (BRIDGE_MISSING)

lan has dropped or refused: uplink.denied 12, dhcp.exhausted 3
`,
  );
});

test('status of a node without anything is short', async () => {
  await using node = await serving(new FakeNode());
  assert.equal(
    await node.run('status'),
    `Node default: Netloom 0.1.0, process 4711, up for 1 h 2 min, 84.0 MiB of memory.

It has no networks.
`,
  );
});

test('list interfaces', async () => {
  await using node = await serving(busyNode());
  assert.equal(
    await node.run('list', 'interfaces'),
    `network  interface  kind         vlan      state        addresses  received   sent  dropped  waiting  line
lan      gateway    gateway      access 1  forwarding   10.0.0.1        0 B    0 B        0      0 B
lan      web        machine      access 1  forwarding   10.0.0.80   1.5 KiB  120 B        7  2.9 KiB  40ms±5ms 10mbit loss 2%
lan      vm         qemu-stream  access 1  unconnected                  0 B    0 B        0      0 B  cut
`,
  );
});

test('list leases', async () => {
  await using node = await serving(busyNode());
  assert.equal(
    await node.run('list', 'leases', '--network', 'lan'),
    `network  address     client             name          left  reserved
lan      10.0.0.7    02:00:00:00:00:07  printer  1 h 0 min  yes
lan      10.0.0.128  02:00:00:00:00:07            for ever
lan      10.0.0.129  02:00:00:00:00:08                 1 s
`,
  );
});

test('list flows: those there are, then those that were, and who began is first', async () => {
  await using node = await serving(busyNode());
  assert.equal(
    await node.run('list', 'flows'),
    `network  protocol  from             to              known as     state         age      sent  received
lan      tcp       127.0.0.1:50000  10.0.0.7:40000               open    1 min 1 s  10.0 KiB     500 B
lan      udp       10.0.0.7:40000   192.0.2.1:443                open    1 min 1 s     500 B       0 B
lan      tcp       10.0.0.7:40000   192.0.2.1:443   example.org  closed  1 min 1 s     500 B  95.4 MiB
`,
  );
});

test('list networks, of one that is named too', async () => {
  await using node = await serving(busyNode());
  assert.equal(
    await node.run('list', 'networks', '--network', 'dmz'),
    `network  kind     state   subnets   mtu  interfaces  macs  leases  flows
dmz      bridged  failed           1500           0     0       0      0
`,
  );
  assert.equal(
    await node.run('list', 'leases', '--network', 'dmz'),
    'There are no leases in dmz.\n',
  );
});

test('tables fit the terminal they are shown on', async () => {
  await using _ = await serving(busyNode());
  const { stdout } = await runInProcess(['list', 'interfaces', '--state', root], {
    outputWidth: 110,
  });
  const lines = stdout.trimEnd().split('\n');
  for (const line of lines) assert.ok([...line].length <= 110, line);
  assert.match(lines[2]!, / 40ms±5m…$/);
});

test('--json prints what the node said', async () => {
  const node = busyNode();
  await using served = await serving(node);
  const [lan] = node.networks;
  for (const [args, value] of [
    [['status'], node.status()],
    [['list', 'networks'], node.networks.map(({ statusNow }) => statusNow)],
    [['list', 'interfaces'], lan!.portList],
    [['list', 'leases'], lan!.leaseList],
    [['list', 'leases', '--network', 'dmz'], []],
  ] as const) {
    const printed = await served.run(...args, '--json');
    assert.match(printed, /^[^\n]+\n$/);
    assert.deepEqual(JSON.parse(printed), value);
  }
});

test('one of several nodes is named', async () => {
  const lab = new FakeNode();
  lab.more = { name: 'lab', process: 1 };
  await using _ = await serving(new FakeNode());
  await using other = await serving(lab, 'lab');
  assert.match(await other.run('status', '--name', 'lab'), /^Node lab: .* process 1,/);
});

test('list alone says what there is, and a word that is none is told', async () => {
  const alone = await runInProcess(['list']);
  assert.equal(alone.code, 0);
  assert.match(
    alone.stdout,
    /^ {2}networks .*\n {2}interfaces .*\n {2}leases .*\n {2}flows .*\n$/m,
  );
  const wrong = await runInProcess(['list', 'flow']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /there are no 'flow' to list; did you mean 'flows'\?/);
  assert.equal((await runInProcess(['list', 'leases', 'flows'])).code, 2);
  assert.equal((await runInProcess(['status', 'lan'])).code, 2);
});

test('without a node, and with a network it does not have, the error says what to do', async () => {
  const none = await runInProcess(['status', '--state', root, '--name', 'nobody']);
  assert.equal(none.code, 1);
  assert.equal(
    none.stderr,
    `netloom: no node 'nobody' is running (its folder is ${root}/nobody). ` +
      "Start it by 'netloom up --name nobody', or name another by --name. (NODE_NOT_RUNNING)\n",
  );
  await using _ = await serving(busyNode());
  const unknown = await runInProcess(['list', 'flows', '--network', 'wan', '--state', root]);
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /\(NODE_NETWORK_UNKNOWN\)\n$/);
});

test('the program itself finds the node by NETLOOM_STATE', async () => {
  await using _ = await serving(new FakeNode());
  const env = { ...process.env, NETLOOM_STATE: root };
  const { code, stdout, stderr } = await runNetloom(['list', 'flows'], { env });
  assert.deepEqual([code, stdout, stderr], [0, 'There are no flows.\n', '']);
});

test('--watch tells it again until it is interrupted', async () => {
  await using _ = await serving(busyNode());
  const watched = startNetloom(['list', 'leases', '--json', '--watch', '--state', root]);
  await watched.until(/\n.*\n/);
  watched.signal('SIGINT');
  const { code, stdout, stderr } = await watched.outcome();
  assert.deepEqual([code, stderr], [0, '']);
  const [first, ...others] = stdout.trimEnd().split('\n');
  assert.equal((JSON.parse(first!) as unknown[]).length, 3);
  assert.deepEqual(new Set(others), new Set([first]));
  const status = startNetloom(['status', '--watch', '--state', root]);
  await status.until(/Node default[^]*\nNode default/);
  status.signal('SIGINT');
  assert.ok(!(await status.outcome()).stdout.includes('\x1b'), 'no escape codes into a pipe');
});
