import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Cidr, IpAddress, MacAddress, ManualClock, type Engine } from '../core/index.ts';
import { describeFrame } from '../wire/index.ts';
import { StackBench } from '../../test/ip/stack-bench.ts';
import { StackDriver } from './driver.ts';

/** An engine whose deadline is set by hand, and what it was called for. */
class Part implements Engine {
  wanted = Infinity;
  readonly calls: string[] = [];
  asked = 0;
  /** Called by {@link advance}. */
  onAdvance: () => void = () => undefined;

  deadline(): number {
    this.asked++;
    return this.wanted;
  }

  advance(now: number): void {
    this.calls.push(`advance ${now}`);
    if (this.wanted <= now) this.wanted = Infinity;
    this.onAdvance();
  }

  flush(now: number): void {
    this.calls.push(`flush ${now}`);
  }
}

function driven(): { clock: ManualClock; driver: StackDriver; part: Part; transport: Part } {
  const clock = new ManualClock();
  const driver = new StackDriver({ clock, interfaces: [] });
  const part = new Part();
  const transport = new Part();
  driver.drive([part], transport);
  return { clock, driver, part, transport };
}

test('what is due is done, then output is sent', () => {
  const { clock, driver, part, transport } = driven();
  part.wanted = 10;
  driver.requestFlush();
  driver.requestFlush();
  clock.advance(9);
  assert.deepEqual([part.calls, transport.calls], [[], ['flush 0']]);
  clock.advance(20);
  assert.deepEqual(
    [part.calls, transport.calls],
    [['advance 10'], ['flush 0', 'advance 10', 'flush 10']],
  );
  assert.equal(clock.deadline(), Infinity);
});

test('in a batch the time stands still, and output waits for its end', () => {
  const { clock, driver, transport } = driven();
  clock.advance(5);
  driver.beginBatch();
  clock.advance(7);
  driver.beginBatch();
  driver.requestFlush();
  clock.advance(8);
  assert.equal(driver.now(), 5);
  assert.deepEqual(transport.calls, []);
  driver.endBatch();
  assert.deepEqual(transport.calls, ['flush 8']);
  assert.equal(driver.now(), 8);
});

test('deadlines are asked for after a batch only if one may have moved; the transport’s always counts', () => {
  const { clock, driver, part, transport } = driven();
  driver.requestFlush();
  clock.advance(1);
  const { asked } = part;
  for (let i = 0; i < 10; i++) {
    driver.beginBatch();
    driver.endBatch();
  }
  assert.equal(part.asked, asked);
  transport.wanted = 50;
  driver.beginBatch();
  driver.endBatch();
  assert.equal(clock.deadline(), 50);
  // Later than before: it fires for nothing, once.
  transport.wanted = 80;
  driver.beginBatch();
  driver.endBatch();
  clock.advance(60);
  assert.equal(clock.deadline(), 80);
  part.wanted = 70;
  driver.beginBatch();
  driver.requestFlush();
  driver.endBatch();
  assert.equal(clock.deadline(), 70);
});

test('a deadline that moves while others are advanced is seen', () => {
  const { clock, driver, part } = driven();
  part.wanted = 10;
  part.onAdvance = () => {
    if (clock.now() >= 30) return;
    part.wanted = clock.now() + 10;
    driver.requestFlush();
  };
  driver.requestFlush();
  clock.advance(100);
  assert.deepEqual(part.calls, ['advance 10', 'advance 20', 'advance 30']);
});

test('closed, nothing is called any more', () => {
  const { clock, driver, part } = driven();
  part.wanted = 10;
  driver.requestFlush();
  clock.advance(1);
  driver.close();
  clock.advance(100);
  assert.deepEqual(part.calls, []);
});

const GROUP = IpAddress.parse('239.1.2.3');
const PEER_LINK_LOCAL = IpAddress.parse('fe80::9');

