/**
 * Traffic of the Linux kernel between two network namespaces, captured by tcpdump: every header is decoded and written
 * again, and must be the same to the byte; tshark must agree on what each frame is.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { copyBytes, toHex } from '../core/index.ts';
import {
  KernelNamespace,
  namespaceObstacle,
  type NamespaceProgram,
} from '../../test/kernel-namespace.ts';
import { privilege, program, requires } from '../../test/requires.ts';
import {
  captureReader,
  describeFrame,
  emitArp,
  emitEthernet,
  emitIcmpv4,
  emitIcmpv6,
  emitIpv4,
  emitIpv6,
  emitIpv6RouterAlert,
  emitMld,
  emitNdp,
  emitTcp,
  emitTcpFixed,
  emitUdp,
  EtherType,
  finishIcmpv6,
  IpProtocol,
  Ipv6RouterAlert,
  isFault,
  isMldType,
  isNdpType,
  parseArp,
  parseEthernet,
  parseIcmpv4,
  parseIcmpv6,
  parseIpv4,
  parseIpv6,
  parseMld,
  parseNdp,
  parseTcp,
  parseUdp,
  PcapngWriter,
  sumWords,
  TcpFlag,
  walkIpv6,
  type Ipv6Header,
  type WireFault,
} from './index.ts';

/** What makes the traffic. */
const TOOLS = ['tcpdump', 'curl', 'python3', 'ping'];

/** Two namespaces with a cable between them. */
function joinByCable(client: KernelNamespace, server: KernelNamespace): void {
  client.ip('link', 'add', 'cable', 'type', 'veth', 'peer', 'cable', 'netns', server.name);
  for (const [namespace, last] of [
    [client, 1],
    [server, 2],
  ] as const) {
    namespace.enableIpv6();
    namespace.ip('address', 'add', `192.0.2.${last}/24`, 'dev', 'cable');
    namespace.ip('link', 'set', 'cable', 'up');
    namespace.ip('address', 'add', `2001:db8::${last}/64`, 'dev', 'cable', 'nodad');
  }
}

/** Starts a program, and waits until it has said `ready`, on whichever of its outputs. */
async function startUntil(
  ready: RegExp,
  namespace: KernelNamespace,
  ...command: string[]
): Promise<NamespaceProgram> {
  const program = namespace.startProgram('sh', '-c', 'exec "$@" 2>&1', 'sh', ...command);
  while (!ready.test(await program.line()));
  return program;
}

/** Makes the traffic, and answers the captured frames. */
async function capture(folder: string): Promise<Uint8Array[]> {
  const file = join(folder, 'real.pcap');
  writeFileSync(join(folder, 'data'), new Uint8Array(300_000).fill(7));
  using client = new KernelNamespace('capture-client');
  using server = new KernelNamespace('capture-server');
  joinByCable(client, server);
  const dump = ['tcpdump', '-i', 'cable', '--immediate-mode', '-U', '-w', file];
  const tcpdump = await startUntil(/listening on/, client, ...dump);
  const serve = ['-u', '-m', 'http.server', '--bind', '::', '-d', folder, '8000'];
  const web = await startUntil(/Serving HTTP/, server, 'python3', ...serve);
  for (const host of ['192.0.2.2', '[2001:db8::2]']) {
    const url = `http://${host}:8000/data`;
    await client.run('curl', '-sSf', '-m', '20', '-o', '/dev/null', url);
  }
  await client.run('ping', '-c', '2', '-i', '0.2', '192.0.2.2');
  // Longer than the MTU: it goes in fragments.
  await client.run('ping', '-c', '1', '-s', '4000', '192.0.2.2');
  await client.run('ping', '-6', '-c', '2', '-i', '0.2', '2001:db8::2');
  await client.run('ping', '-6', '-c', '1', '-s', '4000', '2001:db8::2');
  await client.run('python3', '-c', sendToClosedPorts);
  await web.stop();
  await tcpdump.stop();
  const frames: Uint8Array[] = [];
  const reader = captureReader({ packet: ({ data }) => frames.push(copyBytes(data)) });
  reader.push(readFileSync(file));
  assert.equal(reader.end(), undefined);
  return frames;
}

const sendToClosedPorts = `
import socket
for family, host in ((socket.AF_INET, '192.0.2.2'), (socket.AF_INET6, '2001:db8::2')):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.settimeout(5)
    s.connect((host, 9))
    s.send(b'anyone?')
    try:
        s.recv(1)
    except ConnectionRefusedError:
        pass
`;

