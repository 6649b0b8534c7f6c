/** Other people's HTTP/2 over the loopback: node:http2 (nghttp2) as client and server, curl as client. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import * as http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { Host } from '../../../src/core/index.ts';
import type {
  Http2Client,
  Http2ClientRequest,
  Http2ServerExchange,
} from '../../../src/http/http2/index.ts';
import { Fields } from '../../../src/http/semantics/index.ts';
import { osHost } from '../../../src/host/index.ts';
import { program, requires } from '../../requires.ts';
import { ScratchFolder, run } from '../peers.ts';
import { connectHttp2, serveHttp2, type TestServer } from './adapter.ts';

/** Real milliseconds after which a test counts as hung; a bound, not a measure. */
const options = { timeout: 120_000 };

const FILE = Uint8Array.from({ length: 1_000_000 }, (_, index) => (index * 7 + (index >> 8)) & 255);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const NO_FIELDS = new Fields();

/** Answers by path: the file, an echo with the request's trailers, early hints, an early refusal. */
function serve(host: Host): (exchange: Http2ServerExchange) => void {
  const { clock } = host;
  return (exchange) => {
    const path = exchange.request.target;
    if (path === '/echo') {
      echo(exchange, host);
      return;
    }
    exchange.start({});
    if (path === '/hints') {
      exchange.informational(103, Fields.from([['link', '</a>']]), clock.now());
    }
    const body = path === '/file' ? FILE.slice() : new TextEncoder().encode(path);
    exchange.respond(path === '/refuse' ? 413 : 200, NO_FIELDS, body.length, clock.now());
    if (exchange.request.method !== 'HEAD') exchange.write(body, clock.now());
    exchange.end(clock.now());
  };
}

/** Sends back what comes, no faster than the client reads it. */
function echo(exchange: Http2ServerExchange, { clock }: Host): void {
  exchange.start({
    data: (chunk) => {
      if (!exchange.write(chunk.slice(), clock.now())) exchange.pause(clock.now());
    },
    drain: () => exchange.read(clock.now()),
    end: (trailers) => exchange.end(clock.now(), trailers),
  });
  exchange.read(clock.now());
  const fields = Fields.from([['x-method', exchange.request.method]]);
  exchange.respond(200, fields, undefined, clock.now());
  if (exchange.framing === 0) exchange.end(clock.now());
}

async function withServer(
  body: (base: string, server: TestServer) => Promise<void>,
): Promise<void> {
  await using host = osHost();
  await using server = await serveHttp2(host, serve(host));
  await body(`http://127.0.0.1:${server.port}`, server);
}

/** A response as node:http2 has seen it. */
async function nodeRequest(
  session: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders,
  body?: Uint8Array,
) {
  const stream = session.request(headers, { endStream: body === undefined });
  const hints: number[] = [];
  let trailers: http2.IncomingHttpHeaders = {};
  stream.on('headers', (interim) => hints.push(interim[':status']!));
  stream.on('trailers', (fields) => (trailers = fields));
  const answered = once(stream, 'response') as Promise<[http2.IncomingHttpHeaders]>;
  if (body !== undefined) stream.end(body);
  const [head] = await answered;
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return { status: head[':status'], head, hints, trailers, body: Buffer.concat(chunks) };
}

test(
  'node:http2 as a client of our server: many at once, an echo, HEAD, hints, trailers',
  options,
  async () => {
    await withServer(async (base, server) => {
      const session = http2.connect(base);
      try {
        const many = await Promise.all(
          Array.from({ length: 60 }, (_, i) =>
            nodeRequest(session, { ':path': i % 6 ? `/${i}` : '/file' }),
          ),
        );
        for (const [i, { status, body }] of many.entries()) {
          assert.equal(status, 200);
          if (i % 6 === 0) assert.equal(sha256(body), sha256(FILE));
          else assert.equal(body.toString(), `/${i}`);
        }
        const echoed = await nodeRequest(session, { ':path': '/echo', ':method': 'POST' }, FILE);
        assert.equal(echoed.head['x-method'], 'POST');
        assert.equal(sha256(echoed.body), sha256(FILE));
        const head = await nodeRequest(session, { ':path': '/file', ':method': 'HEAD' });
        assert.deepEqual([head.head['content-length'], head.body.length], [`${FILE.length}`, 0]);
        assert.deepEqual((await nodeRequest(session, { ':path': '/hints' })).hints, [103]);
        const refused = await nodeRequest(session, { ':path': '/refuse', ':method': 'POST' }, FILE);
        assert.equal(refused.status, 413);
        assert.equal(refused.body.toString(), '/refuse');
        await new Promise<void>((resolve, reject) => {
          session.ping((error) => (error === null ? resolve() : reject(error)));
        });
        assert.deepEqual(server.refused, []);
      } finally {
        session.close();
      }
      await once(session, 'close');
    });
  },
);

test('node:http2 sends trailers, and gets them back', options, async () => {
  await withServer(async (base) => {
    const session = http2.connect(base);
    const stream = session.request({ ':path': '/echo', ':method': 'POST' }, {
      waitForTrailers: true,
    } as http2.ClientSessionRequestOptions);
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-check': 'yes' }));
    stream.end('body');
    const trailed = once(stream, 'trailers') as Promise<[http2.IncomingHttpHeaders]>;
    stream.resume();
    const [trailers] = await trailed;
    assert.equal(trailers['x-check'], 'yes');
    session.close();
    await once(session, 'close');
  });
});

