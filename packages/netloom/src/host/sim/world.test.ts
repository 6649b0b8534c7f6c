import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection, IpAddress, NetloomError } from '../../core/index.ts';
import type { SimHost } from './machine.ts';
import type { SimNetworkOptions } from './network.ts';
import { formatSimFrame, type SimFrame } from './trace.ts';
import { simWorld, type SimReport, type SimWorld } from './world.ts';

/** Sends a greeting and answers what comes back. */
async function greet(client: SimHost, host: string | IpAddress, port = 7): Promise<string> {
  const connection = await client.connect({ host, port });
  return new Promise((resolve, reject) => {
    let text = '';
    connection.start({
      data: (chunk) => void (text += new TextDecoder().decode(chunk)),
      end: () => connection.end(),
      closed: (error) => (error === undefined ? resolve(text) : reject(error)),
    });
    connection.write(new TextEncoder().encode('hello'));
    connection.end();
  });
}

/** Answers what comes with the same. */
function echo(connection: Connection): void {
  connection.start({
    data: (chunk) => void connection.write(chunk.slice()),
    end: () => connection.end(),
  });
}

/** Some traffic over a bad network, and what was seen of it. */
async function storyOf(
  seed: number,
  build: (world: SimWorld) => void = () => {},
): Promise<{ report: SimReport; lines: string[] }> {
  const lines: string[] = [];
  const world = simWorld({ seed, trace: (frame) => lines.push(formatSimFrame(frame)) });
  const lan = world.network('lan', { delay: 3, jitter: 2, loss: 0.1, reorder: 0.1 });
  const a = world.machine('a', { on: lan });
  const b = world.machine('b', { on: lan });
  build(world);
  await world.run(
    (async () => {
      await b.listen({ port: 7, accept: echo });
      for (let i = 0; i < 20; i++) assert.equal(await greet(a, 'b.sim'), 'hello');
    })(),
  );
  return { report: world.report(), lines };
}

/** With IPv6 a machine reports its groups by and by; where frames are counted, that is in the way. */
const IPV4_ONLY = { subnets: ['10.1.0.0/16'] };

/** Two machines on a good network. */
function pair(
  options: Partial<Parameters<typeof simWorld>[0]> = {},
  network: SimNetworkOptions = {},
) {
  const world = simWorld({ seed: 1, ...options });
  const lan = world.network('lan', { delay: 1, ...network });
  const a = world.machine('a', { on: lan });
  const b = world.machine('b', { on: lan });
  return { world, lan, a, b };
}

test('the same seed gives the same run, frame by frame; another gives another', async () => {
  const first = await storyOf(11);
  const again = await storyOf(11);
  assert.deepEqual(again, first);
  assert.ok(first.report.lost > 0, 'the network loses frames');
  const other = await storyOf(12);
  assert.notEqual(other.report.hash, first.report.hash);
});

test('a machine that is added and silent changes nothing for the others', async () => {
  const { report } = await storyOf(11);
  const more = await storyOf(11, (world) => {
    world.machine('c', { on: world.network('elsewhere', IPV4_ONLY) });
    world.random('mine').uint32();
  });
  assert.deepEqual(more.report, report);
});

test('time goes on in run() only, and no faster than events ask for', async () => {
  const { world, a, b } = pair();
  assert.equal(world.now(), 0);
  await world.run(1000);
  assert.equal(world.now(), 1000);
  const reply = await world.run(a.ping(b.address));
  assert.equal(reply.roundTrip, 4, 'there and back for ARP, and for the echo');
  assert.equal(world.now(), 1004);
  await world.run(world.sleep(0.25));
  assert.equal(world.now(), 1004.25);
});

test('promise reactions run before time goes on, however long their chain', async () => {
  const { world } = pair();
  let at = -1;
  const work = world.sleep(5).then(async () => {
    for (let i = 0; i < 1000; i++) await Promise.resolve();
    at = world.now();
  });
  const later = world.sleep(5.001);
  await world.run(Promise.all([work, later]));
  assert.equal(at, 5);
});

test('names: NAME.sim for each machine, and those that are added', async () => {
  const { world, a, b } = pair();
  world.addName('www.example', ['192.0.2.1']);
  const resolve = (name: string, family?: 4 | 6) =>
    world.run(a.resolve(name, family && { family }).then(String));
  assert.equal(await resolve('b.sim', 4), '10.1.0.2');
  assert.equal(await resolve('B.sim.', 6), 'fd00:1::2');
  assert.equal(await resolve('www.example'), '192.0.2.1');
  await assert.rejects(resolve('c.sim'), { code: 'NAME_NOT_FOUND' });
  await assert.rejects(resolve('b'), { code: 'NAME_NOT_FOUND' });
  assert.equal(b.address.toString(), '10.1.0.2');
});

