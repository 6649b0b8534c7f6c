/** What must hold in the world, whatever the attackers do. */
import assert from 'node:assert/strict';
import type { Random } from 'netloom/core';
import { TCP_LIMITS, type Interface } from 'netloom/ip';
import { LONGEST_SAYING, type Conversation, type Voice } from './conversation.ts';
import { once } from './hostile.ts';
import { STATIONS, type Station } from './stations.ts';
import { FRESH_PORT, LIMITS, type World } from './world.ts';

/** The defaults of the reassembler, which a stack does not let anyone change. */
const REASSEMBLY_BYTES = 4_194_304;
const REASSEMBLY_DATAGRAMS = 1024;
const PATH_MTUS = 4096;
/** A host's routes: its own, and one for each router and prefix that autoconfiguration lets in. */
const ROUTES = 48;

/** Milliseconds until the innocents must have recovered: several of the longest retransmission timeouts. */
const RECOVERY = 300_000;
const STEP = 1000;
/** Bytes each way. */
const FRESH_BYTES = 20_000;
/** How often one tries again who was told that the way is blocked, for as long as it is because of forged neighbours. */
const ATTEMPTS = 4;
const HOUR = 3_600_000;
/** Instants within an hour at which a world may still have something to do when nobody wants anything any more. */
const INSTANTS_AT_REST = 400;

/** Tables, queues and buffers keep to their limits. */
export function checkLimits(world: World): void {
  for (const stack of world.stacks) {
    const { tcp, fragments, pathMtus, routes } = stack;
    atMost('connections', tcp.connections, LIMITS.tcp.connections);
    atMost('TIME-WAITs', tcp.timeWaits.size, LIMITS.tcp.timeWait);
    atMost('bytes of fragments', fragments.bytes, REASSEMBLY_BYTES);
    atMost('datagrams in fragments', fragments.size, REASSEMBLY_DATAGRAMS);
    atMost('path MTUs', pathMtus.size, PATH_MTUS);
    atMost('routes', routes.size, ROUTES);
    for (const via of stack.interfaces) checkInterface(via);
    for (const connection of tcp.openConnections()) {
      const { receiver } = connection;
      const { size, length } = receiver.reassembly;
      atMost('ranges out of order', size, LIMITS.tcp.outOfOrderRanges);
      atMost('bytes out of order', length, Math.max(receiver.window, 0));
      atMost('bytes queued', receiver.queued, TCP_LIMITS.maximumReceiveBuffer);
    }
  }
  for (const { halfOpen } of world.listeners) atMost('half-open', halfOpen, LIMITS.tcp.halfOpen);
}

function checkInterface({ neighbours, addresses, mtu, link, hopLimit }: Interface): void {
  atMost('neighbours', neighbours.size, LIMITS.neighbour.neighbours);
  for (const { waiting } of neighbours.entries()) {
    atMost('waiting frames', waiting.length, LIMITS.neighbour.waitingFrames);
  }
  atMost('addresses', addresses.length, LIMITS.stack.addressesPerInterface);
  assert.ok(mtu >= 1280 && mtu <= link.mtu, `the MTU is ${mtu}`);
  assert.ok(hopLimit > 0, 'the hop limit is 0');
}

function atMost(what: string, number: number, limit: number): void {
  assert.ok(number >= 0 && number <= limit, `${what}: ${number}, at most ${limit}`);
}

/** Nobody has heard what was not said, except from a forger; and those left in peace go on. */
export function checkConversations(world: World): void {
  const { quiet, victims } = world;
  world.wasMisled ||= isAnyoneMisled(world);
  for (const conversation of quiet) {
    checkHeard(conversation);
    for (const { isOver, error, hasHeardEnd } of conversation.voices) {
      assert.ok(!hasHeardEnd, `${conversation} was ended`);
      // Who sends to the wrong station for too long gives up.
      const mayBeOver = world.wasMisled && error !== undefined;
      assert.ok(!isOver || mayBeOver, `${conversation} is over: ${error?.message}`);
    }
  }
  for (const conversation of victims) if (!conversation.isForged) checkHeard(conversation);
}

function checkHeard(conversation: Conversation): void {
  const { client, server } = conversation;
  if (client === undefined || server === undefined) return;
  for (const [who, to] of [
    [client, server],
    [server, client],
  ] as const) {
    assert.equal(who.wrongAt, undefined, `${conversation}: a byte nobody has said was heard`);
    assert.ok(who.heard <= to.said, `${conversation}: ${who.heard} bytes heard of ${to.said}`);
  }
}

