/**
 * Guests of QEMU and a namespace of the kernel's at one node. The guests are iPXE, whose addresses come from our gateway and whose boot file's name comes from
 * dnsmasq beside it, as a DHCP proxy (PXE 2.1, section 2.2.3) in the namespace; nginx there serves the file. What guests say to each other: linux-guests.test.ts.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../netloom/test/http/peers.ts';
import { KernelNamespace, tapObstacle } from '../../../netloom/test/kernel-namespace.ts';
import { NGINX_PORT, Nginx } from '../../../netloom/test/kernel/nginx.ts';
import {
  datagramNetdev,
  machineObstacle,
  streamNetdev,
} from '../../../netloom/test/qemu-machine.ts';
import { privilege, program, requires } from '../../../netloom/test/requires.ts';
import { Guest } from './guest.ts';
import { RunningNode } from './running-node.ts';

const options = {
  skip: requires(
    privilege(),
    tapObstacle,
    machineObstacle(),
    program('dnsmasq'),
    program('nginx'),
    program('ping'),
  ),
  timeout: 240_000,
};
const MODULE = fileURLToPath(new URL('guest-script.ts', import.meta.url));
/** Bytes of what is not looked at before the last line of the guests' script, so that it comes only if all came, unharmed. */
const PADDING = 512 * 1024;

/** The namespace at the TAP, with dnsmasq and nginx once there is a TAP. */
class Tools implements Disposable {
  readonly namespace = new KernelNamespace('tools');
  readonly #nginx = new Nginx();

  constructor() {
    const padding = `# ${'x'.repeat(77)}\n`.repeat(PADDING / 80);
    const last = 'chain http://10.77.0.80/?ip=${ip}';
    writeFileSync(this.#nginx.path('script'), `#!ipxe\n${padding}${last}\n`);
  }

  async start(): Promise<void> {
    await this.#nginx.start(this.namespace);
    const url = `http://10.77.0.5:${NGINX_PORT}/script`;
    const words = [
      '-k -C /dev/null --port=0 --user=root --pid-file= --log-facility=- --dhcp-leasefile=/dev/null',
      '--interface=eth0 --bind-interfaces --dhcp-range=10.77.0.0,proxy,255.255.255.0',
      `--dhcp-boot=${url} --pxe-prompt=boot,0 --pxe-service=X86PC,boot,${url}`,
    ].join(' ');
    const dnsmasq = this.namespace.startProgram('sh', '-c', `exec dnsmasq ${words} 2>&1`);
    // The last line before it waits for messages.
    while (!(await dnsmasq.line()).includes('sockets bound exclusively'));
  }

  /** Whether the other answers, and hears the answer. */
  async pings(address: string): Promise<void> {
    const said = await this.namespace.run('ping', '-n', '-c', '3', '-i', '0.2', address);
    assert.match(said, /[3-9] received, 0% packet loss/);
  }

  [Symbol.dispose](): void {
    this.namespace[Symbol.dispose]();
    this.#nginx[Symbol.dispose]();
  }
}

const MACS = ['52:54:00:00:00:01', '52:54:00:00:00:02'] as const;

function file(tools: Tools, guests: string): string {
  return `networks:
  lab:
    subnets: [10.77.0.0/24]
    reservations:
      - { mac: ${MACS[0]}, name: one, address: 10.77.0.11 }
    machines:
      script: { run: ${MODULE}, address: 10.77.0.80 }
    taps:
      tools: { interface: eth0, namespace: ${tools.namespace.name}, address: 10.77.0.5 }
    qemu: ${guests}
`;
}

test(
  'guests by stream and by datagrams boot from a namespace beside them, and one that goes may come back',
  options,
  async () => {
    using tools = new Tools();
    const ports = [await freePort(), await freePort(), await freePort()] as const;
    const guests = `{ one: { listen: ${ports[0]} }, two: { local: ${ports[1]}, remote: ${ports[2]} } }`;
    await using node = await RunningNode.up(file(tools, guests));
    await tools.start();
    const before = await node.interface('one');
    assert.deepEqual([before.connected, before.mac], [false, null]);
    await using _two = new Guest(datagramNetdev(ports[2], ports[1]), MACS[1]);
    let two: string;
    {
      await using _one = new Guest(streamNetdev(ports[0]), MACS[0]);
      const [, ofTwo] = await node.until(/guest: (10\.77\.0\.(?!11\b)\d+)\n/);
      two = ofTwo!;
      await node.until(/guest: 10\.77\.0\.11\n/);
      await tools.pings('10.77.0.11');
      await tools.pings(two);
      const there = await node.interface('one');
      assert.deepEqual([there.connected, there.mac], [true, MACS[0]]);
      assert.ok(there.sent.bytes > PADDING, 'the script went by this port');
      assert.equal((await node.interface('two')).mac, MACS[1]);
    }
    const gone = await node.untilInterface('one', ({ connected }) => !connected);
    await assert.rejects(
      tools.namespace.run('ping', '-n', '-c', '1', '-W', '1', '10.77.0.11'),
      'a guest that is gone answers',
    );
    await tools.pings(two);
    // This time by the netdev that was before `stream`.
    const socket = `socket,id=n0,connect=127.0.0.1:${ports[0]}`;
    await using _one = new Guest(socket, MACS[0]);
    await node.until(/(guest: 10\.77\.0\.11\n[^]*){2}/);
    await tools.pings('10.77.0.11');
    const back = await node.interface('one');
    assert.equal(back.connected, true);
    assert.ok(back.received.bytes > gone.received.bytes, 'its counts go on');
    assert.ok(back.drops['not-connected']! > (gone.drops['not-connected'] ?? 0));
    await node.stop();
  },
);

test('a guest that listens for the node is met when either comes back', options, async () => {
  using tools = new Tools();
  const port = await freePort();
  const text = file(tools, `{ one: { connect: "127.0.0.1:${port}" } }`);
  const netdev = streamNetdev(port, 'on');
  const name = 'meeting';
  await using first = await RunningNode.up(text, { name });
  await tools.start();
  assert.equal((await first.interface('one')).connected, false);
  {
    await using _guest = new Guest(netdev, MACS[0]);
    await first.until(/guest: 10\.77\.0\.11\n/);
    await tools.pings('10.77.0.11');
  }
  await first.untilInterface('one', ({ connected }) => !connected);
  await using _guest = new Guest(netdev, MACS[0]);
  await first.until(/(guest: 10\.77\.0\.11\n[^]*){2}/);
  await tools.pings('10.77.0.11');

  // The guest goes on while there is no node, and sees it come back.
  await first.end('SIGKILL');
  await using second = await RunningNode.up(text, { name });
  await second.untilInterface('one', ({ connected }) => connected);
  await tools.pings('10.77.0.11');
  const lease = (await second.leases()).find(({ address }) => address === '10.77.0.11');
  assert.equal(lease?.name, 'one');
  await second.stop();
});
