import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, get as httpGet } from 'node:http';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { captureReader, describeFrame } from 'netloom/wire';
import { program, requires } from '../../netloom/test/requires.ts';
import { Interruption } from '../src/command.ts';
import { runInProcess, runNetloom, startNetloom, type NetloomProcess } from './netloom-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'netloom-up-'));
after(() => rmSync(folder, { recursive: true }));

/** Starts it on a free port; answers it with its URL. */
async function start(...args: string[]): Promise<{ network: NetloomProcess; url: string }> {
  const network = startNetloom(['up', '--port', '0', ...args]);
  const [, url] = await network.until(/up: {2}(http:\S+)/);
  await network.until(/Ctrl-C ends it/);
  return { network, url: url! };
}

/** Ends it by a signal, as a user or a supervisor does; it has to say goodbye and leave with 0. */
async function stop(network: NetloomProcess, signal: NodeJS.Signals): Promise<void> {
  network.signal(signal);
  const { code, stdout, stderr } = await network.outcome();
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /The network is down\.\n$/);
}

/** The frames of a capture file, each as one line. */
function framesOf(path: string): { line: string; length: number }[] {
  const frames: { line: string; length: number }[] = [];
  const reader = captureReader({
    packet: ({ data }) => frames.push({ line: describeFrame(data), length: data.length }),
  });
  assert.equal(reader.push(readFileSync(path)), undefined);
  assert.equal(reader.end(), undefined);
  return frames;
}

test('a page is served over our own network, every frame is captured, Ctrl-C ends it', async () => {
  const pcap = join(folder, 'lan.pcapng');
  const { network, url } = await start('--pcap', pcap);
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
  assert.match(network.stdout, /gateway\.lan +10\.0\.0\.1\/24 +(?:[\da-f]{2}:){5}[\da-f]{2}\n/);
  assert.match(network.stdout, /web\.lan +10\.0\.0\.80\/24 +02:00:00:00:00:50\n/);
  const page = await fetch(url);
  assert.equal(page.status, 200);
  const text = await page.text();
  assert.match(text, /<title>web\.lan<\/title>/);
  assert.match(text, /<strong>web\.lan<\/strong>10\.0\.0\.80\/24<br \/>02:00:00:00:00:50/);
  assert.doesNotMatch(text, /\{\{|undefined|NaN/);
  // Nothing from elsewhere: no address in it but its own.
  assert.doesNotMatch(text, /(?:src|href)="(?!\/stats|\/frames|data:)/);
  const statistics = (await (await fetch(`${url}stats`)).json()) as {
    name: string;
    port: { frames: number; bytes: number; arpPackets: number; tcpSegments: number };
    tcp: { accepted: number };
  };
  const { port } = statistics;
  assert.equal(statistics.name, 'web.lan');
  assert.ok(port.arpPackets >= 2 && port.tcpSegments > 5);
  assert.ok(port.frames >= port.arpPackets + port.tcpSegments);
  assert.ok(statistics.tcp.accepted >= 1);
  assert.equal((await fetch(`${url}nothing`)).status, 404);
  assert.equal((await fetch(url, { method: 'POST', body: 'x' })).status, 405);
  await stop(network, 'SIGINT');

  const frames = framesOf(pcap);
  assert.match(frames[0]!.line, /^ARP who has 10\.0\.0\.80\? tell 10\.0\.0\.1/);
  assert.match(frames[1]!.line, /^ARP 10\.0\.0\.80 is at 02:00:00:00:00:50/);
  assert.match(frames[2]!.line, /^10\.0\.0\.1:\d+ > 10\.0\.0\.80:80 TCP SYN /);
  assert.ok(frames.every(({ length }) => length <= 1514));
  // What passed the machine's port is what the file shows: nothing was cut for it.
  const counted = frames.slice(0, port.frames);
  assert.equal(
    counted.reduce((sum, { length }) => sum + length, 0),
    port.bytes,
  );
});

/** The words on the rungs of a page's ladder, with the way each frame went. */
function rungs(html: string): string[] {
  const rung = /class="hidden">(\w+)\.lan to [^]*?class="words">([^<]*)</g;
  return [...html.matchAll(rung)].map(([, from, words]) => `${from}: ${words}`);
}

test('the page shows the frames of its own request, and where the rest is', async () => {
  const { network, url } = await start();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const get = async (path: string): Promise<string> => {
    const [response] = await once(httpGet(new URL(path, url), { agent }), 'response');
    return (await response.setEncoding('utf8').toArray()).join('');
  };
  for (const path of ['/', '/?again']) {
    const page = await get(path);
    assert.deepEqual(rungs(page), [
      'gateway: who has 10.0.0.80?',
      'web: 10.0.0.80 is at 02:00:00:00:00:50',
      'gateway: SYN',
      'web: SYN, ACK',
      'gateway: ACK',
      `gateway: GET ${path} HTTP/1.1`,
    ]);
    // The layers of the request's frame, and its bytes.
    assert.match(page, /Ethernet 14<\/span> .*IP 20<\/span> .*TCP 32<\/span> .*HTTP \d+</);
    assert.match(page, /<span class="http">(?:[\da-f]{2} )+<\/span> .*<span class="http">GET \//);
    const [, rest] = /data-rest="([^"]+)"/.exec(page)!;
    const frames = rungs(await get(rest!.replaceAll('&amp;', '&')));
    assert.ok(frames.includes('web: HTTP/1.1 200 OK'), frames.join('\n'));
    assert.ok(frames.some((frame) => /^web: [\d,]+ more bytes of it$/.test(frame)));
    assert.equal(frames.filter((frame) => frame.includes('GET')).length, 0);
  }
  agent.destroy();
  await stop(network, 'SIGINT');
});

test('what a request says is shown as text, and numbers asked for need not be any', async () => {
  const { network, url } = await start();
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write('GET /?&lt;b&gt; HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  const page = (await socket.setEncoding('utf8').toArray()).join('');
  assert.match(page, /^HTTP\/1\.1 200 /);
  assert.match(page, /GET \/\?&amp;lt;b&amp;gt; HTTP/);
  for (const query of ['', '?port=x&after=y&start=z', '?port=-1&after=1e999&start=<']) {
    const rest = await fetch(`${url}frames${query}`);
    assert.deepEqual([rest.status, await rest.text()], [200, '']);
  }
  await stop(network, 'SIGTERM');
});

test(
  'tshark finds nothing amiss in the capture',
  { skip: requires(program('tshark')) },
  async () => {
    const pcap = join(folder, 'tshark.pcapng');
    const { network, url } = await start('--pcap', pcap);
    assert.equal((await fetch(url)).status, 200);
    await stop(network, 'SIGTERM');
    const checks = ['tcp.check_checksum', 'ip.check_checksum'].flatMap((name) => [
      '-o',
      `${name}:TRUE`,
    ]);
    const bad =
      '_ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0 || tcp.analysis.retransmission';
    const tshark = (filter: string): string[] =>
      spawnSync('tshark', ['-r', pcap, ...checks, '-Y', filter], { encoding: 'utf8' })
        .stdout.split('\n')
        .filter((line) => line !== '');
    assert.deepEqual(tshark(bad), []);
    assert.equal(tshark('http.response.code == 200').length, 1);
  },
);

test('100 connections at once, and a signal while some are idle and one has not asked yet', async () => {
  const { network, url } = await start();
  const pages = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const response = await fetch(url, { headers: { connection: 'close' } });
      return (await response.text()).length;
    }),
  );
  assert.ok(pages.every((length) => length > 4000));
  const agent = new Agent({ keepAlive: true });
  const [response] = await once(httpGet(url, { agent }), 'response');
  await once(response.resume(), 'end');
  const silent = connect(Number(new URL(url).port), '127.0.0.1');
  silent.on('error', () => undefined);
  await once(silent, 'connect');
  silent.write('GET / HT');
  await stop(network, 'SIGTERM');
  agent.destroy();
  silent.destroy();
});

