/** Commands on our own stack: on a TAP in a network namespace, the Linux kernel of another namespace as the peer. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { captureReader, describeFrame } from 'netloom/wire';
import { KernelNamespace, tapObstacle } from '../../netloom/test/kernel-namespace.ts';
import { privilege, program, requires } from '../../netloom/test/requires.ts';
import { sha256 } from './file-server.ts';
import { runNetloom, startNetloom } from './netloom-process.ts';

const skip = requires(tapObstacle);
const folder = mkdtempSync(join(tmpdir(), 'netloom-via-'));
after(() => rmSync(folder, { recursive: true }));

/**
 * A machine without any address, whose TAP `t0` is bridged to a cable, and at the cable's other end a machine with the address
 * 10.9.0.1: so the first machine's own sockets reach nothing, and a stack on the TAP reaches the second.
 */
class Scene implements Disposable {
  readonly near = new KernelNamespace('near');
  readonly far = new KernelNamespace('far');
  readonly #programs: ChildProcess[] = [];

  constructor() {
    const { near, far } = this;
    near.ip('link', 'add', 'br0', 'type', 'bridge');
    near.ip('link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1', 'netns', far.name);
    near.ip('tuntap', 'add', 'dev', 't0', 'mode', 'tap');
    for (const name of ['t0', 'v0']) near.ip('link', 'set', name, 'master', 'br0');
    for (const name of ['br0', 'v0', 't0']) near.ip('link', 'set', name, 'up');
    far.ip('address', 'add', '10.9.0.1/24', 'dev', 'v1');
    far.ip('link', 'set', 'v1', 'up');
  }

