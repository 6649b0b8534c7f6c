import assert from 'node:assert/strict';
import { NetloomError } from '../../core/index.ts';
import { everywhere, memory, stacks, testIn, type Place } from '../../../test/http/places.ts';
import { fromLatin1, latin1 } from '../../../test/http/messages.ts';
import { httpErrors, type HttpErrorEvent } from '../errors.ts';
import { serve, type FetchHandler, type ServerLimits } from './index.ts';

const GET = 'GET /a?b HTTP/1.1\r\nHost: web.lan:8080\r\nX-A: 1\r\nX-A: 2\r\n\r\n';
const DATE = 'date: Wed, 01 Jan 2020 00:00:00 GMT\r\n';

/** A server in memory, and a raw connection to it. */
async function scene(
  place: Place,
  fetch: FetchHandler['fetch'],
  limits: Partial<ServerLimits> = {},
) {
  const host = place.host();
  const server = await serve({ fetch }, { host, port: 80, limits });
  const connect = async () => {
    const client = { received: '', ended: false, error: undefined as NetloomError | undefined };
    const connection = await host.drive(host.connect({ host: 'web.lan', port: 80 }));
    connection.start({
      data: (chunk) => (client.received += fromLatin1(chunk)),
      end: () => (client.ended = true),
      closed: (error) => (client.error = error),
    });
    const ask = async (text: string): Promise<string> => {
      client.received = '';
      connection.write(latin1(text));
      await host.idle();
      return client.received;
    };
    return { client, connection, ask };
  };
  return { host, server, connect, ...(await connect()) };
}

everywhere(
  'a handler gets the web’s Request and answers with the web’s Response',
  async (place) => {
    const seen: unknown[] = [];
    const { ask, connection } = await scene(place, async (request, { local, remote }) => {
      seen.push(request.method, request.url, request.headers.get('x-a'), request.body);
      seen.push(local.port, remote.address.toString());
      return new Response('hello', { status: 201, headers: { 'x-b': 'c' } });
    });
    assert.equal(
      await ask(GET),
      'HTTP/1.1 201 Created\r\ncontent-type: text/plain;charset=UTF-8\r\nx-b: c\r\n' +
        `${DATE}content-length: 5\r\n\r\nhello`,
    );
    assert.deepEqual(seen, [
      'GET',
      'http://web.lan:8080/a?b',
      '1, 2',
      null,
      80,
      `${connection.local.address}`,
    ]);
  },
);

everywhere('the URL is that of the target, by the Host or without it', async (place) => {
  const { ask, connection } = await scene(place, (request) => new Response(`at ${request.url}`));
  const cases: readonly (readonly [head: string, url: string])[] = [
    ['GET /x HTTP/1.1\r\nHost: a', 'http://a/x'],
    ['GET //evil/x HTTP/1.1\r\nHost: a', 'http://a//evil/x'],
    ['GET http://b:81/x HTTP/1.1\r\nHost: a', 'http://b:81/x'],
    ['OPTIONS * HTTP/1.1\r\nHost: a', 'http://a/*'],
    ['GET /x HTTP/1.0\r\nConnection: keep-alive', `http://${connection.remote.address}/x`],
  ];
  for (const [head, url] of cases)
    assert.ok((await ask(`${head}\r\n\r\n`)).endsWith(`at ${url}`), head);
  assert.match(await ask('GET / HTTP/1.1\r\nHost: 1.2.3.4.5\r\n\r\n'), /^HTTP\/1.1 400 /);
});

everywhere(
  'methods that the web’s Request does not have, or would change, are answered 501',
  async (place) => {
    const { ask } = await scene(place, (request) => new Response(request.method));
    const answers = async (method: string, target = '/') =>
      (await ask(`${method} ${target} HTTP/1.1\r\nHost: a:1\r\n\r\n`)).slice(9, 12);
    assert.equal(await answers('CONNECT', 'a:1'), '501');
    for (const method of ['TRACE', 'TRACK', 'get', 'Head'])
      assert.equal(await answers(method), '501');
    for (const method of ['PATCH', 'PROPFIND', 'x']) assert.equal(await answers(method), '200');
  },
);

/** A body of these chunks. */
const chunks = (...texts: string[]) =>
  new ReadableStream({
    start(controller) {
      for (const text of texts) controller.enqueue(latin1(text));
      controller.close();
    },
  });

everywhere(
  'a body is announced by its length if that is known at once, otherwise chunked',
  async (place) => {
    const bodies = [
      new Response(),
      new Response('abc'),
      new Response(chunks()),
      new Response(chunks('abc')),
      new Response(chunks('abc', 'de')),
      new Response(chunks('abc', 'de'), { headers: { 'content-length': '5' } }),
      new Response(null, { status: 204 }),
    ];
    const { ask } = await scene(place, () => bodies.shift()!);
    const body = async () => {
      const [head, content] = (await ask(GET)).split('\r\n\r\n', 2);
      return [/(content-length: \d+|chunked)/.exec(head!)?.[0], content];
    };
    assert.deepEqual(await body(), ['content-length: 0', '']);
    assert.deepEqual(await body(), ['content-length: 3', 'abc']);
    assert.deepEqual(await body(), ['content-length: 0', '']);
    assert.deepEqual(await body(), ['content-length: 3', 'abc']);
    assert.deepEqual(await body(), ['chunked', '3\r\nabc\r\n2\r\nde\r\n0']);
    assert.deepEqual(await body(), ['content-length: 5', 'abcde']);
    assert.deepEqual(await body(), [undefined, '']);
  },
);

