/** `netloom dump` with filters, on flows, of files that grow and of networks. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { concatBytes, ManualClock } from 'netloom/core';
import { linkPair } from 'netloom/link';
import { captureReader, PcapngWriter, TcpFlag, type CapturedPacket } from 'netloom/wire';
import { connection, udpFrame } from '../../../netloom/test/flows/frames.ts';
import { dump, type DumpContext, type DumpNetwork } from '../dump.ts';

const { SYN, ACK, FIN } = TcpFlag;
const { client, server } = connection();

/** A request and its answer, a datagram between them. */
const FRAMES = [
  client({ flags: SYN, sequence: 0 }),
  server({ flags: SYN | ACK, sequence: 0, acknowledgment: 1 }),
  client({ flags: ACK, sequence: 1, acknowledgment: 1, text: 'GET / HTTP/1.1\r\n\r\n' }),
  udpFrame('a question'),
  server({
    flags: ACK | FIN,
    sequence: 1,
    acknowledgment: 19,
    text: 'HTTP/1.1 200 OK\r\n\r\nhello',
  }),
  client({ flags: ACK | FIN, sequence: 19, acknowledgment: 26 }),
];

/** A capture of these frames, a second between them; answers its blocks. */
function blocksOf(frames: readonly Uint8Array[], dropped = 0n): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  const writer = new PcapngWriter((block) => blocks.push(block));
  writer.addInterface({ name: 'lan' });
  for (const [i, data] of frames.entries()) {
    writer.packet({ interfaceId: 0, data, time: BigInt(i) * 1_000_000_000n });
  }
  if (dropped > 0n) writer.statistics({ interfaceId: 0, time: 0n, dropped });
  return blocks;
}

async function* chunks(...all: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* all;
}

/** A capture that does not end, and of which no more comes. */
async function* silent(): AsyncGenerator<Uint8Array> {
  yield concatBytes(blocksOf(FRAMES));
  await new Promise(() => undefined);
}

/** Runs the command; answers what it wrote to both outputs. */
async function run(
  args: string[],
  more: Partial<DumpContext> = {},
): Promise<{ output: string; errors: string }> {
  const said = { output: '', errors: '' };
  await dump(args, {
    write: (text) => void (said.output += text),
    writeError: (text) => void (said.errors += text),
    stdin: chunks(concatBytes(blocksOf(FRAMES))),
    openLink: () => Promise.reject(new Error('no links here')),
    openNetwork: () => Promise.reject(new Error('no networks here')),
    grown: () => Promise.reject(new Error('nothing grows here')),
    signal: new AbortController().signal,
    ...more,
  });
  return said;
}

/** Runs with a folder that is removed afterwards. */
async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'netloom-dump-'));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('only frames that pass the filter are shown; it may be one argument or many', async () => {
  const { output, errors } = await run(['-', '--time', 'none', 'udp', 'port', '80']);
  assert.match(output, /^ {4}1 {2}lan .* UDP .*\n$/);
  assert.equal((await run(['-', '--time', 'none', 'udp port 80'])).output, output);
  assert.equal(errors, '');
});

test('a filter that is none is told with a picture, before anything is opened', async () => {
  let errors = '';
  const writeError = (text: string): void => void (errors += text);
  await assert.rejects(run(['missing.pcapng', 'tcp prt 80'], { writeError }), {
    code: 'FILTER_INVALID',
  });
  assert.equal(errors, 'tcp prt 80\n    ^\n');
});

test('--flows lists the flows', async () => {
  const { output } = await run(['-', '--flows']);
  assert.equal(
    output,
    'FLOW  PROTOCOL  FROM            TO            FRAMES  BYTES  FRAMES BACK  BYTES BACK  SECONDS  END\n' +
      '   1  tcp       192.0.2.1:4000  192.0.2.2:80       3     18            2          24    5.000  finished\n' +
      '   2  udp       192.0.2.1:4000  192.0.2.2:80       1     10            0           0    0.000  -\n',
  );
  assert.equal((await run(['-', '--flows', 'arp'])).output, '');
});

