import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryHost } from '../../../test/http/memory-host.ts';
import { everywhere, memory, stacks, testIn, type Place } from '../../../test/http/places.ts';
import { response, scriptedServer, type Script } from '../../../test/http/scripted-server.ts';
import { serve } from '../server/index.ts';
import { createClient, fetch, type ClientFetchOptions, type ClientLimits } from './index.ts';

const URL_A = 'http://web.lan/a';

/** A client in memory and a server that follows a script. */
async function scripted(place: Place, script: Script, limits: Partial<ClientLimits> = {}) {
  const host = place.host();
  const client = createClient({ host, limits });
  const requests = await scriptedServer(host, 80, script);
  const get = (options: ClientFetchOptions = {}, url = URL_A): Promise<Response> =>
    host.drive(client.fetch(url, options));
  const text = async (options: ClientFetchOptions = {}, url = URL_A): Promise<string> =>
    host.drive((await get(options, url)).text());
  return { host, client, requests, get, text };
}

everywhere('a request says what it must, and the response is the web’s', async (place) => {
  const { get, requests, host } = await scripted(place, () =>
    response('hello', 'X-A: 1', 'X-A: 2'),
  );
  const got = await get({ headers: { 'X-B': 'c' } }, 'http://web.lan/a%20b?c#d');
  assert.equal(
    requests[0],
    'GET /a%20b?c HTTP/1.1\r\nhost: web.lan\r\nx-b: c\r\naccept: */*\r\nuser-agent: netloom\r\n\r\n',
  );
  assert.deepEqual(
    [got.status, got.statusText, got.url, got.redirected, got.headers.get('x-a')],
    [200, 'OK', 'http://web.lan/a%20b?c', false, '1, 2'],
  );
  assert.equal(await host.drive(got.text()), 'hello');
});

everywhere(
  'a connection is used again, and closed when it has been idle for long',
  async (place) => {
    const { text, host } = await scripted(place, () => response('x'), { idleTimeout: 1000 });
    await text();
    await host.elapse(900);
    await text();
    assert.equal(host.opened.length, 1);
    await host.elapse(1100);
    await text();
    assert.equal(host.opened.length, 2);
  },
);

everywhere(
  'a connection is given up a second before the server said it would close it',
  async (place) => {
    const { text, host } = await scripted(place, () =>
      response('x', 'Keep-Alive: timeout=3, max=9'),
    );
    await text();
    await host.elapse(1900);
    await text();
    assert.equal(host.opened.length, 1);
    await host.elapse(2100);
    await text();
    assert.equal(host.opened.length, 2);
  },
);

test('a connection that the peer closes leaves no timer behind', async () => {
  const host = new MemoryHost();
  const { text } = await scripted({ name: '', host: () => host }, () => response('x'));
  await text();
  assert.notEqual(host.clock.deadline(), Infinity, 'the idle connection is watched');
  for (const connection of host.opened) connection.abort();
  await host.idle();
  assert.equal(host.clock.deadline(), Infinity);
});

everywhere(
  'connections to an origin are limited; others wait, in order, and can be aborted',
  async (place) => {
    const host = place.host();
    const answers: ((text: string) => void)[] = [];
    const handler = {
      fetch: () =>
        new Promise<Response>((resolve) => answers.push((text) => resolve(new Response(text)))),
    };
    await serve(handler, { host, port: 80 });
    const client = createClient({ host, limits: { connectionsPerOrigin: 2, waiting: 3 } });
    const controller = new AbortController();
    const get = (signal?: AbortSignal) =>
      client.fetch(URL_A, signal === undefined ? {} : { signal }).then((got) => got.text());
    const [one, two, three, four] = [get(), get(), get(), get()];
    const five = assert.rejects(get(controller.signal), { code: 'ABORTED' });
    await assert.rejects(host.drive(get()), { code: 'HTTP_POOL_EXHAUSTED' });
    controller.abort();
    await host.drive(five);
    await host.idle();
    assert.equal(answers.length, 2);
    answers[0]!('1');
    assert.equal(await host.drive(one!), '1');
    await host.idle();
    answers[2]!('3');
    answers[1]!('2');
    assert.deepEqual(await host.drive(Promise.all([two, three])), ['2', '3']);
    await host.idle();
    answers[3]!('4');
    assert.equal(await host.drive(four!), '4');
    assert.equal(host.opened.length, 2);
  },
);

