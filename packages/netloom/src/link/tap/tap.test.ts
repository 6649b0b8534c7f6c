import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { IpAddress, MacAddress, NetloomError, readUint16, writeUint16 } from '../../core/index.ts';
import {
  ArpOperation,
  ArpPacket,
  emitArp,
  finishChecksum,
  parseArp,
  sumWords,
} from '../../wire/index.ts';
import { KernelNamespace, tapObstacle } from '../../../test/kernel-namespace.ts';
import { requires } from '../../../test/requires.ts';
import type { FrameOffload, Link, LinkHandler } from '../index.ts';
import { openTap, type TapLink, type TapOptions } from './index.ts';

const options = { skip: requires(tapObstacle), timeout: 30_000 };

/** Opens a TAP in the namespace, whose kernel has this address. */
function openIn(namespace: KernelNamespace, address: string, more: TapOptions = {}): Link {
  const link = openTap({ namespace: namespace.name, ...more });
  namespace.ip('address', 'add', address, 'dev', link.name);
  return link;
}

/** Counts, and resolves when the link is gone. */
class Listener implements LinkHandler {
  frames = 0;
  readonly batches: number[] = [];
  readonly ends: (NetloomError | undefined)[] = [];
  readonly gone: PromiseWithResolvers<NetloomError | undefined> = Promise.withResolvers();
  #changed: (() => void) | undefined;

  receive(_frame: Uint8Array, _offload: FrameOffload | undefined): void {
    this.frames++;
  }

  batchEnd(): void {
    this.batches.push(this.frames);
    this.#changed?.();
  }

  closed(error: NetloomError | undefined): void {
    this.ends.push(error);
    this.gone.resolve(error);
  }

