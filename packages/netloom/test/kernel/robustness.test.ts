/** What must not bring our stack down: a TAP that vanishes, garbage, LAND, a SYN flood. The Linux kernel is the peer, and the culprit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { IpAddress, NetloomError, type Connection } from 'netloom/core';
import { createClient, serve, type Server } from 'netloom/http';
import { tapObstacle, type NamespaceProgram } from '../kernel-namespace.ts';
import { privilege, program, requires } from '../requires.ts';
import { FAMILIES, KernelLan, OUR_ADDRESSES, TAP } from './kernel-lan.ts';
import { NGINX_PORT, Nginx } from './nginx.ts';
import { writePattern } from './pattern.ts';

const needed = [privilege(), tapObstacle, program('curl')];
const timeout = 60_000;
const [{ ours, kernel }] = FAMILIES as [(typeof FAMILIES)[0]];
const SENDER = fileURLToPath(new URL('frame-sender.py', import.meta.url));

function serveHello({ host }: KernelLan): Promise<Server> {
  return serve({ fetch: () => new Response('hello') }, { host, port: 80 });
}

/** Asks our stack by both families, as any client would. */
async function assertServes({ namespace }: KernelLan): Promise<void> {
  for (const { oursInUrl } of FAMILIES) {
    const words = `--silent --show-error --globoff --fail --max-time 10 http://${oursInUrl}/`;
    assert.equal(await namespace.run('curl', ...words.split(' ')), 'hello');
  }
}

test(
  'the TAP is deleted in the middle of transfers: they end by name, and the host goes on',
  { skip: requires(...needed, program('nginx')), timeout },
  async () => {
    using nginx = new Nginx();
    writePattern(nginx.path('file'), 64 << 20);
    await using lan = new KernelLan('gone');
    await nginx.start(lan.namespace);
    const { host, namespace } = lan;
    // Reads nothing: the connection is still there, with bytes of the kernel's under way, when the TAP goes.
    const stalled = Promise.withResolvers<NetloomError | undefined>();
    const connection: Connection = await host.connect({ host: kernel, port: NGINX_PORT });
    connection.start({ closed: stalled.resolve });
    connection.pause();
    connection.write(new TextEncoder().encode('GET /file HTTP/1.0\r\n\r\n'));
    await using client = createClient({ host });
    const response = await client.fetch(`http://${kernel}:${NGINX_PORT}/file`);
    const reader = response.body!.getReader();
    assert.equal((await reader.read()).done, false);
    namespace.ip('link', 'del', TAP);
    const readOn = async (): Promise<void> => {
      while (!(await reader.read()).done);
    };
    await assert.rejects(readOn, (error) => error instanceof NetloomError);
    const error = await stalled.promise;
    assert.ok(error instanceof NetloomError);
    assert.equal(error.code, 'NETWORK_UNREACHABLE');
    assert.equal((error.cause as NetloomError).code, 'TAP_GONE');
    await assert.rejects(host.connect({ host: kernel, port: NGINX_PORT }), {
      code: 'NETWORK_UNREACHABLE',
    });
    await assert.rejects(host.ping(kernel), { code: 'NETWORK_UNREACHABLE' });

    // The host takes a new one in its place.
    for (const cidr of OUR_ADDRESSES) {
      host.stack.removeAddress(lan.interface, IpAddress.parse(cidr.split('/')[0]!));
    }
    host.addInterface(lan.openTap(), { name: 'again', addresses: OUR_ADDRESSES });
    await using _server = await serveHello(lan);
    await assertServes(lan);
  },
);

/** Has the sender send frames of a kind to port 80. It prints a line after its first, and `done` after its last. */
function startSender({ namespace, tap }: KernelLan, kind: string, count: number): NamespaceProgram {
  const words = [SENDER, TAP, kind, tap.mac.toString(), ours.toString(), '80', String(count)];
  return namespace.startProgram('python3', ...words);
}

async function sendFrames(lan: KernelLan, kind: string, count: number): Promise<void> {
  const sender = startSender(lan, kind, count);
  while ((await sender.line()) !== 'done');
}

test(
  'garbage frames are dropped and counted, and the stack serves on',
  { skip: requires(...needed, program('python3')), timeout },
  async () => {
    await using lan = new KernelLan('garbage');
    await using _server = await serveHello(lan);
    await sendFrames(lan, 'garbage', 5000);
    await assertServes(lan);
    const drops = lan.interface.drops.snapshot();
    for (const reason of ['ethernet-other-station', 'ethernet-unknown-type', 'ipv4-bad-checksum']) {
      assert.ok(drops[reason]! > 0, `${reason}: ${JSON.stringify(drops)}`);
    }
    assert.ok(lan.host.stack.tcp.statistics.drops.get('tcp-bad-checksum') > 0);
  },
);

test(
  'SYNs that come from our own address (LAND) lead to nothing',
  { skip: requires(...needed, program('python3')), timeout },
  async () => {
    await using lan = new KernelLan('land');
    await using _server = await serveHello(lan);
    await sendFrames(lan, 'land', 1000);
    await assertServes(lan);
    const { drops } = lan.interface;
    assert.equal(drops.get('ipv4-source-is-ours'), 1000, JSON.stringify(drops.snapshot()));
    assert.ok(lan.host.stack.tcp.openConnections().length <= FAMILIES.length);
  },
);

test(
  'during a flood of 10,000 SYNs from stations that are not there, clients are served',
  { skip: requires(...needed, program('python3')), timeout },
  async () => {
    await using lan = new KernelLan('flood');
    await using server = await serveHello(lan);
    const flood = startSender(lan, 'flood', 10_000);
    let rounds = 0;
    await flood.line();
    do {
      await assertServes(lan);
      rounds++;
    } while ((await flood.line()) !== 'done');
    assert.equal(server.statistics.get('requests'), rounds * FAMILIES.length);
    const { tcp } = lan.host.stack;
    assert.ok(tcp.statistics.drops.get('tcp-half-open-limit') > 0);
    assert.ok(tcp.openConnections().length <= 1024 + FAMILIES.length * rounds);
  },
);