test('a port that is taken is a named error that says what to do', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    const { code, stdout, stderr } = await runNetloom(['up', '--port', String(port)]);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(
      stderr,
      new RegExp(
        `^netloom: port ${port} of this machine is taken\\. .*choose another.*\\(ADDRESS_IN_USE\\)\n$`,
      ),
    );
  } finally {
    server.close();
  }
});

test('Ctrl-C before it is up ends it as any command that was stopped', async () => {
  const signal = AbortSignal.abort(new Interruption('SIGINT', 130));
  const outcome = await runInProcess(['up', '--port', '0', '--state', folder], { signal });
  assert.deepEqual([outcome.code, outcome.stdout, outcome.stderr], [130, '', '']);
});

test('a capture that cannot be written ends it with an error', async () => {
  const missing = await runNetloom(['up', '--port', '0', '--pcap', join(folder, 'no/such.pcapng')]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /\(FOLDER_MISSING\)\n$/);
  // The device that is always full.
  const full = await runNetloom(['up', '--port', '0', '--pcap', '/dev/full']);
  assert.equal(full.code, 1);
  assert.match(full.stderr, /^netloom: cannot write the capture .*disk is full.*\(DISK_FULL\)\n$/);
});

test('wrong arguments are usage errors', async () => {
  const { code, stderr } = await runNetloom(['up', '--port', '65536']);
  assert.equal(code, 2);
  assert.match(stderr, /--port wants a whole number from 0 to 65535/);
});
