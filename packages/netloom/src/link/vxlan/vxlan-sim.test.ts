/** Overlays between simulated nodes: switches joined by VXLAN over an IP network that knows nothing of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, MacAddress, readUint16, type SocketAddress } from '../../core/index.ts';
import { StackHost, simWorld, type SimHost, type SimWorld } from '../../host/index.ts';
import { StrictLink, Switch } from '../index.ts';
import { VxlanEndpoint, type VxlanLink } from './index.ts';

const PORT = 4789;
const IDENTIFIER = 7;

/** A node: a machine on the underlay, with a switch that the overlay and one station are plugged into. */
interface Node {
  readonly machine: SimHost;
  readonly endpoint: VxlanEndpoint;
  readonly overlay: VxlanLink;
  readonly switch: Switch;
  readonly station: StackHost;
  readonly mac: MacAddress;
  /** Of the station. */
  readonly address: IpAddress;
}

async function openNode(world: SimWorld, machine: SimHost, number: number): Promise<Node> {
  const { clock } = world;
  const random = world.random(`vxlan${number}`);
  const socket = await machine.bind({ address: machine.address, port: PORT });
  const endpoint = new VxlanEndpoint(socket, { clock, random });
  const overlay = endpoint.network(IDENTIFIER);
  const bridge = new Switch(clock, { random, name: `switch${number}` });
  bridge.connect(new StrictLink(overlay));
  const mac = new MacAddress(0x0200, 0x5a00 + number);
  const station = new StackHost({ name: `station${number}`, clock, random });
  const cable = bridge.port({ name: `station${number}`, mac, mtu: overlay.mtu });
  station.addInterface(cable, { addresses: [`10.99.0.${number}/24`] });
  const address = IpAddress.parse(`10.99.0.${number}`);
  return { machine, endpoint, overlay, switch: bridge, station, mac, address };
}

/** Nodes that all know each other, on one underlay; IPv4 only, so that no frames come by themselves. */
async function openNodes(world: SimWorld, count: number): Promise<Node[]> {
  const underlay = world.network('underlay', { delay: 1, subnets: ['10.1.0.0/16'] });
  const nodes: Node[] = [];
  for (let number = 1; number <= count; number++) {
    const machine = world.machine(`node${number}`, { on: underlay });
    nodes.push(await openNode(world, machine, number));
  }
  for (const node of nodes) {
    for (const other of nodes) if (other !== node) node.overlay.addPeer(addressOf(other));
  }
  return nodes;
}

function addressOf({ machine }: Node): SocketAddress {
  return { address: machine.address, port: PORT };
}

function sent(node: Node): number[] {
  return node.overlay.peers().map(({ sentFrames }) => sentFrames);
}

function received(nodes: readonly Node[]): number[] {
  return nodes.map(({ overlay }) => overlay.statistics.receivedFrames);
}

/** A frame to all from a node's station, past its stack. */
function broadcast(node: Node): void {
  const cable = node.switch.port({ name: 'shouter', mac: new MacAddress(0x0200, 0x77) });
  cable.attach({ receive() {}, batchEnd() {} });
  const frame = cable.allocate(60).fill(0);
  MacAddress.BROADCAST.copyTo(frame, 0);
  cable.mac.copyTo(frame, 6);
  assert.ok(cable.transmit(frame));
}

test('a broadcast of one of three nodes reaches both others once, and goes round in no circle', async () => {
  const world = simWorld({ seed: 1 });
  await world.run(
    (async () => {
      const nodes = await openNodes(world, 3);
      broadcast(nodes[0]!);
      await world.sleep(1000);
      assert.deepEqual(received(nodes), [0, 1, 1]);
      assert.deepEqual(nodes.map(sent), [
        [1, 1],
        [0, 0],
        [0, 0],
      ]);
    })(),
  );
});

test('stations of three nodes talk, learning ends the flooding, and a node that has gone is forgotten', async () => {
  const world = simWorld({ seed: 2 });
  await world.run(
    (async () => {
      const nodes = await openNodes(world, 3);
      const [first, second, third] = nodes as [Node, Node, Node];
      for (const from of nodes) {
        for (const to of nodes) {
          if (from === to) continue;
          const reply = await from.station.ping(to.address);
          assert.equal(reply.size, 56);
        }
      }
      const before = received(nodes);
      for (let count = 0; count < 10; count++) await first.station.ping(second.address);
      assert.deepEqual(received(nodes), [before[0]! + 10, before[1]! + 10, before[2]!]);
      assert.equal(first.overlay.stations().length, 2);
      assert.deepEqual(first.overlay.statistics.drops.snapshot(), {});

      await third.endpoint.close();
      for (let minute = 0; minute < 6; minute++) {
        await first.station.ping(second.address);
        await world.sleep(60_000);
      }
      assert.deepEqual(
        first.overlay.stations().map(({ mac }) => mac.toString()),
        [second.mac.toString()],
      );
      assert.ok(first.overlay.removePeer(addressOf(third)));
      assert.equal(first.overlay.peers().length, 1);
    })(),
  );
});

test('a transfer over the overlay is cut to its MTU, whatever the stations leave to their links', async () => {
  let longest = 0;
  let fragments = 0;
  const world = simWorld({
    seed: 3,
    trace: ({ bytes: frame }) => {
      longest = Math.max(longest, frame.length);
      const isIpv4 = readUint16(frame, 12) === 0x0800;
      if (isIpv4 && (readUint16(frame, 20) & 0x3fff) > 0) fragments++;
    },
  });
  await world.run(
    (async () => {
      const [first, second] = (await openNodes(world, 2)) as [Node, Node];
      let length = 0;
      const done = Promise.withResolvers<void>();
      await second.station.listen({
        port: 9,
        accept: (connection) =>
          connection.start({
            data: (chunk) => void (length += chunk.length),
            end: () => connection.end(),
            closed: () => done.resolve(),
          }),
      });
      const connection = await first.station.connect({ host: second.address, port: 9 });
      connection.start({});
      connection.write(new Uint8Array(300_000));
      connection.end();
      await done.promise;
      assert.equal(length, 300_000);
      const { sentBytes, sentFrames, drops } = first.overlay.statistics;
      assert.ok(sentFrames >= 300_000 / 1450 && sentBytes > 300_000);
      assert.deepEqual(drops.snapshot(), {});
      assert.equal(fragments, 0);
      assert.ok(longest > 1400 && longest <= 1514, `the longest frame below had ${longest} bytes`);
    })(),
  );
});

test('a node that misses a peer is reached by those who know it, and drops what that sends', async () => {
  const world = simWorld({ seed: 4 });
  await world.run(
    (async () => {
      const nodes = await openNodes(world, 3);
      const [first, , third] = nodes as [Node, Node, Node];
      third.overlay.removePeer(addressOf(first));
      broadcast(first);
      await world.sleep(1000);
      assert.deepEqual(received(nodes), [0, 1, 0]);
      assert.deepEqual(third.overlay.statistics.drops.snapshot(), { 'unknown-peer': 1 });
    })(),
  );
});