/** The value, which is no fault. */
function sound<T extends object>(answer: T | WireFault): T {
  assert.ok(!isFault(answer), `a fault: ${String(answer)}`);
  return answer;
}

/** Decodes a frame's headers, wipes them out, and writes them again from what was decoded. */
function rewrite(frame: Uint8Array): Uint8Array {
  const copy = frame.slice();
  const ethernet = sound(parseEthernet(frame, 0, frame.length));
  copy.fill(0xee, 0, 14);
  emitEthernet(ethernet, copy, 0);
  if (ethernet.type === EtherType.ARP) {
    const arp = sound(parseArp(frame, 14, frame.length));
    copy.fill(0xee, 14, 42);
    emitArp(arp, copy, 14);
  } else if (ethernet.type === EtherType.IPV4) {
    rewriteIpv4(frame, copy);
  } else if (ethernet.type === EtherType.IPV6) {
    rewriteIpv6(frame, copy);
  } else {
    assert.fail(`EtherType ${ethernet.type}`);
  }
  return copy;
}

function rewriteIpv4(frame: Uint8Array, copy: Uint8Array): void {
  const header = sound(parseIpv4(frame, 14, frame.length));
  const start = 14 + header.headerLength;
  const end = 14 + header.totalLength;
  copy.fill(0xee, 14, 34);
  emitIpv4(header, copy, 14);
  if (header.isFragment) return;
  if (header.protocol === IpProtocol.ICMP) {
    const icmp = sound(parseIcmpv4(frame, start, end));
    copy.fill(0xee, start, start + 8);
    emitIcmpv4(icmp, copy, start, end);
  } else {
    rewriteTransport(header.protocol, frame, copy, start, end);
  }
}

function rewriteIpv6(frame: Uint8Array, copy: Uint8Array): void {
  const header = sound(parseIpv6(frame, 14, frame.length));
  copy.fill(0xee, 14, 54);
  emitIpv6(header, copy, 14);
  const end = 54 + header.payloadLength;
  const chain = sound(walkIpv6(frame, 14, end, header));
  if (chain.routerAlert >= 0) {
    assert.equal(chain.routerAlert, Ipv6RouterAlert.MULTICAST_LISTENER_DISCOVERY);
    copy.fill(0xee, 54, 62);
    emitIpv6RouterAlert(chain.protocol, chain.routerAlert, copy, 54);
  }
  if (chain.isFragment) return;
  if (chain.protocol === IpProtocol.ICMPV6) {
    rewriteIcmpv6(frame, copy, chain.transport, end, header);
  } else {
    rewriteTransport(chain.protocol, frame, copy, chain.transport, end);
  }
}

function rewriteIcmpv6(
  frame: Uint8Array,
  copy: Uint8Array,
  start: number,
  end: number,
  header: Ipv6Header,
): void {
  const icmp = sound(parseIcmpv6(frame, start, end));
  const envelope = {
    hopLimit: header.hopLimit,
    source: header.sourceAddress,
    destination: header.destinationAddress,
  };
  if (isNdpType(icmp.type)) {
    const message = sound(parseNdp(frame, start, end, envelope));
    copy.fill(0xee, start, end);
    assert.equal(emitNdp(message, copy, start), end);
  } else if (isMldType(icmp.type)) {
    const message = sound(parseMld(frame, start, end));
    copy.fill(0xee, start, end);
    assert.equal(emitMld(message, copy, start), end);
  } else {
    copy.fill(0xee, start, start + 8);
    emitIcmpv6(icmp, copy, start);
  }
  const addresses = sumWords(frame, 22, 54);
  finishIcmpv6(copy, start, end, addresses + IpProtocol.ICMPV6 + end - start);
}

function rewriteTransport(
  protocol: number,
  frame: Uint8Array,
  copy: Uint8Array,
  start: number,
  end: number,
): void {
  if (protocol === IpProtocol.UDP) {
    const udp = sound(parseUdp(frame, start, end));
    copy.fill(0xee, start, start + 8);
    emitUdp(udp, copy, start);
    return;
  }
  assert.equal(protocol, IpProtocol.TCP);
  const tcp = sound(parseTcp(frame, start, end));
  if ((tcp.flags & TcpFlag.SYN) === 0) {
    copy.fill(0xee, start, start + tcp.headerLength);
    emitTcp(tcp, copy, start);
    return;
  }
  // Linux orders the options of a SYN otherwise than we do, as it may: they stay where they are.
  copy.fill(0xee, start, start + 20);
  emitTcpFixed(tcp, copy, start);
}

