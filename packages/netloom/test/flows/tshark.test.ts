/** Streams put together from segments that came cut, reordered and repeated, against what tshark makes of the same capture. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { concatBytes, copyBytes, seededRandom, toHex, type Random } from '../../src/core/index.ts';
import { FlowTracker } from '../../src/ip/index.ts';
import { LinkType, TcpFlag } from '../../src/wire/index.ts';
import { captureOf } from '../capture.ts';
import { program, requires } from '../requires.ts';
import { connection, type Segment } from './frames.ts';

const { SYN, ACK } = TcpFlag;

/** Numbers of the first bytes of both streams; each wraps around within its stream, one where signs change. */
const INITIAL = { client: 2 ** 31 - 1000, server: -1000 } as const;

/** The segments of a stream: some have changed places with their neighbours, some come twice. */
function segmentsOf(
  random: Random,
  stream: Uint8Array,
  sequence: number,
  acknowledgment: number,
): Segment[] {
  const pieces: Segment[] = [];
  for (let at = 0; at < stream.length;) {
    const bytes = stream.subarray(at, at + 1 + random.below(400));
    pieces.push({ flags: ACK, sequence: (sequence + at) | 0, acknowledgment, bytes });
    at += bytes.length;
  }
  for (let i = 1; i < pieces.length; i++) {
    if (random.below(2) === 0) [pieces[i - 1], pieces[i]] = [pieces[i]!, pieces[i - 1]!];
    if (random.below(4) === 0) pieces.splice(i, 0, pieces[random.below(i)]!);
  }
  return pieces;
}

/** A connection with a stream each way. The handshake comes first. */
function shuffledConnection(random: Random): { frames: Uint8Array[]; streams: Uint8Array[] } {
  const { client, server } = connection();
  const streams = [random.fill(new Uint8Array(3000)), random.fill(new Uint8Array(3000))];
  const frames = [
    client({ flags: SYN, sequence: INITIAL.client - 1 }),
    server({
      flags: SYN | ACK,
      sequence: INITIAL.server - 1,
      acknowledgment: INITIAL.client,
    }),
    client({ flags: ACK, sequence: INITIAL.client, acknowledgment: INITIAL.server }),
    ...segmentsOf(random, streams[0]!, INITIAL.client, INITIAL.server).map(client),
    ...segmentsOf(random, streams[1]!, INITIAL.server, INITIAL.client).map(server),
  ];
  return { frames, streams };
}

/** What tshark puts together of a connection, each way, in hexadecimal. */
function followedByTshark(frames: readonly Uint8Array[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'netloom-flows-'));
  try {
    const file = join(folder, 'flows.pcapng');
    writeFileSync(file, captureOf(frames.map((bytes) => ({ bytes, length: bytes.length }))));
    const args = ['-r', file, '-q', '-z', 'follow,tcp,raw,0'];
    const run = spawnSync('tshark', args, { encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    const lines = run.stdout.split('\n').filter((line) => /^\t?[0-9a-f]+$/.test(line));
    return [false, true].map((isBack) => {
      const own = lines.filter((line) => line.startsWith('\t') === isBack);
      return own.join('').replaceAll('\t', '');
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function followedByUs(frames: readonly Uint8Array[]): string[] {
  const chunks: Record<'forward' | 'backward', Uint8Array[]> = { forward: [], backward: [] };
  const tracker = new FlowTracker({
    data: (_, direction, bytes) => void chunks[direction].push(copyBytes(bytes)),
  });
  for (const data of frames) tracker.frame({ data, linkType: LinkType.ETHERNET, time: undefined });
  tracker.end();
  return [chunks.forward, chunks.backward].map((all) => toHex(concatBytes(all)));
}

test('streams come out as tshark puts them together', { skip: requires(program('tshark')) }, () => {
  for (const seed of [1, 2, 3]) {
    const { frames, streams } = shuffledConnection(seededRandom(seed));
    const followed = followedByUs(frames);
    assert.deepEqual(followed, streams.map(toHex));
    assert.deepEqual(followedByTshark(frames), followed);
  }
});
