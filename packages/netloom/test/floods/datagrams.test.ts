/** UDP, ICMP echo and fragments, through the gateway and to it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, type Random } from 'netloom/core';
import { ArpOperation, EtherType, Icmpv4Type, IpProtocol } from 'netloom/wire';
import { arpFrame, icmpFrame, ipFrame, udpFrame, type Ends } from '../ip/frames.ts';
import { FloodLab, SILENT } from './flood-lab.ts';
import { dnsQuestion } from './traffic.ts';

const GATEWAY = IpAddress.parse('10.0.0.1');
const DATA = new Uint8Array(20);

/** Where each costs a socket, or a question to others: fewer a second do. */
const RATE = 10_000;

function nowhere(random: Random): IpAddress {
  return IpAddress.v4(SILENT.network.word3 + random.below(256));
}

/** From the attacker, in any name of the network's that nobody has, by the gateway. */
function anyEnds(lab: FloodLab, random: Random, destination: IpAddress): Ends {
  return {
    source: IpAddress.v4(0x0a00_0000 + 64 + random.below(60)),
    destination,
    sourceMac: lab.attacker.mac,
    destinationMac: lab.inside.mac,
  };
}

/** Whether a frame has an echo reply, behind the headers of Ethernet and IPv4. */
function isEchoReply(frame: Uint8Array): boolean {
  return frame[14 + 9] === IpProtocol.ICMP && frame[14 + 20] === Icmpv4Type.ECHO_REPLY;
}

function isArp(frame: Uint8Array): boolean {
  return frame[12] === EtherType.ARP >>> 8 && frame[13] === (EtherType.ARP & 0xff);
}

test('UDP from many ports and addresses: mappings keep to their limit, and the neighbour’s stays', async () => {
  const lab = await FloodLab.open({ uplinkLimits: { mappings: 800, mappingsPerGuest: 600 } });
  const socket = await lab.world.run(lab.neighbour.bind());
  const echo = await lab.world.run(lab.server.bind({ port: 7 }));
  const ports = new Set<number>();
  echo.start({ receive: (batch) => batch.forEach(({ remote }) => ports.add(remote.port)) });
  const remote = { address: lab.server.address, port: 7 };
  const timer = lab.world.clock.timer(() => {
    socket.send([{ data: DATA.slice(), remote }]);
    timer.set(lab.world.now() + 50);
  });
  timer.set(lab.world.now());
  await lab.disturb(
    (_, random) =>
      udpFrame(anyEnds(lab, random, nowhere(random)), 1024 + random.below(60_000), 9, DATA),
    RATE,
  );
  timer.clear();
  assert.equal(ports.size, 1, 'the neighbour kept its port outside');
  assert.ok(lab.outside.stack.udp.sockets().length <= 800);
  assert.ok(lab.uplink.drops.get('udp-mappings-of-guest-limit') > 1000);
  assert.ok(lab.uplink.drops.get('udp-starts-limit') > 1000);
  await lab.rest(700_000);
  assert.equal(lab.uplink.flows.size, 0);
  assert.equal(lab.outside.stack.udp.sockets().length, 0);
});

test('UDP from a few ports to everywhere: destinations keep to their limits', async () => {
  const lab = await FloodLab.open({
    uplinkLimits: { destinations: 1000, destinationsPerMapping: 64 },
  });
  await lab.disturb(
    (number, random) =>
      udpFrame(
        anyEnds(lab, random, IpAddress.v4((203 << 24) | random.below(1 << 20))),
        1024 + (number % 40),
        9,
        DATA,
      ),
    RATE,
  );
  // Those, and the neighbour's connection.
  assert.ok(lab.uplink.flows.size <= 1000 + 4, `${lab.uplink.flows.size} flows`);
  assert.ok(lab.uplink.drops.get('udp-destination-limit') > 1000);
  assert.ok(lab.uplink.flows.destinations().length <= 4096 + 3);
});