  /** Starts a program at the far end; settles when it has printed a line of this kind. */
  async start(pattern: RegExp, command: string, ...words: string[]): Promise<void> {
    const child = spawn('ip', ['netns', 'exec', this.far.name, command, ...words], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#programs.push(child);
    for await (const line of createInterface(child.stderr)) if (pattern.test(line)) return;
    throw new Error(`${command} ended without a line of ${pattern}`);
  }

  /** A server of a megabyte at the far end; answers the file's hash. */
  async serve(): Promise<string> {
    const server = this.far.start(`
      import { createServer } from 'node:http';
      import { createHash, randomBytes } from 'node:crypto';
      const file = randomBytes(1_000_000);
      createServer((_, response) => response.end(file)).listen(80, '10.9.0.1', () => {
        console.log(createHash('sha256').update(file).digest('hex'));
      });
    `);
    return server.line();
  }

  [Symbol.dispose](): void {
    for (const child of this.#programs) child.kill('SIGKILL');
    this.near[Symbol.dispose]();
    this.far[Symbol.dispose]();
  }
}

test(
  'where the system’s sockets reach nothing, the stack on a TAP is taken, with the reasons',
  { skip },
  async () => {
    using scene = new Scene();
    const hash = await scene.serve();
    const path = join(folder, 'file');
    const words = [
      'get',
      'http://10.9.0.1/',
      '-o',
      path,
      '--tap',
      't0',
      '--address',
      '10.9.0.2/24',
    ];
    const got = await runNetloom([...words, '--verbose'], { namespace: scene.near.name });
    assert.equal(got.code, 0, got.stderr);
    assert.match(got.stderr, /^via os: not taken: .*\(NETWORK_UNREACHABLE\)$/m);
    assert.match(got.stderr, /^via stack on t0: taken: it connects to 10\.9\.0\.1:80$/m);
    assert.equal(sha256(new Uint8Array(readFileSync(path))), hash);
  },
);

test('--pcap has every frame of the download, from ARP to FIN', { skip }, async () => {
  using scene = new Scene();
  const hash = await scene.serve();
  const pcap = join(folder, 'get.pcapng');
  const words = ['get', 'http://10.9.0.1/', '-o', join(folder, 'captured'), '--pcap', pcap];
  const stack = ['--via', 'stack', '--tap', 't0', '--address', '10.9.0.2/24'];
  const checksum = ['--checksum', `sha256:${hash}`];
  const got = await runNetloom([...words, ...stack, ...checksum], { namespace: scene.near.name });
  assert.deepEqual(got, { code: 0, stdout: '', stderr: '' });
  const lines: string[] = [];
  const reader = captureReader({ packet: ({ data }) => lines.push(describeFrame(data)) });
  assert.equal(reader.push(readFileSync(pcap)), undefined);
  assert.equal(reader.end(), undefined);
  const all = lines.join('\n');
  assert.match(all, /^ARP who has 10\.9\.0\.1\? tell 10\.9\.0\.2/m);
  assert.match(all, /^10\.9\.0\.2:\d+ > 10\.9\.0\.1:80 TCP SYN /m);
  assert.match(all, /^10\.9\.0\.2:\d+ > 10\.9\.0\.1:80 TCP (?:PSH,)?(?:FIN|RST)/m);
});

test(
  'without an address it asks a DHCP server, and gives the lease back',
  { skip: requires(tapObstacle, program('dnsmasq')) },
  async () => {
    using scene = new Scene();
    const leases = join(folder, 'leases');
    const settings = ['--dhcp-range=10.9.0.100,10.9.0.120,1h', `--dhcp-leasefile=${leases}`];
    const plain = [
      '--keep-in-foreground',
      '--log-facility=-',
      '--conf-file=/dev/null',
      '--no-ping',
    ];
    const where = ['--port=0', '--interface=v1', '--bind-interfaces', '--user=root'];
    await scene.start(/DHCP, IP range/, 'dnsmasq', ...plain, ...where, ...settings);
    const words = ['ping', '10.9.0.1', '-c', '3', '-i', '0.05', '--via', 'stack', '--tap', 't0'];
    const { code, stdout, stderr } = await runNetloom(words, { namespace: scene.near.name });
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^64 bytes from 10\.9\.0\.1: icmp_seq=3 ttl=64 time=[\d.]+ ms$/m);
    assert.equal(readFileSync(leases, 'utf8'), '');
  },
);

test(
  'without an address, and only IPv6 on the link, it has one by DHCPv6, and gives that back',
  { skip: requires(tapObstacle, program('dnsmasq')) },
  async () => {
    using scene = new Scene();
    scene.far.enableIpv6();
    scene.far.ip('address', 'add', 'fd00:9::1/64', 'dev', 'v1', 'nodad');
    const leases = join(folder, 'leases-v6');
    const settings = ['--dhcp-range=fd00:9::100,fd00:9::1ff,64,1h', `--dhcp-leasefile=${leases}`];
    const plain = ['--keep-in-foreground', '--log-facility=-', '--conf-file=/dev/null'];
    const where = ['--port=0', '--interface=v1', '--bind-interfaces', '--user=root', '--enable-ra'];
    await scene.start(/sockets bound/, 'dnsmasq', ...plain, ...where, ...settings);
    const words = ['ping', 'fd00:9::1', '-c', '1', '--via', 'stack', '--tap', 't0'];
    const { code, stdout, stderr } = await runNetloom(words, { namespace: scene.near.name });
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^64 bytes from fd00:9::1: icmp_seq=1 /m);
    // A line for the server's own DUID is all that is left.
    assert.match(readFileSync(leases, 'utf8'), /^duid \S+\n$/);
  },
);

test('dump tells of the frames on a TAP, live, until Ctrl-C', { skip }, async () => {
  using scene = new Scene();
  const dump = startNetloom(['dump', 'tap:t0'], { namespace: scene.near.name });
  // Nobody has the address it sends to, so ARP asks for it, again and again.
  scene.far.start(`
    import { createSocket } from 'node:dgram';
    const socket = createSocket('udp4');
    setInterval(() => socket.send('x', 9, '10.9.0.9'), 50);
  `);
  await dump.until(
    /^ +\d+ +[\d.]+ {2}t0 {2}in +\d+ {2}ARP who has 10\.9\.0\.9\? tell 10\.9\.0\.1 /m,
  );
  dump.signal('SIGINT');
  const { code, stderr } = await dump.outcome();
  assert.equal(code, 0);
  assert.match(
    stderr,
    /^listening on tap:t0; Ctrl-C ends it\n\d+ frames seen, \d+ passed the filter, 0 dropped\n$/,
  );
});

test(
  'a TAP that is not to be had is told',
  { skip: requires(tapObstacle, privilege()) },
  async () => {
    const { code, stderr } = await runNetloom(
      ['ping', '127.0.0.1', '-c', '1', '--via', 'stack', '--tap', 'netloom-no'],
      { uid: 65_534, gid: 65_534 },
    );
    assert.equal(code, 1);
    assert.match(stderr, /^netloom: cannot \w+ the TAP 'netloom-no': .*\(TAP_DENIED\)\n$/);
  },
);