test('a cable between two machines; what a cable does to one direction', async () => {
  const world = simWorld({ seed: 1 });
  const [a, b] = [world.machine('a'), world.machine('b')];
  const cable = world.link(a, b, { delay: 10 });
  await world.run(a.ping(b.address));
  assert.equal((await world.run(a.ping(b.address))).roundTrip, 20);
  a.cable(cable).inbound.set({ delay: 5 });
  assert.equal((await world.run(a.ping(b.address))).roundTrip, 25);
  b.cable(cable).outbound.set({ delay: 1 });
  assert.equal((await world.run(a.ping(b.address))).roundTrip, 16);
  cable.impair({ delay: 0 });
  assert.equal((await world.run(a.ping(b.address))).roundTrip, 5);
  assert.throws(() => world.machine('c', { on: cable }), { code: 'SIM_NETWORK_FULL' });
});

test('what is lost is told: in the sender’s cable, in the receiver’s, and for want of a receiver', async () => {
  const fates: string[] = [];
  const trace = ({ from, to, fate }: SimFrame) => fates.push(`${from} > ${to} ${fate}`);
  const { world, lan, a, b } = pair({ trace }, IPV4_ONLY);
  await world.run(a.ping(b.address));
  const ping = () => world.run(a.ping(b.address).catch((error: NetloomError) => error.code));
  fates.length = 0;
  a.cable(lan).outbound.set({ loss: 1 });
  assert.equal(await ping(), 'TIMEOUT');
  assert.deepEqual(fates, ['a > b loss']);
  fates.length = 0;
  a.cable(lan).outbound.set({ loss: 0 });
  b.cable(lan).inbound.set({ loss: 1 });
  assert.equal(await ping(), 'TIMEOUT');
  assert.deepEqual(fates, ['a > b delivered', 'a > b loss']);
  fates.length = 0;
  await world.run(b.close());
  assert.equal(await ping(), 'TIMEOUT');
  assert.deepEqual(fates, ['a > ? no-station']);
  assert.equal(world.report().lost, 3);
});

test('what befalls a frame on its way is told where it happens, and is no end of it', async () => {
  const lines: string[] = [];
  const fates: string[] = [];
  const trace = (frame: SimFrame) => {
    fates.push(`${frame.from} > ${frame.to} ${frame.fate}`);
    lines.push(formatSimFrame(frame));
  };
  const { world, lan, a, b } = pair({ trace }, IPV4_ONLY);
  await world.run(a.ping(b.address));
  const before = world.report();
  const ping = () => world.run(a.ping(b.address).catch((error: NetloomError) => error.code));
  const there = 'a > b delivered';
  const back = 'b > a delivered';
  for (const [change, expected] of [
    [{ duplicate: 1 }, ['a > b duplicated', there, there, back, back]],
    [{ reorder: 1, duplicate: 0 }, ['a > b reordered', there, back]],
  ] as const) {
    fates.length = 0;
    a.cable(lan).outbound.set(change);
    await ping();
    assert.deepEqual(fates, expected);
  }
  assert.match(lines.join('\n'), /a > b {2}DUPLICATED .*ICMP echo request/);
  const { frames, lost } = world.report();
  assert.deepEqual([frames - before.frames, lost], [6, 0]);
  assert.deepEqual(world.trace().slice(-lines.length), lines.slice(-world.trace().length));
});

test('a partition cuts groups off from each other and from the rest, until it heals', async () => {
  const world = simWorld({ seed: 1 });
  const lan = world.network('lan', { delay: 1 });
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => world.machine(name, { on: lan }));
  const reaches = (from: SimHost, to: SimHost): Promise<boolean> =>
    world.run(
      from.ping(to.address).then(
        () => true,
        () => false,
      ),
    );
  assert.ok(await reaches(a!, c!));
  lan.partition([a!, b!]);
  assert.ok(await reaches(a!, b!));
  assert.ok(await reaches(c!, d!));
  assert.ok(!(await reaches(a!, c!)), 'also where the link address is known');
  assert.ok(!(await reaches(d!, b!)));
  assert.match(world.trace().join('\n'), /d > \* {2}LOST \(partition\) ARP/);
  lan.heal();
  assert.ok(await reaches(a!, c!));
  assert.throws(() => lan.partition([world.machine('e')]), { code: 'SIM_UNKNOWN' });
});

test('machines reach each other by way of a router', async () => {
  const world = simWorld({ seed: 1 });
  const [left, right] = [world.network('left', { delay: 1 }), world.network('right', { delay: 2 })];
  const router = world.machine('router', { on: [left, right], forwarding: true });
  const a = world.machine('a', { on: left });
  const b = world.machine('b', { on: right });
  a.routeVia(router);
  b.routeVia(router, right);
  await world.run(
    (async () => {
      await b.listen({ port: 7, accept: echo });
      for (const address of b.addresses) assert.equal(await greet(a, address), 'hello');
    })(),
  );
  assert.equal((await world.run(a.ping(b.address))).roundTrip, 6);
});

