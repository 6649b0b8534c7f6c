/** Answers to questions that nobody has asked, which anyone on the link can send. Found by fuzzing the whole stack. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, MacAddress } from '../core/index.ts';
import { ArpOperation } from '../wire/index.ts';
import { arpFrame, ndpFrame } from '../../test/ip/frames.ts';
import { PEER_MAC, STACK_MAC, StackBench } from '../../test/ip/stack-bench.ts';

const LIAR = MacAddress.parse('02:00:00:00:00:66');
const PEER_V4 = IpAddress.parse('10.0.0.2');
const PEER_V6 = IpAddress.parse('2001:db8::2');

function answer(family: 4 | 6, mac: MacAddress): Uint8Array {
  if (family === 4) {
    return arpFrame(STACK_MAC, {
      operation: ArpOperation.REPLY,
      senderMac: mac,
      sender: PEER_V4,
      targetMac: STACK_MAC,
      target: IpAddress.parse('10.0.0.1'),
    });
  }
  const ends = {
    source: PEER_V6,
    destination: IpAddress.parse('2001:db8::1'),
    sourceMac: mac,
    destinationMac: STACK_MAC,
  };
  return ndpFrame(ends, {
    kind: 'neighbour-advertisement',
    target: PEER_V6,
    router: false,
    solicited: true,
    override: true,
    options: [{ kind: 'target-link-address', mac }],
  });
}

for (const family of [4, 6] as const) {
  const peer = family === 4 ? PEER_V4 : PEER_V6;

  test(`an IPv${family} neighbour’s answer that was not asked for does not prove its new link address`, () => {
    const bench = new StackBench();
    bench.learn(peer);
    bench.inject(answer(family, LIAR));
    const neighbour = bench.interface.neighbours.find(peer)!;
    assert.equal(neighbour.macLow, LIAR.low);
    assert.equal(neighbour.state, 'stale');
  });

  test(`an IPv${family} neighbour’s answer to our question does`, () => {
    const bench = new StackBench();
    bench.stack.ping(peer, { size: 8, hopLimit: 64 }, () => undefined);
    bench.settle();
    bench.inject(answer(family, PEER_MAC));
    assert.equal(bench.interface.neighbours.find(peer)!.state, 'reachable');
  });
}
