/** A node that is killed in the middle of things: the next one starts as if it had ended by itself, and no lease is lost. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from 'netloom/core';
import { KernelNamespace, tapObstacle } from '../../netloom/test/kernel-namespace.ts';
import { program, requires } from '../../netloom/test/requires.ts';
import { STATE_ROOT, runNetloom, startNetloom, type NetloomProcess } from './netloom-process.ts';

const ROUNDS = 9;
const TAP = 'nlkill';
const NAME = 'killed';
const SOCKET = join(STATE_ROOT, NAME, 'control.sock');
const LEASES = join(STATE_ROOT, NAME, 'leases', 'lan.v4.json');
/** What a node does when it is killed, round by round. */
const SCENES = ['starting', 'leasing', 'applying'] as const;
/** Milliseconds after which each scene is over. */
const LENGTHS: Readonly<Record<(typeof SCENES)[number], number>> = {
  starting: 700,
  leasing: 150,
  applying: 700,
};

const folder = mkdtempSync(join(tmpdir(), 'netloom-kill-'));
after(() => rmSync(folder, { recursive: true }));

/** A file with a TAP in the namespace, as it is at first or with more in it. */
function lab(namespace: KernelNamespace, isLarger: boolean): string {
  const path = join(folder, isLarger ? 'larger.yaml' : 'lab.yaml');
  const more = `
      db: { run: echo, address: 10.0.0.81 }
  other:
    subnets: [10.9.0.0/24]
    machines: { web: { run: web, address: 10.9.0.80 } }
    publish: [127.0.0.1:0:web:80]
`;
  writeFileSync(
    path,
    `networks:
  lan:
    subnets: [10.0.0.0/24]
    taps: { guest: { interface: ${TAP}, namespace: ${namespace.name} } }
    publish: [127.0.0.1:0:web:80]
    machines:
      web: { run: web, address: 10.0.0.80 }${isLarger ? more : '\n'}`,
  );
  return path;
}

/** The address that a client of that number is given. */
async function lease(namespace: KernelNamespace, client: number): Promise<string | undefined> {
  const identifier = `0x3d:01020000${client.toString(16).padStart(4, '0')}`;
  const words = `-i ${TAP} -n -q -f -t 5 -T 1 -s /bin/true -x ${identifier}`;
  const said = await namespace.run('sh', '-c', `udhcpc ${words} 2>&1 || true`);
  return /lease of (\S+) obtained/.exec(said)?.[1];
}

async function up(path: string): Promise<NetloomProcess> {
  const node = startNetloom(['up', path, '--name', NAME]);
  await node.until(/Ctrl-C ends it/);
  return node;
}

test(
  'killed at any moment, a node leaves nothing that is in the way, and no lease is lost',
  { skip: requires(tapObstacle, program('udhcpc')), timeout: 120_000 },
  async () => {
    using namespace = new KernelNamespace('kill');
    const random = seededRandom(1);
    /** By client: what it was told that it has. */
    const told = new Map<number, string>();
    for (let round = 0; round < ROUNDS; round++) {
      const scene = SCENES[round % SCENES.length]!;
      const path = lab(namespace, round % 2 === 1);
      const node =
        scene === 'starting' ? startNetloom(['up', path, '--name', NAME]) : await up(path);
      const other = lab(namespace, round % 2 === 0);
      const work =
        scene === 'applying'
          ? runNetloom(['apply', '--name', NAME, other])
          : scene === 'leasing'
            ? lease(namespace, round).then((address) => {
                if (address !== undefined) told.set(round, address);
              })
            : undefined;
      await sleep(random.below(LENGTHS[scene]));
      node.signal('SIGKILL');
      assert.equal((await node.outcome()).code, null, `${scene}: it had ended`);
      // The kernel has taken the TAP away; a client that waits for it is told.
      assert.doesNotMatch(namespace.ip('link'), new RegExp(TAP));
      await work;
    }
    assert.ok(existsSync(SOCKET), 'no killed node has left its socket');
    const node = await up(lab(namespace, false));
    assert.equal(node.stderr, '', 'a file of leases was damaged');
    const { code, stdout } = await runNetloom(['status', '--name', NAME]);
    assert.deepEqual([code, /active/.test(stdout)], [0, true]);
    // One that is known to have come through, whatever the others met.
    const last = await lease(namespace, ROUNDS);
    assert.match(last ?? '', /^10\.0\.0\./);
    for (const [client, address] of told) {
      assert.equal(await lease(namespace, client), address, `client ${client}`);
    }
    assert.equal(new Set([...told.values(), last]).size, told.size + 1);
    const kept = JSON.parse(readFileSync(LEASES, 'utf8')) as { leases: { address: string }[] };
    for (const address of [...told.values(), last]) {
      const isKept = kept.leases.some((one) => one.address === address);
      assert.ok(isKept, `${address} is not kept`);
    }
    node.signal('SIGINT');
    assert.equal((await node.outcome()).code, 0);
    assert.equal(existsSync(SOCKET), false);
    assert.doesNotMatch(namespace.ip('link'), new RegExp(TAP));
  },
);

test(
  'leases outlive a node that ends, and one that is killed',
  { skip: requires(tapObstacle, program('udhcpc')), timeout: 60_000 },
  async () => {
    using namespace = new KernelNamespace('lease');
    const path = lab(namespace, false);
    const given: (string | undefined)[] = [];
    for (const signal of ['SIGINT', 'SIGKILL', 'SIGTERM'] as const) {
      const node = await up(path);
      // Each time after another, so that whoever comes first would get the first address.
      await lease(namespace, 0x100 + given.length);
      given.push(await lease(namespace, 0x99));
      node.signal(signal);
      await node.outcome();
    }
    assert.match(given[0] ?? '', /^10\.0\.0\./);
    assert.deepEqual(given, [given[0], given[0], given[0]]);
  },
);

test('a file of leases that is damaged is set aside, and told of', async () => {
  const path = join(folder, 'plain.yaml');
  writeFileSync(path, 'networks: { lan: { subnets: [10.0.0.0/24] } }\n');
  const node = startNetloom(['up', path, '--name', 'damaged']);
  await node.until(/Ctrl-C ends it/);
  node.signal('SIGINT');
  await node.outcome();
  const leases = join(STATE_ROOT, 'damaged', 'leases', 'lan.v4.json');
  writeFileSync(leases, '{"version":1,"leas');
  const next = startNetloom(['up', path, '--name', 'damaged']);
  await next.until(/Ctrl-C ends it/);
  assert.match(
    next.stderr,
    /^netloom: .*lan\.v4\.json holds no leases: .*; it is kept as .*damaged-1\n$/,
  );
  next.signal('SIGINT');
  assert.equal((await next.outcome()).code, 0);
  assert.equal(readFileSync(`${leases}.damaged-1`, 'utf8'), '{"version":1,"leas');
});
