import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Cidr, IpAddress, MacAddress } from 'netloom/core';
import { serveDns } from 'netloom/dns';
import { simWorld, type SimHost } from 'netloom/host';
import { createClient } from 'netloom/http';
import { Switch } from 'netloom/link';
import type { MachineService } from '../model/index.ts';
import { Machine, type MachineSetup } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'netloom-machine-'));
after(() => rmSync(folder, { recursive: true }));

const OWN = IpAddress.parse('10.0.0.80');
const SETUP: MachineSetup = {
  addresses: [new Cidr(OWN, 24)],
  routers: [IpAddress.parse('10.0.0.1')],
  nameServers: [IpAddress.parse('10.0.0.1')],
  zone: 'lan',
};

/** A machine and the gateway of its network, on a switch. */
function scene(services: readonly MachineService[], setup: MachineSetup | 'ask' = SETUP) {
  const world = simWorld({ seed: 1 });
  const bridge = new Switch(world.clock, { random: world.random('switch') });
  const gateway: SimHost = world.machine('gateway');
  const cable = (name: string, mac: string) => bridge.port({ name, mac: MacAddress.parse(mac) });
  gateway.addInterface(cable('gateway', '02:00:00:00:00:01'), { addresses: ['10.0.0.1/24'] });
  const opened = Machine.open({
    name: 'web',
    network: 'home',
    clock: world.clock,
    random: world.random('web'),
    link: cable('web', '02:00:00:00:00:50'),
    services,
    setup,
  });
  return { world, bridge, gateway, opened };
}

test('what is sent to the echo service comes back, what is sent to the sink does not', async () => {
  const { world, gateway, opened } = scene([{ kind: 'echo' }, { kind: 'sink' }]);
  const machine = await world.run(opened);
  const socket = await world.run(gateway.bind({ port: 7 }));
  const other = await world.run(gateway.bind());
  const got: string[] = [];
  for (const [name, one] of [
    ['echo', socket],
    ['other', other],
  ] as const) {
    one.start({
      receive: (batch) => {
        for (const { data, remote } of batch) {
          got.push(`${name} ${remote.port} ${new TextDecoder().decode(data)}`);
        }
      },
    });
    for (const port of [7, 9]) {
      one.send([{ data: new TextEncoder().encode('x'), remote: { address: OWN, port } }]);
    }
  }
  await world.run(world.now() + 1000);
  // Two echo services would send one datagram to each other for ever.
  assert.deepEqual(got, ['other 7 x']);
  const connection = await world.run(gateway.connect({ host: OWN, port: 7 }));
  let length = 0;
  connection.start({ data: (chunk) => (length += chunk.length) });
  // More than the windows take: a peer that is not read from is waited for.
  for (let i = 0; i < 64; i++) connection.write(new Uint8Array(64 * 1024));
  connection.pause();
  await world.run(world.now() + 5000);
  assert.equal(length, 0);
  connection.resume();
  await world.run(world.now() + 20_000);
  assert.equal(length, 64 * 64 * 1024);
  const sink = await world.run(gateway.connect({ host: OWN, port: 9 }));
  sink.start({ data: () => assert.fail('the sink has answered') });
  sink.write(new Uint8Array(1000));
  await world.run(sink.close());
  await world.run(machine.close());
  await world.run(gateway.close());
});

/** The words on the rungs of a page's ladder, with the way each frame went. */
function rungs(html: string): string[] {
  const rung = /class="hidden">([^:<]*): [^]*?class="words">([^<]*)</g;
  return [...html.matchAll(rung)].map(([, way, words]) => `${way}: ${words}`);
}

test('a web machine shows the frames of the request as they pass its own port', async () => {
  const { world, gateway, opened } = scene([{ kind: 'web' }]);
  const machine = await world.run(opened);
  await using client = createClient({ host: gateway });
  const get = async (path: string): Promise<string> =>
    (await client.fetch(`http://${OWN}${path}`)).text();
  const page = await world.run(get('/'));
  assert.match(page, /<title>web\.lan<\/title>/);
  assert.match(page, /<strong>gateway\.lan<\/strong>10\.0\.0\.1<br \/>02:00:00:00:00:01/);
  assert.match(page, /<strong>web\.lan<\/strong>10\.0\.0\.80\/24<br \/>02:00:00:00:00:50/);
  assert.doesNotMatch(page, /\{\{|undefined|NaN/);
  const there = 'gateway.lan to web.lan';
  const back = 'web.lan to gateway.lan';
  assert.deepEqual(rungs(page), [
    `${there}: who has 10.0.0.80?`,
    `${back}: 10.0.0.80 is at 02:00:00:00:00:50`,
    `${there}: SYN`,
    `${back}: SYN, ACK`,
    `${there}: ACK`,
    `${there}: GET / HTTP/1.1`,
  ]);
  const [, rest] = /data-rest="([^"]+)"/.exec(page)!;
  const frames = rungs(await world.run(get(rest!.replaceAll('&amp;', '&'))));
  assert.ok(frames.includes(`${back}: HTTP/1.1 200 OK`), frames.join('\n'));
  for (const asked of ['', '?address=x&port=y', '?address=10.0.0.1&port=-1&after=1e999']) {
    assert.equal(await world.run(get(`/frames${asked}`)), '');
  }
  const statistics = JSON.parse(await world.run(get('/stats'))) as {
    port: { frames: number };
    tcp: { open: number };
    network: string;
  };
  assert.equal(statistics.network, 'home');
  assert.ok(statistics.port.frames > 10 && statistics.tcp.open === 1);
  await world.run(client.close());
  await world.run(machine.close());
});

