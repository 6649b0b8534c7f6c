/** Two nodes of one user at once, told apart by their names; and another user. */
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { test } from 'node:test';
import { STATE_ROOT, runNetloom, startNetloom } from '../../../cli/test/netloom-process.ts';
import { freePort } from '../../../netloom/test/http/peers.ts';
import { KernelNamespace, tapObstacle } from '../../../netloom/test/kernel-namespace.ts';
import { privilege, requires } from '../../../netloom/test/requires.ts';
import { RunningNode, temporaryFile } from './running-node.ts';

const options = { timeout: 120_000 };
/** The user `nobody`, as nearly everywhere. */
const NOBODY = 65_534;

/** Two have networks of the same name. */
function file(address: string): string {
  return `networks:
  lan:
    subnets: [10.95.0.0/24]
    machines: { web: { run: web, address: ${address} } }
    publish: [127.0.0.1:0:web:80]
`;
}

async function fetchPage(node: RunningNode): Promise<void> {
  const [, listen] = await node.until(/tcp (\S+) leads to web:80/);
  const response = await fetch(`http://${listen}/`);
  assert.equal(response.status, 200);
  await response.text();
}

test(
  'two nodes with networks of one name are asked and watched by their own',
  options,
  async () => {
    await using left = await RunningNode.up(file('10.95.0.80'), { name: 'left' });
    await using right = await RunningNode.up(file('10.95.0.90'), { name: 'right' });
    for (const [node, address, other] of [
      [left, '10.95.0.80', '10.95.0.90'],
      [right, '10.95.0.90', '10.95.0.80'],
    ] as const) {
      const words = ['dump', '--network', 'lan', '--name', node.name, '--time', 'none', 'tcp'];
      const dump = startNetloom(words);
      await dump.until(/listening on network lan/);
      await fetchPage(left);
      await fetchPage(right);
      await dump.until(new RegExp(`${address}:80 > .* TCP FIN`));
      dump.signal('SIGINT');
      const { code, stdout } = await dump.outcome();
      assert.equal(code, 0);
      assert.ok(!stdout.includes(other), 'frames of the other node');

      const status = await node.status();
      assert.equal(status.name, node.name);
      assert.deepEqual(
        status.networks.map(({ name, state }) => [name, state]),
        [['lan', 'active']],
      );
      assert.match(await node.run('status'), new RegExp(`^Node ${node.name}: `));
      assert.deepEqual((await node.interface('web')).addresses, [address]);
      assert.match(
        await node.run('list', 'interfaces'),
        new RegExp(`^lan +web .* ${address} `, 'm'),
      );
      assert.match(await node.run('list', 'networks'), /^lan +isolated +active /m);
      assert.match(await node.run('list', 'leases'), new RegExp(`^lan +${address} `, 'm'));
      assert.ok((await node.leases()).some((one) => one.address === address));
      const flows = await node.flows();
      assert.ok(
        flows.some(({ guest, direction }) => guest === `${address}:80` && direction === 'inbound'),
      );
      assert.match(await node.run('list', 'flows'), new RegExp(` ${address}:80 `));
    }
    await left.stop();
    await fetchPage(right);
    await right.stop();
  },
);

test('what one node has, another is refused, with its name', options, async () => {
  const port = await freePort();
  const published = `networks:
  lan:
    subnets: [10.95.0.0/24]
    machines: { web: { run: web, address: 10.95.0.80 } }
    publish: [127.0.0.1:${port}:web:80]
`;
  await using first = await RunningNode.up(published, { name: 'first' });
  const file = temporaryFile('second.yaml', published);
  const second = await runNetloom(['up', file, '--name', 'second', '--no-dashboard']);
  assert.deepEqual([second.code, second.stdout], [1, '']);
  assert.match(second.stderr, /publication tcp .* taken .*\(ADDRESS_IN_USE\)\n$/);
  const again = await runNetloom(['up', file, '--name', 'first', '--no-dashboard']);
  assert.deepEqual([again.code, again.stdout], [1, '']);
  assert.match(again.stderr, /a node 'first' is running already.*\(NODE_RUNNING\)\n$/);
  await fetchPage(first);
  await first.stop();
});

test(
  'a TAP that one node has, another is refused',
  { ...options, skip: requires(privilege(), tapObstacle) },
  async () => {
    using there = new KernelNamespace('there');
    const text = `networks:
  lan:
    subnets: [10.95.0.0/24]
    taps: { eth0: { namespace: ${there.name}, address: 10.95.0.5 } }
`;
    await using first = await RunningNode.up(text);
    const file = temporaryFile('second.yaml', text);
    const second = await runNetloom(['up', file, '--name', 'second', '--no-dashboard']);
    assert.deepEqual([second.code, second.stdout], [1, '']);
    assert.match(second.stderr, /eth0.*\(TAP_BUSY\)\n$/);
    await there.run('ping', '-n', '-c', '1', '-w', '10', '10.95.0.1');
    await first.stop();
  },
);

test('another user is refused', { ...options, skip: requires(privilege()) }, async () => {
  chmodSync(STATE_ROOT, 0o755);
  await using node = await RunningNode.up(file('10.95.0.80'), { name: 'mine' });
  const somebody = { uid: NOBODY, gid: NOBODY };
  const other = temporaryFile('other.yaml', 'networks: {}\n');
  const foreign = /^netloom: \S+\/mine belongs to another user\. .*\(NODE_FOREIGN\)\n$/;
  const commands = ['status', 'list leases', 'dump --network lan', `apply ${other}`, `up ${other}`];
  for (const args of commands.map((words) => words.split(' '))) {
    const { code, stdout, stderr } = await runNetloom([...args, '--name', 'mine'], somebody);
    assert.deepEqual([code, stdout], [1, ''], args.join(' '));
    assert.match(stderr, foreign);
  }
  await fetchPage(node);
  await node.stop();
});
