/** A node that follows a file: `netloom up FILE`, `netloom apply`, SIGHUP. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { captureReader } from 'netloom/wire';
import { readFileSync } from 'node:fs';
import { STATE_ROOT, runNetloom, startNetloom, type NetloomProcess } from './netloom-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'netloom-apply-'));
after(() => rmSync(folder, { recursive: true }));

/** A file in which `web` is published at any port; more is put in its place. */
function lab(more: { link?: string; network?: string } = {}): string {
  const path = join(folder, 'lab.yaml');
  writeFileSync(
    path,
    `networks:
  lan:
    subnets: [10.0.0.0/24]
    machines:
      web: { run: web, address: 10.0.0.80${more.link === undefined ? '' : `, link: ${more.link}`} }
    publish: [127.0.0.1:0:web:80]
${more.network ?? ''}`,
  );
  return path;
}

async function start(
  path: string,
  ...args: string[]
): Promise<{ node: NetloomProcess; url: string }> {
  const node = startNetloom(['up', path, ...args]);
  const [, address] = await node.until(/tcp (\S+) leads to web:80/);
  await node.until(/Ctrl-C ends it/);
  return { node, url: `http://${address}/` };
}

async function stop(node: NetloomProcess): Promise<string> {
  node.signal('SIGINT');
  const { code, stdout, stderr } = await node.outcome();
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /The node is down\.\n$/);
  return stdout;
}

test('the networks of a file come up, are told of, and a changed file is followed', async () => {
  const { node, url } = await start(lab());
  assert.match(
    node.stdout,
    /^The node 'default' is up: 1 network, 1 station\.\n\n {2}lan \(isolated, 10\.0\.0\.0\/24\)\n {4}gateway +gateway +10\.0\.0\.1 +\S+\n {4}web +machine +10\.0\.0\.80 +\S+\n/,
  );
  const connection = await fetch(url, { headers: { connection: 'keep-alive' } });
  assert.match(await connection.text(), /<title>web\.lan<\/title>/);
  const path = lab({ link: '{ delay: 5ms }', network: '  other: {}\n' });
  const dry = await runNetloom(['apply', '--dry-run', path]);
  const expected = `+   network other: isolated
~   port lan/web
      link.delay: + 5ms

1 to create, 1 to change.
`;
  assert.deepEqual([dry.code, dry.stdout, dry.stderr], [0, expected, '']);
  const done = await runNetloom(['apply', path]);
  assert.deepEqual([done.code, done.stdout], [0, `${expected}Done: 2 changes.\n`]);
  const nothing = await runNetloom(['apply', path]);
  assert.equal(nothing.stdout, 'Nothing to do: all is as it is to be.\n');
  const json = await runNetloom(['apply', '--json', '--dry-run', lab()]);
  const { plan } = JSON.parse(json.stdout) as { plan: { steps: { action: string }[] } };
  assert.deepEqual(
    plan.steps.map(({ action }) => action),
    ['remove', 'change'],
  );
  // The published port is the same, and what was not touched goes on.
  assert.equal((await fetch(url)).status, 200);
  await stop(node);
  assert.equal(existsSync(join(STATE_ROOT, 'default', 'control.sock')), false);
});

test('SIGHUP has the file read again', async () => {
  const { node } = await start(lab(), '--name', 'hup');
  lab({ link: '{ rate: 10mbit }' });
  node.signal('SIGHUP');
  await node.until(/lab\.yaml was read again\. Done: 1 change\.\n/);
  const { stdout } = await runNetloom(['list', 'interfaces', '--name', 'hup', '--json']);
  const ports = JSON.parse(stdout) as { name: string; link: { rate: number } }[];
  assert.equal(ports.find(({ name }) => name === 'web')!.link.rate, 1e7);
  writeFileSync(join(folder, 'lab.yaml'), 'networks: { lan: { mtu: much } }\n');
  node.signal('SIGHUP');
  await node.until(/lab\.yaml:1:\d+: /);
  node.signal('SIGINT');
  assert.equal((await node.outcome()).code, 0);
});