test('a module of the user’s is served, or it is said what is wrong with it', async () => {
  const good = join(folder, 'good.mjs');
  writeFileSync(good, 'export default { fetch: ({ url }) => new Response(`asked for ${url}`) };');
  const { world, gateway, opened } = scene([{ kind: 'module', path: good, port: 8000 }]);
  const machine = await world.run(opened);
  await using client = createClient({ host: gateway });
  const get = async (): Promise<string> => (await client.fetch(`http://${OWN}:8000/it`)).text();
  assert.equal(await world.run(get()), 'asked for http://10.0.0.80:8000/it');
  await world.run(client.close());
  await world.run(machine.close());
  const wrong: [string, string | undefined, RegExp][] = [
    ['missing.mjs', undefined, /^MACHINE_MODULE_FAILED .*missing\.mjs: there is no such file$/],
    ['throws.mjs', 'throw new Error("not today");', /^MACHINE_MODULE_FAILED .*not today/],
    ['none.mjs', 'export const fetch = () => new Response();', /^MACHINE_MODULE_INVALID /],
    ['null.mjs', 'export default null;', /^MACHINE_MODULE_INVALID /],
  ];
  for (const [name, text, expected] of wrong) {
    const path = join(folder, name);
    if (text !== undefined) writeFileSync(path, text);
    const bad = scene([{ kind: 'echo' }, { kind: 'module', path, port: 80 }]);
    const error = await bad.world.run(bad.opened.then(String, (thrown: unknown) => thrown));
    const { code, message } = error as { code: string; message: string };
    assert.match(`${code} ${message}`, expected);
    await bad.world.run(bad.world.now() + 1000);
    assert.equal(bad.bridge.ports.length, 1, 'its cable is taken away');
  }
});

test('a machine asks its name servers for names, its own zone first', async () => {
  const { world, gateway, opened } = scene([]);
  const machine = await world.run(opened);
  const { host } = machine;
  const resolve = (name: string, family?: 4 | 6): Promise<string[]> =>
    world.run(
      host.resolve(name, family === undefined ? {} : { family }).then((found) => found.map(String)),
    );
  await assert.rejects(resolve('box'), { code: 'NAME_RESOLUTION_FAILED' });
  const dns = await world.run(serveDns({ host: gateway, zone: 'lan' }));
  dns.setName('box', [IpAddress.parse('10.0.0.7'), IpAddress.parse('fd00::7')]);
  dns.setName('elsewhere.test', [IpAddress.parse('192.0.2.7')]);
  assert.deepEqual(await resolve('box'), ['10.0.0.7', 'fd00::7']);
  assert.deepEqual(await resolve('BOX.lan', 6), ['fd00::7']);
  assert.deepEqual(await resolve('elsewhere.test'), ['192.0.2.7']);
  await assert.rejects(resolve('nobody'), { code: 'NAME_NOT_FOUND' });
  await assert.rejects(resolve('a..b'), { code: 'DOMAIN_NAME_INVALID' });
  await assert.rejects(world.run(host.resolve('box', { signal: AbortSignal.abort() })), {
    code: 'ABORTED',
  });
  await world.run(machine.close());
});

test('a machine that is configured anew keeps what stays, and loses the rest', async () => {
  const { world, gateway, opened } = scene([{ kind: 'echo' }]);
  const machine = await world.run(opened);
  const second = Cidr.parse('10.0.0.81/24');
  machine.configure({ ...SETUP, addresses: [...SETUP.addresses, second] });
  await world.run(gateway.ping(second.address));
  const kept = await world.run(gateway.connect({ host: OWN, port: 7 }));
  let isOpen = true;
  kept.start({ closed: () => (isOpen = false) });
  machine.configure(SETUP);
  await world.run(world.now() + 1000);
  assert.deepEqual(machine.addresses, ['10.0.0.80/24']);
  assert.ok(isOpen);
  await assert.rejects(world.run(gateway.ping(second.address)), { code: 'TIMEOUT' });
  await world.run(machine.close());
  await world.run(machine.close());
});