/** Answers the first request of each connection, and closes on the second. */
const once = (place: Place) => {
  const served = new Set<number>();
  return scripted(place, ({ connectionIndex, connection }) => {
    if (!served.has(connectionIndex)) {
      served.add(connectionIndex);
      return response('x');
    }
    connection.abort();
    return undefined;
  });
};

everywhere(
  'a kept connection that the server closed meanwhile: tried again on a fresh one, if that is safe',
  async (place) => {
    const get = await once(place);
    await get.text();
    assert.equal(await get.text(), 'x');
    assert.equal(get.host.opened.length, 2);
    const put = await once(place);
    await put.text();
    assert.equal(await put.text({ method: 'PUT', body: 'again' }), 'x');
    const post = await once(place);
    await post.text();
    await assert.rejects(post.text({ method: 'POST', body: 'x' }), { code: 'CONNECTION_RESET' });
    const stream = await once(place);
    await stream.text();
    const body = new Blob(['x']).stream();
    await assert.rejects(stream.text({ method: 'PUT', body }), { code: 'CONNECTION_RESET' });
  },
);

everywhere('a second try takes no other kept connection: that may be as stale', async (place) => {
  const { get, client, host } = await scripted(place, ({ connectionIndex, index, connection }) => {
    if (index < 2 || connectionIndex === 2) return response('x');
    connection.abort();
    return undefined;
  });
  const both = Promise.all([client.fetch(URL_A), client.fetch(URL_A)]);
  for (const got of await host.drive(both)) await host.drive(got.text());
  assert.equal(host.opened.length, 2);
  assert.equal((await get()).status, 200);
  assert.equal(host.opened.length, 3);
});

everywhere('a request the server has begun to answer is not sent again', async (place) => {
  const { text, requests, host } = await scripted(place, ({ index, connection }) => {
    if (index === 0) return response('x');
    connection.write(new TextEncoder().encode('HTTP/1.1 2'));
    host.clock.timer(() => connection.abort()).set(host.clock.now() + 1);
    return undefined;
  });
  await text();
  await assert.rejects(text(), { code: 'CONNECTION_RESET' });
  assert.equal(requests.length, 2);
});

everywhere('a fresh connection that fails is not tried again', async (place) => {
  const { get, requests } = await scripted(place, ({ connection }) => void connection.abort());
  await assert.rejects(get(), { code: 'CONNECTION_RESET' });
  assert.equal(requests.length, 1);
  const closed = await scripted(place, ({ connection }) => void connection.close());
  await assert.rejects(closed.get(), { code: 'HTTP_NO_RESPONSE' });
});

everywhere('bodies of every kind are sent, with the length if it is known', async (place) => {
  const host = place.host();
  const echo = {
    fetch: async (request: Request) =>
      new Response(
        `${request.headers.get('content-length')} ${request.headers.get('content-type')} ${await request.text()}`,
      ),
  };
  await serve(echo, { host, port: 80 });
  const send = async (body: BodyInit, headers: HeadersInit = {}): Promise<string> =>
    host.drive((await host.drive(fetch(URL_A, { host, method: 'POST', body, headers }))).text());
  assert.equal(await send('text'), '4 text/plain;charset=UTF-8 text');
  assert.equal(
    await send(new URLSearchParams({ a: 'b' })),
    '3 application/x-www-form-urlencoded;charset=UTF-8 a=b',
  );
  assert.equal(await send(new Uint8Array([65, 66])), '2 null AB');
  assert.equal(await send(new Blob(['blob'], { type: 'a/b' })), '4 a/b blob');
  assert.equal(await send(new Blob(['stream']).stream()), 'null null stream');
  assert.equal(
    await send(new Blob(['stream']).stream(), { 'content-length': '6' }),
    '6 null stream',
  );
  const form = new FormData();
  form.append('a', 'b');
  assert.match(await send(form), /^\d+ multipart\/form-data; boundary=[^]*name="a"\r\n\r\nb\r\n/);
  const request = new Request(URL_A, { method: 'POST', body: 'of a Request' });
  const got = await host.drive(fetch(request, { host }));
  assert.match(await host.drive(got.text()), /^null text\/plain;charset=UTF-8 of a Request$/);
});

