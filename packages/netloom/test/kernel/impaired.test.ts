/** The Linux kernel's TCP against ours over a line on which things go wrong, and what other people's tools say of our capture of it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { seededRandom } from 'netloom/core';
import { createClient, serve } from 'netloom/http';
import { CapturedLink, ImpairedLink, PcapngSink, type Impairment } from 'netloom/link';
import { iperf3Server } from '../../../../bench/frame/iperf3-server.ts';
import { tapObstacle } from '../kernel-namespace.ts';
import { privilege, program, requires } from '../requires.ts';
import { FAMILIES, KernelLan, type KernelLanOptions } from './kernel-lan.ts';
import { NGINX_PORT, Nginx } from './nginx.ts';
import { Sum, patternStream, patternSum, writePattern } from './pattern.ts';

const execute = promisify(execFile);
const needed = [privilege(), tapObstacle];
const timeout = 120_000;
const LENGTH = 16 << 20;

/** What befalls frames, in each direction alike. */
const IMPAIRMENTS: Readonly<Record<string, Partial<Impairment>>> = {
  'loss of 1 %': { loss: 0.01 },
  'loss of 5 %': { loss: 0.05 },
  reordering: { delay: 2, reorder: 0.05, reorderDelay: 5 },
  '100 ms of delay': { delay: 100 },
  'everything at once': { delay: 5, jitter: 2, loss: 0.01, reorder: 0.02, duplicate: 0.01 },
};

/** Puts the impairment between our stack and the TAP. */
function impaired(impairment: Partial<Impairment>): KernelLanOptions {
  return {
    wrap: (tap, { clock }) =>
      new ImpairedLink(tap, {
        clock,
        random: seededRandom(1),
        inbound: impairment,
        outbound: impairment,
      }),
  };
}

for (const [name, impairment] of Object.entries(IMPAIRMENTS)) {
  for (const reverse of [false, true]) {
    const direction = reverse ? 'our stack sends' : 'the kernel sends';

    test(
      `iperf3 in the kernel runs to its end over ${name}: ${direction}`,
      { skip: requires(...needed, program('iperf3')), timeout },
      async () => {
        await using lan = new KernelLan('iperf3', impaired(impairment));
        await iperf3Server(lan.host, 5201);
        const words = `--json --time 2 --client ${FAMILIES[0]!.ours}`.split(' ');
        if (reverse) words.push('--reverse');
        const { end, error } = JSON.parse(await lan.namespace.run('iperf3', ...words)) as {
          error?: string;
          end: { sum_sent: { bytes: number }; sum_received: { bytes: number } };
        };
        assert.equal(error, undefined);
        assert.ok(end.sum_sent.bytes > 0 && end.sum_received.bytes > 0, JSON.stringify(end));
      },
    );
  }

  test(
    `16 MiB each way between the kernel and our stack arrive whole over ${name}`,
    { skip: requires(...needed, program('nginx'), program('curl')), timeout },
    async () => {
      using nginx = new Nginx();
      const expected = writePattern(nginx.path('file'), LENGTH);
      await using lan = new KernelLan('impaired', impaired(impairment));
      await nginx.start(lan.namespace);
      await using _server = await servePattern(lan, LENGTH);
      const [v4, v6] = FAMILIES;
      assert.equal(await fetchSum(lan, v4!.kernelInUrl), expected, 'from the kernel');
      assert.equal(await curlSum(lan, v6!.oursInUrl), expected, 'to the kernel');
    },
  );
}

function servePattern(lan: KernelLan, length: number): Promise<AsyncDisposable> {
  const headers = { 'Content-Length': String(length) };
  const fetch = (): Response => new Response(patternStream(length), { headers });
  return serve({ fetch }, { host: lan.host, port: 80 });
}

