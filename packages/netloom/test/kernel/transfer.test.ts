/** HTTP between the Linux kernel and our stack over a TAP: nginx serves us, and we serve curl. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createClient, serve } from 'netloom/http';
import { tapObstacle } from '../kernel-namespace.ts';
import { privilege, program, requires } from '../requires.ts';
import { FAMILIES, KernelLan } from './kernel-lan.ts';
import { NGINX_PORT, Nginx } from './nginx.ts';
import { Sum, patternStream, patternSum, writePattern } from './pattern.ts';

const options = {
  skip: requires(privilege(), tapObstacle, program('nginx'), program('curl'), program('sha256sum')),
  timeout: 240_000,
};

const MIB = 1 << 20;
const SMALL_FILES = 200;
/** The longest frame of a TAP with an MTU of 1500. */
const FRAME = 1514;

/** [whether it is left to the other side to cut segments and to sum, bytes] */
const LARGE = [
  [true, 1024 * MIB],
  [false, 256 * MIB],
] as const;

function smallFile(index: number): string {
  return `file ${index}\n`.repeat(index * 7);
}

for (const [offload, length] of LARGE) {
  const how = `${length / MIB} MiB, ${offload ? 'with' : 'without'} offload`;

  test(`nginx in the kernel serves our stack a file of ${how}`, options, async () => {
    using nginx = new Nginx();
    const expected = writePattern(nginx.path('large'), length);
    await using lan = new KernelLan('nginx', { offload });
    await nginx.start(lan.namespace);
    await using client = createClient({ host: lan.host });
    for (const { family, kernelInUrl } of FAMILIES) {
      const response = await client.fetch(`http://${kernelInUrl}:${NGINX_PORT}/large`);
      assert.equal(response.status, 200);
      const sum = new Sum();
      for await (const chunk of response.body!) sum.add(chunk);
      assert.equal(sum.length, length, `IPv${family}`);
      assert.equal(sum.toString(), expected, `IPv${family}`);
    }
    const { drops, receivedBytes, receivedFrames } = lan.tap.statistics;
    assert.deepEqual(drops.snapshot(), {});
    const wasCut = receivedBytes / receivedFrames <= FRAME;
    assert.equal(wasCut, !offload, 'segments come whole only where the kernel may leave them so');
  });

  test(`our stack serves curl in the kernel a file of ${how}`, options, async () => {
    await using lan = new KernelLan('curl', { offload });
    const headers = { 'Content-Length': String(length) };
    await using server = await serve(
      { fetch: () => new Response(patternStream(length), { headers }) },
      { host: lan.host, port: 80 },
    );
    const expected = patternSum(length);
    for (const { family, oursInUrl } of FAMILIES) {
      const command = `curl --silent --show-error --globoff --fail http://${oursInUrl}/ | sha256sum`;
      const said = await lan.namespace.run('sh', '-c', command);
      assert.equal(said, `${expected}  -\n`, `IPv${family}`);
    }
    assert.equal(server.statistics.get('requests'), FAMILIES.length);
  });
}

test(
  `curl in the kernel fetches ${SMALL_FILES} small files in parallel from our stack`,
  options,
  async () => {
    await using lan = new KernelLan('curl-small');
    await using server = await serve(
      { fetch: ({ url }) => new Response(smallFile(Number(new URL(url).pathname.slice(1)))) },
      { host: lan.host, port: 80 },
    );
    const folder = mkdtempSync(join(tmpdir(), 'netloom-curl-'));
    try {
      for (const { family, ours } of FAMILIES) {
        // A name in the URL, whose brackets curl then takes for a range.
        const name = `--resolve ours:80:${family === 6 ? `[${ours}]` : ours}`;
        const words = `--silent --show-error --fail --parallel --parallel-max 64 --parallel-immediate ${name}`;
        const urls = [`http://ours/[0-${SMALL_FILES - 1}]`, '--output', `${folder}/${family}-#1`];
        await lan.namespace.run('curl', ...words.split(' '), ...urls);
        for (let index = 0; index < SMALL_FILES; index++) {
          assert.equal(readFileSync(`${folder}/${family}-${index}`, 'latin1'), smallFile(index));
        }
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
    assert.equal(server.statistics.get('requests'), FAMILIES.length * SMALL_FILES);
  },
);

test(
  `our stack fetches ${SMALL_FILES} small files in parallel from nginx in the kernel`,
  options,
  async () => {
    using nginx = new Nginx();
    const hashes = Array.from({ length: SMALL_FILES }, (_, index) =>
      writePattern(nginx.path(String(index)), index * 97),
    );
    await using lan = new KernelLan('nginx-small');
    await nginx.start(lan.namespace);
    await using client = createClient({ host: lan.host, limits: { connectionsPerOrigin: 64 } });
    for (const { kernelInUrl } of FAMILIES) {
      const fetched = hashes.map(async (_, index) => {
        const response = await client.fetch(`http://${kernelInUrl}:${NGINX_PORT}/${index}`);
        assert.equal(response.status, 200);
        return createHash('sha256')
          .update(await response.bytes())
          .digest('hex');
      });
      assert.deepEqual(await Promise.all(fetched), hashes);
    }
  },
);
