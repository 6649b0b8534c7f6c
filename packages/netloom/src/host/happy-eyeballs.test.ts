import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  IpAddress,
  ManualClock,
  hostError,
  type ConnectOptions,
  type Connection,
  type NetloomError,
  type SocketAddress,
} from '../core/index.ts';
import { connectByName, interleaveFamilies } from './happy-eyeballs.ts';

const [A4, B4] = [IpAddress.parse('192.0.2.1'), IpAddress.parse('192.0.2.2')];
const [A6, B6, C6] = ['2001:db8::a', '2001:db8::b', '2001:db8::c'].map(IpAddress.parse) as [
  IpAddress,
  IpAddress,
  IpAddress,
];

/** Goes on to `end`, promises settling at every instant on the way. */
async function run(clock: ManualClock, end: number): Promise<void> {
  await settled();
  while (clock.deadline() <= end) {
    clock.advance(clock.deadline());
    await settled();
  }
  clock.advance(end);
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What becomes of an attempt: a connection or an error after so long, or nothing at all. */
type Fate = { after: number; error?: NetloomError } | 'silence';

/** A network where each address has its fate; it notes what happens and when. */
class Network {
  readonly clock = new ManualClock();
  readonly log: string[] = [];
  readonly #fates: Map<IpAddress, Fate>;
  readonly #addresses: readonly IpAddress[];

  constructor(fates: [IpAddress, Fate][]) {
    this.#fates = new Map(fates);
    this.#addresses = fates.map(([address]) => address);
  }

  connect(options: Partial<ConnectOptions> = {}): Promise<Connection> {
    return connectByName({ host: 'name.example', port: 80, ...options }, this);
  }

  async resolve(): Promise<readonly IpAddress[]> {
    return this.#addresses;
  }

  connectAddress({ address }: SocketAddress, signal: AbortSignal): Promise<Connection> {
    const fate = this.#fates.get(address)!;
    this.#note(`try ${address}`);
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => this.#note(`drop ${address}`));
      if (fate === 'silence') return;
      const end = (): void => {
        if (fate.error) reject(fate.error);
        else resolve(this.#connection(address));
      };
      this.clock.timer(end).set(this.clock.now() + fate.after);
    });
  }

  #connection(address: IpAddress): Connection {
    const abort = (): void => this.#note(`abort ${address}`);
    return { remote: { address, port: 80 }, abort } as unknown as Connection;
  }

  #note(what: string): void {
    this.log.push(`${this.clock.now()} ${what}`);
  }
}

const refused = hostError('CONNECTION_REFUSED', 'refused');
const unreachable = hostError('NETWORK_UNREACHABLE', 'no route');

function order(...addresses: IpAddress[]): string {
  return interleaveFamilies(addresses).join(' ');
}

test('RFC 8305, section 4: the families take turns, each in its own order', () => {
  assert.equal(order(A6, B6, C6, A4, B4), [A6, A4, B6, B4, C6].join(' '));
  assert.equal(order(A4, B4, A6), [A4, A6, B4].join(' '));
  assert.equal(order(A4), String(A4));
  assert.equal(order(), '');
});

test('the first address that answers soon is the only one tried', async () => {
  const network = new Network([
    [A6, { after: 40 }],
    [A4, { after: 1 }],
  ]);
  const connecting = network.connect();
  await run(network.clock, 1_000);
  assert.equal((await connecting).remote.address, A6);
  assert.deepEqual(network.log, ['0 try 2001:db8::a', '40 drop 2001:db8::a']);
  assert.equal(network.clock.deadline(), Infinity, 'no timer is left');
});

