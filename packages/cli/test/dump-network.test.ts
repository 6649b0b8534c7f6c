/** `netloom dump --network`: a network of a node that runs in another process, watched live. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { captureReader, describeFrame } from 'netloom/wire';
import { runNetloom, startNetloom, type NetloomProcess } from './netloom-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'netloom-dump-'));
after(() => rmSync(folder, { recursive: true }));

/** A node with the network `lan`, and the URL of its page. */
async function startNode(name: string): Promise<{ node: NetloomProcess; url: string }> {
  const node = startNetloom(['up', '--port', '0', '--name', name]);
  const [, url] = await node.until(/up: {2}(http:\S+)/);
  await node.until(/Ctrl-C ends it/);
  return { node, url: url! };
}

async function startDump(...args: string[]): Promise<NetloomProcess> {
  const dump = startNetloom(['dump', '--network', 'lan', ...args]);
  await dump.until(/listening on network lan/);
  return dump;
}

test('frames and a flow are watched live through a filter, written, and Ctrl-C ends it with the counts', async () => {
  const name = `dump-${process.pid}`;
  const { node, url } = await startNode(name);
  const file = join(folder, 'web.pcapng');
  const [frames, flow, written] = await Promise.all([
    startDump('--name', name, '--follow', 'tcp[tcpflags] & tcp-syn != 0'),
    startDump('--name', name, '--flow', '1', 'tcp port 80'),
    startDump('--name', name, '--port', 'web', '--pcap', file, '--count', '3', 'tcp port 80'),
  ]);
  assert.equal((await fetch(url)).status, 200);
  await frames.until(/TCP SYN,ACK/);
  await flow.until(/^< HTTP\/1\.1 200 OK$/m);
  assert.equal((await written.outcome()).code, 0);
  frames.signal('SIGINT');
  const { code, stderr } = await frames.outcome();
  assert.equal(code, 0);
  assert.match(stderr, /^(\d+) frames seen, \1 passed the filter, 0 dropped$/m);
  flow.signal('SIGINT');
  const followed = await flow.outcome();
  assert.match(
    followed.stdout,
    /^\[tcp > from 10\.0\.0\.1:\d+, < from 10\.0\.0\.80:80\]\n> GET \/ /,
  );
  const lines: string[] = [];
  const reader = captureReader({ packet: ({ data }) => void lines.push(describeFrame(data)) });
  assert.equal(reader.push(readFileSync(file)), undefined);
  assert.match(
    lines.join('\n'),
    /^10\.0\.0\.1:\d+ > 10\.0\.0\.80:80 TCP SYN .*\n.* SYN,ACK .*\n.* ACK .*$/,
  );
  node.signal('SIGINT');
  assert.equal((await node.outcome()).code, 0);
});

test('a network that is taken away ends what watches it, as the end of its node does', async () => {
  const name = `dump-end-${process.pid}`;
  const path = join(folder, 'lab.yaml');
  writeFileSync(path, 'networks:\n  lan: {}\n  other: {}\n');
  const node = startNetloom(['up', path, '--no-dashboard', '--name', name]);
  await node.until(/Ctrl-C ends it/);
  const removed = await startDump('--name', name);
  writeFileSync(path, 'networks:\n  other: {}\n');
  assert.equal((await runNetloom(['apply', path, '--name', name])).code, 0);
  const { code, stderr } = await removed.outcome();
  assert.equal(code, 0);
  assert.match(stderr, /^the network lan was taken away, or its node has ended$/m);
  assert.match(stderr, /^0 frames seen, 0 passed the filter, 0 dropped$/m);
  const other = startNetloom(['dump', '--network', 'other', '--name', name]);
  await other.until(/listening on network other/);
  node.signal('SIGKILL');
  const killed = await other.outcome();
  assert.equal(killed.code, 1);
  assert.match(killed.stderr, /the node '\S+' has ended before all was said\..*\(NODE_GONE\)\n$/);
});

test('a network that is not there, and a node that is not, are named errors', async () => {
  const { code, stderr } = await runNetloom(['dump', '--network', 'lan', '--name', 'nobody']);
  assert.equal(code, 1);
  assert.match(stderr, /^netloom: no node 'nobody' is running .*\(NODE_NOT_RUNNING\)\n$/);
});
