import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  IpAddress,
  MacAddress,
  ManualClock,
  equalBytes,
  seededRandom,
  type Datagram,
  type DatagramHandler,
  type DatagramSocket,
  type NetloomError,
  type SocketAddress,
} from '../../core/index.ts';
import { emitVxlan, VxlanHeader } from '../../wire/index.ts';
import type { LinkHandler } from '../link.ts';
import { VxlanEndpoint, type VxlanLink, type VxlanOptions } from './index.ts';

const [ONE, TWO, THREE] = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((host) => at(host));
const OURS = at('10.0.0.9');
const STATION = MacAddress.parse('02:00:00:00:00:0a');
const OTHER = MacAddress.parse('02:00:00:00:00:0b');

function at(host: string, port = 4789): SocketAddress {
  return { address: IpAddress.parse(host), port };
}

/** Keeps what is sent; what it is to receive is handed to it. */
class FakeSocket implements DatagramSocket {
  readonly local: SocketAddress;
  sent: Datagram[] = [];
  /** Datagrams that are taken of one batch. */
  room = Infinity;
  handler: DatagramHandler = {};

  constructor(local: SocketAddress) {
    this.local = local;
  }

  start(handler: DatagramHandler): void {
    this.handler = handler;
  }

  send(batch: readonly Datagram[]): number {
    const taken = batch.slice(0, this.room);
    this.sent.push(...taken);
    return taken.length;
  }

  joinGroup(): void {}
  leaveGroup(): void {}

  close(): Promise<void> {
    this.handler.closed?.(undefined);
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Whom datagrams went to since the last time, and nothing else. */
  destinations(): string[] {
    const found = this.sent.map(({ remote }) => remote.address.toString());
    this.sent = [];
    return found;
  }
}

/** Keeps what it is told. */
class Station implements LinkHandler {
  readonly frames: Uint8Array[] = [];
  batches = 0;
  readonly ends: (NetloomError | undefined)[] = [];

  receive(frame: Uint8Array): void {
    this.frames.push(frame.slice());
  }

  batchEnd(): void {
    this.batches++;
  }

  closed(error: NetloomError | undefined): void {
    this.ends.push(error);
  }
}

/** An endpoint on a socket of paper. */
class Scene {
  readonly clock = new ManualClock();
  readonly socket: FakeSocket;
  readonly endpoint: VxlanEndpoint;

  constructor(
    local: SocketAddress = OURS,
    limits: { networks?: number; queueBytes?: number } = {},
  ) {
    this.socket = new FakeSocket(local);
    this.endpoint = new VxlanEndpoint(this.socket, {
      clock: this.clock,
      random: seededRandom(1),
      limits,
    });
  }

  /** A network with a handler. */
  network(identifier: number, options: VxlanOptions = {}): [VxlanLink, Station] {
    const link = this.endpoint.network(identifier, { peers: [ONE!, TWO!, THREE!], ...options });
    const station = new Station();
    link.attach(station);
    return [link, station];
  }

  /** Sends a frame of the link, to the end of the turn. */
  transmit(link: VxlanLink, frame: Uint8Array): boolean {
    const copy = link.allocate(frame.length);
    copy.set(frame);
    const taken = link.transmit(copy);
    this.clock.runDeferred();
    return taken;
  }

  receive(remote: SocketAddress, ...datagrams: readonly Uint8Array[]): void {
    this.socket.handler.receive!(datagrams.map((data) => ({ data, remote })));
  }
}

/** A frame of so many bytes. */
function frame(destination: MacAddress, source: MacAddress, length = 60): Uint8Array {
  const bytes = new Uint8Array(length).fill(0x5a);
  destination.copyTo(bytes, 0);
  source.copyTo(bytes, 6);
  return bytes;
}

/** The frame as it comes from a peer. */
function tunnelled(identifier: number, inner: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + inner.length);
  emitVxlan(Object.assign(new VxlanHeader(), { identifier }), bytes, 0);
  bytes.set(inner, 8);
  return bytes;
}

const ALL = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];

