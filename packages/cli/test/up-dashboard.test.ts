/** Where `netloom up` has its dashboard. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { runInProcess, runNetloom, startNetloom, type NetloomProcess } from './netloom-process.ts';

let nodes = 0;

/** Starts a node of its own name. */
function up(...args: string[]): NetloomProcess {
  return startNetloom(['up', '--port', '0', '--name', `dashboard${nodes++}`, ...args]);
}

/** The address that it prints. */
async function addressOf(node: NetloomProcess): Promise<URL> {
  const [, url] = await node.until(/^ {2}dashboard: (http:\S+)$/m);
  return new URL(url!);
}

async function end(node: NetloomProcess): Promise<void> {
  node.signal('SIGINT');
  const { code, stderr } = await node.outcome();
  assert.deepEqual([code, stderr], [0, '']);
}

test('the address that is printed leads to the page, and the token to the node', async () => {
  const node = up();
  const url = await addressOf(node);
  assert.equal(url.hostname, '127.0.0.1');
  const entered = await fetch(url, { redirect: 'manual' });
  assert.deepEqual([entered.status, entered.headers.get('location')], [303, '/']);
  const [cookie] = entered.headers.get('set-cookie')!.split(';');
  const page = await fetch(url.origin, { headers: { cookie: cookie! } });
  assert.match(await page.text(), /<title>Netloom<\/title>/);
  const status = await fetch(`${url.origin}/v1/networks`, { headers: { cookie: cookie! } });
  assert.equal(((await status.json()) as { name: string }[])[0]!.name, 'lan');
  assert.equal((await fetch(url.origin)).status, 401);
  await end(node);
});

test('a tab outlives the node: the token is that of the last start, unless another is wanted', async () => {
  const tokens: (string | null)[] = [];
  for (const args of [[], [], ['--new-token'], []]) {
    const node = startNetloom(['up', '--port', '0', '--name', 'kept', ...args]);
    tokens.push((await addressOf(node)).searchParams.get('token'));
    await end(node);
  }
  const [first, second, third, fourth] = tokens;
  assert.deepEqual([first === second, second === third, third === fourth], [true, false, true]);
});

test('where the usual port is taken another is, but not where one was asked for', async () => {
  const [first, second] = [up(), up()];
  const ports = [(await addressOf(first)).port, (await addressOf(second)).port];
  assert.notEqual(ports[0], ports[1]);
  await Promise.all([end(first), end(second)]);

  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const taken = await runNetloom(['up', '--port', '0', '--dashboard', String(port)]);
  assert.deepEqual([taken.code, taken.stdout], [1, '']);
  assert.match(taken.stderr, new RegExp(`^netloom: .*${port}.* \\(ADDRESS_IN_USE\\)\n$`));
  server.close();
});

test('it may be at another address and port, or nowhere', async () => {
  const node = up('--dashboard', '[::1]:0');
  assert.equal((await addressOf(node)).hostname, '[::1]');
  await end(node);
  const without = up('--no-dashboard');
  await without.until(/Ctrl-C ends it/);
  assert.doesNotMatch(without.stdout, /dashboard:/);
  await end(without);
});

test('what is no address, or is wanted and not wanted, is a usage error', async () => {
  for (const args of [
    ['--dashboard', 'here'],
    ['--dashboard', '127.0.0.1:'],
    ['--dashboard', '65536'],
    ['--dashboard', '1.2.3:80'],
    ['--dashboard', '8800', '--no-dashboard'],
    ['--new-token', '--no-dashboard'],
  ]) {
    const { code, stderr } = await runInProcess(['up', ...args]);
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, /--(no-)?dashboard.* See 'netloom help up'/);
  }
});
