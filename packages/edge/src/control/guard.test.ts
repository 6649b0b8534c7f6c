import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { IpAddress, ManualClock } from 'netloom/core';
import { osHost } from 'netloom/host';
import { createClient, type FetchHandler } from 'netloom/http';
import { FakeNetwork, FakeNode } from '../../test/fake-node.ts';
import { ControlApi } from './api.ts';
import { guarded } from './guard.ts';
import { serveDashboard } from './serve-dashboard.ts';

const page: FetchHandler = {
  fetch: (request) =>
    new Response(`page ${new URL(request.url).pathname}`, {
      headers: { 'content-type': 'text/html' },
    }),
};

/** A dashboard that is served on a free port of the loopback. */
async function served() {
  const host = osHost();
  const api = new ControlApi(new FakeNode(new FakeNetwork('lan')), {
    clock: host.clock,
  });
  const server = await serveDashboard(api, { host, page, port: 0 });
  const { port, searchParams } = new URL(server.url);
  const token = searchParams.get('token')!;
  return {
    server,
    port,
    token,
    bearer: `authorization: Bearer ${token}`,
    /** Sends a request as it is written here, and answers what comes. */
    async raw(line: string, ...fields: string[]) {
      const socket = connect(Number(port), '127.0.0.1');
      const text = [`${line} HTTP/1.1`, ...fields, 'connection: close', '', ''].join('\r\n');
      let answer = '';
      socket.setEncoding('utf8').on('data', (chunk: string) => void (answer += chunk));
      socket.end(text);
      await once(socket, 'close');
      const [head, ...body] = answer.split('\r\n\r\n');
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head!)?.[1]);
      const field = (name: string): string | undefined =>
        new RegExp(`^${name}: (.*?)\r?$`, 'im').exec(head!)?.[1];
      return { status, field, body: body.join('\r\n\r\n') };
    },
    async [Symbol.asyncDispose]() {
      await server.close();
      await host.close();
    },
  };
}

test('the printed address leads to the page, and leaves a cookie instead of the token', async () => {
  await using here = await served();
  assert.match(here.server.url, /^http:\/\/127\.0\.0\.1:\d+\/\?token=[0-9a-f]{32}$/);
  const host = `host: 127.0.0.1:${here.port}`;
  const first = await here.raw(`GET /?token=${here.token}`, host);
  assert.equal(first.status, 303);
  assert.equal(first.field('location'), '/');
  assert.equal(
    first.field('set-cookie'),
    `netloom-${here.port}=${here.token}; HttpOnly; SameSite=Strict; Path=/`,
  );
  const cookie = `cookie: theme=dark; netloom-${here.port}=${here.token}`;
  const second = await here.raw('GET /', host, cookie);
  assert.deepEqual([second.status, second.body], [200, 'page /']);
  const status = await here.raw('GET /v1/networks', host, cookie);
  assert.equal(status.status, 200);
  assert.equal((JSON.parse(status.body) as { name: string }[])[0]!.name, 'lan');
});

test('a program asks with the token as its authorization', async () => {
  await using here = await served();
  const host = osHost();
  const client = createClient({ host });
  const url = `http://127.0.0.1:${here.port}/v1/status`;
  const authorization = `Bearer ${here.token}`;
  const response = await client.fetch(url, { headers: { authorization } });
  assert.equal(response.status, 200);
  assert.equal(((await response.json()) as { name: string }).name, 'default');
  await client.close();
  await host.close();
});

