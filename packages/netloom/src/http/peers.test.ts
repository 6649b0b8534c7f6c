/** Other people's programs as peers, over the loopback: curl on our server; nginx, Python's and Node's servers under our client. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { IpAddress } from '../core/index.ts';
import { osHost } from '../host/index.ts';
import { ScratchFolder, ServingProgram, freePort, run, startNginx } from '../../test/http/peers.ts';
import { program, requires } from '../../test/requires.ts';
import {
  createClient,
  download,
  formatContentRange,
  parseRange,
  serve,
  type Client,
  type FetchHandler,
} from './index.ts';

/** Real milliseconds after which a test counts as hung; a bound, not a measure. */
const options = { timeout: 120_000 };

const FILE = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 7 + (index >> 8)) & 255);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Answers with what it was sent, or with the file. */
const handler: FetchHandler = {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === '/echo') {
      return new Response(request.body, { headers: { 'x-method': request.method } });
    }
    if (pathname === '/reject') return new Response('too much', { status: 413 });
    const range = parseRange(request.headers.get('range') ?? '', FILE.length);
    if (range === 'unsatisfiable') {
      const headers = { 'content-range': formatContentRange(undefined, FILE.length) };
      return new Response(null, { status: 416, headers });
    }
    const { start, end } = range ?? { start: 0, end: FILE.length };
    return new Response(FILE.slice(start, end), {
      status: range === undefined ? 200 : 206,
      headers: {
        'content-length': `${end - start}`,
        ...(range === undefined ? {} : { 'content-range': formatContentRange(range, FILE.length) }),
      },
    });
  },
};

/** Runs with our server on the loopback; `base` is its URL. */
async function withServer(body: (base: string, requests: () => number) => Promise<void>) {
  await using host = osHost();
  await using server = await serve(handler, { host, port: 0, address: IpAddress.LOOPBACK4 });
  await body(`http://127.0.0.1:${server.local.port}`, () => server.statistics.get('requests'));
}

const withCurl = { ...options, skip: requires(program('curl')) };

/** curl's verbose words tell whether a connection was used again. */
async function curl(...args: string[]) {
  const done = await run('curl', ['-sSv', '--max-time', '60', ...args]);
  assert.equal(done.status, 0, done.stderr);
  return done;
}

test('curl: keep-alive, over one connection', withCurl, async () => {
  await withServer(async (base, requests) => {
    const { stdout, stderr } = await curl(`${base}/file`, `${base}/file`, `${base}/file`);
    assert.equal(stdout.length, 3 * FILE.length);
    assert.equal(sha256(stdout.subarray(2 * FILE.length)), sha256(FILE));
    assert.equal(stderr.match(/Re-using existing connection/g)?.length, 2);
    assert.equal(requests(), 3);
  });
});

test('curl: HTTP/1.0, HEAD, a range, and one out of bounds', withCurl, async () => {
  await withServer(async (base) => {
    const old = await curl('--http1.0', `${base}/file`);
    assert.equal(sha256(old.stdout), sha256(FILE));
    const head = await curl('--head', `${base}/file`);
    assert.match(head.stdout.toString(), /^HTTP\/1.1 200 OK\r\n[^]*content-length: 300000\r\n/);
    const part = await curl('--range', '1000-1999', `${base}/file`);
    assert.match(part.stderr, /< HTTP\/1.1 206 Partial Content/);
    assert.deepEqual(new Uint8Array(part.stdout), FILE.slice(1000, 2000));
    const outside = await curl('--range', '300000-', `${base}/file`);
    assert.match(outside.stderr, /< HTTP\/1.1 416 [^]*< content-range: bytes \*\/300000/);
  });
});

test('curl: a chunked upload that waits for 100 Continue, and comes back', withCurl, async () => {
  using folder = new ScratchFolder();
  const file = folder.file('upload', FILE);
  await withServer(async (base) => {
    const headers = ['-H', 'Transfer-Encoding: chunked', '-H', 'Expect: 100-continue'];
    const { stdout, stderr } = await curl(...headers, '-T', file, `${base}/echo`);
    assert.match(stderr, /< HTTP\/1.1 100 Continue/);
    assert.match(stderr, /< x-method: PUT/);
    assert.equal(sha256(stdout), sha256(FILE));
    const refused = await curl('-H', 'Expect: 100-continue', '-T', file, `${base}/reject`);
    assert.match(refused.stderr, /< HTTP\/1.1 413 /);
    assert.doesNotMatch(refused.stderr, /100 Continue/);
  });
});

test('curl: an early answer arrives although the body is still being sent', withCurl, async () => {
  using folder = new ScratchFolder();
  const large = folder.file('large', new Uint8Array(20_000_000));
  await withServer(async (base) => {
    const { stdout } = await curl('-H', 'Expect:', '-T', large, `${base}/reject`);
    assert.equal(stdout.toString(), 'too much');
  });
});

/** Runs with our client. */
async function withClient(
  body: (client: Client, clock: ReturnType<typeof osHost>['clock']) => Promise<void>,
) {
  await using host = osHost();
  await using client = createClient({ host });
  await body(client, host.clock);
}