test('groups and unknown stations reach every peer once, a learned one only the peer it is behind', () => {
  const scene = new Scene();
  const [link, station] = scene.network(42);
  const broadcast = frame(MacAddress.BROADCAST, link.mac);
  assert.ok(scene.transmit(link, broadcast));
  for (const { data } of scene.socket.sent) assert.deepEqual(data, tunnelled(42, broadcast));
  const [first, second] = scene.socket.sent;
  assert.notEqual(first!.data.buffer, second!.data.buffer, 'each is given away');
  assert.deepEqual(scene.socket.destinations(), ALL);
  scene.transmit(link, frame(STATION, link.mac));
  assert.deepEqual(scene.socket.destinations(), ALL);

  // The peer's port is by the flow inside, and not the one it listens at.
  const answer = frame(link.mac, STATION);
  scene.receive(at('10.0.0.2', 51_234), tunnelled(42, answer));
  assert.ok(equalBytes(station.frames[0]!, answer));
  scene.transmit(link, frame(STATION, link.mac));
  assert.equal(scene.socket.sent[0]!.remote.port, 4789);
  assert.deepEqual(scene.socket.destinations(), ['10.0.0.2']);
  assert.deepEqual(
    link
      .peers()
      .map(({ stationCount, receivedFrames, sentFrames }) => [
        stationCount,
        receivedFrames,
        sentFrames,
      ]),
    [
      [0, 0, 2],
      [1, 1, 3],
      [0, 0, 2],
    ],
  );

  // It moves, and is silent for too long.
  scene.receive(THREE!, tunnelled(42, answer));
  scene.transmit(link, frame(STATION, link.mac));
  assert.deepEqual(scene.socket.destinations(), ['10.0.0.3']);
  scene.clock.advance(299_999);
  assert.equal(link.stations().length, 1);
  scene.clock.advance(300_000);
  assert.deepEqual(link.stations(), []);
  scene.transmit(link, frame(STATION, link.mac));
  assert.deepEqual(scene.socket.destinations(), ALL);
  assert.deepEqual(link.statistics.drops.snapshot(), {});
});

test('what comes from a peer never goes to a peer', () => {
  const scene = new Scene();
  const [, station] = scene.network(42);
  scene.receive(ONE!, tunnelled(42, frame(MacAddress.BROADCAST, STATION)));
  scene.clock.runDeferred();
  assert.equal(station.frames.length, 1);
  assert.deepEqual(scene.socket.destinations(), []);
});

test('a station that is said to be behind a peer stays there', () => {
  const scene = new Scene();
  const [link, station] = scene.network(42, { learning: false });
  link.addStation(STATION, ONE!);
  scene.receive(TWO!, tunnelled(42, frame(link.mac, OTHER)));
  scene.transmit(link, frame(STATION, link.mac));
  assert.deepEqual(scene.socket.destinations(), ['10.0.0.1']);
  scene.transmit(link, frame(OTHER, link.mac));
  assert.deepEqual(scene.socket.destinations(), ALL, 'nothing is learned');
  scene.clock.advance(1e9);
  assert.equal(link.stations()[0]!.isStatic, true);

  const [learning] = scene.network(43);
  learning.addStation(STATION, ONE!);
  scene.receive(TWO!, tunnelled(43, frame(link.mac, STATION)));
  assert.deepEqual(learning.statistics.drops.snapshot(), { 'station-elsewhere': 1 });
  assert.equal(station.frames.length, 1);
  assert.ok(learning.removeStation(STATION));
  assert.ok(!learning.removeStation(STATION));
  assert.throws(() => learning.addStation(STATION, at('10.0.0.4')), { code: 'VXLAN_PEER_INVALID' });
});

test('peers come and go while frames pass', () => {
  const scene = new Scene();
  const [link] = scene.network(42, { peers: [] });
  assert.equal(scene.transmit(link, frame(MacAddress.BROADCAST, link.mac)), false);
  link.addPeer(ONE!);
  link.addPeer(TWO!);
  link.addPeer(at('10.0.0.1'));
  scene.receive(TWO!, tunnelled(42, frame(link.mac, STATION)));
  assert.ok(link.removePeer(TWO!));
  assert.ok(!link.removePeer(TWO!));
  assert.deepEqual(link.stations(), []);
  scene.transmit(link, frame(STATION, link.mac));
  assert.deepEqual(scene.socket.destinations(), ['10.0.0.1']);
  scene.receive(TWO!, tunnelled(42, frame(link.mac, STATION)));
  assert.deepEqual(link.statistics.drops.snapshot(), { 'no-peer': 1, 'unknown-peer': 1 });
});