/** A body that cannot be read. */
const failing = () =>
  new ReadableStream({ pull: (controller) => controller.error(new Error('no disk')) });

everywhere('a body that fails, or is not what it announced, is a named error', async (place) => {
  const { get } = await scripted(place, () => undefined);
  await assert.rejects(get({ method: 'POST', body: failing() }), {
    code: 'HTTP_REQUEST_BODY_FAILED',
  });
  const short = { method: 'POST', body: new Blob(['abc']).stream() };
  await assert.rejects(get({ ...short, headers: { 'content-length': '4' } }), {
    code: 'HTTP_BODY_TOO_SHORT',
  });
  const long = { method: 'POST', body: new Blob(['abc']).stream() };
  await assert.rejects(get({ ...long, headers: { 'content-length': '2' } }), {
    code: 'HTTP_BODY_TOO_LONG',
  });
});

everywhere(
  'an upload whose response has come is stopped, even while its source has nothing to give',
  async (place) => {
    const { get, host } = await scripted(
      place,
      () => 'HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n',
    );
    let cancelled = 0;
    const body = new ReadableStream({ cancel: () => void cancelled++ });
    assert.equal((await get({ method: 'POST', body })).status, 413);
    await host.idle();
    assert.equal(cancelled, 1);
  },
);

everywhere('an upload is held up by a server that does not read', async (place) => {
  let produced = 0;
  const { client, host } = await scripted(place, ({ connection }) => void connection.pause());
  const body = new ReadableStream({
    pull(controller) {
      produced += 10_000;
      controller.enqueue(new Uint8Array(10_000));
    },
  });
  const controller = new AbortController();
  const sent = client.fetch(URL_A, { method: 'POST', body, signal: controller.signal });
  const rejected = assert.rejects(sent, { code: 'ABORTED' });
  await host.idle();
  assert.ok(produced > 0 && produced < 1_000_000, `${produced} bytes were taken`);
  controller.abort();
  await host.drive(rejected);
});

everywhere('a body that is not read holds the server up', async (place) => {
  let produced = 0;
  const host = place.host();
  const endless = {
    fetch: () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            produced += 10_000;
            controller.enqueue(new Uint8Array(10_000));
          },
        }),
      ),
  };
  await serve(endless, { host, port: 80 });
  const got = await host.drive(fetch(URL_A, { host }));
  await host.idle();
  assert.ok(produced < 1_000_000, `${produced} bytes were produced`);
  const before = produced;
  const reader = got.body!.getReader();
  for (let read = 0; read < 500_000;) read += (await host.drive(reader.read())).value!.length;
  assert.ok(produced > before);
  await host.drive(reader.cancel());
  await host.idle();
  const after = produced;
  await host.idle();
  assert.equal(produced, after, 'the server has been told that nobody reads');
});

everywhere('a response that ends too early fails its body, by name', async (place) => {
  const { get, host } = await scripted(place, ({ connection }) => {
    void connection.write(new TextEncoder().encode(response('hello').slice(0, -1)));
    connection.end();
    return undefined;
  });
  const got = await get();
  await assert.rejects(host.drive(got.text()), { code: 'HTTP_TRUNCATED' });
});