everywhere('HEAD has the head of GET and no body; the body is cancelled', async (place) => {
  let cancelled = 0;
  const { ask } = await scene(
    place,
    () =>
      new Response(new ReadableStream({ cancel: () => void cancelled++ }), {
        headers: { 'content-length': '7' },
      }),
  );
  const answer = await ask(GET.replace('GET', 'HEAD'));
  assert.equal(answer, `HTTP/1.1 200 OK\r\n${DATE}content-length: 7\r\n\r\n`);
  assert.equal(cancelled, 1);
});

everywhere('a request’s body is a stream, read as the handler reads it', async (place) => {
  const { ask, connection, client, host } = await scene(
    place,
    async (request) => new Response(`${(await request.text()).length}`),
  );
  const chunked = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
  assert.ok((await ask(`${chunked}3\r\nabc\r\n0\r\n\r\n`)).endsWith('\r\n\r\n3'));
  client.received = '';
  connection.write(latin1('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n'));
  for (let i = 0; i < 30; i++) connection.write(new Uint8Array(10_000));
  await host.idle();
  assert.ok(client.received.endsWith('\r\n\r\n300000'));
});

/** A request whose body is held back. */
const expecting = (path: string) =>
  `PUT ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n`;

everywhere(
  '100 Continue is sent when the handler reads, and not when it does not',
  async (place) => {
    const { ask, connect } = await scene(place, async (request) =>
      request.url.endsWith('/read')
        ? new Response(await request.text())
        : new Response('no', { status: 413 }),
    );
    assert.equal(await ask(expecting('/read')), 'HTTP/1.1 100 Continue\r\n\r\n');
    assert.ok((await ask('hi')).endsWith('\r\n\r\nhi'));
    const other = await connect();
    assert.match(await other.ask(expecting('/skip')), /^HTTP\/1.1 413 [^]*connection: close/);
  },
);

everywhere('a handler that does not read holds the client up in the end', async (place) => {
  const { connection, host } = await scene(place, () => new Promise(() => undefined));
  connection.write(latin1('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n'));
  let written = 0;
  for (; written < 10_000_000; written += 10_000) {
    if (!connection.write(new Uint8Array(10_000))) break;
    await host.idle();
  }
  assert.ok(written < 1_000_000, `${written} bytes were taken`);
});

everywhere('a client that does not read holds the handler up', async (place) => {
  let produced = 0;
  const { connection, host } = await scene(
    place,
    () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            produced += 10_000;
            controller.enqueue(new Uint8Array(10_000));
          },
        }),
      ),
  );
  connection.pause();
  connection.write(latin1(GET));
  await host.idle();
  assert.ok(produced > 0 && produced < 1_000_000, `${produced} bytes were produced`);
});

/** Runs with what is published on the error channel written down. */
async function withErrors(run: (events: HttpErrorEvent[]) => Promise<void>): Promise<void> {
  const events: HttpErrorEvent[] = [];
  const stop = httpErrors.subscribe((event) => events.push(event));
  try {
    await run(events);
  } finally {
    stop();
  }
}

everywhere(
  'a handler that fails is answered 500 and published; the connection goes on',
  async (place) => {
    await withErrors(async (events) => {
      const wrong = ['throw', 'reject', 'nothing', 'locked', 'error', 'text'];
      const locked = new Response('x');
      locked.body!.getReader();
      const { ask, server } = await scene(place, (request) => {
        const which = new URL(request.url).pathname.slice(1);
        if (which === 'throw') throw new Error('thrown');
        if (which === 'reject') return Promise.reject(new NetloomError('MINE', 'rejected'));
        if (which === 'nothing') return undefined as unknown as Response;
        if (which === 'locked') return locked;
        if (which === 'error') return Response.error();
        const text = new ReadableStream({ start: (controller) => controller.enqueue('text') });
        return new Response(text as ReadableStream<Uint8Array<ArrayBuffer>>);
      });
      for (const which of wrong.slice(0, 5)) {
        const answer = await ask(`GET /${which} HTTP/1.1\r\nHost: a\r\n\r\n`);
        assert.match(answer, /^HTTP\/1.1 500 Internal Server Error\r\n/, which);
      }
      const codes = events.map(({ error, target }) => `${target} ${error.code}`);
      assert.deepEqual(codes, [
        '/throw HTTP_HANDLER_FAILED',
        '/reject MINE',
        '/nothing HTTP_RESPONSE_INVALID',
        '/locked HTTP_HANDLER_FAILED',
        '/error HTTP_RESPONSE_INVALID',
      ]);
      assert.equal(server.statistics.get('failed'), 5);
    });
  },
);

