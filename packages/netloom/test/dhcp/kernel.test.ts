/** Our DHCP engines against other people's: dnsmasq as server, udhcpc as client, in network namespaces joined by a veth. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { KernelNamespace, namespaceObstacle, type NamespaceProgram } from '../kernel-namespace.ts';
import { program, requires } from '../requires.ts';
import type { Step } from './kernel-driver.ts';

const MAC = '02:00:00:00:00:66';
const DRIVER = new URL('kernel-driver.ts', import.meta.url).href;
/** A program is ended after so many milliseconds, and a test that waits for it fails then, and cleans up. */
const PROGRAM_PATIENCE = 30_000;
const PATIENCE = 2 * PROGRAM_PATIENCE;

/** A client's namespace and a server's, joined by a veth, with addresses at the server's end. */
class Wire implements Disposable {
  readonly client: KernelNamespace;
  readonly server: KernelNamespace;
  readonly folder: string = mkdtempSync(join(tmpdir(), 'netloom-dhcp-'));
  readonly #programs: ChildProcess[] = [];

  constructor(label: string) {
    this.client = new KernelNamespace(`${label}-c`);
    this.server = new KernelNamespace(`${label}-s`);
    for (const side of [this.client, this.server]) {
      side.sysctl('net.ipv6.conf.all.disable_ipv6=0', 'net.ipv6.conf.default.disable_ipv6=0');
      side.sysctl('net.ipv4.conf.all.rp_filter=0', 'net.ipv4.conf.default.rp_filter=0');
    }
    const peer = ['peer', 'name', 'vs', 'netns', this.server.name];
    this.client.ip('link', 'add', 'vc', 'address', MAC, 'type', 'veth', ...peer);
    this.server.ip('addr', 'add', '10.66.0.1/24', 'dev', 'vs');
    this.server.ip('addr', 'add', 'fd00:66::1/64', 'dev', 'vs', 'nodad');
    this.server.ip('link', 'set', 'vs', 'up');
    this.client.ip('link', 'set', 'vc', 'up');
    for (const [side, device] of [
      [this.client, 'vc'],
      [this.server, 'vs'],
    ] as const) {
      side.ip('route', 'add', '255.255.255.255/32', 'dev', device);
    }
  }

  /** Starts dnsmasq for both families; resolves when it serves. */
  async dnsmasq(): Promise<void> {
    const words = [
      '--keep-in-foreground --log-facility=- --log-dhcp --conf-file=/dev/null --port=0 --user=root',
      '--pid-file= --interface=vs --bind-interfaces --no-ping --dhcp-authoritative --domain=lan',
      '--dhcp-range=10.66.0.100,10.66.0.150,255.255.255.0,1h --dhcp-option=option:router,10.66.0.1',
      '--dhcp-option=option:dns-server,10.66.0.53 --dhcp-option=option:mtu,1400',
      '--dhcp-option=option:domain-search,lan,example.com,deep.example.com',
      '--dhcp-option=option:classless-static-route,172.16.0.0/12,10.66.0.9,0.0.0.0/0,10.66.0.1',
      '--dhcp-range=fd00:66::100,fd00:66::1ff,64,1h --dhcp-rapid-commit',
      '--dhcp-option=option6:dns-server,[fd00:66::53] --dhcp-option=option6:domain-search,lan,example.com',
      `--dhcp-leasefile=${join(this.folder, 'leases')}`,
    ].join(' ');
    const command = ['netns', 'exec', this.server.name, 'dnsmasq', ...words.split(' ')];
    const child = spawn('ip', command, {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: PROGRAM_PATIENCE,
      killSignal: 'SIGKILL',
    });
    this.#programs.push(child);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const log: string[] = [];
    createInterface(child.stderr).on('line', (line) => {
      log.push(line);
      // The last line before it waits for messages.
      if (line.includes('sockets bound exclusively')) resolve();
    });
    child.once('exit', () => reject(new Error(`dnsmasq has ended:\n${log.join('\n')}`)));
    await promise;
  }