everywhere('an abort before, while waiting and while reading is a named error', async (place) => {
  const { get, client, host } = await scripted(place, ({ index }) =>
    index === 0 ? undefined : 'HTTP/1.1 200 OK\r\n\r\nso far',
  );
  await assert.rejects(get({ signal: AbortSignal.abort() }), { code: 'ABORTED' });
  const controller = new AbortController();
  const waiting = assert.rejects(client.fetch(URL_A, { signal: controller.signal }), {
    code: 'ABORTED',
  });
  await host.idle();
  controller.abort();
  await host.drive(waiting);
  const reading = new AbortController();
  const got = await get({ signal: reading.signal });
  const failing = assert.rejects(got.text(), { code: 'ABORTED' });
  reading.abort();
  await host.drive(failing);
});

testIn(
  [memory, stacks],
  'a timeout has its name: no response, no more of a body',
  async (place) => {
    const { get, host } = await scripted(place, ({ index }) =>
      index === 0 ? undefined : 'HTTP/1.1 200 OK\r\n\r\nso far',
    );
    await assert.rejects(get({ timeouts: { response: 10 } }), { code: 'TIMEOUT' });
    assert.equal(host.clock.now(), 10);
    const got = await get({ timeouts: { body: 7 } });
    await assert.rejects(host.drive(got.text()), { code: 'TIMEOUT' });
    assert.equal(host.clock.now(), 17);
  },
);

everywhere('URLs and options that cannot be served are named errors', async (place) => {
  const { get } = await scripted(place, () => response(''));
  await assert.rejects(get({}, 'https://web.lan/'), { code: 'TLS_UNAVAILABLE' });
  await assert.rejects(get({}, 'ftp://web.lan/'), { code: 'HTTP_URL_INVALID' });
  await assert.rejects(get({}, '/relative'), { code: 'HTTP_REQUEST_INVALID' });
  await assert.rejects(get({}, 'http://user:password@web.lan/'), { code: 'HTTP_REQUEST_INVALID' });
  await assert.rejects(get({ method: 'TRACE' }), { code: 'HTTP_REQUEST_INVALID' });
  await assert.rejects(get({}, 'http://web.lan:81/'), { code: 'CONNECTION_REFUSED' });
});

everywhere('a closed client ends what waits and takes no more', async (place) => {
  const { get, client, host } = await scripted(place, () => undefined);
  const waiting = assert.rejects(client.fetch(URL_A), { code: 'ABORTED' });
  await host.idle();
  await client.close();
  await host.drive(waiting);
  await assert.rejects(get(), { code: 'ABORTED' });
});

everywhere('interim responses are told of', async (place) => {
  const statuses: number[] = [];
  const { text } = await scripted(place, () => `HTTP/1.1 103 Early Hints\r\n\r\n${response('x')}`);
  assert.equal(await text({ informational: ({ status }) => statuses.push(status) }), 'x');
  assert.deepEqual(statuses, [103]);
});

everywhere('responses without content have no body, and the connection is kept', async (place) => {
  const { get, host } = await scripted(place, ({ text }) =>
    text.startsWith('HEAD')
      ? response('').replace(': 0', ': 99')
      : text.startsWith('PUT')
        ? response('x').replace('200', '205')
        : 'HTTP/1.1 204 No\r\n\r\n',
  );
  assert.equal((await get({ method: 'HEAD' })).headers.get('content-length'), '99');
  assert.equal((await get({ method: 'PUT' })).body, null);
  assert.equal((await get()).body, null);
  assert.equal(host.opened.length, 1);
});

/** A server that redirects `/from` to where `location` says, with the status, and else says what it was asked. */
const redirecting =
  (status: number, location: string): Script =>
  ({ text }) =>
    text.includes(' /from ')
      ? `HTTP/1.1 ${status} Moved\r\nLocation: ${location}\r\nContent-Length: 4\r\n\r\n${text.startsWith('HEAD') ? '' : 'gone'}`
      : response(text.split('\r\n', 1)[0]!);

