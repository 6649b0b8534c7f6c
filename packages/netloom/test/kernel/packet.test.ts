/** A packet socket on one end of a veth pair, the Linux kernel at the other. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { IpAddress, MacAddress, secureRandom, type NetloomError } from 'netloom/core';
import { SystemClock, stackHost, type StackHost } from 'netloom/host';
import { createClient, serve } from 'netloom/http';
import {
  Switch,
  type FrameOffload,
  type Link,
  type LinkHandler,
  type SwitchPort,
} from 'netloom/link';
import { packetLink, type PacketLinkOptions } from 'netloom/link/packet';
import { openTap } from 'netloom/link/tap';
import { KernelNamespace, tapObstacle } from '../kernel-namespace.ts';
import { privilege, program, requires } from '../requires.ts';
import { NGINX_PORT, Nginx } from './nginx.ts';
import { Sum, patternStream, patternSum, writePattern } from './pattern.ts';
import { FAR, NEAR, VethWire, wireObstacle } from './veth-wire.ts';

const needed = [privilege(), wireObstacle(), program('ping')];
const options = { skip: requires(...needed), timeout: 60_000 };
const VLAN_STATION = fileURLToPath(new URL('vlan-station.py', import.meta.url));
const MIB = 1 << 20;
const LARGE = 64 * MIB;

const OUR_ADDRESSES = ['10.85.0.2/24', 'fd00:85::2/64'];
/** [the kernel's address in a URL, ours] */
const FAMILIES = [
  ['10.85.0.1', '10.85.0.2'],
  ['[fd00:85::1]', '[fd00:85::2]'],
] as const;

function openNear(wire: VethWire, more: Partial<PacketLinkOptions> = {}): Link {
  return packetLink({ interface: NEAR, namespace: wire.near.name, ...more });
}

/** Our stack straight on the near end. */
function hostOn(link: Link): StackHost {
  const host = stackHost({ clock: new SystemClock(), name: 'direct' });
  host.addInterface(link, { addresses: OUR_ADDRESSES });
  return host;
}

function ping(namespace: KernelNamespace, to: string, size = 56): Promise<string> {
  const words = `-n -c 3 -i 0.02 -w 20 -s ${size} ${to}`;
  return namespace.run('ping', ...words.split(' '));
}

/** Keeps copies of what comes, and waits. */
class Listener implements LinkHandler {
  readonly frames: Uint8Array[] = [];
  readonly offloads: (FrameOffload | undefined)[] = [];
  readonly gone: PromiseWithResolvers<NetloomError | undefined> = Promise.withResolvers();
  ends = 0;
  #changed: (() => void) | undefined;

  receive(frame: Uint8Array, offload: FrameOffload | undefined): void {
    this.frames.push(frame.slice());
    this.offloads.push(offload && { ...offload });
  }

  batchEnd(): void {
    this.#changed?.();
  }

  closed(error: NetloomError | undefined): void {
    this.ends++;
    this.gone.resolve(error);
  }