test('--flow shows what a flow carries, both ways', async () => {
  assert.equal(
    (await run(['-', '--flow', '1'])).output,
    '[tcp > from 192.0.2.1:4000, < from 192.0.2.2:80]\n' +
      '> GET / HTTP/1.1\n> \n< HTTP/1.1 200 OK\n< \n< hello\n[both sides have finished]\n',
  );
  const udp = await run(['-', '--flow', '1', 'udp']);
  assert.equal(udp.output, '[udp > from 192.0.2.1:4000, < from 192.0.2.2:80]\n> a question\n');
  await assert.rejects(run(['-', '--flow', '3']), { code: 'FLOW_MISSING', message: /there are 2/ });
});

test('--pcap writes what passes, and does not write over what is read', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'out.pcapng');
    await run(['-', '--pcap', file, 'udp']);
    const packets: CapturedPacket[] = [];
    const reader = captureReader({ packet: (packet) => void packets.push(packet) });
    assert.equal(reader.push(readFileSync(file)), undefined);
    assert.deepEqual(
      packets.map((packet) => [packet.interface.name, packet.time, packet.originalLength]),
      [['lan', 3_000_000_000n, udpFrame('a question').length]],
    );
    await assert.rejects(run([file, '--pcap', file]), { code: 'USAGE' });
    assert.ok(readFileSync(file).length > 0);
  }));

test('--follow goes on as the file grows, in the middle of a block too, until it is interrupted', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'grows.pcapng');
    const bytes = concatBytes(blocksOf(FRAMES));
    const cuts = [200, 201, 500, bytes.length];
    writeFileSync(file, bytes.subarray(0, 100));
    let at = 100;
    const controller = new AbortController();
    const grown = async (): Promise<void> => {
      const end = cuts.shift();
      if (end === undefined) controller.abort();
      else appendFileSync(file, bytes.subarray(at, (at = end)));
    };
    const followed = await run([file, '--follow'], { grown, signal: controller.signal });
    assert.equal(followed.output, (await run(['-'])).output);
  }));

test('a network is asked for what passes the filter; the end tells how many frames there were', async () => {
  const asked: DumpNetwork[] = [];
  const openNetwork = async (request: DumpNetwork): Promise<AsyncIterable<Uint8Array>> => {
    asked.push(request);
    return chunks(...blocksOf(FRAMES, 7n));
  };
  const args = ['--network', 'lan', '--port', 'web', '--name', 'edge', '--follow', 'tcp port 80'];
  const { output, errors } = await run(args, { openNetwork });
  const node = { name: 'edge', state: undefined };
  assert.deepEqual(asked, [{ network: 'lan', port: 'web', node, filter: 'tcp port 80' }]);
  assert.equal(output.split('\n').length, 6);
  assert.equal(
    errors,
    'listening on network lan; Ctrl-C ends it\nthe network lan was taken away, or its node has ended\n6 frames seen, 5 passed the filter, 7 dropped\n',
  );
});

test('of a live link a flow is shown as it grows, and an interruption ends it with the counts', async () => {
  const clock = new ManualClock();
  const [link, far] = linkPair(clock);
  const controller = new AbortController();
  let output = '';
  const done = run(['tap:x', '--flow', '1', 'tcp'], {
    openLink: () => Promise.resolve({ link, clock }),
    write: (text) => void (output += text),
    signal: controller.signal,
  });
  // Until the link is attached.
  await new Promise(setImmediate);
  for (const frame of FRAMES.slice(0, 3)) far.transmit(Uint8Array.from(frame));
  clock.advance(1);
  await new Promise(setImmediate);
  assert.match(output, /> GET \/ HTTP\/1\.1\n> \n$/);
  controller.abort();
  clock.advance(1);
  assert.match((await done).errors, /\n3 frames seen, 3 passed the filter, 0 dropped\n$/);
});

test('an interruption ends the reading of a standard input that says nothing', async () => {
  const controller = new AbortController();
  const done = run(['-', '--flows'], { stdin: silent(), signal: controller.signal });
  await new Promise(setImmediate);
  controller.abort();
  assert.match((await done).output, /^FLOW/);
});

test('frames that could not be put into a flow are told', async () => {
  const stdin = chunks(concatBytes(blocksOf([udpFrame('part', { fragment: 0x2000 }), FRAMES[0]!])));
  assert.equal(
    (await run(['-', '--flows'], { stdin })).errors,
    'frames that could not be put into a flow: 1 fragment\n',
  );
});
