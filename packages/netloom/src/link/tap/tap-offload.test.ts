import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { IpAddress, MacAddress, writeUint16 } from '../../core/index.ts';
import { emitUdp, IpProtocol, UdpHeader } from '../../wire/index.ts';
import { KernelNamespace, tapObstacle } from '../../../test/kernel-namespace.ts';
import { HandMadeTcp, KernelPeer } from '../../../test/kernel-peer.ts';
import { requires } from '../../../test/requires.ts';
import { openTap } from './index.ts';

const options = { skip: requires(tapObstacle), timeout: 30_000 };

const ADDRESSES = {
  4: { ours: '10.84.0.2', kernels: '10.84.0.1', prefix: '10.84.0.1/24' },
  6: { ours: 'fd84::2', kernels: 'fd84::1', prefix: 'fd84::1/64' },
} as const;

/** Opens a TAP on which the kernel knows our address without asking, and we know its. */
function openPeer(namespace: KernelNamespace, family: 4 | 6, offload: boolean): KernelPeer {
  const { ours, kernels, prefix } = ADDRESSES[family];
  if (family === 6) {
    namespace.sysctl('net.ipv6.conf.all.disable_ipv6=0', 'net.ipv6.conf.default.disable_ipv6=0');
  }
  const link = openTap({ namespace: namespace.name, offload });
  const mac = link.mac.toString();
  namespace.ip('address', 'add', prefix, 'dev', link.name);
  namespace.ip('neighbour', 'add', ours, 'lladdr', mac, 'dev', link.name, 'nud', 'permanent');
  const kernelMac = MacAddress.parse(namespace.describe(link.name).address);
  return new KernelPeer(link, kernelMac, IpAddress.parse(ours), IpAddress.parse(kernels));
}

function bytesOf(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >>> 8)) & 0xff);
}

/** A UDP header, its checksum left out, and the text. */
function datagram(text: string): Uint8Array {
  const data = new TextEncoder().encode(text);
  const segment = new Uint8Array(8 + data.length);
  const header = new UdpHeader();
  header.sourcePort = 7001;
  header.destinationPort = 7000;
  header.length = segment.length;
  emitUdp(header, segment, 0);
  segment.set(data, 8);
  return segment;
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

test(
  'the kernel takes a datagram whose checksum is left to it, and none that is wrong',
  options,
  async () => {
    using namespace = new KernelNamespace('udp');
    const peer = openPeer(namespace, 4, true);
    await using link = peer.link;
    const program = namespace.start(`
    import { createSocket } from 'node:dgram';
    const socket = createSocket('udp4');
    socket.on('message', (data) => { console.log(data.toString()); if (data == 'end') socket.close(); });
    socket.bind(7000, () => console.log('bound'));
  `);
    assert.equal(await program.line(), 'bound');
    assert.ok(peer.send(IpProtocol.UDP, datagram('left to you')));
    // What was sent lies in the slot still: the same once more, said to be complete, is wrong.
    const again = link.allocate(peer.transportStart + datagram('left to you').length);
    writeUint16(again, peer.transportStart + 6, 0x1234);
    assert.ok(link.transmit(again));
    assert.ok(peer.send(IpProtocol.UDP, datagram('end')));
    assert.equal(await program.line(), 'left to you');
    assert.equal(await program.line(), 'end');
    await program.ended;
    // Of /proc/net/snmp: a line of names, then one of values.
    const lines = (await namespace.run('cat', '/proc/net/snmp')).split('\n');
    const [names, values] = lines.filter((line) => line.startsWith('Udp:'));
    const at = names!.split(' ').indexOf('InCsumErrors');
    assert.equal(values!.split(' ')[at], '1');
  },
);

for (const family of [4, 6] as const) {
  test(
    `the kernel takes one frame of 40,000 bytes over TCP and IPv${family}`,
    options,
    async () => {
      using namespace = new KernelNamespace(`to${family}`);
      const peer = openPeer(namespace, family, true);
      await using link = peer.link;
      const program = namespace.start(`
      import { createServer } from 'node:net';
      import { createHash } from 'node:crypto';
      const server = createServer((socket) => {
        const hash = createHash('sha256');
        socket.on('data', (chunk) => hash.update(chunk));
        socket.on('end', () => { console.log(hash.digest('hex')); socket.destroy(); server.close(); });
      });
      server.listen(7000, () => console.log('listening'));
    `);
      assert.equal(await program.line(), 'listening');
      const connection = new HandMadeTcp(peer, 7001, 7000);
      await connection.connect();
      const payload = bytesOf(40_000);
      assert.ok(connection.write(payload, 1400));
      connection.end();
      assert.equal(await program.line(), hash(payload));
      connection.reset();
      assert.deepEqual(link.statistics.drops.snapshot(), {});
      const { rx } = namespace.describe(link.name).stats64;
      assert.equal(rx.packets, link.statistics.sentFrames, 'none was cut on its way');
      assert.equal(rx.dropped + rx.errors, 0);
    },
  );

  for (const offload of [true, false]) {
    const how = offload
      ? 'in frames beyond the MTU'
      : 'in frames of the MTU when that is not wanted';
    test(`the kernel sends over TCP and IPv${family} ${how}`, options, async () => {
      using namespace = new KernelNamespace(`from${family}${offload ? 'on' : 'off'}`);
      const peer = openPeer(namespace, family, offload);
      await using link = peer.link;
      const length = 100_000;
      const program = namespace.start(`
        import { connect } from 'node:net';
        const data = Uint8Array.from({ length: ${length} }, (_, i) => (i * 31 + (i >>> 8)) & 0xff);
        const socket = connect(7000, '${ADDRESSES[family].ours}', () => socket.write(data));
        socket.on('error', () => {});
      `);
      const connection = new HandMadeTcp(peer, 7000, 0);
      await connection.accept();
      const received = new Uint8Array(length);
      let longest = 0;
      for (let at = 0; at < length;) {
        const { payload, kept } = await connection.read();
        received.set(payload, at);
        at += payload.length;
        longest = Math.max(longest, kept.frame.length);
        if (offload) {
          assert.equal(kept.offload?.checksumStart, peer.transportStart);
          assert.equal(kept.offload.checksumOffset, 16);
          const cut = kept.frame.length > link.mtu + 14;
          assert.equal(kept.offload.segmentSize > 0, cut);
        } else {
          assert.equal(kept.offload, undefined);
        }
      }
      assert.equal(hash(received), hash(bytesOf(length)));
      if (offload) assert.ok(longest > 10_000, `the longest frame had ${longest} bytes`);
      else assert.ok(longest <= link.mtu + 14, `the longest frame had ${longest} bytes`);
      connection.reset();
      await program.ended;
    });
  }
}