  async until(frames: number): Promise<void> {
    while (this.frames < frames) {
      await new Promise<void>((resolve) => (this.#changed = resolve));
    }
  }
}

/** Answers ARP requests (RFC 826) and IPv4 echo requests (RFC 792) for one address, by hand. */
class EchoResponder extends Listener {
  readonly #link: Link;
  readonly #address: number;

  constructor(link: Link, address: string) {
    super();
    this.#link = link;
    this.#address = IpAddress.parse(address).word3;
  }

  override receive(frame: Uint8Array, offload: FrameOffload | undefined): void {
    super.receive(frame, offload);
    if (readUint16(frame, 12) === 0x0806) this.#answerArp(frame);
    else if (readUint16(frame, 12) === 0x0800 && frame[23] === 1) this.#answerEcho(frame);
  }

  #answerArp(frame: Uint8Array): void {
    const packet = parseArp(frame, 14, frame.length);
    assert.ok(packet instanceof ArpPacket);
    if (packet.operation !== ArpOperation.REQUEST || packet.targetAddress !== this.#address) return;
    const { mac } = this.#link;
    packet.operation = ArpOperation.REPLY;
    packet.targetAddress = packet.senderAddress;
    packet.targetMacHigh = packet.senderMacHigh;
    packet.targetMacLow = packet.senderMacLow;
    packet.senderAddress = this.#address;
    packet.senderMacHigh = mac.high;
    packet.senderMacLow = mac.low;
    const reply = this.#link.allocate(42);
    reply.set(frame.subarray(6, 12));
    mac.copyTo(reply, 6);
    writeUint16(reply, 12, 0x0806);
    emitArp(packet, reply, 14);
    assert.ok(this.#link.transmit(reply));
  }

  #answerEcho(frame: Uint8Array): void {
    const reply = this.#link.allocate(frame.length);
    reply.set(frame);
    reply.copyWithin(0, 6, 12);
    this.#link.mac.copyTo(reply, 6);
    reply.set(frame.subarray(30, 34), 26);
    reply.set(frame.subarray(26, 30), 30);
    reply[34] = 0;
    writeUint16(reply, 36, 0);
    writeUint16(reply, 36, finishChecksum(sumWords(reply, 34, reply.length)));
    assert.ok(this.#link.transmit(reply));
  }
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof NetloomError, String(error));
    assert.equal(error.code, code);
    assert.ok(error.remedy !== undefined && error.remedy !== '');
    return true;
  };
}

test('the kernel pings us, and both sides count the same', options, async () => {
  using namespace = new KernelNamespace('ping');
  await using link = openIn(namespace, '10.83.0.1/24', { name: 'tap-ping' });
  assert.equal(link.name, 'tap-ping');
  assert.equal(link.mtu, 1500);
  const responder = new EchoResponder(link, '10.83.0.2');
  link.attach(responder);
  const said = await namespace.run('ping', '-c', '3', '-i', '0.05', '-s', '1400', '10.83.0.2');
  assert.match(said, /3 packets transmitted, 3 received, 0% packet loss/);
  const { statistics } = link;
  const { rx, tx } = namespace.describe('tap-ping').stats64;
  assert.equal(statistics.sentFrames, rx.packets);
  assert.equal(statistics.sentBytes, rx.bytes);
  assert.equal(statistics.receivedFrames, tx.packets);
  assert.equal(statistics.receivedBytes, tx.bytes);
  assert.equal(responder.frames, statistics.receivedFrames);
  assert.ok(statistics.sentFrames >= 4, 'three echo replies and one ARP reply');
  assert.deepEqual(statistics.drops.snapshot(), {});
});

test('two TAPs at once have nothing of each other’s', options, async () => {
  using namespace = new KernelNamespace('two');
  await using left = openIn(namespace, '10.83.1.1/24');
  await using right = openIn(namespace, '10.83.2.1/24', { mtu: 9000 });
  assert.notEqual(left.name, right.name);
  assert.ok(!left.mac.equals(right.mac));
  assert.equal(right.mtu, 9000);
  left.attach(new EchoResponder(left, '10.83.1.2'));
  right.attach(new EchoResponder(right, '10.83.2.2'));
  const ping = (...words: string[]): Promise<string> =>
    namespace.run('ping', '-c', '5', '-i', '0.02', ...words);
  await Promise.all([
    ping('10.83.1.2'),
    ping('-s', '8000', '-M', 'do', '10.83.2.2'),
    // Each answers for its own address only.
    assert.rejects(ping('-W', '0.2', '10.83.1.3')),
  ]);
  for (const link of [left, right]) {
    const { rx, tx } = namespace.describe(link.name).stats64;
    assert.equal(link.statistics.sentFrames, rx.packets);
    assert.equal(link.statistics.receivedFrames, tx.packets);
  }
});

test('a deleted interface ends the link with TAP_GONE', options, async () => {
  using namespace = new KernelNamespace('gone');
  const link = openIn(namespace, '10.83.3.1/24');
  const listener = new Listener();
  link.attach(listener);
  namespace.ip('link', 'del', link.name);
  hasCode('TAP_GONE')(await listener.gone.promise);
  assert.equal(link.transmit(link.allocate(60)), false);
  assert.equal(link.statistics.drops.get('link-down'), 1);
  await link.close();
  assert.equal(listener.ends.length, 1);
  // Whoever comes too late is told too.
  const late = new Listener();
  link.attach(late);
  hasCode('TAP_GONE')(await late.gone.promise);
});

test('sending on a deleted interface is refused before its end is told', options, async () => {
  using namespace = new KernelNamespace('gone2');
  const link = openIn(namespace, '10.83.4.1/24');
  const listener = new Listener();
  link.attach(listener);
  namespace.ip('link', 'del', link.name);
  // The event loop had no turn since.
  assert.equal(link.transmit(link.allocate(60)), false);
  assert.deepEqual(listener.ends, [], 'never from inside a call');
  hasCode('TAP_GONE')(await listener.gone.promise);
  assert.equal(listener.ends.length, 1);
});

test('close is idempotent, ends with no error, and takes the interface away', options, async () => {
  using namespace = new KernelNamespace('close');
  const link = openIn(namespace, '10.83.5.1/24');
  const listener = new Listener();
  link.attach(listener);
  const first = link.close();
  assert.deepEqual(listener.ends, []);
  await Promise.all([first, link.close(), link[Symbol.asyncDispose]()]);
  assert.deepEqual(listener.ends, [undefined]);
  assert.throws(() => namespace.describe(link.name));
  assert.equal(link.transmit(link.allocate(60)), false);
});

test('a TAP that is to stay stays, and goes when that is taken back', options, async () => {
  using namespace = new KernelNamespace('stay');
  const open = (persist?: boolean): Link =>
    openTap({
      namespace: namespace.name,
      name: 'stays',
      ...(persist === undefined ? {} : { persist }),
    });
  await open(true).close();
  namespace.describe('stays');
  await open().close();
  namespace.describe('stays');
  await open(false).close();
  assert.throws(() => namespace.describe('stays'));
});

test(
  'a new TAP has the kernel’s address that is asked for; one that stays keeps its own',
  options,
  async () => {
    using namespace = new KernelNamespace('mac');
    const open = (kernelMac: string, persist: boolean): TapLink =>
      openTap({
        namespace: namespace.name,
        name: 'addressed',
        kernelMac: MacAddress.parse(kernelMac),
        persist,
      });
    for (const [asked, persist] of [
      ['02:00:00:00:00:07', true],
      ['02:00:00:00:00:08', false],
    ] as const) {
      await using link = open(asked, persist);
      assert.equal(String(link.kernelMac), '02:00:00:00:00:07');
      assert.equal(namespace.describe('addressed').address, '02:00:00:00:00:07');
    }
    assert.throws(
      () =>
        openTap({ namespace: namespace.name, kernelMac: MacAddress.parse('01:00:5e:00:00:01') }),
      { code: 'TAP_FAILED' },
    );
  },
);

test(
  'an interface that is down takes no frames, and takes them again when it is up',
  options,
  async () => {
    using namespace = new KernelNamespace('down');
    await using link = openTap({ namespace: namespace.name, up: false });
    link.attach(new Listener());
    const send = (): boolean => link.transmit(link.allocate(60).fill(0));
    assert.equal(send(), false);
    assert.equal(link.statistics.drops.get('link-down'), 1);
    namespace.ip('link', 'set', link.name, 'up');
    assert.equal(send(), true);
    assert.equal(link.statistics.sentFrames, 1);
  },
);

/** Sees that the link does not take a frame of this length. */
function refused(link: Link, length: number, offload?: FrameOffload): void {
  assert.equal(link.transmit(link.allocate(length).fill(0), offload), false);
}

test('frames that the link cannot send are refused and counted', options, async () => {
  using namespace = new KernelNamespace('refuse');
  await using link = openTap({ namespace: namespace.name });
  await using plain = openTap({ namespace: namespace.name, offload: false });
  refused(link, 13);
  refused(link, 1519);
  refused(link, 65_536, { checksumStart: 34, checksumOffset: 16, segmentSize: 1460 });
  refused(link, 200_000);
  refused(link, 60, { checksumStart: 59, checksumOffset: 16, segmentSize: 0 });
  refused(plain, 60, { checksumStart: 34, checksumOffset: 6, segmentSize: 0 });
  assert.equal(link.transmit(link.allocate(1518)), true);
  // One that was not allocated here is sent all the same.
  assert.equal(link.transmit(new Uint8Array(60)), true);
  assert.deepEqual(link.statistics.drops.snapshot(), {
    'bad-offload': 1,
    'too-long': 3,
    'too-short': 1,
  });
  assert.deepEqual(plain.statistics.drops.snapshot(), { 'checksum-unfinished': 1 });
  assert.deepEqual(plain.offload, { checksum: false, segmentation: 0 });
});

/** Sends datagrams from the kernel to an address nobody has to look for; the event loop waits. */
function sendFromKernel(namespace: KernelNamespace, link: Link, host: string, count: number): void {
  const mac = link.mac.toString();
  namespace.ip('neighbour', 'replace', host, 'lladdr', mac, 'dev', link.name, 'nud', 'permanent');
  const shell = `for i in $(seq ${count}); do echo $i > /dev/udp/${host}/9; done`;
  execFileSync('ip', ['netns', 'exec', namespace.name, 'bash', '-c', shell]);
}

test('a batch is bounded, and the rest comes in the turns after', options, async () => {
  using namespace = new KernelNamespace('batch');
  await using link = openIn(namespace, '10.83.6.1/24', { limits: { batchFrames: 4 } });
  const listener = new Listener();
  link.attach(listener);
  sendFromKernel(namespace, link, '10.83.6.2', 30);
  await listener.until(30);
  assert.deepEqual(listener.batches, [4, 8, 12, 16, 20, 24, 28, 30]);
});

test('frames that come before there is a handler are dropped and counted', options, async () => {
  using namespace = new KernelNamespace('early');
  await using link = openIn(namespace, '10.83.7.1/24');
  sendFromKernel(namespace, link, '10.83.7.2', 3);
  while (link.statistics.drops.get('not-attached') < 3) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  const listener = new Listener();
  link.attach(listener);
  sendFromKernel(namespace, link, '10.83.7.2', 2);
  await listener.until(2);
  assert.equal(link.statistics.receivedFrames, 2);
});

test('a link may be closed by its handler in the midst of a batch', options, async () => {
  using namespace = new KernelNamespace('midst');
  const link = openIn(namespace, '10.83.8.1/24');
  const listener = new Listener();
  link.attach({
    receive(frame, offload) {
      listener.receive(frame, offload);
      void link.close();
    },
    batchEnd: () => listener.batchEnd(),
    closed: (error) => listener.closed(error),
  });
  sendFromKernel(namespace, link, '10.83.8.2', 5);
  assert.equal(await listener.gone.promise, undefined);
  assert.equal(listener.frames, 1);
  assert.deepEqual(listener.batches, [], 'nothing but closed after close');
});

test('what cannot be opened says why, and leaves nothing behind', options, async () => {
  using namespace = new KernelNamespace('errors');
  const own = readlinkSync('/proc/thread-self/ns/net');
  const open = (more: TapOptions): Link => openTap({ namespace: namespace.name, ...more });
  await using link = open({ name: 'first' });
  assert.throws(() => open({ name: 'first' }), hasCode('TAP_BUSY'));
  assert.throws(() => open({ name: 'lo' }), hasCode('TAP_NAME_TAKEN'));
  for (const name of ['', '.', 'a/b', 'a b', 'sixteen-letters-']) {
    assert.throws(() => open({ name }), hasCode('TAP_NAME_INVALID'));
  }
  assert.throws(() => open({ name: 'second', mtu: 67 }), hasCode('TAP_MTU_INVALID'));
  assert.throws(() => open({ mtu: 65_522 }), hasCode('TAP_MTU_INVALID'));
  assert.throws(() => open({ mac: MacAddress.BROADCAST }), hasCode('TAP_MAC_INVALID'));
  assert.throws(() => open({ mac: MacAddress.ZERO }), hasCode('TAP_MAC_INVALID'));
  assert.throws(() => open({ limits: { batchFrames: -1 } }), { code: 'LIMIT_INVALID' });
  for (const missing of ['netloom-test-no-such', '', '..', '../netns']) {
    assert.throws(() => openTap({ namespace: missing }), hasCode('NETWORK_NAMESPACE_MISSING'));
  }
  assert.equal(readlinkSync('/proc/thread-self/ns/net'), own);
  const left = JSON.parse(namespace.ip('-j', 'link')) as { ifname: string }[];
  assert.deepEqual(left.map(({ ifname }) => ifname).sort(), ['first', 'lo']);
  assert.equal(link.name, 'first');
});

test('the kernel’s own address is refused as ours', options, async () => {
  using namespace = new KernelNamespace('mac');
  namespace.ip('tuntap', 'add', 'dev', 'made', 'mode', 'tap');
  const mac = MacAddress.parse(namespace.describe('made').address);
  const open = (address?: MacAddress): Link =>
    openTap({
      namespace: namespace.name,
      name: 'made',
      ...(address === undefined ? {} : { mac: address }),
    });
  assert.throws(() => open(mac), hasCode('TAP_MAC_INVALID'));
  const other = MacAddress.parse('02:00:00:00:00:07');
  await using link = open(other);
  assert.ok(link.mac.equals(other));
});