/** After the attack: those in peace have heard everything, new ones can talk, and in the end the world sleeps with empty hands. */
export function checkAftermath(world: World, random: Random): void {
  for (const { voices } of world.quiet) {
    for (const voice of voices) {
      voice.listen(true);
      voice.say(1 + random.below(LONGEST_SAYING));
    }
  }
  const behind = (): Conversation[] => world.quiet.filter((conversation) => isBehind(conversation));
  const recovered = passUntil(world, () => behind().length === 0);
  checkConversations(world);
  assert.ok(recovered, `not heard in ${RECOVERY} ms: ${behind().join(', ')}`);
  const family = once(random, 2) ? 4 : 6;
  checkFreshConversation(world, family);
  checkSleep(world);
}

/** It goes on, and not everything has been heard. */
function isBehind({ isCaughtUp, voices }: Conversation): boolean {
  return !isCaughtUp && !voices.some(({ isOver }) => isOver);
}

/** Lets time go by until something is so; answers whether it is. */
function passUntil(world: World, isSo: () => boolean): boolean {
  for (let passed = 0; passed < RECOVERY && !isSo(); passed += STEP) world.pass(STEP);
  return isSo();
}

/** Somebody whom the attackers do not know comes, talks, and goes. */
function checkFreshConversation(world: World, family: 4 | 6): void {
  for (let attempt = 1; ; attempt++) {
    const isMisled = isAnyoneMisled(world);
    const conversation = world.converse(family, 0, FRESH_PORT);
    const isOpen = (): boolean =>
      conversation.error !== undefined ||
      (conversation.client !== undefined && conversation.server !== undefined);
    assert.ok(passUntil(world, isOpen), `${conversation}: not open in ${RECOVERY} ms`);
    if (conversation.error === undefined) {
      checkTransfer(world, conversation, FRESH_BYTES);
      return;
    }
    assert.ok(isMisled && attempt < ATTEMPTS, `${conversation}: ${conversation.error.message}`);
  }
}

function checkTransfer(world: World, conversation: Conversation, length: number): void {
  const [client, server] = conversation.voices as [Voice, Voice];
  const isDone = (): boolean => {
    for (const voice of [client, server]) {
      if (voice.said < length) voice.say(LONGEST_SAYING);
      else voice.finish();
    }
    return client.isOver && server.isOver;
  };
  const done = passUntil(world, isDone);
  checkHeard(conversation);
  const error = client.error ?? server.error;
  assert.equal(error, undefined, `${conversation}: ${error?.message}`);
  assert.ok(done && conversation.isCaughtUp, `${conversation}: not done in ${RECOVERY} ms`);
}

/** Whether one of the innocents on the way between client and server takes another for somebody else: who is on the LAN can bring that about. */
function isAnyoneMisled({ client, router, server }: World): boolean {
  const { routerA, routerB } = STATIONS;
  return (
    isMisled(client.interfaces, 'c0', routerA) ||
    isMisled(router.interfaces, 'a0', STATIONS.client) ||
    isMisled(router.interfaces, 'b0', STATIONS.server) ||
    isMisled(server.interfaces, 's0', routerB)
  );
}

function isMisled(
  interfaces: readonly Interface[],
  name: string,
  { v4, v6, mac }: Station,
): boolean {
  const via = interfaces.find((one) => one.name === name)!;
  return [v4, v6].some((address) => {
    const known = via.neighbours.find(address);
    if (known === undefined || known.state === 'new') return false;
    return !known.isResolved || known.macHigh !== mac.high || known.macLow !== mac.low;
  });
}

/** With nobody there any more, nothing is held and hardly anything happens. */
function checkSleep(world: World): void {
  for (const { tcp } of world.stacks) {
    for (const connection of tcp.openConnections()) connection.abort();
  }
  world.pass(HOUR);
  const instants = world.pass(HOUR);
  assert.ok(instants <= INSTANTS_AT_REST, `in an hour of rest there were ${instants} instants`);
  for (const { tcp, fragments, pathMtus, interfaces } of world.stacks) {
    assert.equal(tcp.flows.size, 0, 'a connection is left');
    assert.equal(fragments.size, 0, 'a fragment is left');
    assert.equal(fragments.bytes, 0, 'memory of fragments is left');
    assert.equal(pathMtus.size, 0, 'a path MTU is left');
    for (const { neighbours } of interfaces) {
      for (const { waiting } of neighbours.entries()) assert.equal(waiting.length, 0);
    }
  }
  for (const { halfOpen } of world.listeners) assert.equal(halfOpen, 0, 'half-open for ever');
}
