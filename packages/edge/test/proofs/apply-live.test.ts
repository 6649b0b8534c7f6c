/** `netloom apply` while there is traffic: what the file does not change is not touched, and what it changes is changed at once. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  KernelNamespace,
  tapObstacle,
  type NamespaceProgram,
} from '../../../netloom/test/kernel-namespace.ts';
import { privilege, program, requires } from '../../../netloom/test/requires.ts';
import { sumOf } from './bytes-module.ts';
import { RunningNode } from './running-node.ts';

const needed = [privilege(), tapObstacle, program('iperf3'), program('curl'), program('ping')];
const options = { skip: requires(...needed), timeout: 120_000 };
const MODULE = fileURLToPath(new URL('bytes-module.ts', import.meta.url));

/** What is different from file to file. */
interface Change {
  readonly rate?: string;
  readonly deskVlan?: number;
  readonly more?: string;
}

/** A TAP of the file, up to what else it says. */
function tap({ name }: KernelNamespace, address: string): string {
  return `{ interface: eth0, namespace: ${name}, address: ${address}`;
}

/** Namespaces at TAPs: iperf3 runs between two of them, a third is moved. */
class Lab implements Disposable {
  readonly client = new KernelNamespace('client');
  readonly server = new KernelNamespace('server');
  readonly desk = new KernelNamespace('desk');

  file({ rate = 'none', deskVlan = 1, more = '' }: Change): string {
    return `networks:
  lan:
    subnets: [10.88.0.0/24]
    machines:
      files: { run: ${MODULE}, address: 10.88.0.80, link: { rate: ${rate} } }
      near: { address: 10.88.0.81 }
      far: { address: 10.88.0.82, vlan: 20 }
    taps:
      client: ${tap(this.client, '10.88.0.5')} }
      server: ${tap(this.server, '10.88.0.6')} }
      desk: ${tap(this.desk, '10.88.0.7')}, vlan: ${deskVlan} }
${more}`;
  }

  [Symbol.dispose](): void {
    for (const one of [this.client, this.server, this.desk]) one[Symbol.dispose]();
  }
}

/** What iperf3 says of itself when it is interrupted. */
interface IperfReport {
  readonly start: { readonly connected: readonly unknown[] };
  readonly intervals: readonly { readonly sum: { readonly bytes: number } }[];
  readonly end: { readonly sum_sent: { readonly bytes: number } };
}

async function endIperf(iperf: NamespaceProgram): Promise<IperfReport> {
  iperf.signal('SIGINT');
  const lines: string[] = [];
  while (lines.at(-1) !== '}') lines.push(await iperf.line());
  return JSON.parse(lines.join('\n')) as IperfReport;
}

async function reaches(namespace: KernelNamespace, address: string): Promise<boolean> {
  const words = ['-n', '-c', '1', '-W', '1', address];
  return namespace.run('ping', ...words).then(
    () => true,
    () => false,
  );
}