test('a step that fails ends it, tells what is not done, and a second apply goes on', async () => {
  const { node } = await start(lab(), '--name', 'fail');
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const more = `  more:
    subnets: [10.9.0.0/24]
    machines:
      echo: { run: echo, address: 10.9.0.7 }
    publish: [127.0.0.1:${port}:echo:7]
`;
  const path = lab({ network: more });
  const failed = await runNetloom(['apply', '--name', 'fail', path]);
  assert.equal(failed.code, 1);
  assert.match(
    failed.stdout,
    new RegExp(
      `3 to create\\.\n2 steps are done and stay\\. Not done:\n\\+   publication tcp 127\\.0\\.0\\.1:${port} -> echo:7 in more\n$`,
    ),
  );
  assert.match(failed.stderr, /^netloom: publication tcp .* is taken .*\(ADDRESS_IN_USE\)\n$/);
  server.close();
  await once(server, 'close');
  // Without a file it is the last that counts.
  const again = await runNetloom(['apply', '--name', 'fail']);
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stdout, /\n1 to create\.\nDone: 1 change\.\n$/);
  const nothing = await runNetloom(['apply', '--name', 'fail', '--dry-run']);
  assert.equal(nothing.stdout, 'Nothing to do: all is as it is to be.\n');
  await stop(node);
});

test('mistakes are all told, and nothing is started or changed', async () => {
  const path = join(folder, 'wrong.yaml');
  writeFileSync(path, 'networks:\n  lan: { mtu: much, machnes: {} }\n');
  for (const args of [
    ['up', path],
    ['up', path, '--name', 'other'],
  ]) {
    const { code, stdout, stderr } = await runNetloom(args);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /wrong\.yaml:2:\d+: [^]*wrong\.yaml:2:\d+: /);
    assert.match(stderr, /\n\n\S*wrong\.yaml: 2 mistakes; nothing is started\n$/);
  }
  const { node } = await start(lab(), '--name', 'right');
  const applied = await runNetloom(['apply', path, '--name', 'right']);
  assert.deepEqual([applied.code, applied.stdout], [1, '']);
  assert.match(applied.stderr, /wrong\.yaml:2:\d+: [^]*wrong\.yaml:2:\d+: /);
  assert.match(applied.stderr, /wrong\.yaml: 2 mistakes; nothing is changed\n$/);
  await stop(node);
});

test('what is not there, or is there already, is a named error', async () => {
  const missing = await runNetloom(['up', join(folder, 'not-there.yaml')]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /\(FILE_UNREADABLE\)\n$/);
  const nobody = await runNetloom(['apply', lab(), '--name', 'nobody']);
  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr, /\(NODE_NOT_RUNNING\)\n$/);
  const { node } = await start(lab(), '--name', 'one');
  const second = await runNetloom(['up', lab(), '--name', 'one']);
  assert.equal(second.code, 1);
  assert.match(
    second.stderr,
    /a node 'one' is running already, as process \d+\..*\(NODE_RUNNING\)\n$/,
  );
  await stop(node);
});

test('a start that fails leaves nothing, and names what failed', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const path = join(folder, 'taken.yaml');
  writeFileSync(
    path,
    `networks: { lan: { subnets: [10.0.0.0/24], machines: { web: web }, publish: [127.0.0.1:${port}:web:80] } }\n`,
  );
  const { code, stdout, stderr } = await runNetloom(['up', path, '--name', 'taken']);
  server.close();
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(
    stderr,
    /^netloom: publication tcp \S+ -> web:80 in lan: port \d+ .*\(ADDRESS_IN_USE\)\n$/,
  );
  assert.equal(existsSync(join(STATE_ROOT, 'taken', 'control.sock')), false);
});

test('frames of all networks go to one file, with an interface for each network', async () => {
  const pcap = join(folder, 'all.pcapng');
  const more = `  other:
    subnets: [10.9.0.0/24]
    machines: { web: { run: web, address: 10.9.0.80 } }
    publish: [127.0.0.1:0:web:80]
`;
  const node = startNetloom(['up', lab({ network: more }), '--name', 'pcap', '--pcap', pcap]);
  await node.until(/Ctrl-C ends it/);
  for (const [, address] of node.stdout.matchAll(/tcp (\S+) leads to web:80/g)) {
    await (await fetch(`http://${address}/`)).text();
  }
  await stop(node);
  const frames = new Map<string, number>();
  const reader = captureReader({
    packet: ({ interface: { name } }) => frames.set(name!, (frames.get(name!) ?? 0) + 1),
  });
  assert.equal(reader.push(readFileSync(pcap)), undefined);
  assert.deepEqual([...frames.keys()].sort(), ['lan', 'other']);
  assert.ok([...frames.values()].every((count) => count > 8));
});