  /** The first frame, now or to come, that is so. */
  async until(
    wanted: (frame: Uint8Array) => boolean,
  ): Promise<[Uint8Array, FrameOffload | undefined]> {
    for (;;) {
      const at = this.frames.findIndex(wanted);
      if (at >= 0) return [this.frames[at]!, this.offloads[at]];
      await new Promise<void>((resolve) => (this.#changed = resolve));
    }
  }
}

test(
  'our stack stands straight on an interface, and the kernel behind it pings it',
  options,
  async () => {
    using wire = new VethWire('ping');
    const link = openNear(wire);
    assert.equal(link.name, NEAR);
    assert.equal(link.mtu, 1500);
    await using _host = hostOn(link);
    for (const to of ['10.85.0.2', 'fd00:85::2']) {
      for (const size of [56, 1400, 9000]) {
        const said = await ping(wire.far, to, size);
        assert.match(said, / 3 received/);
        assert.doesNotMatch(said, /wrong data|truncated|DUP/);
      }
    }
    assert.deepEqual(link.statistics.drops.snapshot(), {});
  },
);

test(
  'large files both ways in segments beyond the MTU, and none of them wrong',
  {
    ...options,
    skip: requires(...needed, program('nginx'), program('curl'), program('sha256sum')),
  },
  async () => {
    using nginx = new Nginx();
    const expected = writePattern(nginx.path('large'), LARGE);
    using wire = new VethWire('files');
    const link = openNear(wire);
    await using host = hostOn(link);
    await nginx.start(wire.far);
    await using client = createClient({ host });
    const headers = { 'Content-Length': String(LARGE) };
    await using _server = await serve(
      { fetch: () => new Response(patternStream(LARGE), { headers }) },
      { host, port: 80 },
    );
    for (const [kernels, ours] of FAMILIES) {
      const response = await client.fetch(`http://${kernels}:${NGINX_PORT}/large`);
      const sum = new Sum();
      for await (const chunk of response.body!) sum.add(chunk);
      assert.equal(sum.toString(), expected);
      const command = `curl --silent --show-error --globoff --fail http://${ours}/ | sha256sum`;
      assert.equal(await wire.far.run('sh', '-c', command), `${patternSum(LARGE)}  -\n`);
    }
    const { statistics } = link;
    assert.ok(statistics.receivedBytes / statistics.receivedFrames > 3000, 'segments come whole');
    assert.deepEqual(statistics.drops.snapshot(), {});
  },
);

/** Sends so many bytes in one call, left to the device to be cut into datagrams of the size (UDP_SEGMENT in udp(7)). */
const SEGMENTING_SENDER = `
import socket, sys
sender = socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
sender.setsockopt(17, 103, 1400)
sender.sendto(bytes(i & 0xFF for i in range(10000)), (sys.argv[1], 9))
`;

test(
  'datagrams that a program has left to its device to cut come one by one',
  { ...options, skip: requires(...needed, program('python3')) },
  async () => {
    using wire = new VethWire('uso');
    const link = openNear(wire);
    await using host = hostOn(link);
    const socket = await host.bind({ port: 9 });
    const lengths: number[] = [];
    const bytes: number[] = [];
    const all = Promise.withResolvers<void>();
    socket.start({
      receive: (batch) => {
        for (const { data } of batch) {
          lengths.push(data.length);
          bytes.push(...data);
        }
        if (lengths.length === 16) all.resolve();
      },
    });
    for (const ours of ['10.85.0.2', 'fd00:85::2']) {
      await wire.far.run('python3', '-c', SEGMENTING_SENDER, ours);
    }
    await all.promise;
    const each = [...Array(7).fill(1400), 200];
    assert.deepEqual(lengths, [...each, ...each]);
    assert.ok(bytes.every((byte, index) => byte === (index % 10_000) % 256));
    assert.deepEqual(link.statistics.drops.snapshot(), {});
  },
);

test(
  'iperf3 between kernels: a switch joins an interface and a TAP',
  { ...options, skip: requires(...needed, tapObstacle, program('iperf3')) },
  async () => {
    using wire = new VethWire('bridged');
    using guest = new KernelNamespace('guest');
    guest.enableIpv6();
    await using bridge = new Switch(new SystemClock(), { random: secureRandom() });
    const uplink = bridge.connect(openNear(wire));
    bridge.connect(openTap({ name: 'tap0', namespace: guest.name }));
    guest.ip('address', 'add', '10.85.0.7/24', 'dev', 'tap0');
    guest.ip('address', 'add', 'fd00:85::7/64', 'dev', 'tap0', 'nodad');
    assert.match(await ping(guest, '10.85.0.1', 1400), /3 received/);
    assert.match(await ping(wire.far, 'fd00:85::7'), /3 received/);
    for (const direction of [[], ['--reverse']]) {
      const server = wire.far.startProgram('iperf3', '-s', '-1', '--forceflush');
      while (!(await server.line()).includes('listening')) continue;
      const words = ['-c', '10.85.0.1', '-n', '32M', '-J', ...direction];
      const report = JSON.parse(await guest.run('iperf3', ...words)) as {
        end: { sum_sent: { bytes: number }; sum_received: { bytes: number } };
      };
      assert.ok(report.end.sum_sent.bytes >= 32 * MIB);
      // What is still on its way when all is sent is not counted any more.
      assert.ok(report.end.sum_received.bytes >= 24 * MIB);
      await server.ended;
    }
    const known = bridge.stations().map(({ mac, port }) => `${mac} ${port.number}`);
    assert.ok(known.includes(`${wire.far.describe(FAR).address} ${uplink.number}`));
  },
);

/** A switch with a trunk that is a packet link, and a host of ours in VLAN 10. */
class TaggedSide implements AsyncDisposable {
  readonly link: Link;
  readonly switch = new Switch(new SystemClock(), { random: secureRandom() });
  readonly host: StackHost;
  readonly trunk: SwitchPort;

  constructor(link: Link, number: number) {
    this.link = link;
    this.trunk = this.switch.connect(link, { vlan: { mode: 'trunk', allowed: [10] } });
    this.host = stackHost({ clock: new SystemClock(), name: `tagged${number}` });
    const station = this.switch.port({
      name: 'station',
      mac: new MacAddress(0x0200, number),
      settings: { vlan: { mode: 'access', vlan: 10 }, priority: 5 },
    });
    this.host.addInterface(station, { addresses: [`10.86.0.${number}/24`] });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host.close();
    await this.switch.close();
  }
}

test(
  'VLAN tags survive, though the kernel keeps them beside the frame; also of segments left whole',
  options,
  async () => {
    using wire = new VethWire('tags');
    await using near = new TaggedSide(openNear(wire), 1);
    await using far = new TaggedSide(packetLink({ interface: FAR, namespace: wire.far.name }), 2);
    const body = patternSum(MIB);
    await using _server = await serve(
      {
        fetch: async (request) => {
          const sum = new Sum();
          for await (const chunk of request.body!) sum.add(chunk);
          return new Response(sum.toString());
        },
      },
      { host: far.host, port: 80 },
    );
    await using client = createClient({ host: near.host });
    const response = await client.fetch('http://10.86.0.2/', {
      method: 'PUT',
      body: patternStream(MIB),
    });
    assert.equal(await response.text(), body);
    const { receivedBytes, receivedFrames } = far.link.statistics;
    assert.ok(receivedBytes / receivedFrames > 3000, 'segments come whole, tagged');
    for (const side of [near, far]) {
      const drops = { ...side.link.statistics.drops.snapshot(), ...side.trunk.drops() };
      // What the kernel says there of itself has no tag.
      delete drops['vlan-not-allowed'];
      delete drops['untagged'];
      assert.deepEqual(drops, {});
    }
  },
);

test(
  'a station that speaks with tags is pinged over an interface, and sees the priority',
  { ...options, skip: requires(...needed, program('python3')) },
  async () => {
    using wire = new VethWire('station');
    await using near = new TaggedSide(openNear(wire), 1);
    const station = wire.far.startProgram('python3', VLAN_STATION, FAR, '10', '10.86.0.77');
    assert.equal(await station.line(), 'ready');
    const reply = await near.host.ping(IpAddress.parse('10.86.0.77'), { timeout: 5000 });
    assert.equal(reply.size, 56);
    // An ARP request and a ping, of priority 5 in VLAN 10.
    assert.equal(await station.line(), `0806 ${(5 << 13) | 10}`);
    assert.equal(await station.line(), `0800 ${(5 << 13) | 10}`);
  },
);

test(
  'without promiscuous mode only what is for the interface comes, and its address is ours',
  options,
  async () => {
    using wire = new VethWire('own');
    const { address } = wire.near.describe(NEAR);
    await using own = openNear(wire, { promiscuous: false });
    await using all = openNear(wire);
    assert.equal(own.mac.toString(), address);
    assert.notEqual(all.mac.toString(), address);
    const flags = JSON.parse(wire.near.ip('-d', '-j', 'link', 'show', 'dev', NEAR)) as [
      { promiscuity: number },
    ];
    assert.equal(flags[0].promiscuity, 1, 'of the two one asked for it');
  },
);

test('what others send out of the interface is not taken for what has come', options, async () => {
  using wire = new VethWire('outgoing');
  wire.near.ip('address', 'add', '10.85.0.9/24', 'dev', NEAR);
  await using link = openNear(wire);
  const listener = new Listener();
  link.attach(listener);
  assert.match(await ping(wire.near, '10.85.0.1'), /3 received/);
  const far = wire.far.describe(FAR).address.replaceAll(':', '');
  const senders = listener.frames.map((frame) =>
    Buffer.from(frame.subarray(6, 12)).toString('hex'),
  );
  assert.ok(senders.length >= 3);
  assert.deepEqual(new Set(senders), new Set([far]));
});

test(
  'an interface that goes down and comes up again is used again; deleted, it ends the link',
  options,
  async () => {
    using wire = new VethWire('gone');
    const link = openNear(wire);
    const listener = new Listener();
    link.attach(listener);
    const send = (): boolean => link.transmit(link.allocate(60).fill(0));
    assert.ok(send());
    wire.near.ip('link', 'set', NEAR, 'down');
    assert.equal(send(), false);
    wire.near.ip('link', 'set', NEAR, 'up');
    assert.ok(send());
    // Also when nothing is sent meanwhile: the watcher is told of it instead.
    wire.near.ip('link', 'set', NEAR, 'down');
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    wire.near.ip('link', 'set', NEAR, 'up');
    const before = listener.frames.length;
    await wire.far.run('ping', '-c', '1', '-W', '0.1', '10.85.0.2').catch(() => undefined);
    await listener.until((frame) => listener.frames.indexOf(frame) >= before);
    assert.equal(listener.ends, 0);
    assert.deepEqual(link.statistics.drops.snapshot(), { 'link-down': 1 });

    wire.near.ip('link', 'del', NEAR);
    assert.equal((await listener.gone.promise)?.code, 'PACKET_GONE');
    assert.equal(send(), false);
    await link.close();
    assert.equal(listener.ends, 1);
  },
);

test('sending on a deleted interface is refused before its end is told', options, async () => {
  using wire = new VethWire('gone2');
  const link = openNear(wire);
  const listener = new Listener();
  link.attach(listener);
  wire.near.ip('link', 'del', NEAR);
  assert.equal(link.transmit(link.allocate(60).fill(0)), false);
  assert.equal(listener.ends, 0, 'never from inside a call');
  assert.equal((await listener.gone.promise)?.code, 'PACKET_GONE');
  assert.deepEqual(link.statistics.drops.snapshot(), { 'link-down': 1 });
});

function isDatagram(frame: Uint8Array): boolean {
  return frame[12] === 0x08 && frame[13] === 0;
}

test('frames there is no room for are counted', options, async () => {
  using wire = new VethWire('full');
  await using link = openNear(wire, { limits: { receiveBytes: 4096 } });
  const listener = new Listener();
  link.attach(listener);
  const mac = link.mac.toString();
  wire.far.ip('neighbour', 'add', '10.85.0.2', 'lladdr', mac, 'dev', FAR, 'nud', 'permanent');
  const flood = 'for i in $(seq 100); do echo $i > /dev/udp/10.85.0.2/9; done';
  // The event loop waits, so that nothing is read meanwhile.
  execFileSync('ip', ['netns', 'exec', wire.far.name, 'bash', '-c', flood]);
  await listener.until(isDatagram);
  // The count comes with a frame that had room after those that had none.
  let sent = 0;
  while (link.statistics.drops.get('receive-buffer-full') === 0 && sent++ < 50) {
    execFileSync('ip', [
      'netns',
      'exec',
      wire.far.name,
      'bash',
      '-c',
      'echo > /dev/udp/10.85.0.2/9',
    ]);
    const before = listener.frames.length;
    await listener.until((frame) => listener.frames.indexOf(frame) >= before);
  }
  const received = listener.frames.filter(isDatagram).length;
  assert.equal(received + link.statistics.drops.get('receive-buffer-full'), 100 + sent);
});

test('what cannot be opened says why, and leaves nothing behind', options, () => {
  using wire = new VethWire('errors');
  const own = readlinkSync('/proc/thread-self/ns/net');
  const open = (more: Partial<PacketLinkOptions>) => (): unknown => openNear(wire, more);
  assert.throws(open({ interface: 'nothing0' }), { code: 'PACKET_INTERFACE_MISSING' });
  assert.throws(open({ interface: 'lo' }), { code: 'PACKET_INTERFACE_UNSUITABLE' });
  assert.throws(open({ namespace: 'netloom-no-such' }), { code: 'NETWORK_NAMESPACE_MISSING' });
  for (const mac of [MacAddress.ZERO, MacAddress.BROADCAST]) {
    assert.throws(open({ mac }), { code: 'PACKET_MAC_INVALID' });
  }
  assert.throws(open({ limits: { batchFrames: -1 } }), { code: 'LIMIT_INVALID' });
  assert.equal(readlinkSync('/proc/thread-self/ns/net'), own);
});
