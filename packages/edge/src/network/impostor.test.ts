/** A station that wants to be taken for the gateway. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, MacAddress } from 'netloom/core';
import { linkPair, type Link } from 'netloom/link';
import { networkScene, type NetworkScene } from '../../test/network-scene.ts';
import { attachedMachine } from '../../test/sample-models.ts';
import { DEFAULT_PORT } from '../model/index.ts';
import type { Network } from './network.ts';
import type { Station } from './station/index.ts';

const MAC = MacAddress.parse('02:00:00:00:00:66');

/** A station whose other end is the test's. */
async function plugged({ world }: NetworkScene, lan: Network): Promise<Link> {
  const [inside, outside] = linkPair(world.clock, { macs: [MAC, MAC] });
  const station: Station = {
    link: inside,
    isConnected: true,
    mac: MAC,
    addresses: [],
    gatewayChanged: () => true,
    close: () => inside.close(),
  };
  await world.run(lan.connect('impostor', DEFAULT_PORT, () => Promise.resolve(station)));
  return outside;
}

function bytesOf(mac: MacAddress): Uint8Array {
  const bytes = new Uint8Array(6);
  mac.copyTo(bytes, 0);
  return bytes;
}

/** Sends what is given in pieces. */
function send(link: Link, ...parts: readonly (readonly number[] | Uint8Array)[]): void {
  const bytes = Uint8Array.from(parts.flatMap((part) => [...part]));
  const frame = link.allocate(Math.max(60, bytes.length)).fill(0);
  frame.set(bytes);
  link.transmit(frame);
}

test('nobody passes for the gateway, by its link address or by ARP', async () => {
  const scene = networkScene();
  const { world, network } = scene;
  const lan = network({ attachments: [attachedMachine('box', [{ kind: 'echo' }])] });
  await world.run(lan.start());
  const link = await plugged(scene, lan);
  const gateway = bytesOf(MacAddress.parse(lan.ports()[0]!.mac!));
  const everybody = bytesOf(MacAddress.BROADCAST);
  const own = bytesOf(MAC);
  const address = IpAddress.parse('10.0.0.1').toBytes();
  const reply = [8, 6, 0, 1, 8, 0, 6, 4, 0, 2];
  send(link, everybody, own, reply, own, address, everybody, address);
  send(link, everybody, gateway, [0x88, 0xb5]);
  await world.run(world.now() + 10);
  const impostor = lan.ports().find(({ name }) => name === 'impostor');
  assert.deepEqual(impostor!.drops, { 'address-elsewhere': 1, 'station-elsewhere': 1 });
  // Its own address may be told.
  const mine = IpAddress.parse('10.0.0.66').toBytes();
  send(link, everybody, own, reply, own, mine, everybody, mine);
  await world.run(world.now() + 10);
  const after = lan.ports().find(({ name }) => name === 'impostor');
  assert.deepEqual(after!.drops, impostor!.drops);
  await world.run(lan.close());
});
