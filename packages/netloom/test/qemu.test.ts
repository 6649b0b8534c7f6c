/**
 * QEMU as peer: the iPXE ROM of an emulated network card boots, finds us at the other end of its cable, and does the first half of
 * DHCP with us. So frames go both ways as QEMU itself writes and reads them.
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { IpAddress, MacAddress, writeUint16, type Connection } from 'netloom/core';
import { osHost, type OsHost } from 'netloom/host';
import { QemuDatagramLink, QemuStreamLink, type Link } from 'netloom/link';
import {
  describeFrame,
  Dhcpv4Message,
  Dhcpv4OptionCode,
  emitEthernet,
  emitIpv4,
  emitUdp,
  encodeDhcpv4,
  EthernetHeader,
  Ipv4Header,
  isFault,
  parseDhcpv4,
  parseEthernet,
  UdpHeader,
} from 'netloom/wire';
import { bootMachine, datagramNetdev, machineObstacle, streamNetdev } from './qemu-machine.ts';
import { requires } from './requires.ts';

const own = { name: 'vm0', mac: MacAddress.parse('02:00:00:00:00:01') };
const server = IpAddress.parse('192.0.2.1');
const given = IpAddress.parse('192.0.2.9');

/** Where UDP's payload begins in a frame of IPv4 without options. */
const DHCP_AT = 14 + 20 + 8;

function offerFor(discover: Dhcpv4Message): Uint8Array {
  const offer = new Dhcpv4Message();
  offer.operation = 2;
  offer.transactionId = discover.transactionId;
  offer.flags = discover.flags;
  offer.hardwareAddress = discover.hardwareAddress.slice();
  offer.yourAddress = given;
  offer.setOptions([
    { code: Dhcpv4OptionCode.MESSAGE_TYPE, data: Uint8Array.of(2) },
    { code: Dhcpv4OptionCode.SERVER_IDENTIFIER, data: server.toBytes() },
    { code: Dhcpv4OptionCode.LEASE_TIME, data: Uint8Array.of(0, 0, 2, 0) },
    { code: Dhcpv4OptionCode.SUBNET_MASK, data: Uint8Array.of(255, 255, 255, 0) },
  ]);
  return encodeDhcpv4(offer);
}

/** Sends a DHCP message as broadcast from the server. */
function broadcast(link: Link, message: Uint8Array): void {
  const frame = link.allocate(DHCP_AT + message.length);
  const ethernet = new EthernetHeader();
  ethernet.destinationHigh = 0xffff;
  ethernet.destinationLow = -1;
  ethernet.sourceHigh = own.mac.high;
  ethernet.sourceLow = own.mac.low;
  ethernet.type = 0x0800;
  emitEthernet(ethernet, frame, 0);
  const ip = new Ipv4Header();
  ip.protocol = 17;
  ip.totalLength = frame.length - 14;
  ip.source = server.word3;
  ip.destination = -1;
  emitIpv4(ip, frame, 14);
  const udp = new UdpHeader();
  udp.sourcePort = 67;
  udp.destinationPort = 68;
  udp.length = frame.length - 34;
  emitUdp(udp, frame, 34);
  // No checksum: UDP over IPv4 may go without (RFC 768).
  writeUint16(frame, 40, 0);
  frame.set(message, DHCP_AT);
  assert.ok(link.transmit(frame));
}

/** Answers discovers with an offer, until the request for what was offered has come. Answers all lines seen. */
function serveUntilRequest(link: Link): Promise<string[]> {
  const { promise, resolve, reject } = Promise.withResolvers<string[]>();
  const lines: string[] = [];
  link.attach({
    receive(frame) {
      assert.ok(!isFault(parseEthernet(frame, 0, frame.length)));
      lines.push(describeFrame(frame));
      const message = parseDhcpv4(frame, DHCP_AT, frame.length);
      if (isFault(message)) return;
      if (message.type === 1) broadcast(link, offerFor(message));
      if (message.type === 3) resolve(lines);
    },
    batchEnd() {},
    closed: (error) => reject(error ?? new Error('closed')),
  });
  return promise;
}

/** Lets the machine do its DHCP over the link, then takes both away. */
async function converse(machine: ChildProcess, link: Link): Promise<void> {
  const ended = once(machine, 'exit');
  try {
    const early = ended.then(() => Promise.reject(new Error('QEMU ended early')));
    const lines = await Promise.race([serveUntilRequest(link), early]);
    assert.match(
      lines.join('\n'),
      /^0[.]0[.]0[.]0:68 > 255[.]255[.]255[.]255:67 DHCP discover xid=/m,
    );
    assert.match(
      lines.at(-1)!,
      /DHCP request xid=.* requested=192[.]0[.]2[.]9 server=192[.]0[.]2[.]1$/,
    );
    assert.deepEqual(link.statistics.drops.snapshot(), {});
    assert.equal(link.statistics.receivedFrames, lines.length);
  } finally {
    machine.kill();
    await ended;
    await link.close();
  }
}

async function withHost(use: (host: OsHost) => Promise<void>): Promise<void> {
  const host = osHost();
  try {
    await use(host);
  } finally {
    await host.close();
  }
}

test(
  'a machine of QEMU does DHCP over -netdev stream',
  { skip: requires(machineObstacle()), timeout: 120_000 },
  () =>
    withHost(async (host) => {
      const accepted = Promise.withResolvers<Connection>();
      const address = IpAddress.LOOPBACK4;
      const listener = await host.listen({ port: 0, address, accept: accepted.resolve });
      const { port } = listener.local;
      const machine = bootMachine(streamNetdev(port));
      await converse(machine, new QemuStreamLink(await accepted.promise, own));
    }),
);

test(
  'a machine of QEMU does DHCP over -netdev dgram',
  { skip: requires(machineObstacle()), timeout: 120_000 },
  () =>
    withHost(async (host) => {
      const address = IpAddress.LOOPBACK4;
      const socket = await host.bind({ address });
      // QEMU wants its own port given: one that was free a moment ago.
      const reserved = await host.bind({ address });
      const remote = reserved.local;
      await reserved.close();
      const machine = bootMachine(datagramNetdev(remote.port, socket.local.port));
      await converse(machine, new QemuDatagramLink(socket, { ...own, clock: host.clock, remote }));
    }),
);