/** Everything that sets a timer somewhere in a stack. */
const ACTIONS: Record<string, (bench: StackBench) => void> = {
  ping: ({ stack }) => {
    stack.ping(IpAddress.parse('10.0.0.2'), { size: 8, hopLimit: 64 }, () => undefined);
  },
  ping6: ({ stack }) => {
    stack.ping(IpAddress.parse('2001:db8::2'), { size: 8, hopLimit: 64 }, () => undefined);
  },
  connect: ({ stack }) => {
    const path = stack.paths.find(IpAddress.parse('10.0.0.2'), undefined);
    stack.tcp.connect(path, 0, 80, () => undefined);
  },
  connectToItself: ({ stack }) => {
    const listener = stack.tcp.listen(0, undefined, undefined, (made) => made.end());
    const path = stack.paths.find(IpAddress.parse('127.0.0.1'), undefined);
    stack.tcp.connect(path, 0, listener.port, (made) => made.end());
  },
  join: ({ stack }) => stack.multicast.join(GROUP, undefined),
  claim: ({ stack, interface: via }) =>
    stack.addAddress(via, Cidr.parse('10.0.0.9/24'), { duplicates: 'detect' }),
  claim6: ({ stack, interface: via }) =>
    stack.addAddress(via, Cidr.parse('2001:db8::9/64'), { duplicates: 'detect' }),
  autoconfigure: ({ stack, interface: via }) => stack.autoconfigure(via),
  takeAway: ({ stack, interface: via, far }) => {
    // Somebody else has what is tentative.
    const tentative = via.addresses.find((entry) => entry.tentative)?.cidr.address;
    if (tentative?.family === 6) {
      stack.ndp.announce(via, tentative);
      for (const { bytes } of far.take()) far.link.transmit(bytes);
    }
  },
  advertise: ({ stack, interface: via }) => {
    stack.autoconfiguration.routerAdvertisement(via, PEER_LINK_LOCAL, {
      kind: 'router-advertisement',
      hopLimit: 64,
      managed: false,
      otherConfiguration: false,
      preference: 'medium',
      routerLifetime: 1800,
      reachableTime: 0,
      retransmitTime: 0,
      options: [],
    });
  },
  fragment: ({ stack, far }) => {
    // The first of a large datagram, sent by another stack, comes alone.
    const sender = new StackBench({ addresses: ['10.0.0.2/24'] });
    sender.learn(IpAddress.parse('10.0.0.1'), stack.interfaces[1]!.mac);
    const remote = { address: IpAddress.parse('10.0.0.1'), port: 9 };
    sender.stack.udp.bind(IpAddress.ANY4, 0, false).send([{ data: new Uint8Array(4000), remote }]);
    const [first] = sender.take();
    assert.match(describeFrame(first!.bytes), /fragment/);
    far.link.transmit(first!.bytes);
  },
  learn: (bench) => bench.learn(IpAddress.parse('10.0.0.2'), MacAddress.parse('02:00:00:00:00:02')),
  down: ({ interface: via }) => via.down(),
  up: ({ interface: via }) => via.up(),
};

test('whatever is done, no part of a stack wants to be called before its timer', () => {
  const step = fc.record({
    name: fc.constantFrom(...Object.keys(ACTIONS)),
    time: fc.constantFrom(0, 0, 1, 300, 1000, 5000, 61_000),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const bench = new StackBench();
      const { stack, clock } = bench;
      for (const { name, time } of steps) {
        try {
          ACTIONS[name]!(bench);
        } catch {
          // No path while the interface is down.
        }
        bench.pass(time);
        const parts: Record<string, Engine> = {
          fragments: stack.fragments,
          pathMtus: stack.pathMtus,
          multicast: stack.multicast,
          autoconfiguration: stack.autoconfiguration,
          claims: stack.claims,
          tcp: stack.tcp,
          neighbours: bench.interface.neighbours,
        };
        for (const [part, engine] of Object.entries(parts)) {
          const wanted = engine.deadline();
          assert.ok(clock.deadline() <= wanted, `${part} after ${name}: ${wanted}`);
        }
      }
    }),
    { numRuns: 300 },
  );
});