const FROM = 'http://web.lan/from';

everywhere(
  'redirects change the method and drop the body as the Fetch Standard says',
  async (place) => {
    const cases: readonly (readonly [number, string, string])[] = [
      [301, 'GET', 'GET'],
      [301, 'POST', 'GET'],
      [302, 'POST', 'GET'],
      [302, 'PUT', 'PUT'],
      [303, 'POST', 'GET'],
      [303, 'PUT', 'GET'],
      [303, 'HEAD', 'HEAD'],
      [307, 'POST', 'POST'],
      [308, 'POST', 'POST'],
    ];
    for (const [status, before, after] of cases) {
      const { get, requests, host } = await scripted(place, redirecting(status, '/to?x'));
      const hasBody = before === 'POST' || before === 'PUT';
      const got = await get({ method: before, ...(hasBody ? { body: 'x' } : {}) }, FROM);
      assert.deepEqual([got.url, got.redirected], ['http://web.lan/to?x', true]);
      const last = requests.at(-1)!;
      assert.ok(last.startsWith(`${after} /to?x HTTP/1.1\r\n`), `${status} ${before}`);
      assert.equal(/content-type/.test(last), after === before && hasBody, `${status} ${before}`);
      assert.equal(host.opened.length, 1, `${status} ${before}`);
    }
  },
);

everywhere('credentials stay with their origin', async (place) => {
  const headers = { authorization: 'secret', cookie: 'a=b', 'x-a': 'b' };
  const same = await scripted(place, redirecting(302, '/to'));
  await same.get({ headers }, FROM);
  assert.match(same.requests[1]!, /authorization: secret\r\n/);
  const other = await scripted(place, redirecting(302, 'http://other.lan/to'));
  await other.get({ headers }, FROM);
  assert.doesNotMatch(other.requests[1]!, /authorization|cookie/);
  assert.match(other.requests[1]!, /^GET \/to HTTP\/1.1\r\nhost: other.lan\r\nx-a: b\r\n/);
});

everywhere(
  'redirects that are not followed: too many, refused, to elsewhere, or with a body that is used up',
  async (place) => {
    const circle = await scripted(
      place,
      () => 'HTTP/1.1 302 x\r\nLocation: /from\r\nContent-Length: 0\r\n\r\n',
    );
    await assert.rejects(circle.get({}, FROM), { code: 'HTTP_REDIRECT_LIMIT' });
    assert.equal(circle.requests.length, 21);
    const { get } = await scripted(place, redirecting(302, '/to'));
    await assert.rejects(get({ redirect: 'error' }, FROM), { code: 'HTTP_REDIRECT_REFUSED' });
    const manual = await get({ redirect: 'manual' }, FROM);
    assert.deepEqual([manual.status, manual.headers.get('location')], [302, '/to']);
    const elsewhere = await scripted(place, redirecting(302, 'ftp://x/'));
    await assert.rejects(elsewhere.get({}, FROM), { code: 'HTTP_REDIRECT_INVALID' });
    const secure = await scripted(place, redirecting(302, 'https://x/'));
    await assert.rejects(secure.get({}, FROM), { code: 'TLS_UNAVAILABLE' });
    const again = await scripted(place, redirecting(307, '/to'));
    const body = new Blob(['x']).stream();
    await assert.rejects(again.get({ method: 'POST', body }, FROM), {
      code: 'HTTP_BODY_NOT_REPLAYABLE',
    });
  },
);

everywhere('a redirect without a Location is an answer like any other', async (place) => {
  const { get } = await scripted(place, () => 'HTTP/1.1 302 x\r\nContent-Length: 0\r\n\r\n');
  assert.equal((await get()).status, 302);
});

everywhere('obs-text in fields arrives as it was sent', async (place) => {
  const { get } = await scripted(place, () => response('', 'X: caf\xe9\x80'));
  assert.equal((await get()).headers.get('x'), 'caf\xe9\x80');
});