test('ICMP echo to the world, in many names: requests that wait keep to the limit of one guest', async () => {
  const lab = await FloodLab.open();
  await lab.disturb((number, random) =>
    icmpFrame(anyEnds(lab, random, nowhere(random)), Icmpv4Type.ECHO_REQUEST, 0, number | 0, DATA),
  );
  assert.ok(lab.uplink.drops.get('icmp-echoes-of-guest-limit') > 0.9 * lab.attacker.sent);
  const { neighbour, server } = lab;
  await lab.world.run(neighbour.ping(server.address));
  await lab.rest(20_000);
  assert.equal(lab.uplink.flows.size, 0);
});

test('ICMP echo to the gateway is answered, and does no more harm than its answers', async () => {
  const lab = await FloodLab.open();
  const { attacker } = lab;
  const own = IpAddress.parse('10.0.0.66');
  let replies = 0;
  attacker.heard = (frame) => {
    if (isEchoReply(frame)) replies++;
    if (isArp(frame)) {
      const reply = { operation: ArpOperation.REPLY, senderMac: attacker.mac, sender: own };
      attacker.send(arpFrame(lab.inside.mac, { ...reply, target: GATEWAY }));
    }
  };
  await lab.disturb((number) =>
    icmpFrame(
      {
        source: own,
        destination: GATEWAY,
        sourceMac: attacker.mac,
        destinationMac: lab.inside.mac,
      },
      Icmpv4Type.ECHO_REQUEST,
      0,
      number | 0,
      DATA,
    ),
  );
  assert.ok(replies > 0.9 * attacker.sent, `${replies} replies to ${attacker.sent} requests`);
});

test('fragments whose rest never comes: their memory keeps to its limit, and the neighbour’s are put together', async () => {
  const limits = { reassembly: { datagrams: 64, bytes: 65_536, bytesPerSource: 32_768 } };
  const lab = await FloodLab.open({ limits });
  const echo = await lab.world.run(lab.server.bind({ port: 7 }));
  let whole = 0;
  echo.start({
    receive: (batch) => void (whole += batch.filter(({ data }) => data.length === 6000).length),
  });
  const socket = await lab.world.run(lab.neighbour.bind());
  const remote = { address: lab.server.address, port: 7 };
  let sent = 0;
  const timer = lab.world.clock.timer(() => {
    // Five fragments, which the neighbour's line takes some milliseconds for.
    socket.send([{ data: new Uint8Array(6000), remote }]);
    sent++;
    timer.set(lab.world.now() + 100);
  });
  timer.set(lab.world.now());
  await lab.disturb((number, random) =>
    ipFrame(
      {
        ...anyEnds(lab, random, number % 2 === 0 ? GATEWAY : nowhere(random)),
        v4: {
          dontFragment: false,
          moreFragments: true,
          fragmentOffset: 0,
          identification: number & 0xffff,
        },
      },
      IpProtocol.UDP,
      new Uint8Array(64),
    ),
  );
  timer.clear();
  assert.ok(whole >= 0.9 * sent, `${whole} of ${sent}`);
  const { fragments } = lab.gateway.stack;
  assert.ok(fragments.size <= 64 && fragments.bytes <= 65_536);
  assert.ok(fragments.drops.get('evicted') > 1000);
  await lab.rest(31_000);
  assert.deepEqual([fragments.size, fragments.bytes], [0, 0]);
});

test('DNS questions in many names, for what is not found: those that wait keep to the limit of one guest', async () => {
  const lab = await FloodLab.open();
  await lab.disturb(
    (number, random) =>
      udpFrame(
        anyEnds(lab, random, GATEWAY),
        1024 + random.below(60_000),
        53,
        dnsQuestion(`n${number}.nowhere.test`, number & 0xffff),
      ),
    RATE,
  );
  const { forwarder } = lab.services.dns!;
  assert.ok(forwarder.outstanding <= 128);
  assert.ok(forwarder.drops.get('too-many-of-client') > 10_000);
  await lab.rest(20_000);
  assert.equal(forwarder.outstanding, 0);
});
