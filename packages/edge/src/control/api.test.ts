import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from 'netloom/core';
import { FakeNetwork, FakeNode, portStatus } from '../../test/fake-node.ts';
import { readNodeFile } from '../file/index.ts';
import { ControlApi } from './api.ts';
import { NETLOOM_VERSION } from '../node/version.ts';

const FILE = 'networks: { wan: { subnets: [10.1.0.0/24] } }';

/** What the node makes of it. */
const MODEL = readNodeFile(FILE, { path: '/a.yaml' }).model!;

/** A node with two networks, and its API. */
function scene() {
  const lan = new FakeNetwork('lan');
  lan.portList.push(portStatus('lan', 'web'), portStatus('lan', 'a/b c'));
  const dmz = new FakeNetwork('dmz', { state: 'failed' });
  dmz.portList.push(portStatus('dmz', 'db'));
  const node = new FakeNode(lan, dmz);
  const api = new ControlApi(node, { clock: new ManualClock() });
  const ask = async (
    target: string,
    init: RequestInit = {},
  ): Promise<{ status: number; value: unknown; response: Response }> => {
    const response = await api.fetch(new Request(`http://localhost${target}`, init));
    return { status: response.status, value: await response.json(), response };
  };
  const tell = (method: string, target: string, body: unknown, type = 'application/json') =>
    ask(target, {
      method,
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'content-type': type },
    });
  return { lan, dmz, node, api, ask, tell };
}

/** The code of an error that was answered. */
function codeOf(value: unknown): string {
  return (value as { error: { code: string } }).error.code;
}

test('what the node says of itself is answered as JSON that is not kept', async () => {
  const { node, ask } = scene();
  const { status, value, response } = await ask('/v1/status');
  assert.equal(status, 200);
  assert.deepEqual(value, node.status());
  assert.equal(response.headers.get('content-type'), 'application/json');
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.equal(response.headers.get('netloom-version'), NETLOOM_VERSION);
  assert.deepEqual((await ask('/v1/model')).value, node.model);
});

test('lists are of all networks, or of the one that is asked for', async () => {
  const { ask } = scene();
  const names = async (target: string): Promise<string[]> => {
    const { value } = await ask(target);
    return (value as { name: string }[]).map(({ name }) => name);
  };
  assert.deepEqual(await names('/v1/networks'), ['lan', 'dmz']);
  assert.deepEqual(await names('/v1/networks?network=dmz'), ['dmz']);
  assert.deepEqual(await names('/v1/interfaces'), ['web', 'a/b c', 'db']);
  assert.deepEqual(await names('/v1/interfaces?network=dmz'), ['db']);
  assert.deepEqual(await names('/v1/leases'), []);
  assert.deepEqual(await names('/v1/flows?network=lan'), []);
  for (const what of ['networks', 'interfaces', 'leases', 'flows']) {
    const { status, value } = await ask(`/v1/${what}?network=wan`);
    assert.deepEqual([status, codeOf(value)], [404, 'NODE_NETWORK_UNKNOWN'], what);
  }
});

test('a path, a method or a query that is not there is told', async () => {
  const { ask } = scene();
  for (const path of ['/', '/v1', '/v1/', '/v2/status', '/v1/status/', '/v1/networks//capture']) {
    const { status, value } = await ask(path);
    assert.deepEqual([status, codeOf(value)], [404, 'CONTROL_PATH_UNKNOWN'], path);
  }
  for (const [method, path, allow] of [
    ['POST', '/v1/status', 'GET, HEAD'],
    ['DELETE', '/v1/apply', 'POST'],
    ['GET', '/v1/networks/lan/ports/web/link', 'PATCH'],
  ] as const) {
    const { status, value, response } = await ask(path, { method });
    assert.deepEqual([status, codeOf(value)], [405, 'CONTROL_METHOD_UNKNOWN'], path);
    assert.equal(response.headers.get('allow'), allow);
  }
  const { status, value } = await ask('/v1/status?network=lan');
  assert.deepEqual([status, codeOf(value)], [400, 'CONTROL_REQUEST_INVALID']);
  assert.equal((await ask('/v1/networks/%zz/capture')).status, 404);
});

test('HEAD is answered as GET is', async () => {
  const { api } = scene();
  const response = await api.fetch(new Request('http://localhost/v1/status', { method: 'HEAD' }));
  assert.equal(response.status, 200);
});

test('a line is changed, and null takes a fault back', async () => {
  const { lan, tell } = scene();
  const change = { delay: 40, rate: null, partition: true };
  const { status, value } = await tell('PATCH', '/v1/networks/lan/ports/a%2Fb%20c/link', change);
  assert.equal(status, 200);
  assert.deepEqual(lan.told, [`impair a/b c ${JSON.stringify(change)}`]);
  assert.equal((value as { delay: number }).delay, 40);
  const unknown = await tell('PATCH', '/v1/networks/lan/ports/nobody/link', {});
  assert.deepEqual([unknown.status, codeOf(unknown.value)], [404, 'NETWORK_PORT_UNKNOWN']);
});

