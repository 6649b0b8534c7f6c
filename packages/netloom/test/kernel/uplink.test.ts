/** The Linux kernel's programs behind our uplink, which stands on the kernel's sockets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tapObstacle } from '../kernel-namespace.ts';
import { privilege, program, requires } from '../requires.ts';
import { GATEWAY, GUEST } from '../uplink/kernel-driver.ts';
import { MACHINE, UplinkScene, WORLD } from '../uplink/kernel-scene.ts';
import { NGINX_PORT, Nginx } from './nginx.ts';
import { patternSum, writePattern } from './pattern.ts';

const needed = [privilege(), tapObstacle, program('curl')];
const timeout = 120_000;
const MIB = 1 << 20;
const LENGTH = 256 * MIB;
const FAMILIES = [4, 6] as const;

/** An HTTP server in a namespace that answers a PUT with the SHA-256 of what it was sent. */
const UPLOAD_SERVER = `
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
const server = createServer((request, response) => {
  const hash = createHash('sha256');
  request.on('data', (chunk) => hash.update(chunk));
  request.on('end', () => response.end(hash.digest('hex')));
});
server.listen(8081, '::', () => console.log('ready'));
`;

function url(address: string, port: number): string {
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

test(
  'nginx on the machine’s loopback serves curl behind the gateway 256 MiB, and takes 256 MiB back',
  { skip: requires(...needed, program('nginx'), program('sha256sum')), timeout },
  async () => {
    using nginx = new Nginx();
    const expected = writePattern(nginx.path('large'), LENGTH);
    await using scene = await UplinkScene.open('curl');
    await nginx.start(scene.machine);
    await scene.machine.start(UPLOAD_SERVER).line();
    const curl = 'curl --silent --show-error --globoff --fail';
    for (const family of FAMILIES) {
      const fetch = `${curl} ${url(GATEWAY[family], NGINX_PORT)}/large | sha256sum`;
      assert.equal(await scene.guest.run('sh', '-c', fetch), `${expected}  -\n`);
      const words = `--upload-file ${nginx.path('large')} ${url(GATEWAY[family], 8081)}/`;
      assert.equal(await scene.guest.run('sh', '-c', `${curl} ${words}`), patternSum(LENGTH));
    }
  },
);

test(
  'what becomes of a connection outside is what the guest’s kernel sees',
  { skip: requires(...needed), timeout },
  async () => {
    await using scene = await UplinkScene.open('refused');
    for (const family of FAMILIES) {
      const curl = (address: string): { code: number; said: string } =>
        scene.attempt('guest', 'curl', '-sS', '-g', '-m', '20', url(address, 81));
      const isOfFamily4 = family === 4;
      const absent = isOfFamily4 ? '198.51.100.77' : '2001:db8:51::77';
      const unknown = isOfFamily4 ? '203.0.113.1' : '2001:db8:99::1';
      for (const [address, pattern] of [
        [WORLD[family], /Connection refused|Couldn't connect/],
        [GATEWAY[family], /Connection refused|Couldn't connect/],
        [MACHINE[family], /Connection refused|Couldn't connect/],
        [absent, /No route to host|Couldn't connect/],
        [unknown, /Network is unreachable|No route to host|Couldn't connect/],
      ] as const) {
        const { code, said } = curl(address);
        assert.equal(code, 7, `${address}: ${said}`);
        assert.match(said, pattern, address);
      }
    }
  },
);

test(
  'ping to the world over the machine’s ping socket, and the gateway is the first hop',
  { skip: requires(...needed, program('ping')), timeout },
  async () => {
    await using scene = await UplinkScene.open('ping');
    for (const family of FAMILIES) {
      for (const size of [56, 1400, 4000]) {
        // Until it has three replies, or for ten seconds: by itself it would wait for two round trips only.
        const words = `-${family} -n -c 3 -w 10 -i 0.1 -s ${size} ${WORLD[family]}`.split(' ');
        const said = await scene.guest.run('ping', ...words);
        assert.match(said, /, 3 received,/);
        assert.doesNotMatch(said, /wrong data|truncated|DUP/);
      }
      const hop = scene.attempt(
        'guest',
        'ping',
        `-${family}`,
        '-n',
        '-c1',
        '-W5',
        '-t1',
        WORLD[family],
      );
      assert.match(hop.said, new RegExp(`From ${GATEWAY[family]}.*[Tt]ime`));
      const own = scene.attempt('guest', 'ping', `-${family}`, '-n', '-c1', '-W5', MACHINE[family]);
      assert.match(own.said, /Packet filtered|prohibited/i);
    }
  },
);

/** A UDP server that sends back what comes, in the order it came, on both families. */
const UDP_ECHO = `
import { createSocket } from 'node:dgram';
const socket = createSocket('udp6');
socket.on('message', (data, { port, address }) => socket.send(data, port, address));
socket.bind(7007, () => console.log('ready'));
`;

test(
  'UDP: socat’s datagrams come back from whom they went to; of a closed port the guest’s socket hears',
  { skip: requires(...needed, program('socat')), timeout },
  async () => {
    await using scene = await UplinkScene.open('udp');
    await scene.world.start(UDP_ECHO).line();
    for (const family of FAMILIES) {
      const host = family === 4 ? WORLD[4] : `[${WORLD[6]}]`;
      const pipe = `(echo one; sleep 0.2; echo two; sleep 0.2) | socat -T5 - UDP${family}:${host}:7007`;
      assert.equal(await scene.guest.run('sh', '-c', pipe), 'one\ntwo\n');
      const closed = `(echo one; sleep 0.3; echo two; sleep 0.3) | socat -T5 - UDP${family}:${host}:9`;
      const { said } = scene.attempt('guest', 'sh', '-c', closed);
      assert.match(said, /Connection refused/);
    }
  },
);

test(
  'iperf3 behind the gateway, both ways and with eight streams',
  { skip: requires(...needed, program('iperf3')), timeout },
  async () => {
    await using scene = await UplinkScene.open('iperf3');
    const server = scene.world.startProgram('iperf3', '-s', '--forceflush');
    while (!(await server.line()).includes('listening'));
    for (const words of ['-n 128M', '-n 128M -R', '-n 64M -P 8', '-n 64M -P 8 -R']) {
      const said = await scene.guest.run('iperf3', '-J', '-c', WORLD[4], ...words.split(' '));
      const { end, error } = JSON.parse(said) as {
        end: { sum_sent: { bytes: number } };
        error?: string;
      };
      assert.equal(error, undefined);
      // What is still on its way at the end, the receiver does not count.
      assert.ok(end.sum_sent.bytes >= 64 * MIB, `${words}: ${end.sum_sent.bytes}`);
    }
  },
);

/** An HTTP server that says who has asked. */
const WHO_SERVER = `
import { createServer } from 'node:http';
createServer((request, response) => response.end(request.socket.remoteAddress)).listen(80, '::', () => console.log('ready'));
`;

test(
  'published ports of a guest, TCP and UDP, are reached from the world',
  { skip: requires(...needed, program('socat')), timeout },
  async () => {
    const publish = [
      { protocol: 'tcp', to: `${GUEST[4]} 80` },
      { protocol: 'tcp', to: `${GUEST[6]} 80` },
      { protocol: 'udp', to: `${GUEST[4]} 7007` },
    ] as const;
    await using scene = await UplinkScene.open('publish', { publish });
    await scene.guest.start(WHO_SERVER).line();
    await scene.guest.start(UDP_ECHO).line();
    const [to4, to6, udp] = scene.published as [number, number, number];
    for (const family of FAMILIES) {
      const curl = ['curl', '-sS', '-g', '-f', url(MACHINE[family], to4)];
      assert.match(await scene.world.run(...(curl as [string, ...string[]])), /10\.0\.2\.2$/);
    }
    assert.equal(await scene.world.run('curl', '-sS', url(MACHINE[4], to6)), GATEWAY[6]);
    const pipe = `(echo one; sleep 0.3) | socat -T5 - UDP4:${MACHINE[4]}:${udp}`;
    assert.equal(await scene.world.run('sh', '-c', pipe), 'one\n');
  },
);

test(
  'four hundred short connections in parallel, and nothing is left behind',
  { skip: requires(...needed, program('nginx')), timeout },
  async () => {
    using nginx = new Nginx();
    writePattern(nginx.path('small'), 3000);
    await using scene = await UplinkScene.open('many');
    await nginx.start(scene.world);
    const words = '--silent --show-error --fail --parallel --parallel-max 64 --parallel-immediate';
    const urls = [`${url(WORLD[4], NGINX_PORT)}/small?[1-400]`, '--output', '/dev/null'];
    await scene.guest.run('curl', ...words.split(' '), ...urls);
    const { open, ended } = await scene.end();
    assert.equal(open, 0);
    assert.ok(ended >= 64, `${ended} flows`);
  },
);
