/** Packets that are in order and of no use: passed over, and counted all the same. Found by fuzzing the whole stack. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress } from '../core/index.ts';
import { ETHERNET_HEADER_LENGTH, Icmpv6Type, IpProtocol } from '../wire/index.ts';
import { icmpFrame, ipFrame, ndpFrame, type Ends } from '../../test/ip/frames.ts';
import { PEER_MAC, STACK_MAC, StackBench } from '../../test/ip/stack-bench.ts';

const ENDS: Ends = {
  source: IpAddress.parse('fe80::2'),
  destination: IpAddress.parse('fe80::1'),
  sourceMac: PEER_MAC,
  destinationMac: STACK_MAC,
};

function advertisement(target: string): Uint8Array {
  return ndpFrame(ENDS, {
    kind: 'neighbour-advertisement',
    target: IpAddress.parse(target),
    router: false,
    solicited: false,
    override: true,
    options: [{ kind: 'target-link-address', mac: PEER_MAC }],
  });
}

test('news of a stranger that nobody has asked for is counted (RFC 4861, section 7.2.5)', () => {
  const bench = new StackBench();
  bench.inject(advertisement('2001:db8::77'));
  assert.equal(bench.interface.neighbours.size, 0);
  assert.equal(bench.stack.drops.get('ndp-unasked'), 1);
});

test('an advertisement of an address of ours is counted and not believed', () => {
  const bench = new StackBench();
  bench.inject(advertisement('2001:db8::1'));
  assert.equal(bench.stack.drops.get('ndp-claims-ours'), 1);
});

test('a router’s word to an interface that does not configure itself is counted', () => {
  const bench = new StackBench();
  bench.inject(
    ndpFrame(ENDS, {
      kind: 'router-advertisement',
      hopLimit: 1,
      managed: false,
      otherConfiguration: false,
      preference: 'high',
      routerLifetime: 1800,
      reachableTime: 0,
      retransmitTime: 0,
      options: [],
    }),
  );
  assert.equal(bench.interface.drops.get('router-not-heeded'), 1);
  assert.equal(bench.interface.hopLimit, 64);
});

test('an error about a packet that nobody waits for an answer to is counted', () => {
  const bench = new StackBench();
  const back: Ends = { ...ENDS, source: ENDS.destination, destination: ENDS.source };
  const report = ipFrame(back, IpProtocol.IGMP, new Uint8Array(8));
  const quoted = report.subarray(ETHERNET_HEADER_LENGTH);
  bench.inject(icmpFrame(ENDS, Icmpv6Type.DESTINATION_UNREACHABLE, 0, 0, quoted));
  assert.equal(bench.stack.drops.get('icmp-error-unmatched'), 1);
});
