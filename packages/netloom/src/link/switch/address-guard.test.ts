import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, MacAddress, concatBytes } from '../../core/index.ts';
import { ArpOperation, IpProtocol, solicitedNodeGroup, type NdpMessage } from '../../wire/index.ts';
import { arpFrame, ipFrame, ndpFrame, type Ends } from '../../../test/ip/frames.ts';
import { SwitchWorld, type TestStation } from './switch-world.ts';

const at = (text: string): IpAddress => IpAddress.parse(text);
const GATEWAY = { 4: at('10.0.0.1'), 6: at('2001:db8::1') } as const;
const OTHER = { 4: at('10.0.0.66'), 6: at('2001:db8::66') } as const;

/** A switch that knows where the gateway's addresses are: the gateway, an impostor, a host. */
function scene(): { world: SwitchWorld; stations: [TestStation, TestStation, TestStation] } {
  const world = new SwitchWorld();
  const stations = [world.station(), world.station(), world.station()] as const;
  world.switch.addAddress(GATEWAY[4], stations[0].port);
  world.switch.addAddress(GATEWAY[6], stations[0].port);
  return { world, stations: [...stations] };
}

/** Whether a frame of the station's reaches the host, which is the last. */
function passes(
  { world, stations }: ReturnType<typeof scene>,
  from: TestStation,
  frame: Uint8Array,
): boolean {
  for (const { recorder } of stations) recorder.received.length = 0;
  from.send(frame);
  world.clock.runDeferred();
  return stations[2].recorder.received.length > 0;
}

function arp({ mac }: TestStation, sender: IpAddress, operation: number): Uint8Array {
  return arpFrame(MacAddress.BROADCAST, {
    operation,
    senderMac: mac,
    sender,
    target: at('10.0.0.3'),
  });
}

function ndp({ mac }: TestStation, source: IpAddress, message: NdpMessage): Uint8Array {
  const destinationMac = MacAddress.parse('33:33:00:00:00:01');
  return ndpFrame({ source, destination: at('ff02::1'), sourceMac: mac, destinationMac }, message);
}

function advertisement({ mac }: TestStation, target: IpAddress): NdpMessage {
  const options = [{ kind: 'target-link-address', mac }] as const;
  return {
    kind: 'neighbour-advertisement',
    target,
    router: false,
    solicited: false,
    override: true,
    options,
  };
}

test('whoever an address belongs to may say so by ARP, and nobody else', () => {
  const its = scene();
  const [gateway, impostor] = its.stations;
  for (const operation of [ArpOperation.REQUEST, ArpOperation.REPLY]) {
    assert.ok(passes(its, gateway, arp(gateway, GATEWAY[4], operation)));
    assert.ok(!passes(its, impostor, arp(impostor, GATEWAY[4], operation)));
    assert.ok(passes(its, impostor, arp(impostor, OTHER[4], operation)), 'its own address');
  }
  assert.equal(impostor.port.statistics.drops.get('address-elsewhere'), 2);
  assert.equal(gateway.port.statistics.drops.total(), 0);
});

test('the same for neighbour discovery: the target of an advertisement, the source of every message', () => {
  const its = scene();
  const [gateway, impostor] = its.stations;
  assert.ok(passes(its, gateway, ndp(gateway, GATEWAY[6], advertisement(gateway, GATEWAY[6]))));
  assert.ok(!passes(its, impostor, ndp(impostor, OTHER[6], advertisement(impostor, GATEWAY[6]))));
  assert.ok(passes(its, impostor, ndp(impostor, OTHER[6], advertisement(impostor, OTHER[6]))));
  const { mac } = impostor;
  const options = [{ kind: 'source-link-address', mac }] as const;
  const asks: NdpMessage = { kind: 'neighbour-solicitation', target: at('2001:db8::3'), options };
  assert.ok(!passes(its, impostor, ndp(impostor, GATEWAY[6], asks)));
  assert.ok(passes(its, impostor, ndp(impostor, OTHER[6], asks)));
  // Whoever asks whether an address is free claims nothing yet: the owner answers (RFC 4862, section 5.4).
  const free: NdpMessage = { kind: 'neighbour-solicitation', target: GATEWAY[6], options: [] };
  const probe = ndpFrame(
    {
      source: IpAddress.ANY6,
      destination: solicitedNodeGroup(GATEWAY[6]),
      sourceMac: mac,
      destinationMac: MacAddress.parse('33:33:ff:00:00:01'),
    },
    free,
  );
  assert.ok(passes(its, impostor, probe));
});

test('a header before the message does not hide it (RFC 7113, section 2)', () => {
  const its = scene();
  const [, impostor] = its.stations;
  const plain = ndp(impostor, OTHER[6], advertisement(impostor, GATEWAY[6]));
  const destination = Uint8Array.of(IpProtocol.ICMPV6, 0, 1, 4, 0, 0, 0, 0);
  const ends: Ends = {
    source: OTHER[6],
    destination: at('ff02::1'),
    sourceMac: impostor.mac,
    destinationMac: MacAddress.parse('33:33:00:00:00:01'),
    hopLimit: 255,
  };
  const message = plain.subarray(54);
  const hidden = ipFrame(ends, IpProtocol.DESTINATION_OPTIONS, concatBytes([destination, message]));
  assert.ok(!passes(its, impostor, hidden));
});

test('what claims nothing passes: other packets, other VLANs, what is damaged', () => {
  const its = scene();
  const [, impostor] = its.stations;
  const ends: Ends = {
    source: GATEWAY[4],
    destination: at('10.0.0.3'),
    sourceMac: impostor.mac,
    destinationMac: MacAddress.BROADCAST,
  };
  assert.ok(passes(its, impostor, ipFrame(ends, IpProtocol.UDP, new Uint8Array(20))));
  assert.ok(passes(its, impostor, arp(impostor, GATEWAY[4], ArpOperation.REPLY).subarray(0, 40)));
  const v6 = ndp(impostor, OTHER[6], advertisement(impostor, GATEWAY[6]));
  for (let length = 54; length < 78; length++) passes(its, impostor, v6.subarray(0, length));
  its.world.switch.addAddress(OTHER[4], its.stations[0].port, 2);
  assert.ok(passes(its, impostor, arp(impostor, OTHER[4], ArpOperation.REPLY)), 'of VLAN 2 only');
});

test('an address is free again when it is removed, or its port gone; there is room for so many', async () => {
  const its = scene();
  const { world } = its;
  const [gateway, impostor] = its.stations;
  assert.ok(world.switch.removeAddress(GATEWAY[4]));
  assert.ok(!world.switch.removeAddress(GATEWAY[4]));
  assert.ok(passes(its, impostor, arp(impostor, GATEWAY[4], ArpOperation.REPLY)));
  const closed = gateway.port.close();
  world.clock.runDeferred();
  await closed;
  assert.ok(passes(its, impostor, ndp(impostor, OTHER[6], advertisement(impostor, GATEWAY[6]))));
  const small = new SwitchWorld({ limits: { addresses: 1 } });
  const { port } = small.station();
  small.switch.addAddress(GATEWAY[4], port);
  small.switch.addAddress(GATEWAY[4], small.station().port);
  assert.throws(() => small.switch.addAddress(OTHER[4], port), { code: 'SWITCH_ADDRESSES_FULL' });
});