test(
  'traffic goes on while a network comes, a rate changes, and a VLAN moves',
  options,
  async () => {
    using lab = new Lab();
    await using node = await RunningNode.up(lab.file({}));
    const server = lab.server.startProgram('iperf3', '-s', '-1', '--forceflush');
    while (!(await server.line()).includes('Server listening'));
    const iperf = lab.client.startProgram('iperf3', ...'-c 10.88.0.6 -t 100 -b 40M -J'.split(' '));
    const first = await node.untilInterface('server', ({ sent }) => sent.bytes > 1e6);
    assert.deepEqual(
      [await reaches(lab.desk, '10.88.0.81'), await reaches(lab.desk, '10.88.0.82')],
      [true, false],
    );

    const more = `  other:
    subnets: [10.89.0.0/24]
    machines: { web: { run: web, address: 10.89.0.80 } }
    publish: [127.0.0.1:0:web:80]
`;
    const steps: readonly [Change, RegExp][] = [
      [{ more }, /^\+ {3}network other: [^]*\nDone: 3 changes\.\n$/],
      [
        { more, rate: '8mbit' },
        /^~ {3}port lan\/files\n {6}link\.rate: [^\n]*\n\n1 to change\.\nDone: 1 change\.\n$/,
      ],
      [
        { more, rate: '8mbit', deskVlan: 20 },
        /^~ {3}port lan\/desk\n {6}vlan[^\n]*\n\n1 to change\.\nDone: 1 change\.\n$/,
      ],
      [{ rate: '8mbit', deskVlan: 20 }, /^- {3}network other/],
    ];
    let before = first.sent.bytes;
    for (const [change, told] of steps) {
      assert.match(await node.apply(lab.file(change)), told);
      // Bytes of the same connection, since the step.
      const { sent } = await node.untilInterface(
        'server',
        (port) => port.sent.bytes > before + 1e6,
      );
      before = sent.bytes;
    }
    assert.deepEqual(
      [await reaches(lab.desk, '10.88.0.81'), await reaches(lab.desk, '10.88.0.82')],
      [false, true],
    );
    for (const name of ['client', 'server']) {
      const { drops } = await node.interface(name);
      assert.deepEqual(
        Object.values(drops).filter((count) => count > 0),
        [],
        name,
      );
    }
    const report = await endIperf(iperf);
    assert.equal(report.start.connected.length, 1);
    assert.ok(
      report.intervals.every(({ sum }) => sum.bytes > 0),
      'it stood still for a second',
    );
    assert.ok(report.end.sum_sent.bytes > 5e6);
    await node.stop();
  },
);

test(
  'a line that is re-rated under a download is at once as fast as it is to be',
  options,
  async () => {
    using lab = new Lab();
    const size = 4 << 20;
    await using node = await RunningNode.up(lab.file({ rate: '1mbit' }));
    const before = await node.interface('files');
    assert.equal(before.link.rate, 1e6);
    // At that rate it would take more than half a minute; curl is to give up before.
    const curl = `curl -sS --max-time 25 http://10.88.0.80/${size} | sha256sum`;
    const download = lab.client.run('sh', '-c', curl);
    const slow = await node.untilInterface('files', ({ received }) => received.bytes > 100_000);
    assert.ok(slow.link.queuedBytes > 0, 'nothing waits for the rate');
    assert.ok(slow.received.bytes < size / 2, 'the rate was none');
    await node.apply(lab.file({}));
    assert.equal((await download).split(' ')[0], sumOf(size));
    const { link, received } = await node.interface('files');
    assert.equal(link.rate, null);
    // Now the other way: 256 KiB take two seconds at 1 Mbit/s, but for what the queue takes at once.
    await node.apply(lab.file({ rate: '1mbit' }));
    const small = 256 * 1024;
    const timed = `curl -sS -o /dev/null -w '%{time_total}' http://10.88.0.80/${small}`;
    const seconds = Number(await lab.client.run('sh', '-c', timed));
    assert.ok(seconds > 1.9, `${seconds} s`);
    const after = await node.interface('files');
    assert.ok(after.received.bytes - received.bytes > small);
    await node.stop();
  },
);

test(
  'an interface that is gone, alone or with its namespace, is there again',
  options,
  async () => {
    using lab = new Lab();
    const { desk } = lab;
    await using node = await RunningNode.up(lab.file({}));
    const { mac } = await node.interface('desk');
    const told =
      /^-\/\+ attachment lan\/desk \(its interface is gone\)\n\n1 to replace\.\nDone: 1 change\.\n$/;
    desk.ip('link', 'del', 'eth0');
    await node.until(/desk is cut off: /);
    assert.equal((await node.interface('desk')).connected, false);
    assert.match(await node.apply(lab.file({})), told);
    assert.equal(await reaches(desk, '10.88.0.81'), true);

    // Under the name there is another namespace now.
    execFileSync('ip', ['netns', 'del', desk.name]);
    execFileSync('ip', ['netns', 'add', desk.name]);
    assert.equal((await node.interface('desk')).connected, false);
    assert.match(await node.apply(lab.file({})), told);
    assert.equal(await reaches(desk, '10.88.0.81'), true);
    assert.equal((await node.interface('desk')).mac, mac);
    assert.match(await node.apply(lab.file({})), /^Nothing to do/);
    assert.equal((await node.end('SIGINT')).code, 0);
  },
);