  /** Starts udhcpc on the client's interface; it is told to release by its signal for that. */
  udhcpc(script: string): ChildProcess {
    const words = ['udhcpc', '-i', 'vc', '-f', '-n', '-O', 'mtu', '-s', script];
    const child = spawn('ip', ['netns', 'exec', this.client.name, ...words], {
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: PROGRAM_PATIENCE,
      killSignal: 'SIGKILL',
    });
    this.#programs.push(child);
    return child;
  }

  /** Runs a function of the driver in the client's namespace. */
  drive(name: string, ...words: unknown[]): Story {
    return new Story(this.client.start(callOf(name, words)));
  }

  /** Runs a function of the driver in the server's namespace. */
  driveServer(name: string, ...words: unknown[]): Story {
    return new Story(this.server.start(callOf(name, words)));
  }

  [Symbol.dispose](): void {
    for (const child of this.#programs) {
      child.removeAllListeners('exit');
      child.kill('SIGKILL');
    }
    this.client[Symbol.dispose]();
    this.server[Symbol.dispose]();
    rmSync(this.folder, { recursive: true });
  }
}

function callOf(name: string, words: readonly unknown[]): string {
  const list = words.map((word) => JSON.stringify(word)).join(', ');
  return `import { ${name} } from ${JSON.stringify(DRIVER)}; await ${name}(${list});`;
}

/** One line of the driver. */
interface Line {
  readonly event: string;
  readonly address?: string;
  readonly reason?: string;
  readonly path?: string[];
  readonly lease?: Record<string, unknown> & { address: string };
  readonly parameters?: Record<string, unknown>;
}

/** What the driver tells. */
class Story {
  readonly #program: NamespaceProgram;

  constructor(program: NamespaceProgram) {
    this.#program = program;
  }

  get ended(): Promise<void> {
    return this.#program.ended;
  }