test('a change that does not fit is refused, and the field named', async () => {
  const { lan, tell } = scene();
  for (const [change, said] of [
    [{ delay: -1 }, /'delay' wants milliseconds/],
    [{ delay: '40ms' }, /'delay' wants milliseconds.*not "40ms"/],
    [{ jitter: 1e9 }, /'jitter'/],
    [{ rate: 0 }, /'rate' wants bits per second/],
    [{ queueBytes: 1.5 }, /'queueBytes'/],
    [{ loss: 2 }, /'loss' wants a probability/],
    [{ corrupt: {} }, /'corrupt'/],
    [{ partition: 1 }, /'partition' wants true or false/],
    [{ seed: -3 }, /'seed'/],
    [{ delay: 1, los: 0.1 }, /no 'los'/],
    [{ toString: 1 }, /no 'toString'/],
    ['{"__proto__": 1}', /no '__proto__'/],
  ] as const) {
    const { status, value } = await tell('PATCH', '/v1/networks/lan/ports/web/link', change);
    assert.deepEqual([status, codeOf(value)], [400, 'CONTROL_REQUEST_INVALID']);
    assert.match((value as { error: { message: string } }).error.message, said);
  }
  assert.deepEqual(lan.told, []);
});

test('a body that is no JSON object, too long, or of another type is refused', async () => {
  const { tell, node } = scene();
  const file = { file: '/a.yaml', text: FILE };
  for (const [body, type, status, code] of [
    ['{', 'application/json', 400, 'CONTROL_REQUEST_INVALID'],
    ['[]', 'application/json', 400, 'CONTROL_REQUEST_INVALID'],
    ['null', 'application/json', 400, 'CONTROL_REQUEST_INVALID'],
    ['', 'application/json', 400, 'CONTROL_REQUEST_INVALID'],
    [{ text: 'x' }, 'application/json', 400, 'CONTROL_REQUEST_INVALID'],
    [{ file: 'x', text: 1 }, 'application/json', 400, 'CONTROL_REQUEST_INVALID'],
    [{ ...file, more: 1 }, 'application/json', 400, 'CONTROL_REQUEST_INVALID'],
    [file, 'text/plain', 415, 'CONTROL_BODY_TYPE'],
    [file, 'application/x-www-form-urlencoded', 415, 'CONTROL_BODY_TYPE'],
    [{ ...file, text: 'x'.repeat(2 ** 20) }, 'application/json', 413, 'CONTROL_BODY_TOO_LARGE'],
  ] as const) {
    const answer = await tell('POST', '/v1/apply', body, type);
    assert.deepEqual([answer.status, codeOf(answer.value)], [status, code], String(body));
  }
  assert.deepEqual(node.applied, []);
  assert.equal(
    (await tell('POST', '/v1/plan', file, 'Application/JSON; charset=utf-8')).status,
    200,
  );
});

test('a file is planned and followed as the node reads it; its mistakes are answered', async () => {
  const { node, tell } = scene();
  const wrong = { file: '/a.yaml', text: 'networks: 7' };
  for (const path of ['/v1/plan', '/v1/apply']) {
    const { status, value } = await tell('POST', path, wrong);
    assert.equal(status, 422);
    assert.deepEqual(value, readNodeFile(wrong.text, { path: wrong.file }));
  }
  const plan = await tell('POST', '/v1/plan', { file: '/a.yaml', text: FILE });
  assert.deepEqual(plan.value, { plan: node.plan(MODEL) });
  assert.deepEqual(node.applied, []);
  const applied = await tell('POST', '/v1/apply', { file: '/a.yaml', text: FILE });
  assert.deepEqual(node.applied, [{ model: MODEL, file: '/a.yaml' }]);
  assert.equal((applied.value as { failed: unknown }).failed, null);
});

test('without a file the node is to be what it was last told', async () => {
  const { node, tell } = scene();
  node.wanted = MODEL;
  const plan = await tell('POST', '/v1/plan', {});
  assert.deepEqual(plan.value, { plan: node.plan(MODEL) });
  await tell('POST', '/v1/apply', {});
  assert.deepEqual(node.applied, [{ model: MODEL }]);
});

test('a network is suspended and resumed, and says so if it cannot be', async () => {
  const { lan, dmz, tell } = scene();
  assert.equal((await tell('POST', '/v1/networks/lan/suspend', {})).status, 200);
  assert.equal(lan.statusNow.state, 'suspended');
  assert.equal((await tell('POST', '/v1/networks/lan/resume', {})).status, 200);
  assert.equal(lan.statusNow.state, 'active');
  const { status, value } = await tell('POST', '/v1/networks/dmz/suspend', {});
  assert.deepEqual([status, codeOf(value)], [409, 'STATE_ILLEGAL']);
  assert.equal(dmz.statusNow.state, 'failed');
});

test('what the node throws is answered, an error of no code too', async () => {
  const { node, ask } = scene();
  node.status = () => {
    throw new TypeError('a defect');
  };
  const { status, value } = await ask('/v1/status');
  assert.equal(status, 500);
  assert.deepEqual(value, {
    error: { code: 'CONTROL_FAILED', message: 'the node failed: a defect', remedy: null },
  });
});
