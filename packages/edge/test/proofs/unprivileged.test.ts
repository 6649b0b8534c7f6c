/** A node of an ordinary user: what needs no privileges works, and what does says so. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chownSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runNetloom, startNetloom, type StartOptions } from '../../../cli/test/netloom-process.ts';
import { USER_ID, as } from '../../../cli/test/run-place.ts';
import { freePort } from '../../../netloom/test/http/peers.ts';
import { KernelNamespace, tapObstacle } from '../../../netloom/test/kernel-namespace.ts';
import { machineObstacle } from '../../../netloom/test/qemu-machine.ts';
import { privilege, program, requires } from '../../../netloom/test/requires.ts';
import { Guest } from './guest.ts';
import { RunningNode, temporaryFile } from './running-node.ts';

const MAC = '52:54:00:00:00:11';

const home: string = mkdtempSync(join(tmpdir(), 'netloom-home-'));
after(() => rmSync(home, { recursive: true }));

/** The user, whose state is where it is by default. */
const asUser: StartOptions = {
  uid: USER_ID,
  gid: USER_ID,
  cwd: home,
  env: { ...process.env, HOME: home, NETLOOM_STATE: '', XDG_STATE_HOME: '' },
};
/** The same on a machine where /dev/net/tun is open to all, as distributions have it. */
const withTun: StartOptions = { ...asUser, uid: 0, gid: 0, ...as('user') };

async function echoOf(text: string, listen: string): Promise<string> {
  const socket = createSocket('udp4');
  const [address, port] = listen.split(':');
  socket.send(text, Number(port), address);
  const [answer] = (await once(socket, 'message')) as [Uint8Array];
  socket.close();
  return new TextDecoder().decode(answer);
}

test(
  'machines, published ports and guests of QEMU need no privileges',
  { skip: requires(privilege(), machineObstacle()), timeout: 120_000 },
  async () => {
    chownSync(home, USER_ID, USER_ID);
    const port = await freePort();
    const text = `networks:
  lab:
    subnets: [10.96.0.0/24, fd00:96::/64]
    uplink: true
    reservations: [{ mac: "${MAC}", name: guest, address: 10.96.0.11 }]
    machines: { web: { run: web, address: 10.96.0.80 }, echo: echo }
    qemu: { guest: { listen: ${port} } }
    publish: [127.0.0.1:0:web:80, 127.0.0.1:0:echo:7/udp]
`;
    await using node = await RunningNode.up(text, { name: 'user', ...asUser });
    const { networks } = await node.status();
    const [web, echo] = networks[0]!.publications;
    const response = await fetch(`http://${web!.listen}/`);
    assert.match(await response.text(), /<title>web\.lab<\/title>/);
    assert.equal(await echoOf('hello', echo!.listen), 'hello');

    const words = ['dump', '--network', 'lab', '--name', 'user', '--count', '1'];
    const dump = startNetloom([...words, 'arp and src host 10.96.0.11'], asUser);
    await dump.until(/listening on network lab/);
    const netdev = `stream,id=n0,server=off,addr.type=inet,addr.host=127.0.0.1,addr.port=${port}`;
    await using _guest = new Guest(netdev, MAC);
    const dumped = await dump.outcome();
    assert.deepEqual([dumped.code, /10\.96\.0\.11/.test(dumped.stdout)], [0, true], dumped.stderr);
    const guest = await node.interface('guest');
    assert.deepEqual([guest.connected, guest.mac], [true, MAC]);

    const state = join(home, '.local/state/netloom/user');
    const { uid, mode } = statSync(state);
    assert.deepEqual([uid, mode & 0o777], [USER_ID, 0o700]);
    assert.deepEqual(readdirSync(join(state, 'leases')).sort(), ['lab.v4.json', 'lab.v6.json']);
    await node.stop();
    assert.deepEqual(readdirSync(state), ['leases']);
  },
);

test(
  'what needs privileges says which, and what else would do; nothing is started',
  { skip: requires(privilege(), tapObstacle), timeout: 60_000 },
  async () => {
    chownSync(home, USER_ID, USER_ID);
    using somewhere = new KernelNamespace('somewhere');
    const port = await freePort();
    const web = `machines: { web: { run: web } }, publish: [127.0.0.1:${port}:web:80]`;
    for (const [network, error, user] of [
      ['taps: { box: {} }', /TAP.*box.*\(TAP_DENIED\)/, asUser],
      [
        'taps: { box: {} }',
        /TAP.*box.* "ip tuntap add dev NAME mode tap user YOU".*\(TAP_DENIED\)/,
        withTun,
      ],
      [`taps: { box: { namespace: ${somewhere.name} } }`, /\(NETWORK_NAMESPACE_DENIED\)/, withTun],
      ['kind: bridged, bridge: br0', /\(TAP_DENIED\)/, withTun],
      [
        'kind: bridged, interface: lo',
        /Run as root or with CAP_NET_RAW\..*\(PACKET_DENIED\)/,
        asUser,
      ],
    ] as const) {
      const text = `networks:
  lan: { subnets: [10.96.0.0/24], gateway: true, ${web} }
  more: { ${network} }
`;
      const file = temporaryFile('denied.yaml', text);
      const { code, stdout, stderr } = await runNetloom(['up', file, '--no-dashboard'], user);
      assert.deepEqual([code, stdout], [1, ''], network);
      assert.match(stderr, new RegExp(`^netloom: .*${error.source}\\n$`));
    }
    await assert.rejects(fetch(`http://127.0.0.1:${port}/`), 'what came before it was left');
  },
);

test(
  'a TAP that root has made ready is the user’s to use',
  { skip: requires(privilege(), tapObstacle, program('ping')), timeout: 60_000 },
  async () => {
    chownSync(home, USER_ID, USER_ID);
    using machine = new KernelNamespace('machine');
    machine.ip('tuntap', 'add', 'dev', 'ready', 'mode', 'tap', 'user', `${USER_ID}`);
    machine.ip('link', 'set', 'ready', 'up');
    machine.ip('address', 'add', '10.96.0.7/24', 'dev', 'ready');
    const { address } = machine.describe('ready');
    const text = `networks:
  lan:
    subnets: [10.96.0.0/24]
    taps: { ready: {} }
`;
    await using node = await RunningNode.up(text, {
      name: 'ready',
      ...withTun,
      namespace: machine.name,
    });
    await machine.run('ping', '-n', '-c', '2', '-i', '0.1', '-w', '10', '10.96.0.1');
    assert.equal((await node.interface('ready')).mac, address);
    await node.stop();
    assert.equal(machine.describe('ready').address, address);
  },
);
