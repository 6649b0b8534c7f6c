import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { NetloomError } from 'netloom/core';
import { SystemClock, localSocketHost } from 'netloom/host';
import { serve, type FetchHandler } from 'netloom/http';
import { loopbackLink } from 'netloom/link';
import { captureReader } from 'netloom/wire';
import { FakeNetwork, FakeNode, portStatus } from '../../test/fake-node.ts';
import { StateFolder } from '../node/index.ts';
import { ControlApi } from './api.ts';
import { controlClient } from './client.ts';
import { NETLOOM_VERSION } from '../node/version.ts';
import type { ControlLimits } from './limits.ts';
import { claimNode, serveControl } from './serve-control.ts';

const root = mkdtempSync(join(tmpdir(), 'netloom-control-'));
after(() => rmSync(root, { recursive: true }));
let count = 0;

/** The folder of a node that is not there yet. */
function freshFolder(): StateFolder {
  return new StateFolder(`node-${++count}`, root);
}

/** A node that is served at a folder of its own. */
async function served(folder = freshFolder(), limits: Partial<ControlLimits> = {}) {
  const lan = new FakeNetwork('lan');
  lan.portList.push(portStatus('lan', 'web'));
  const node = new FakeNode(lan);
  node.more = { process: process.pid };
  const clock = new SystemClock();
  const claim = await claimNode(folder);
  const api = new ControlApi(node, { clock, limits });
  const server = await serveControl(api, claim);
  return {
    folder,
    lan,
    node,
    clock,
    server,
    claim,
    async [Symbol.asyncDispose]() {
      await server.close();
      await claim.close();
    },
  };
}

test('a client asks a node at its socket', async () => {
  await using here = await served();
  await using client = controlClient(here.folder);
  assert.deepEqual(await client.status(), here.node.status());
  assert.deepEqual(await client.model(), here.node.model);
  assert.deepEqual(await client.networks({ network: 'lan' }), [here.lan.statusNow]);
  assert.deepEqual(await client.interfaces(), here.lan.portList);
  assert.deepEqual(await client.leases(), []);
  assert.deepEqual(await client.flows(), []);
  assert.equal((await client.impair('lan', 'web', { delay: 3 })).delay, 3);
  await client.suspend('lan');
  assert.equal((await client.networks())[0]!.state, 'suspended');
  await client.resume('lan');
  assert.deepEqual(await client.plan({ file: '/a.yaml', text: 'networks: {}' }), {
    plan: { steps: [] },
  });
  const report = await client.apply({ file: '/a.yaml', text: 'networks: {}' });
  assert.deepEqual(report, { plan: { steps: [] }, done: [], failed: null, left: [] });
  assert.equal(here.node.applied[0]!.file, '/a.yaml');
  const refused = await client.apply({ file: '/a.yaml', text: 'networks: 7' });
  assert.ok('mistakes' in refused && refused.mistakes[0]!.line === 1);
});

test('what the node refuses is thrown with its code, what was said, and the remedy', async () => {
  await using here = await served();
  await using client = controlClient(here.folder);
  await assert.rejects(client.leases({ network: 'wan' }), { code: 'NODE_NETWORK_UNKNOWN' });
  const wrong = client.impair('lan', 'web', { delay: -1 });
  await assert.rejects(wrong, (error: NetloomError) => {
    assert.equal(error.code, 'CONTROL_REQUEST_INVALID');
    assert.match(error.message, /^'delay' wants/);
    assert.equal(error.remedy, 'Send null to take it back.');
    return true;
  });
});

test('a capture goes on until it is cancelled, or the node ends it', async () => {
  await using here = await served();
  await using client = controlClient(here.folder);
  const link = loopbackLink(here.clock, 'web');
  const pass = (): void => {
    for (const recorder of here.lan.recorders.keys()) {
      recorder.frame(link, 'in', new Uint8Array(60), undefined, here.clock.wallTime());
    }
  };
  const seen: number[] = [];
  const reader = captureReader({ packet: ({ data }) => void seen.push(data.length) });
  const read = async (body: ReadableStreamDefaultReader<Uint8Array>): Promise<boolean> => {
    const { done, value } = await body.read();
    if (!done) assert.equal(reader.push(value), undefined);
    return !done;
  };
  const first = (await client.capture('lan', { port: 'web' })).getReader();
  pass();
  while (seen.length < 1) assert.ok(await read(first));
  await first.cancel();
  const second = (await client.capture('lan')).getReader();
  pass();
  const closing = here.server.close();
  while (await read(second));
  await closing;
  assert.deepEqual(seen, [60, 60]);
});