/** What tshark says the frames are, each as its list of protocols. */
function protocolsByTshark(folder: string, frames: readonly Uint8Array[]): string[] {
  const file = join(folder, 'rewritten.pcapng');
  const blocks: Uint8Array[] = [];
  const writer = new PcapngWriter((block) => blocks.push(block));
  writer.addInterface({ name: 'cable' });
  for (const data of frames) writer.packet({ interfaceId: 0, time: 0n, data });
  writeFileSync(
    file,
    blocks.reduce((whole, block) => Buffer.concat([whole, block]), Buffer.alloc(0)),
  );
  // Each fragment is to be looked at by itself.
  const alone = ['-o', 'ip.defragment:FALSE', '-o', 'ipv6.defragment:FALSE'];
  const args = [
    '-r',
    file,
    ...alone,
    '-T',
    'fields',
    '-e',
    'frame.protocols',
    '-e',
    '_ws.malformed',
  ];
  const done = spawnSync('tshark', args, { encoding: 'utf8' });
  assert.equal(done.status, 0, done.stderr);
  assert.doesNotMatch(done.stdout, /malformed/i);
  return done.stdout.trim().split('\n');
}

/** What a line of ours must have, by the name tshark has for the protocol. */
const WORDS: readonly (readonly [protocol: RegExp, word: RegExp])[] = [
  [/:arp/, /^ARP /],
  [/:tcp/, / TCP /],
  [/:icmp:|:icmp$/, / ICMP /],
  [/:icmpv6/, / (ICMPv6|NDP|MLDv2) /],
  [/^eth:ethertype:ip(v6)?:udp/, / UDP /],
];

describe(
  'frames of the Linux kernel',
  { skip: requires(privilege(), namespaceObstacle, ...TOOLS.map(program)) },
  () => {
    let folder: string;
    let frames: Uint8Array[];
    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'netloom-capture-'));
      frames = await capture(folder);
    });
    after(() => rmSync(folder, { recursive: true }));

    test('there are frames of every kind that was sent', () => {
      const story = frames.map((frame) => describeFrame(frame)).join('\n');
      for (const wanted of [
        /^ARP who has 192[.]0[.]2[.]2[?] tell 192[.]0[.]2[.]1 at /m,
        /^192[.]0[.]2[.]1:\d+ > 192[.]0[.]2[.]2:8000 TCP SYN seq=\d+ win=\d+ len=0 mss=1460 wscale=\d+ sackOK/m,
        /^\[2001:db8::1\]:\d+ > \[2001:db8::2\]:8000 TCP SYN seq=/m,
        /TCP (FIN|PSH|FIN,PSH),ACK /m,
        /^192[.]0[.]2[.]1 > 192[.]0[.]2[.]2 ICMP echo request id=\d+ seq=2 len=56$/m,
        /^192[.]0[.]2[.]2 > 192[.]0[.]2[.]1 ICMP fragment id=0x[0-9a-f]+ offset=1480 bytes=1480 more$/m,
        /^2001:db8::2 > 2001:db8::1 ICMPv6 echo reply id=\d+ seq=2 len=56$/m,
        /^2001:db8::2 > 2001:db8::1 ICMPv6 fragment id=.* last$/m,
        /NDP who has 2001:db8::2[?] tell /,
        /NDP 2001:db8::2 is at .* solicited override$/m,
        /192[.]0[.]2[.]2 > 192[.]0[.]2[.]1 ICMP port unreachable for 192[.]0[.]2[.]1:\d+ > 192[.]0[.]2[.]2:9 UDP$/m,
        /ICMPv6 port unreachable for \[2001:db8::1\]:\d+ > \[2001:db8::2\]:9 UDP$/m,
      ]) {
        assert.match(story, wanted);
      }
      assert.doesNotMatch(story, /\((truncated|bad-[a-z]+|too-many)\)/);
    });

    test('every header is written again as it was, to the byte', () => {
      for (const frame of frames) {
        const before = toHex(frame);
        assert.equal(toHex(rewrite(frame)), before, describeFrame(frame));
      }
    });

    test(
      'tshark finds nothing malformed, and agrees on what each frame is',
      { skip: requires(program('tshark')) },
      () => {
        const protocols = protocolsByTshark(folder, frames);
        assert.equal(protocols.length, frames.length);
        for (const [i, frame] of frames.entries()) {
          for (const [protocol, word] of WORDS) {
            if (protocol.test(protocols[i]!)) assert.match(describeFrame(frame), word);
          }
        }
      },
    );
  },
);