everywhere(
  'a body that fails after its head was sent cuts the connection off, so that nobody takes it for whole',
  async (place) => {
    await withErrors(async (events) => {
      const { ask, client } = await scene(
        place,
        () =>
          new Response(
            new ReadableStream({
              pull(controller) {
                controller.error(new Error('disk gone'));
              },
            }),
            { headers: { 'content-length': '5' } },
          ),
      );
      await ask(GET);
      assert.equal(client.error?.code, 'CONNECTION_RESET');
      assert.match(events[0]!.error.message, /disk gone/);
    });
  },
);

everywhere('a body longer or shorter than announced is the handler’s error', async (place) => {
  await withErrors(async (events) => {
    for (const length of ['2', '4']) {
      const { ask, client } = await scene(
        place,
        () => new Response('abc', { headers: { 'content-length': length } }),
      );
      await ask(GET);
      assert.equal(client.error?.code, 'CONNECTION_RESET');
    }
    const codes = events.map(({ error }) => error.code);
    assert.deepEqual(codes, ['HTTP_BODY_TOO_LONG', 'HTTP_BODY_TOO_SHORT']);
  });
});

everywhere(
  'request.signal is aborted when the client goes, and the response’s body cancelled',
  async (place) => {
    const gone: unknown[] = [];
    const { connection, host, server } = await scene(place, (request) => {
      request.signal.addEventListener('abort', () => gone.push(request.signal.reason));
      return new Response(new ReadableStream({ cancel: () => void gone.push('cancelled') }));
    });
    connection.write(latin1(GET));
    await host.idle();
    connection.abort();
    await host.idle();
    assert.deepEqual(
      gone.map((what) => (what instanceof NetloomError ? what.code : what)),
      ['cancelled', 'CONNECTION_RESET'],
    );
    assert.equal(server.connections, 0);
  },
);

everywhere('a body the handler is still reading fails when the client goes', async (place) => {
  let failure: unknown;
  const { connection, host } = await scene(place, async (request) => {
    await request.text().catch((error: unknown) => {
      failure = error;
    });
    return new Response();
  });
  connection.write(latin1('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab'));
  await host.idle();
  connection.abort();
  await host.idle();
  assert.equal((failure as NetloomError).code, 'CONNECTION_RESET');
});

testIn(
  [memory, stacks],
  'close lets what is served finish, and closes idle connections at once',
  async (place) => {
    const answer = Promise.withResolvers<Response>();
    const { connection, client, host, server, connect } = await scene(place, () => answer.promise);
    const idle = await connect();
    connection.write(latin1(GET));
    await host.idle();
    const closing = server.close();
    await host.idle();
    assert.equal(idle.client.ended, true);
    assert.equal(client.ended, false);
    await assert.rejects(host.drive(host.connect({ host: 'x', port: 80 })), {
      code: 'CONNECTION_REFUSED',
    });
    answer.resolve(new Response('done'));
    await host.idle();
    assert.match(client.received, /connection: close\r\n[^]*done$/);
    connection.end();
    idle.connection.end();
    await host.drive(closing);
    assert.equal(server.close(), closing);
    assert.ok(host.clock.now() < 5000);
  },
);

testIn(
  [memory, stacks],
  'close cuts off after five seconds what does not finish',
  async (place) => {
    const { connection, client, host, server } = await scene(
      place,
      () => new Promise(() => undefined),
    );
    connection.write(latin1(GET));
    await host.idle();
    await host.drive(server.close());
    await host.idle();
    assert.equal(host.clock.now(), 5000);
    assert.equal(client.error?.code, 'CONNECTION_RESET');
  },
);

everywhere('the deadlines of the engine are kept: an idle connection goes', async (place) => {
  const { ask, client, host } = await scene(place, () => new Response('x'), {
    idleTimeout: 20_000,
  });
  await ask(GET);
  await host.elapse(14_000);
  assert.equal(client.ended, false);
  await host.elapse(7_000);
  assert.equal(client.ended, true);
});

everywhere(
  'connections are limited; refused requests and connections are counted by reason',
  async (place) => {
    const { ask, server, connect, host } = await scene(place, () => new Response('x'), {
      connections: 1,
    });
    const other = await connect();
    await host.idle();
    assert.equal(other.client.error?.code, 'CONNECTION_RESET');
    await ask(GET);
    await ask('GET / HTTP/1.1\r\n\r\n');
    assert.deepEqual(server.statistics.snapshot(), {
      'refused:connection-limit': 1,
      'refused:host-missing': 1,
      requests: 1,
    });
  },
);

testIn(
  [memory, stacks],
  'the date is that of the host’s clock, made anew each second',
  async (place) => {
    const { ask, host } = await scene(place, () => new Response('x'));
    assert.ok((await ask(GET)).includes(DATE));
    await host.elapse(1000);
    assert.ok((await ask(GET)).includes('date: Wed, 01 Jan 2020 00:00:01 GMT\r\n'));
  },
);