test('RFC 8305, section 5: after 250 ms without an answer the next is tried beside it', async () => {
  const network = new Network([
    [A6, 'silence'],
    [B6, 'silence'],
    [A4, { after: 30 }],
    [B4, { after: 1 }],
  ]);
  const connecting = network.connect();
  await run(network.clock, 10_000);
  assert.equal((await connecting).remote.address, A4);
  assert.deepEqual(network.log, [
    '0 try 2001:db8::a',
    '250 try 192.0.2.1',
    '280 drop 2001:db8::a',
    '280 drop 192.0.2.1',
  ]);
});

test('a failure starts the next at once', async () => {
  const network = new Network([
    [A6, { after: 10, error: unreachable }],
    [A4, { after: 5 }],
  ]);
  const connecting = network.connect();
  await run(network.clock, 1_000);
  assert.equal((await connecting).remote.address, A4);
  assert.deepEqual(network.log.slice(0, 2), ['0 try 2001:db8::a', '10 try 192.0.2.1']);
});

test('a slow first address wins if it is first after all; the loser is given up', async () => {
  const network = new Network([
    [A6, { after: 300 }],
    [A4, { after: 100 }],
  ]);
  const connecting = network.connect();
  await run(network.clock, 10_000);
  assert.equal((await connecting).remote.address, A6);
  // What comes of the loser later is not left open.
  assert.equal(network.log.at(-1), '350 abort 192.0.2.1');
});

test('when all fail, the error has the code of the best address and tells of each', async () => {
  const network = new Network([
    [A6, { after: 300, error: refused }],
    [A4, { after: 1, error: unreachable }],
  ]);
  const connecting = assert.rejects(network.connect(), (error: NetloomError) => {
    assert.equal(error.code, 'NETWORK_UNREACHABLE');
    assert.match(error.message, /name\.example:80.*no route; refused/);
    assert.equal((error.cause as AggregateError).errors.length, 2);
    return true;
  });
  await run(network.clock, 10_000);
  await connecting;
});

test('one failure is handed on as it is', async () => {
  const network = new Network([[A4, { after: 1, error: refused }]]);
  const connecting = assert.rejects(network.connect(), refused);
  await run(network.clock, 10);
  await connecting;
});

test('nobody answers: TIMEOUT, 30 s by default, and everything is given up', async () => {
  for (const timeout of [undefined, 400]) {
    const network = new Network([
      [A6, 'silence'],
      [A4, 'silence'],
    ]);
    const options = timeout === undefined ? {} : { timeout };
    const connecting = assert.rejects(network.connect(options), { code: 'TIMEOUT' });
    await run(network.clock, 40_000);
    await connecting;
    assert.deepEqual(network.log.slice(2), [
      `${timeout ?? 30_000} drop 2001:db8::a`,
      `${timeout ?? 30_000} drop 192.0.2.1`,
    ]);
  }
});

test('a signal aborts while connecting, and no further address is tried', async () => {
  const network = new Network([
    [A6, 'silence'],
    [A4, 'silence'],
  ]);
  const controller = new AbortController();
  const connecting = assert.rejects(network.connect({ signal: controller.signal }), {
    code: 'ABORTED',
  });
  await run(network.clock, 100);
  controller.abort();
  await connecting;
  await run(network.clock, 10_000);
  assert.deepEqual(network.log, ['0 try 2001:db8::a', '100 drop 2001:db8::a']);
});

test('a signal aborts while the name is being resolved', async () => {
  const network = new Network([[A4, { after: 1 }]]);
  network.resolve = () => new Promise(() => undefined);
  const controller = new AbortController();
  const connecting = assert.rejects(network.connect({ signal: controller.signal }), {
    code: 'ABORTED',
  });
  await run(network.clock, 10);
  controller.abort();
  await connecting;
  assert.deepEqual(network.log, []);
});

test('a name that is not found is not connected to', async () => {
  const network = new Network([]);
  const notFound = hostError('NAME_NOT_FOUND', 'no such name');
  network.resolve = () => Promise.reject(notFound);
  await assert.rejects(network.connect(), notFound);
  assert.equal(network.clock.deadline(), Infinity);
});