  /** The next line, which must tell of this. */
  async expect(event: string): Promise<Line> {
    const line = JSON.parse(await this.#program.line()) as Line;
    assert.equal(line.event, event, JSON.stringify(line));
    return line;
  }
}

const withDnsmasq = { skip: requires(namespaceObstacle, program('dnsmasq')), timeout: PATIENCE };

test(
  'dnsmasq gives our client a lease, renews it, has it rebound and verified, and takes it back',
  withDnsmasq,
  async () => {
    using wire = new Wire('v4');
    await wire.dnsmasq();
    const steps: Step[] = ['renew', 'rebind', 'flap', 'release'];
    const story = wire.drive('runClient4', 'vc', MAC, steps);
    await story.expect('probe');
    const { lease } = await story.expect('bound');
    assert.match(lease!.address, /^10\.66\.0\.1[0-5][0-9]$/);
    assert.equal(lease!['prefixLength'], 24);
    assert.equal(lease!['server'], '10.66.0.1');
    assert.deepEqual(lease!['routes'], [
      { destination: '172.16.0.0/12', gateway: '10.66.0.9' },
      { destination: '0.0.0.0/0', gateway: '10.66.0.1' },
    ]);
    assert.deepEqual(lease!['dnsServers'], ['10.66.0.53']);
    assert.equal(lease!['domain'], 'lan');
    assert.deepEqual(lease!['searchDomains'], ['lan', 'example.com', 'deep.example.com']);
    assert.equal(lease!['mtu'], 1400);
    for (const step of ['renew', 'rebind', 'flap']) {
      assert.equal((await story.expect('renewed')).lease!.address, lease!.address, step);
    }
    assert.equal((await story.expect('lost')).reason, 'released');
    await story.ended;
  },
);

test(
  'dnsmasq refuses an address of another network, and hears that one is in use',
  withDnsmasq,
  async () => {
    using wire = new Wire('nak');
    await wire.dnsmasq();
    const options = { previous: '192.168.9.9', inUse: 1 };
    const story = wire.drive('runClient4', 'vc', MAC, ['release'], options);
    const first = await story.expect('probe');
    const second = await story.expect('probe');
    assert.notEqual(second.address, first.address, 'the declined address is not given again');
    assert.equal((await story.expect('bound')).lease!.address, second.address);
    await story.expect('lost');
    await story.ended;
  },
);

test(
  'dnsmasq gives our DHCPv6 client a lease, renews, rebinds and confirms it, and takes it back',
  withDnsmasq,
  async () => {
    using wire = new Wire('v6');
    await wire.dnsmasq();
    const steps: Step[] = ['renew', 'rebind', 'flap', 'release'];
    const story = wire.drive('runClient6', 'vc', MAC, steps);
    await story.expect('probe');
    const { lease, path } = await story.expect('bound');
    assert.deepEqual(path, ['soliciting', 'requesting', 'checking', 'bound']);
    const [{ address }] = lease!['addresses'] as [{ address: string }];
    assert.match(address, /^fd00:66::1[0-9a-f]{2}$/);
    assert.deepEqual(lease!['dnsServers'], ['fd00:66::53']);
    assert.deepEqual(lease!['searchDomains'], ['lan', 'example.com']);
    for (const state of ['renewing', 'rebinding', 'confirming']) {
      assert.deepEqual((await story.expect('renewed')).path!.slice(-2), [state, 'bound']);
    }
    assert.equal((await story.expect('lost')).reason, 'released');
    await story.expect('stopped');
    await story.ended;
  },
);

test('dnsmasq commits at once, and hears that an IPv6 address is in use', withDnsmasq, async () => {
  using wire = new Wire('rapid');
  await wire.dnsmasq();
  const options = { rapidCommit: true, inUse: 1 };
  const story = wire.drive('runClient6', 'vc', MAC, ['release'], options);
  const first = await story.expect('probe');
  const second = await story.expect('probe');
  assert.notEqual(second.address, first.address);
  const { path } = await story.expect('bound');
  assert.deepEqual(path, [
    'soliciting',
    'checking',
    'declining',
    'soliciting',
    'checking',
    'bound',
  ]);
  await story.expect('lost');
  await story.expect('stopped');
  await story.ended;
});

test('dnsmasq gives parameters alone', withDnsmasq, async () => {
  using wire = new Wire('inform');
  await wire.dnsmasq();
  const story = wire.drive('runClient6', 'vc', MAC, [], { mode: 'stateless' });
  const { parameters } = await story.expect('configured');
  assert.deepEqual(parameters!['dnsServers'], ['fd00:66::53']);
  await story.ended;
});

test(
  'udhcpc gets a lease of our server, and gives it back',
  { skip: requires(namespaceObstacle, program('udhcpc')), timeout: PATIENCE },
  async () => {
    using wire = new Wire('udhcpc');
    const story = wire.driveServer('runServer4', '10.66.0.1/24', '10.66.0.100', '10.66.0.150');
    await story.expect('ready');
    const script = join(wire.folder, 'script');
    writeFileSync(
      script,
      `#!/bin/sh
    [ "$1" = bound ] || exit 0
    ip addr add "$ip/$mask" dev "$interface"
    echo "$ip $mask $router $domain $mtu $lease"
    `,
    );
    chmodSync(script, 0o755);
    const client = wire.udhcpc(script);
    const [line] = await once(createInterface(client.stdout!), 'line');
    assert.equal(line, '10.66.0.100 24 10.66.0.1 lan 1400 3600');
    assert.equal((await story.expect('leased')).address, '10.66.0.100');
    client.kill('SIGUSR2');
    assert.equal((await story.expect('freed')).reason, 'released');
  },
);

test('no namespace, veth or program is left behind', { skip: requires(namespaceObstacle) }, () => {
  const names = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' });
  assert.ok(!names.includes(`netloom-test-${process.pid}-`), names);
});