test('without the token nothing is answered, and with a wrong one neither', async () => {
  await using here = await served();
  const host = `host: localhost:${here.port}`;
  for (const fields of [
    [],
    [`cookie: netloom-${here.port}=${here.token.slice(1)}`],
    [`cookie: netloom-1=${here.token}`],
    ['authorization: Bearer wrong'],
    [`authorization: Basic ${here.token}`],
    // The authorization decides, where there is one.
    ['authorization: Bearer wrong', `cookie: netloom-${here.port}=${here.token}`],
  ]) {
    const api = await here.raw('GET /v1/status', host, ...fields);
    assert.equal(api.status, 401, fields.join());
    assert.equal(api.field('www-authenticate'), 'Bearer');
    assert.match(api.body, /^\{"error":\{"code":"CONTROL_TOKEN_WRONG"/);
  }
  for (const target of ['/', '/?token=', '/?token=wrong', `/app.js?token=${here.token}`]) {
    const { status, body, field } = await here.raw(`GET ${target}`, host);
    assert.equal(status, 401, target);
    assert.match(body, /^Netloom: .*Open the address that was printed/);
    assert.equal(field('set-cookie'), undefined);
  }
  // Not where a form could send it.
  assert.equal((await here.raw(`POST /?token=${here.token}`, host)).status, 401);
});

test('a name that was made to lead here is refused, and so is another port', async () => {
  await using here = await served();
  const { port, bearer } = here;
  for (const host of [
    'evil.example',
    `evil.example:${port}`,
    `127.0.0.1.evil.example:${port}`,
    `localhost.evil.example:${port}`,
    `10.0.0.1:${port}`,
    '127.0.0.1',
    'localhost:1',
    `127.0.0.1:${port}@evil.example`,
    `0.0.0.0:${port}`,
  ]) {
    const { status, body } = await here.raw('GET /v1/status', `host: ${host}`, bearer);
    assert.ok(status === 403 || status === 400, `${host}: ${status}`);
    assert.doesNotMatch(body, /memory/);
  }
  for (const host of [
    `127.0.0.1:${port}`,
    `localhost:${port}`,
    `LOCALHOST:${port}`,
    `[::1]:${port}`,
  ]) {
    assert.equal((await here.raw('GET /v1/status', `host: ${host}`, bearer)).status, 200, host);
  }
  // The request line names a place of its own, and the field does not help.
  const good = `host: 127.0.0.1:${port}`;
  const absolute = await here.raw(`GET http://evil.example:${port}/v1/status`, good, bearer);
  assert.equal(absolute.status, 403);
  const other = `host: evil.example:${port}`;
  const line = `GET http://127.0.0.1:${port}/v1/status`;
  assert.equal((await here.raw(line, other, bearer)).status, 403);
});

test('another site’s page may not ask, whatever it asks for', async () => {
  await using here = await served();
  const { port, bearer } = here;
  const host = `host: 127.0.0.1:${port}`;
  for (const origin of [
    'http://evil.example',
    'null',
    `https://127.0.0.1:${port}`,
    `http://localhost:${port}`,
    'http://127.0.0.1:1',
    `http://127.0.0.1:${port}/`,
    `http://127.0.0.1:${port}.evil.example`,
  ]) {
    for (const line of ['GET /v1/status', 'POST /v1/apply', 'OPTIONS /v1/apply']) {
      const answer = await here.raw(line, host, `origin: ${origin}`, bearer, 'content-length: 0');
      assert.equal(answer.status, 403, `${line} from ${origin}`);
      assert.equal(answer.field('access-control-allow-origin'), undefined);
    }
  }
  const own = await here.raw('GET /v1/status', host, `origin: http://127.0.0.1:${port}`, bearer);
  assert.equal(own.status, 200);
});

test('every answer tells the browser what it may do with it', async () => {
  await using here = await served();
  const host = `host: 127.0.0.1:${here.port}`;
  for (const [line, ...fields] of [
    ['GET /', here.bearer],
    ['GET /'],
    ['GET /v1/status', here.bearer],
    ['GET /v1/nothing', here.bearer],
    [`GET /?token=${here.token}`],
  ] as [string, ...string[]][]) {
    const { field } = await here.raw(line, host, ...fields);
    assert.match(field('content-security-policy')!, /default-src 'none'; script-src 'self'/);
    assert.match(field('content-security-policy')!, /frame-ancestors 'none'/);
    assert.equal(field('x-content-type-options'), 'nosniff');
    assert.equal(field('referrer-policy'), 'no-referrer');
    assert.equal(field('cross-origin-opener-policy'), 'same-origin');
  }
});

test('wrong tokens are counted, and the right one is let in all the same', async () => {
  const clock = new ManualClock();
  const guard = guarded(page, { token: 'right', clock });
  const end = { address: IpAddress.LOOPBACK4, port: 8081 };
  const ask = async (token: string): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` };
    const request = new Request('http://127.0.0.1:8081/', { headers });
    return (await guard.fetch(request, { local: end, remote: end })).status;
  };
  for (let i = 0; i < 10; i++) assert.equal(await ask('wrong'), 401);
  assert.equal(await ask('wrong'), 429);
  assert.equal(await ask('right'), 200);
  clock.advance(clock.now() + 1000);
  assert.equal(await ask('wrong'), 401);
  assert.equal(await ask('wrong'), 429);
});

test('beyond the loopback any address is this place, and no name but localhost', async () => {
  const guard = guarded(page, { token: 't', clock: new ManualClock(), beyondLoopback: true });
  const end = { address: IpAddress.LOOPBACK4, port: 80 };
  const ask = async (host: string): Promise<number> => {
    const request = new Request(`http://${host}/`, { headers: { authorization: 'Bearer t' } });
    return (await guard.fetch(request, { local: end, remote: end })).status;
  };
  assert.equal(await ask('192.0.2.7'), 200);
  assert.equal(await ask('[2001:db8::7]'), 200);
  assert.equal(await ask('node.example'), 403);
});