/** What any server of files must do with our client. */
async function checkFileServer(client: Client, base: string): Promise<void> {
  for (let i = 0; i < 3; i++) {
    const response = await client.fetch(`${base}/file`);
    assert.equal(response.status, 200);
    assert.equal(sha256(await response.bytes()), sha256(FILE));
  }
  const head = await client.fetch(`${base}/file`, { method: 'HEAD' });
  assert.equal(head.headers.get('content-length'), `${FILE.length}`);
  assert.equal((await client.fetch(`${base}/none`)).status, 404);
  const many = Array.from({ length: 40 }, async () => (await client.fetch(`${base}/file`)).bytes());
  for (const bytes of await Promise.all(many)) assert.equal(bytes.length, FILE.length);
}

/** Adds to a file of which 100,000 bytes are there. */
async function checkResumption(
  client: Client,
  clock: ReturnType<typeof osHost>['clock'],
  url: string,
) {
  const parts: Uint8Array[] = [FILE.slice(0, 100_000)];
  const first = await client.fetch(url, { method: 'HEAD' });
  const etag = first.headers.get('etag')!;
  const result = await download(url, {
    client,
    clock,
    partial: { position: 100_000, validators: { etag } },
    sink: {
      write: (chunk) => void parts.push(chunk),
      truncate: () => assert.fail('it was begun anew'),
      finish: () => undefined,
    },
  });
  assert.equal(result.resumedFrom, 100_000);
  assert.equal(sha256(Buffer.concat(parts)), sha256(FILE));
}

test(
  'nginx under our client: files, HEAD, ranges, a redirect, chunks',
  { ...options, skip: requires(program('nginx')) },
  async () => {
    using folder = new ScratchFolder();
    const root = folder.folder('root');
    folder.file('root/file', FILE);
    const port = await freePort();
    await using _nginx = await startNginx(port, root, folder);
    await withClient(async (client, clock) => {
      const base = `http://127.0.0.1:${port}`;
      await checkFileServer(client, base);
      await checkResumption(client, clock, `${base}/file`);
      const moved = await client.fetch(`${base}/moved`);
      assert.deepEqual([moved.redirected, moved.url], [true, `${base}/file`]);
      assert.equal((await moved.bytes()).length, FILE.length);
      const chunked = await client.fetch(`${base}/chunked`, {
        headers: { 'accept-encoding': 'gzip' },
      });
      assert.equal(chunked.headers.get('transfer-encoding'), 'chunked');
      const unzipped = chunked.body!.pipeThrough(new DecompressionStream('gzip'));
      assert.equal(sha256(await new Response(unzipped).bytes()), sha256(FILE));
    });
  },
);

test(
  'Python’s http.server (HTTP/1.0) under our client',
  { ...options, skip: requires(program('python3')) },
  async () => {
    using folder = new ScratchFolder();
    folder.file('file', FILE);
    const port = `${await freePort()}`;
    const args = [
      '-u',
      '-m',
      'http.server',
      '--bind',
      '127.0.0.1',
      '--directory',
      folder.path,
      port,
    ];
    await using _python = await ServingProgram.start('python3', args, /Serving HTTP/);
    await withClient((client) => checkFileServer(client, `http://127.0.0.1:${port}`));
  },
);

test(
  'node:http under our client: chunks both ways, trailers, interim responses, an upload refused early',
  options,
  async () => {
    const server = createServer((request, response) => {
      if (request.url === '/refuse') {
        response.writeHead(413, { connection: 'close' }).end('no');
        return;
      }
      response.writeEarlyHints({ link: '</a>' });
      response.writeHead(200, { trailer: 'x-t' });
      request.pipe(response);
      response.addTrailers({ 'x-t': 'y' });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      await withClient(async (client) => {
        const statuses: number[] = [];
        const echoed = await client.fetch(`${base}/echo`, {
          method: 'POST',
          body: new Blob([FILE]).stream(),
          informational: ({ status }) => statuses.push(status),
        });
        assert.equal(sha256(await echoed.bytes()), sha256(FILE));
        assert.deepEqual(statuses, [103]);
        const body = new Uint8Array(20_000_000);
        const refused = await client.fetch(`${base}/refuse`, { method: 'POST', body });
        assert.equal(refused.status, 413);
      });
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  },
);

test(
  'Node’s own fetch on our server, and a gibibyte of which little is held',
  options,
  async () => {
    await using host = osHost();
    const GIBIBYTE = 2 ** 30;
    const chunk = new Uint8Array(64 * 1024);
    const endless: FetchHandler = {
      fetch() {
        let left = GIBIBYTE;
        const body = new ReadableStream({
          pull(controller) {
            left -= chunk.length;
            controller.enqueue(chunk);
            if (left === 0) controller.close();
          },
        });
        return new Response(body);
      },
    };
    await using server = await serve(endless, { host, port: 0, address: IpAddress.LOOPBACK4 });
    const url = `http://127.0.0.1:${server.local.port}/`;
    await using client = createClient({ host });
    const { body } = await client.fetch(url);
    let received = 0;
    let most = 0;
    for await (const part of body!) {
      received += part.length;
      if (received % (16 * 2 ** 20) < part.length) {
        const { arrayBuffers, heapUsed } = process.memoryUsage();
        most = Math.max(most, arrayBuffers + heapUsed);
      }
    }
    assert.equal(received, GIBIBYTE);
    assert.ok(most < 256 * 2 ** 20, `${most} bytes were held`);
    const theirs = await globalThis.fetch(url);
    await theirs.body!.cancel();
    assert.equal(theirs.status, 200);
  },
);
