/** A client's engine against a server's, in memory: whatever the windows, the cuts and the order of things, all arrives, once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NetloomError, seededRandom, type Random } from '../../core/index.ts';
import { Pair } from '../../../test/http/http2/pair.ts';
import { Fields } from '../semantics/index.ts';
import type { Http2ClientExchange, Http2ServerExchange } from './index.ts';

/** The byte at an index of a body: every body differs, and no part is like another. */
const byteAt = (body: number, at: number): number => (body * 31 + at * 7 + (at >> 8)) & 255;

/** One side of a body: sends it in pieces, or checks that it comes. */
class Sending {
  readonly #body: number;
  readonly #length: number;
  readonly #piece: number;
  readonly #write: (chunk: Uint8Array) => boolean;
  readonly #end: () => void;
  #at = 0;
  #ended = false;

  constructor(
    body: number,
    length: number,
    piece: number,
    write: (chunk: Uint8Array) => boolean,
    end: () => void,
  ) {
    this.#body = body;
    this.#length = length;
    this.#piece = piece;
    this.#write = write;
    this.#end = end;
  }

  /** Goes on until it is asked to wait. */
  go(): void {
    while (this.#at < this.#length) {
      const from = this.#at;
      const length = Math.min(this.#piece, this.#length - from);
      this.#at += length;
      if (!this.#write(Uint8Array.from({ length }, (_, i) => byteAt(this.#body, from + i)))) return;
    }
    if (this.#ended) return;
    this.#ended = true;
    this.#end();
  }
}

class Receiving {
  readonly #body: number;
  length = 0;

  constructor(body: number) {
    this.#body = body;
  }

  take(chunk: Uint8Array): void {
    for (const byte of chunk) assert.equal(byte, byteAt(this.#body, this.length++));
  }
}

/** A request and its response, as they are to be. */
interface Plan {
  readonly upload: number;
  readonly download: number;
  readonly announced: boolean;
  readonly trailers: boolean;
  readonly piece: number;
  readonly priority: string;
}

interface Scenario {
  readonly seed: number;
  readonly plans: readonly Plan[];
  readonly serverWindow: number;
  readonly clientWindow: number;
  readonly sendBuffer: number;
  readonly streams: number;
  readonly table: number;
  /** The most bytes that arrive at once. */
  readonly cut: number;
  readonly pipe: number;
}

const anyPlan: fc.Arbitrary<Plan> = fc.record({
  upload: fc.oneof(fc.constant(0), fc.nat(200), fc.nat(60_000)),
  download: fc.oneof(fc.constant(0), fc.nat(200), fc.nat(60_000)),
  announced: fc.boolean(),
  trailers: fc.boolean(),
  piece: fc.integer({ min: 1, max: 30_000 }).map((piece) => Math.max(piece, 200)),
  priority: fc.constantFrom('u=0', 'u=3, i', 'u=3', 'u=7', ''),
});

const anyScenario: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.nat(),
  plans: fc.array(anyPlan, { minLength: 1, maxLength: 8 }),
  serverWindow: fc.integer({ min: 200, max: 100_000 }),
  clientWindow: fc.integer({ min: 200, max: 100_000 }),
  sendBuffer: fc.integer({ min: 100, max: 50_000 }),
  streams: fc.integer({ min: 1, max: 10 }),
  table: fc.constantFrom(0, 100, 4096, 10_000),
  cut: fc.constantFrom(7, 100, 5000, 100_000),
  pipe: fc.constantFrom(100, 20_000, Infinity),
});

/** Limits under which small windows are no flood: those are looked at elsewhere. */
const patient = { windowUpdates: 1e9, emptyFrames: 1e9, settings: 1e9, slowReadTimeout: Infinity };

class Play {
  readonly #random: Random;
  readonly #plans: readonly Plan[];
  readonly pair: Pair;
  readonly log: string[][] = [];
  readonly #asked = new Map<number, Http2ClientExchange>();
  readonly #served = new Map<number, Http2ServerExchange>();
  /** What may pause and go on. */
  readonly #readers: (Http2ClientExchange | Http2ServerExchange)[] = [];

  constructor(scenario: Scenario) {
    const { serverWindow, clientWindow, sendBuffer, streams, table, pipe } = scenario;
    this.#random = seededRandom(scenario.seed);
    this.#plans = scenario.plans;
    const shared = { ...patient, sendBuffer, headerTableSize: table };
    this.pair = new Pair({
      server: { ...shared, streamWindow: serverWindow, concurrentStreams: streams },
      client: { ...shared, streamWindow: clientWindow, assumedStreams: 1 },
      request: (exchange) => this.#serve(exchange),
    });
    this.pair.toClient.capacity = this.pair.toServer.capacity = pipe;
  }

  ask(index: number): void {
    const { upload, announced, trailers, piece, priority } = this.#plans[index]!;
    const log: string[] = [];
    this.log[index] = log;
    const received = new Receiving(index + 100);
    const fields = Fields.from([
      ['host', 'h'],
      ['x-plan', `${index}`],
      ['x-repeated', 'the same for all'],
      ['priority', priority],
    ]);
    const length = announced || upload === 0 ? upload : undefined;
    const exchange = this.pair.client.request(
      { method: 'POST', target: `/${index}`, fields, length },
      {
        response: ({ status, fields }) => log.push(`${status} ${fields.get('x-plan')}`),
        data: (chunk) => received.take(chunk),
        end: (fields) => log.push(`end ${received.length} ${fields?.get('x-t') ?? '-'}`),
        drain: () => sending.go(),
        closed: (error) => log.push(`closed ${error?.message ?? '-'}`),
      },
      0,
    );
    const sending = new Sending(
      index,
      upload,
      piece,
      (chunk) => exchange.write(chunk, 0),
      () => exchange.end(0, trailers ? Fields.from([['x-t', 'u']]) : undefined),
    );
    this.#readers.push(exchange);
    this.#asked.set(index, exchange);
    sending.go();
  }

  /** Reads the request; answers when it is whole, so that nothing is answered early. */
  #serve(exchange: Http2ServerExchange): void {
    const index = Number(exchange.request.fields.get('x-plan'));
    const { upload, download, announced, trailers, piece } = this.#plans[index]!;
    const received = new Receiving(index);
    const sending = new Sending(
      index + 100,
      download,
      piece,
      (chunk) => exchange.write(chunk, 0),
      () => exchange.end(0, trailers ? Fields.from([['x-t', 'd']]) : undefined),
    );
    const respond = (): void => {
      assert.equal(received.length, upload);
      const fields = Fields.from([['x-plan', `${index}`]]);
      exchange.respond(200, fields, announced ? download : undefined, 0);
      sending.go();
    };
    exchange.start({
      data: (chunk) => received.take(chunk),
      end: respond,
      drain: () => sending.go(),
    });
    this.#readers.push(exchange);
    this.#served.set(index, exchange);
    if (exchange.framing === 0) respond();
    else exchange.read(0);
  }

  /** Does something at random; false: nothing is on its way. */
  step(cut: number): boolean {
    const reader = this.#readers[this.#random.below(this.#readers.length)]!;
    const choice = this.#random.below(8);
    if (choice === 0) reader.pause(0);
    else if (choice < 3) reader.read(0);
    const most = 1 + this.#random.below(cut);
    const first = this.#random.below(2) === 0;
    const moved = first ? this.pair.carryToServer(most) : this.pair.carryToClient(most);
    return moved || (first ? this.pair.carryToClient(most) : this.pair.carryToServer(most));
  }

  /** Goes on until nothing is on its way and everybody has read what there is. */
  finish(cut: number): void {
    for (let idle = 0; idle < 2;) {
      idle = this.step(cut) ? 0 : idle + 1;
      if (idle > 0) for (const reader of this.#readers) reader.read(0);
    }
  }

  /** Gives an exchange up, on the client's side, or if the server knows of it on that. */
  abort(index: number, onClient: boolean): void {
    const error = new NetloomError('ABORTED', 'enough');
    const served = onClient ? undefined : this.#served.get(index);
    (served ?? this.#asked.get(index))!.abort(error, 0);
  }
}

test('all requests and responses arrive whole, whatever the windows, the cuts and the order', () => {
  fc.assert(
    fc.property(anyScenario, (scenario) => {
      const play = new Play(scenario);
      const { pair } = play;
      for (const index of scenario.plans.keys()) {
        play.ask(index);
        for (let steps = 0; steps < 5; steps++) play.step(scenario.cut);
      }
      play.finish(scenario.cut);
      for (const [index, { download, announced, trailers }] of scenario.plans.entries()) {
        const hasTrailers = trailers && !announced;
        assert.deepEqual(play.log[index], [
          `200 ${index}`,
          `end ${download} ${hasTrailers ? 'd' : '-'}`,
          'closed -',
        ]);
      }
      assert.deepEqual(pair.log, []);
      assert.equal(pair.client.exchanges, 0);
      assert.equal(pair.server.exchanges, 0);
    }),
    { seed: 3, numRuns: 60 },
  );
});

test('each byte of a conversation may come by itself', () => {
  const pair = new Pair({
    request: (exchange) => {
      exchange.start({ end: () => exchange.end(0, Fields.from([['x-t', 'y']])) });
      exchange.read(0);
      exchange.respond(200, new Fields(), undefined, 0);
      exchange.write(new Uint8Array(300), 0);
    },
  });
  const log: string[] = [];
  const fields = Fields.from([['host', 'h']]);
  const exchange = pair.client.request(
    { method: 'POST', target: '/', fields, length: undefined },
    {
      response: ({ status }) => log.push(`${status}`),
      end: (trailers) => log.push(`end ${[...trailers!]}`),
      closed: (error) => log.push(`closed ${error?.code ?? '-'}`),
    },
    0,
  );
  exchange.write(new Uint8Array(300), 0);
  exchange.end(0, Fields.from([['x-u', 'v']]));
  pair.settle(1);
  assert.deepEqual(log, ['200', 'end x-t,y', 'closed -']);
});

test('whoever gives one up at whatever moment, the others arrive and nothing is left', () => {
  fc.assert(
    fc.property(
      anyScenario,
      fc.nat(100),
      fc.nat(7),
      fc.boolean(),
      (scenario, moment, some, ours) => {
        const play = new Play(scenario);
        const { pair } = play;
        const victim = some % scenario.plans.length;
        for (const index of scenario.plans.keys()) play.ask(index);
        for (let steps = 0; steps < moment; steps++) play.step(scenario.cut);
        play.abort(victim, ours);
        play.finish(scenario.cut);
        for (const [index, log] of play.log.entries()) {
          assert.match(log.at(-1)!, index === victim ? /^closed/ : /^closed -$/);
        }
        assert.deepEqual(pair.log, []);
        assert.equal(pair.client.exchanges, 0);
        assert.equal(pair.server.exchanges, 0);
      },
    ),
    { seed: 4, numRuns: 60 },
  );
});