test('peers with one address are told apart by their ports', () => {
  const scene = new Scene(at('127.0.0.1', 4000));
  const peers = [at('127.0.0.1', 4001), at('127.0.0.1', 4002)];
  const [link] = scene.network(1, { peers });
  scene.receive(peers[1]!, tunnelled(1, frame(link.mac, STATION)));
  scene.receive(at('127.0.0.1', 4003), tunnelled(1, frame(link.mac, OTHER)));
  assert.deepEqual(
    link.stations().map(({ mac, peer }) => [mac.toString(), peer.port]),
    [[STATION.toString(), 4002]],
  );
  assert.deepEqual(link.statistics.drops.snapshot(), { 'unknown-peer': 1 });
});

test('networks on one socket have nothing of each other’s, and what is for none is counted', () => {
  const scene = new Scene();
  const [, low] = scene.network(0);
  const [, high] = scene.network(0xff_ffff);
  const inner = frame(MacAddress.BROADCAST, STATION);
  scene.receive(
    ONE!,
    tunnelled(0, inner),
    tunnelled(0, inner),
    tunnelled(0xff_ffff, inner),
    tunnelled(7, inner),
    tunnelled(0, inner).with(0, 0),
    new Uint8Array(7),
    new Uint8Array(0),
    tunnelled(0, inner.subarray(0, 13)),
  );
  assert.deepEqual([low.frames.length, high.frames.length], [2, 1]);
  assert.deepEqual([low.batches, high.batches], [1, 1]);
  assert.deepEqual(scene.endpoint.drops.snapshot(), {
    'bad-value': 1,
    truncated: 2,
    'unknown-network': 1,
  });
});

test('several datagrams that came as one are several frames', () => {
  const scene = new Scene();
  const [, station] = scene.network(5);
  const inner = frame(MacAddress.BROADCAST, STATION);
  const one = tunnelled(5, inner);
  const short = tunnelled(5, inner.subarray(0, 50));
  const data = new Uint8Array([...one, ...one, ...short]);
  scene.socket.handler.receive!([{ data, remote: ONE!, segmentSize: one.length }]);
  assert.deepEqual(
    station.frames.map(({ length }) => length),
    [60, 60, 50],
  );
});

test('frames that do not fit are refused and counted, also where only a tag is too much', () => {
  const scene = new Scene();
  const [link] = scene.network(42);
  assert.equal(link.mtu, 1450);
  assert.ok(scene.transmit(link, frame(STATION, link.mac, 1464)));
  assert.equal(scene.transmit(link, frame(STATION, link.mac, 1468)), false);
  assert.equal(scene.transmit(link, frame(STATION, link.mac, 1469)), false);
  assert.equal(scene.transmit(link, new Uint8Array(13)), false);
  const unfinished = { checksumStart: 34, checksumOffset: 16, segmentSize: 0 };
  assert.equal(link.transmit(link.allocate(60), unfinished), false);
  assert.deepEqual(link.statistics.drops.snapshot(), {
    'checksum-unfinished': 1,
    'outer-too-long': 3,
    'too-long': 1,
    'too-short': 1,
  });
  const over6 = new Scene(at('fd00::1'));
  assert.equal(over6.network(1, { peers: [] })[0].mtu, 1430);
  const [roomy] = scene.network(43, { underlayMtu: 9000, mtu: 1500 });
  assert.ok(scene.transmit(roomy, frame(STATION, link.mac, 1518)));
  // One that was not allocated here is sent all the same.
  scene.socket.sent = [];
  assert.ok(roomy.transmit(frame(STATION, link.mac)));
  scene.clock.runDeferred();
  assert.deepEqual(scene.socket.sent[0]!.data, tunnelled(43, frame(STATION, link.mac)));
});

test('what waits is bounded, and what the socket does not take is counted', () => {
  const scene = new Scene(OURS, { queueBytes: 3 * 68 });
  const [link] = scene.network(42);
  const send = (): boolean => link.transmit(link.allocate(60).fill(0xff));
  assert.ok(send());
  assert.equal(link.statistics.queueDepth, 3);
  assert.equal(send(), false);
  assert.equal(link.statistics.drops.get('queue-full'), 3);
  scene.socket.room = 1;
  scene.clock.runDeferred();
  assert.equal(link.statistics.queueDepth, 0);
  assert.equal(link.statistics.drops.get('queue-full'), 5);
  assert.ok(send(), 'there is room again');
});