test('nothing under way and the work not done: SIM_DEADLOCK, which tells who has what open', async () => {
  const { world, a, b } = pair();
  const accepted = Promise.withResolvers<Connection>();
  const waiting = (async () => {
    await b.listen({ port: 7, accept: accepted.resolve });
    await b.bind({ port: 53 });
    const connection = await a.connect({ host: b.address, port: 7 });
    await new Promise((resolve) => connection.start({ data: resolve }));
  })();
  await assert.rejects(world.run(waiting), (error: NetloomError) => {
    assert.equal(error.code, 'SIM_DEADLOCK');
    assert.match(error.message, /a has TCP 10\.1\.0\.1:\d+ to 10\.1\.0\.2:7 \(established\)/);
    assert.match(error.message, /b has TCP .* \(established\), UDP at 53/);
    return true;
  });
  // The world goes on to be of use.
  await world.run(world.sleep(1));
  await assert.rejects(simWorld({ seed: 1 }).run(new Promise(() => {})), /no machine has anything/);
});

test('a run that has no end: SIM_OVERDUE; a part of it that may take so long and no longer', async () => {
  const { world } = pair({ limits: { virtualTime: 60_000 } });
  const forever = (async () => {
    for (;;) await world.sleep(1000);
  })();
  await assert.rejects(world.run(forever), { code: 'SIM_OVERDUE' });
  assert.equal(world.now(), 60_000);
  const { world: other } = pair();
  const late = other.within(50, 'a nap', other.sleep(51));
  await assert.rejects(other.run(late), /a nap took more than 50 ms/);
  assert.equal(
    await other.run(
      other.within(
        50,
        'a nap',
        other.sleep(49).then(() => 3),
      ),
    ),
    3,
  );
});

test('promises that turn in a circle at one instant: SIM_STUCK', async () => {
  const { world } = pair({ limits: { callbacksPerInstant: 1000 } });
  const circle = (async () => {
    for (;;) await new Promise<void>((resolve) => world.clock.defer(resolve));
  })();
  await assert.rejects(world.run(circle), { code: 'SIM_STUCK' });
});

test('what a callback of the clock throws, and an aborted signal, end the run', async () => {
  const controller = new AbortController();
  const { world } = pair({ signal: controller.signal });
  world.clock.defer(() => {
    throw new TypeError('a mistake');
  });
  await assert.rejects(world.run(world.sleep(1)), {
    code: 'SIM_CALLBACK_THREW',
    cause: new TypeError('a mistake'),
  });
  world.clock.defer(() => controller.abort());
  await assert.rejects(world.run(world.sleep(1)), { code: 'ABORTED' });
});

test('what the work rejects with, the run rejects with; and one run at a time', async () => {
  const { world } = pair();
  const error = new Error('no');
  const failing = world.sleep(1).then(() => Promise.reject(error));
  const run = world.run(failing);
  await assert.rejects(world.run(1), { code: 'SIM_RUNNING' });
  await assert.rejects(run, error);
});

test('close() closes all machines, within a run and without', async () => {
  const { world, a, b } = pair();
  await world.run(b.listen({ port: 7, accept: echo }));
  await world.run(a.connect({ host: b.address, port: 7 }));
  await Promise.all([world.close(), world.close()]);
  await assert.rejects(a.bind(), { code: 'HOST_CLOSED' });
  const { world: other, a: host } = pair();
  await other.run(other.close());
  await assert.rejects(host.bind(), { code: 'HOST_CLOSED' });
});

test('the last frames are remembered, oldest first, and no more than the limit', async () => {
  const all: string[] = [];
  const trace = (frame: SimFrame) => all.push(formatSimFrame(frame));
  const { world, a, b } = pair({ trace, limits: { traceFrames: 5 } }, IPV4_ONLY);
  await world.run(a.ping(b.address));
  assert.equal(all.length, 4);
  assert.deepEqual(world.trace(), all);
  assert.match(all[0]!, /^ {4}0\.001000 {2}lan {2}a > \* {2}ARP who has 10\.1\.0\.2\? tell/);
  for (let i = 0; i < 3; i++) await world.run(a.ping(b.address, { size: 10 * i }));
  assert.deepEqual(world.trace(), all.slice(-5));
});

test('names that are taken or no names, limits, and seeds that are none', () => {
  const { world, lan, a } = pair({ limits: { machines: 2, networks: 1 } });
  assert.throws(() => world.machine('a'), { code: 'SIM_NAME_TAKEN' });
  assert.throws(() => a.attach(lan), { code: 'SIM_NAME_TAKEN' });
  assert.throws(() => world.machine('A b'), { code: 'SIM_NAME_INVALID' });
  assert.throws(() => world.machine('c'), { code: 'SIM_TOO_MANY' });
  assert.throws(() => world.network('wan'), { code: 'SIM_TOO_MANY' });
  assert.throws(() => simWorld({ seed: -1 }), { code: 'SIM_SEED_INVALID' });
  assert.throws(() => simWorld({ seed: 0.5 }), { code: 'SIM_SEED_INVALID' });
});

test('a subnet that is full says so', () => {
  const world = simWorld({ seed: 1 });
  const lan = world.network('lan', { subnets: ['192.0.2.0/30'] });
  assert.equal(world.machine('a', { on: lan }).address.toString(), '192.0.2.1');
  assert.equal(world.machine('b', { on: lan }).address.toString(), '192.0.2.2');
  assert.throws(() => world.machine('c', { on: lan }), { code: 'SIM_NETWORK_FULL' });
  assert.throws(() => world.machine('d').address, { code: 'SIM_NO_ADDRESS' });
});
