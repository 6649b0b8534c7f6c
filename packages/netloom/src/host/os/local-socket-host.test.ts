import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { IpAddress, type Connection, type NetloomError } from '../../core/index.ts';
import { localSocketHost } from './local-socket-host.ts';

const folder = mkdtempSync(join(tmpdir(), 'netloom-local-socket-'));
after(() => rmSync(folder, { recursive: true }));
let count = 0;

/** A path that is not used yet. */
function freshPath(): string {
  return join(folder, `socket-${++count}`);
}

/** Answers what it is sent. */
function echo(connection: Connection): void {
  connection.start({
    data: (chunk) => connection.write(Uint8Array.from(chunk)),
    end: () => connection.end(),
  });
}

/** Sends a text, and settles with all that comes back until the end. */
function ask(connection: Connection, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    connection.start({
      data: (chunk) => void (answer += new TextDecoder().decode(chunk)),
      closed: (error) => (error === undefined ? resolve(answer) : reject(error)),
    });
    connection.write(new TextEncoder().encode(text));
    connection.end();
  });
}

test('a connection goes over the socket, whatever name, address and port it is asked for', async () => {
  const path = freshPath();
  await using server = localSocketHost(path);
  await using client = localSocketHost(path);
  await server.listen({ port: 80, accept: echo });
  for (const [host, port] of [
    ['localhost', 80],
    ['netloom', 1],
    [IpAddress.parse('192.0.2.1'), 65_535],
  ] as const) {
    const connection = await client.connect({ host, port });
    assert.equal(await ask(connection, 'hello'), 'hello');
    assert.deepEqual(connection.remote, { address: IpAddress.LOOPBACK4, port: 0 });
  }
});

test('the socket is its owner’s alone, and is gone with its listener', async () => {
  const path = freshPath();
  const before = process.umask(0);
  await using server = localSocketHost(path);
  const listening = server.listen({ port: 0, accept: echo });
  process.umask(before);
  const listener = await listening;
  assert.ok(statSync(path).isSocket());
  assert.equal(statSync(path).mode & 0o777, 0o600);
  await listener.close();
  assert.ok(!existsSync(path));
});

test('a path that is taken is ADDRESS_IN_USE, and what has it is left alone', async () => {
  const path = freshPath();
  await using first = localSocketHost(path);
  await using second = localSocketHost(path);
  await first.listen({ port: 0, accept: echo });
  await assert.rejects(second.listen({ port: 0, accept: echo }), { code: 'ADDRESS_IN_USE' });
  const connection = await second.connect({ host: 'localhost', port: 1 });
  assert.equal(await ask(connection, 'x'), 'x');
});

test('nobody there is CONNECTION_REFUSED: no socket, one that was left, and a file', async () => {
  const [missing, left, file] = [freshPath(), freshPath(), freshPath()];
  writeFileSync(file, '');
  await leaveSocket(left);
  for (const path of [missing, left, file]) {
    await using host = localSocketHost(path);
    await assert.rejects(host.connect({ host: 'localhost', port: 1 }), (error: NetloomError) => {
      assert.equal(error.code, 'CONNECTION_REFUSED');
      assert.ok(error.message.includes(path), error.message);
      return true;
    });
  }
});

/** Makes what a killed process leaves: a socket that nobody listens at. */
async function leaveSocket(path: string): Promise<void> {
  const server = createServer().listen(`${path}-bound`);
  await once(server, 'listening');
  // Closing it removes the name it was bound to, which by then is another.
  renameSync(`${path}-bound`, path);
  server.close();
  await once(server, 'close');
}

test('a peer that is cut off has a reset told if something was unread, and the end otherwise', async () => {
  const path = freshPath();
  await using server = localSocketHost(path);
  await using client = localSocketHost(path);
  const accepted: Connection[] = [];
  await server.listen({ port: 0, accept: (connection) => accepted.push(connection) });
  for (const [sent, code] of [
    ['', undefined],
    ['unread', 'CONNECTION_RESET'],
  ] as const) {
    const connection = await client.connect({ host: 'localhost', port: 1 });
    const over = new Promise<NetloomError | undefined>((resolve) => {
      connection.start({ end: () => connection.end(), closed: resolve });
    });
    if (sent !== '') connection.write(new TextEncoder().encode(sent));
    // What was written in this turn is with the kernel in the next.
    await new Promise((resolve) => server.clock.defer(() => resolve(undefined)));
    await new Promise((resolve) => setImmediate(resolve));
    accepted.pop()!.abort();
    assert.equal((await over)?.code, code);
  }
});

test('there are no datagrams and no echo, and a path that is too long is refused', async () => {
  const path = freshPath();
  await using host = localSocketHost(path);
  await assert.rejects(host.bind(), { code: 'NETWORK_UNREACHABLE' });
  await assert.rejects(host.ping(), { code: 'PING_UNAVAILABLE' });
  assert.deepEqual((await host.resolve('node', { family: 6 })).map(String), ['::1']);
  localSocketHost('x'.repeat(107));
  // Two bytes each.
  assert.throws(() => localSocketHost('ä'.repeat(54)), { code: 'SOCKET_PATH_INVALID' });
  assert.throws(() => localSocketHost(''), { code: 'SOCKET_PATH_INVALID' });
});