test('the station table is bounded, and frames pass all the same', () => {
  const scene = new Scene();
  const [link, station] = scene.network(42, { limits: { stations: 2 } });
  // A group is nobody's address.
  scene.receive(ONE!, tunnelled(42, frame(link.mac, MacAddress.BROADCAST)));
  assert.deepEqual(link.stations(), []);
  for (let low = 1; low <= 5; low++) {
    scene.receive(ONE!, tunnelled(42, frame(link.mac, new MacAddress(0x0200, low))));
  }
  assert.equal(station.frames.length, 6);
  assert.deepEqual(link.stations().length, 2);
  assert.throws(() => link.addStation(STATION, ONE!), { code: 'VXLAN_FULL' });
});

test('a closed link is out of its endpoint, and others stay; a closed endpoint ends them all', async () => {
  const scene = new Scene();
  const [first, firstStation] = scene.network(1);
  const [second, secondStation] = scene.network(2);
  const closing = first.close();
  assert.deepEqual(firstStation.ends, [], 'never from inside a call');
  scene.clock.runDeferred();
  await Promise.all([closing, first.close()]);
  assert.deepEqual(firstStation.ends, [undefined]);
  assert.equal(first.transmit(first.allocate(60)), false);
  assert.equal(first.statistics.drops.get('link-down'), 1);
  scene.receive(ONE!, tunnelled(1, frame(first.mac, STATION)));
  assert.equal(scene.endpoint.drops.get('unknown-network'), 1);
  assert.deepEqual(scene.endpoint.networks(), [second]);
  scene.network(1);

  // What waits goes out before.
  assert.ok(second.transmit(second.allocate(60)));
  const end = scene.endpoint.close();
  scene.clock.runDeferred();
  await Promise.all([end, scene.endpoint.close()]);
  assert.deepEqual(secondStation.ends, [undefined]);
  assert.equal(scene.socket.sent.length, 3);
  assert.deepEqual(second.statistics.drops.snapshot(), {});
  assert.throws(() => scene.network(3), { code: 'VXLAN_CLOSED' });
  const late = new Station();
  second.attach(late);
  scene.clock.runDeferred();
  assert.deepEqual(late.ends, [undefined]);
});

test('a link may be closed by its handler in the midst of a batch', () => {
  const scene = new Scene();
  const link = scene.endpoint.network(1, { peers: [ONE!] });
  const seen: string[] = [];
  link.attach({
    receive: () => {
      seen.push('frame');
      void link.close();
    },
    batchEnd: () => seen.push('end'),
    closed: () => seen.push('closed'),
  });
  const data = tunnelled(1, frame(link.mac, STATION));
  scene.receive(ONE!, data, data);
  scene.clock.runDeferred();
  assert.deepEqual(seen, ['frame', 'closed']);
});

test('a socket that fails ends every link with its error, and errors on the way are counted', () => {
  const scene = new Scene();
  const [link, station] = scene.network(1);
  const refused = { code: 'CONNECTION_REFUSED' } as NetloomError;
  scene.socket.handler.error!(refused);
  assert.equal(scene.endpoint.drops.get('CONNECTION_REFUSED'), 1);
  assert.ok(link.transmit(link.allocate(60)));
  scene.socket.handler.closed!(refused);
  scene.clock.runDeferred();
  assert.deepEqual(link.statistics.drops.snapshot(), { 'link-down': 3 });
  assert.deepEqual(station.ends, [refused]);
});

test('what makes no sense is refused with a name', () => {
  const scene = new Scene(OURS, { networks: 1 });
  const make = (identifier: number, options?: VxlanOptions) => (): unknown =>
    scene.endpoint.network(identifier, options);
  for (const identifier of [-1, 0x100_0000, 1.5, NaN]) {
    assert.throws(make(identifier), { code: 'VXLAN_IDENTIFIER_INVALID' });
  }
  for (const mtu of [1451, 67, NaN]) assert.throws(make(1, { mtu }), { code: 'VXLAN_MTU_INVALID' });
  for (const peer of [at('239.1.1.1'), at('0.0.0.0'), at('10.0.0.1', 0), OURS, at('fd00::2')]) {
    assert.throws(make(1, { peers: [peer] }), { code: 'VXLAN_PEER_INVALID' });
  }
  assert.throws(make(1, { peers: [ONE!, TWO!], limits: { peers: 1 } }), { code: 'VXLAN_FULL' });
  scene.network(1);
  assert.throws(make(1), { code: 'VXLAN_IDENTIFIER_TAKEN' });
  assert.throws(make(2), { code: 'VXLAN_FULL' });
});
