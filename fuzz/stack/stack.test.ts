/** That the fuzzer of the stack can see what it is there for: its world in peace, its attacks, and what it takes for wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from 'netloom/core';
import { describeFrame } from 'netloom/wire';
import { mendFrame } from './mend.ts';
import { checkAftermath, checkConversations, checkLimits } from './oracle.ts';
import { ATTACK_KINDS } from './siege.ts';
import { World } from './world.ts';

test('a world in peace is found in order', () => {
  for (const seed of [1, 2, 3]) {
    const random = seededRandom(seed);
    const world = new World(random);
    checkLimits(world);
    checkConversations(world);
    checkAftermath(world, random);
    assert.equal(world.wasMisled, false);
  }
});

test('the attackers have seen some of everything before they begin', () => {
  const lines = new World(seededRandom(1)).seen.map(({ bytes }) => describeFrame(bytes)).join('\n');
  for (const kind of [
    /ARP who has/,
    /NDP who has/,
    /NDP router/,
    /IGMP/,
    /MLD/,
    /ICMP echo/,
    /UDP len/,
    /fragment/,
    /TCP SYN/,
    /TCP .*FIN/,
  ]) {
    assert.match(lines, kind);
  }
  assert.doesNotMatch(lines, /:7001\b/, 'and nothing of the quiet');
});

test('every attack has frames to send', () => {
  for (const attack of ATTACK_KINDS) {
    const random = seededRandom(7);
    const world = new World(random);
    let frames = 0;
    for (let i = 0; i < 20; i++) frames += attack(world, random).length;
    assert.ok(frames >= 10, `${attack.name}: ${frames} frames`);
  }
});

test('checksums that a mutation has broken are mended', () => {
  for (const { bytes, offload } of new World(seededRandom(1)).seen) {
    if (offload !== undefined && offload.checksumStart > 0) continue;
    const broken = Uint8Array.from(bytes);
    // The last byte of its IP header's addresses: it is in every sum there is.
    broken[bytes[12] === 0x86 ? 53 : 33]! ^= 1;
    mendFrame(broken);
    assert.doesNotMatch(describeFrame(broken), /bad-checksum/);
  }
});

test('a byte that nobody has said is seen, and so is a conversation in peace that has ended', () => {
  const world = new World(seededRandom(1));
  const [first, second] = world.quiet;
  first!.client!.data(Uint8Array.of(1, 2, 3));
  assert.throws(() => checkConversations(world), /a byte nobody has said/);
  const another = new World(seededRandom(1));
  another.quiet[1]!.server!.connection.abort();
  another.pass(10);
  assert.throws(() => checkConversations(another), new RegExp(`${second} is over`));
});

test('what nobody can be waiting for so long is seen', () => {
  const world = new World(seededRandom(1));
  const timer = world.clock.timer(() => timer.set(world.clock.now() + 0.001));
  timer.set(world.clock.now());
  assert.throws(() => world.pass(1000), /not at rest/);
  const stuck = new World(seededRandom(1));
  const again = stuck.clock.timer(() => again.set(stuck.clock.now()));
  again.set(stuck.clock.now());
  assert.throws(() => stuck.pass(1), { code: 'CLOCK_STUCK' });
});