/** The hash of what nginx serves our stack. */
async function fetchSum({ host }: KernelLan, kernel: string): Promise<string> {
  await using client = createClient({ host });
  const response = await client.fetch(`http://${kernel}:${NGINX_PORT}/file`);
  const sum = new Sum();
  for await (const chunk of response.body!) sum.add(chunk);
  return sum.toString();
}

/** The hash of what our stack serves curl. */
async function curlSum({ namespace }: KernelLan, ours: string): Promise<string> {
  const command = `curl --silent --show-error --globoff --fail http://${ours}/ | sha256sum`;
  return (await namespace.run('sh', '-c', command)).split(' ')[0]!;
}

test(
  'tshark and tcpdump read our capture of a bad line without finding a malformed packet',
  {
    skip: requires(...needed, program('tshark'), program('tcpdump'), program('nginx')),
    timeout,
  },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'netloom-capture-'));
    const path = join(folder, 'line.pcapng');
    try {
      await captureTo(path);
      await checkCapture(path);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

/** Captures transfers both ways over both families, and echoes in fragments. */
async function captureTo(path: string): Promise<void> {
  const length = 2 << 20;
  const file = openSync(path, 'wx');
  const sink = new PcapngSink((block) => void writeSync(file, block));
  try {
    const { wrap } = impaired({ delay: 2, loss: 0.02, reorder: 0.05, reorderDelay: 5 });
    using nginx = new Nginx();
    writePattern(nginx.path('file'), length);
    await using lan = new KernelLan('capture', {
      wrap: (tap, host) => new CapturedLink(wrap!(tap, host), host.clock, sink),
    });
    await nginx.start(lan.namespace);
    await using _server = await servePattern(lan, length);
    for (const { kernelInUrl, oursInUrl, ours } of FAMILIES) {
      assert.equal(await fetchSum(lan, kernelInUrl), patternSum(length));
      assert.equal(await curlSum(lan, oursInUrl), patternSum(length));
      // Some of the fragments are lost, so it is not asked whether the echoes come back.
      const words = `-n -q -c 8 -i 0.02 -W 1 -s 4000 ${ours}`;
      await lan.namespace.run('sh', '-c', `ping ${words} || true`);
    }
  } finally {
    closeSync(file);
  }
}

async function checkCapture(path: string): Promise<void> {
  const checksums = ['ip', 'tcp', 'udp'].map((name) => `${name}.check_checksum:TRUE`);
  // Frame by frame, and not as HTTP: putting that together again, tshark calls a retransmission of the kernel's own an error, and without, now and then the middle of a file.
  const settings = [
    ...[...checksums, 'tcp.desegment_tcp_streams:FALSE'].flatMap((it) => ['-o', it]),
    '--disable-protocol',
    'http',
  ];
  const tshark = (filter: string): Promise<string[]> =>
    lines('tshark', '-n', '-r', path, ...settings, '-Y', filter);
  const badSums = ['ip', 'tcp', 'udp', 'icmp', 'icmpv6'].map(
    (name) => `${name}.checksum.status == 0`,
  );
  assert.deepEqual(await tshark('_ws.malformed || _ws.short'), []);
  assert.deepEqual(await tshark(badSums.join(' || ')), []);
  assert.deepEqual(await tshark('_ws.expert.severity == error'), []);
  const frames = await tshark('frame');
  assert.ok(frames.length > 4000, `${frames.length} frames`);
  assert.ok((await tshark('tcp.analysis.retransmission')).length > 0, 'the line was a bad one');
  assert.ok((await tshark('ip.flags.mf == 1')).length > 0, 'there were IPv4 fragments');
  assert.ok((await tshark('ipv6.fraghdr')).length > 0, 'there were IPv6 fragments');
  const dumped = await lines('tcpdump', '-n', '-t', '-r', path);
  assert.equal(dumped.length, frames.length, 'tcpdump prints a line for each');
}

async function lines(command: string, ...words: string[]): Promise<string[]> {
  const { stdout } = await execute(command, words, { maxBuffer: 1 << 28 });
  return stdout.split('\n').filter((line) => line !== '');
}
