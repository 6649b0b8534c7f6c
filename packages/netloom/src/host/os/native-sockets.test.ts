import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { IpAddress, concatBytes, type Connection } from '../../core/index.ts';
import { nativeAvailable } from '../../native/index.ts';
import { requires } from '../../../test/requires.ts';
import { osHost, type OsHost } from './os-host.ts';

const options = { skip: requires(nativeAvailable() ?? false) };
const HERE = IpAddress.LOOPBACK4;

/** A connection and its other end. */
async function pair(host: OsHost): Promise<[Connection, Connection]> {
  const accepted = Promise.withResolvers<Connection>();
  const listener = await host.listen({ address: HERE, port: 0, accept: accepted.resolve });
  const connection = await host.connect({ host: HERE, port: listener.local.port });
  const other = await accepted.promise;
  await listener.close();
  return [connection, other];
}

/** Everything that comes until the end. */
function receiveAll(connection: Connection, everyPause: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  return new Promise((resolve) => {
    connection.start({
      data(chunk) {
        chunks.push(chunk.slice());
        if (chunks.length % everyPause !== 0) return;
        connection.pause();
        setImmediate(() => connection.resume());
      },
      end() {
        connection.end();
        resolve(concatBytes(chunks));
      },
    });
  });
}

/** How a sender may write: so many bytes, given away or borrowed, held back or not, and whether it waits for a turn of the loop then. */
const writes = fc.array(
  fc.record({
    length: fc.oneof(
      fc.integer({ min: 0, max: 100 }),
      fc.integer({ min: 16_000, max: 17_000 }),
      fc.integer({ min: 0, max: 400_000 }),
    ),
    isBorrowed: fc.boolean(),
    isCorked: fc.boolean(),
    waits: fc.boolean(),
  }),
  { maxLength: 30 },
);

async function sendAll(
  connection: Connection,
  sent: readonly { length: number; isBorrowed: boolean; isCorked: boolean; waits: boolean }[],
): Promise<Uint8Array> {
  let drained = Promise.withResolvers<void>();
  connection.start({ drain: () => drained.resolve() });
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (const { length, isBorrowed, isCorked, waits } of sent) {
    const chunk = Uint8Array.from({ length }, (_, i) => (at + i) % 251);
    at += length;
    chunks.push(chunk.slice());
    if (isCorked) connection.cork();
    drained = Promise.withResolvers();
    const hasRoom = isBorrowed ? connection.writeBorrowed!(chunk) : connection.write(chunk);
    // What was borrowed is used for something else.
    if (isBorrowed) chunk.fill(0xff);
    if (isCorked) connection.uncork();
    if (!hasRoom) await drained.promise;
    else if (waits) await new Promise<void>((resolve) => setImmediate(resolve));
  }
  connection.end();
  return concatBytes(chunks);
}

test(
  'whatever is written arrives in order and whole, however it is written and read',
  options,
  async () => {
    await using host = osHost({ sockets: 'native' });
    await fc.assert(
      fc.asyncProperty(writes, fc.integer({ min: 1, max: 5 }), async (sent, everyPause) => {
        const [from, to] = await pair(host);
        const received = receiveAll(to, everyPause);
        const expected = await sendAll(from, sent);
        assert.deepEqual(await received, expected);
        assert.equal(from.bufferedAmount, 0);
        await Promise.all([from.close(), to.close()]);
      }),
      { numRuns: 60, seed: 4 },
    );
  },
);

test(
  'a peer whose kernel is full holds the writer up, and what waits is told',
  options,
  async () => {
    await using host = osHost({ sockets: 'native', limits: { closeTimeout: 100 } });
    const [from, to] = await pair(host);
    const chunk = new Uint8Array(1 << 20);
    while (from.write(chunk));
    assert.ok(from.bufferedAmount >= 256 * 1024, String(from.bufferedAmount));
    from.abort();
    assert.equal(from.bufferedAmount, 0);
    to.abort();
  },
);

test('with too many files open nobody is accepted, and everybody afterwards', options, () => {
  const url = new URL('os-host.ts', import.meta.url).href;
  const program = `
    import { closeSync, openSync } from 'node:fs';
    import { osHost } from ${JSON.stringify(url)};
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const host = osHost({ sockets: 'native', limits: { closeTimeout: 100 } });
    let accepted = 0;
    const accept = (connection) => { accepted++; connection.start({ end: () => connection.end() }); };
    const { local } = await host.listen({ port: 0, accept });
    await turn();
    const fillers = [];
    try { for (;;) fillers.push(openSync('/dev/null')); } catch {}
    // For those that connect.
    for (let i = 0; i < 2; i++) closeSync(fillers.pop());
    const connecting = [1, 2].map(() => host.connect({ host: '127.0.0.1', port: local.port }));
    while (host.drops.get('accept-failed') === 0) await turn();
    console.log(accepted);
    for (const filler of fillers) closeSync(filler);
    const connections = await Promise.all(connecting);
    while (accepted < 2) await turn();
    for (const connection of connections) connection.abort();
    await host.close();
    console.log(accepted);`;
  const command = 'ulimit -n 64; exec "$0" --input-type=module -e "$1"';
  const done = spawnSync('sh', ['-c', command, process.execPath, program], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.equal(done.stdout, '0\n2\n', done.stderr);
  assert.equal(done.status, 0);
});

test('an address whose zone is no interface is refused by name', options, async () => {
  await using host = osHost({ sockets: 'native' });
  await assert.rejects(host.connect({ host: IpAddress.parse('fe80::1%nine'), port: 9 }), {
    code: 'NETWORK_UNREACHABLE',
    message: /'nine'/,
  });
});

test('native sockets asked for are native, and where none is said too', options, () => {
  assert.equal(osHost({ sockets: 'native' }).sockets, 'native');
  assert.equal(osHost().sockets, 'native');
  assert.equal(osHost({ sockets: 'platform' }).sockets, 'platform');
});