test('a watcher that does not read costs the node no more than its buffer, and is told what it has missed', async () => {
  await using here = await served(freshFolder(), { captureBytes: 64 * 1024 });
  await using client = controlClient(here.folder);
  const link = loopbackLink(here.clock, 'web');
  const body = (await client.capture('lan')).getReader();
  const [recorder] = here.lan.recorders.keys();
  const frame = new Uint8Array(1400);
  // More, in all, than everything on the way takes in; and every turn has less than the buffer.
  for (let sent = 0; sent < 8000; sent += 20) {
    for (let i = 0; i < 20; i++) {
      recorder!.frame(link, 'in', frame, undefined, here.clock.wallTime());
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  const closing = here.server.close();
  let packets = 0;
  const counts: bigint[] = [];
  const reader = captureReader({
    packet: () => void packets++,
    statistics: ({ received, dropped }) => counts.splice(0, 2, received!, dropped!),
  });
  for (;;) {
    const { done, value } = await body.read();
    if (done) break;
    assert.equal(reader.push(value), undefined);
  }
  await closing;
  assert.equal(reader.end(), undefined);
  assert.equal(counts[0], 8000n);
  assert.equal(Number(counts[1]), 8000 - packets);
  assert.ok(packets > 0 && packets < 6000, `${packets} came through`);
});

test('a node of another version is told of, once; what is no node is refused', async () => {
  const folder = freshFolder();
  await folder.prepare();
  await using host = localSocketHost(folder.controlSocket);
  let version: string | undefined = '9.9.9';
  const handler: FetchHandler = {
    fetch: () =>
      new Response('[]', { headers: version === undefined ? {} : { 'netloom-version': version } }),
  };
  await using server = await serve(handler, { host, port: 0 });
  assert.ok(server);
  const notices: string[] = [];
  await using client = controlClient(folder, { notice: (text) => void notices.push(text) });
  await client.leases();
  await client.leases();
  assert.deepEqual(notices, [`the node is Netloom 9.9.9, this command is ${NETLOOM_VERSION}`]);
  version = undefined;
  await assert.rejects(client.leases(), { code: 'NODE_ANSWER_INVALID' });
});

test('a node that ends while it is asked, or watched, is NODE_GONE', async () => {
  const answers = [
    '',
    `HTTP/1.1 200 OK\r\nnetloom-version: ${NETLOOM_VERSION}\r\ncontent-length: 9\r\n\r\n[`,
  ];
  const folder = freshFolder();
  await folder.prepare();
  await using host = localSocketHost(folder.controlSocket);
  let answer = '';
  await using _ = await host.listen({
    port: 0,
    accept: (connection) =>
      connection.start({
        data() {
          if (answer !== '') connection.write(new TextEncoder().encode(answer));
          connection.end();
        },
      }),
  });
  for (answer of answers) {
    await using client = controlClient(folder);
    await assert.rejects(client.leases(), { code: 'NODE_GONE' }, answer);
  }
  await using client = controlClient(folder);
  const frames = await client.capture('lan');
  const read = async (): Promise<void> => {
    for await (const chunk of frames) assert.equal(chunk.length, 1);
  };
  await assert.rejects(read(), { code: 'NODE_GONE' });
});

test('nobody else can reach a node: its folder and its socket are its owner’s alone', async () => {
  const before = process.umask(0);
  const folder = freshFolder();
  mkdirSync(folder.path, { mode: 0o777 });
  await using here = await served(folder);
  process.umask(before);
  assert.equal(statSync(folder.path).mode & 0o777, 0o700);
  assert.equal(statSync(folder.controlSocket).mode & 0o777, 0o600);
  await here.server.close();
  assert.ok(!existsSync(folder.controlSocket), 'it is gone with the node');
  await here.claim.close();
  assert.deepEqual(readdirSync(folder.path), ['leases']);
});

test('a second node of a name is refused, and told which process has it', async () => {
  await using here = await served();
  await assert.rejects(claimNode(here.folder), (error: NetloomError) => {
    assert.equal(error.code, 'NODE_RUNNING');
    assert.equal(
      error.message,
      `a node '${here.folder.nodeName}' is running already, as process ${process.pid}`,
    );
    assert.match(error.remedy!, /netloom apply/);
    return true;
  });
});

test('of nodes that start at once one gets the name; then it serves', async () => {
  const folder = freshFolder();
  const starting = await Promise.allSettled(Array.from({ length: 5 }, () => claimNode(folder)));
  const claims = starting.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  assert.equal(claims.length, 1);
  for (const one of starting) {
    if (one.status === 'rejected') assert.equal((one.reason as NetloomError).code, 'NODE_RUNNING');
  }
  await claims[0]!.close();
  await using here = await served(folder);
  await using client = controlClient(here.folder);
  assert.equal((await client.status()).name, 'default');
});

test('what is in the place of the socket and is none is left alone', async () => {
  const folder = freshFolder();
  await folder.prepare();
  writeFileSync(folder.controlSocket, 'precious');
  await using claim = await claimNode(folder);
  const api = new ControlApi(new FakeNode(), { clock: new SystemClock() });
  const serving = serveControl(api, claim);
  // Not to be left, should it serve after all.
  void serving.then(
    (server) => server.close(),
    () => undefined,
  );
  await assert.rejects(serving, { code: 'ADDRESS_IN_USE' });
  assert.equal(statSync(folder.controlSocket).size, 8);
});

test('no node: NODE_NOT_RUNNING says how one is started', async () => {
  for (const [name, message, remedy] of [
    ['default', /^no node is running \(its folder is /, /^Start it by 'netloom up',/],
    ['lab', /^no node 'lab' is running/, /^Start it by 'netloom up --name lab',/],
  ] as const) {
    await using client = controlClient(new StateFolder(name, root));
    await assert.rejects(client.status(), (error: NetloomError) => {
      assert.equal(error.code, 'NODE_NOT_RUNNING');
      assert.match(error.message, message);
      assert.match(error.remedy!, remedy);
      return true;
    });
  }
});