test(
  'our server sends node:http2 away in two steps, and what is under way is answered',
  options,
  async () => {
    await using host = osHost();
    const held: Http2ServerExchange[] = [];
    await using server = await serveHttp2(host, (exchange) => {
      exchange.start({});
      held.push(exchange);
      server.engines[0]!.shutdown(host.clock.now());
    });
    const session = http2.connect(`http://127.0.0.1:${server.port}`);
    const goaways: number[] = [];
    session.on('goaway', (code, last) => {
      goaways.push(code, last!);
      if (goaways.length !== 4) return;
      held[0]!.respond(200, NO_FIELDS, 2, host.clock.now());
      held[0]!.write(new TextEncoder().encode('ok'), host.clock.now());
      held[0]!.end(host.clock.now());
    });
    const answer = await nodeRequest(session, { ':path': '/' });
    assert.equal(answer.body.toString(), 'ok');
    await once(session, 'close');
    assert.deepEqual(goaways, [0, 2 ** 31 - 1, 0, 1]);
  },
);

/** One request: curl 7.88 fails at a second one on a connection of prior knowledge, with node:http2 as with us. */
async function curl(...args: string[]) {
  const done = await run('curl', ['-sSv', '--http2-prior-knowledge', '-m', '60', ...args]);
  assert.equal(done.status, 0, done.stderr);
  return done;
}

const withCurl = { ...options, skip: requires(program('curl')) };

test(
  'curl: prior knowledge, HEAD, an upload that waits for 100 Continue, one that is refused early',
  withCurl,
  async () => {
    using folder = new ScratchFolder();
    const file = folder.file('upload', FILE);
    await withServer(async (base, server) => {
      assert.equal(sha256((await curl(`${base}/file`)).stdout), sha256(FILE));
      const head = await curl('--head', `${base}/file`);
      assert.match(head.stdout.toString(), /^HTTP\/2 200 [^]*content-length: 1000000\r\n/);
      const echoed = await curl('-H', 'Expect: 100-continue', '-T', file, `${base}/echo`);
      assert.match(echoed.stderr, /< HTTP\/2 100/);
      assert.equal(sha256(echoed.stdout), sha256(FILE));
      const refused = await curl('-H', 'Expect:', '-T', file, `${base}/refuse`);
      assert.equal(refused.stdout.toString(), '/refuse');
      assert.deepEqual(server.refused, []);
    });
  },
);

const now = (): number => performance.now();

/** A response as our client has seen it. */
interface Answer {
  status: number;
  statuses: number[];
  body: Buffer;
  trailers: [string, string][];
}

/** Sends a request with our client, its body as fast as it goes. */
function ownRequest(
  client: Http2Client,
  request: Http2ClientRequest,
  body: Uint8Array = new Uint8Array(),
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const statuses: number[] = [];
    const chunks: Uint8Array[] = [];
    let trailers: [string, string][] = [];
    let at = 0;
    const send = (): void => {
      while (at < body.length) {
        const part = body.slice(at, at + 50_000);
        at += part.length;
        if (!exchange.write(part, now())) break;
      }
      if (at >= body.length) exchange.end(now());
    };
    const exchange = client.request(
      request,
      {
        informational: ({ status }) => statuses.push(status),
        response: ({ status }) => statuses.push(status),
        data: (chunk) => chunks.push(chunk.slice()),
        end: (fields) => (trailers = [...(fields ?? [])]),
        drain: send,
        closed: (error) => {
          if (error !== undefined) reject(error);
          else
            resolve({ status: statuses.at(-1)!, statuses, body: Buffer.concat(chunks), trailers });
        },
      },
      now(),
    );
    send();
  });
}

test(
  'our client on node:http2: more at once than it takes, an echo, hints, trailers, a reset',
  options,
  async () => {
    await using host = osHost();
    const server = http2.createServer({
      settings: { maxConcurrentStreams: 10, initialWindowSize: 20_000 },
    });
    server.on('stream', (stream: http2.ServerHttp2Stream, headers) => {
      const path = headers[':path']!;
      // What we do to it is none of its own errors.
      stream.on('error', () => undefined);
      if (path === '/reset') {
        stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
      } else if (path === '/echo') {
        stream.additionalHeaders({ ':status': 103, link: '</a>' });
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'x-t': 'y' }));
        stream.pipe(stream);
      } else {
        stream.respond({ ':status': 200 });
        stream.end(path === '/file' ? Buffer.from(FILE) : path);
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = await connectHttp2(host, port);
    const get = (target: string): Http2ClientRequest => ({
      method: 'GET',
      target,
      fields: Fields.from([['host', `127.0.0.1:${port}`]]),
      length: 0,
    });
    try {
      // Its settings tell how many it takes at once; until they have come that is a guess.
      await new Promise<void>((resolve) => {
        client.ping(() => resolve(), host.clock.now());
      });
      const many = await Promise.all(
        Array.from({ length: 80 }, (_, i) => ownRequest(client, get(i % 8 ? `/${i}` : '/file'))),
      );
      for (const [i, { status, body }] of many.entries()) {
        assert.equal(status, 200);
        if (i % 8 === 0) assert.equal(sha256(body), sha256(FILE));
        else assert.equal(body.toString(), `/${i}`);
      }
      const echoed = await ownRequest(
        client,
        { ...get('/echo'), method: 'POST', length: FILE.length },
        FILE,
      );
      assert.deepEqual(echoed.statuses, [103, 200]);
      assert.deepEqual(echoed.trailers, [['x-t', 'y']]);
      assert.equal(sha256(echoed.body), sha256(FILE));
      await assert.rejects(ownRequest(client, get('/reset')), { code: 'HTTP_UNPROCESSED' });
      assert.equal(client.exchanges, 0);
    } finally {
      client.close(host.clock.now());
      await new Promise((resolve) => server.close(resolve));
    }
  },
);
