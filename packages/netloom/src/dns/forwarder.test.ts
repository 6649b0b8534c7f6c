import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { IpAddress, fromHex, seededRandom, type SocketAddress } from '../core/index.ts';
import type { DnsExchange } from './exchange.ts';
import { DnsForwarder, type DnsForwarderOptions } from './forwarder.ts';
import {
  DnsClass,
  DnsFlag,
  DnsName,
  DnsOptionCode,
  DnsResponseCode,
  DnsType,
  addressRecord,
  ednsRecord,
  encodeDnsMessage,
  nameRecord,
  parseDnsMessage,
  readEdns,
  type DnsMessage,
  type DnsRecord,
} from './wire/index.ts';

const at = (text: string): IpAddress => IpAddress.parse(text);
const FIRST: SocketAddress = { address: at('192.0.2.53'), port: 53 };
const SECOND: SocketAddress = { address: at('192.0.2.54'), port: 53 };
const EDNS = { udpSize: 1232, extendedCode: 0, version: 0, dnssecOk: false, options: [] };

interface Ask {
  readonly name?: string;
  readonly type?: number;
  readonly id?: number;
  readonly edns?: Partial<typeof EDNS>;
  readonly client?: string;
  readonly port?: number;
  readonly transport?: 'udp' | 'tcp';
  readonly change?: (message: DnsMessage) => DnsMessage;
}

function questionOf({ name = 'www.example.com', type = DnsType.A, id = 7, edns, change }: Ask) {
  const message: DnsMessage = {
    id,
    flags: DnsFlag.RECURSION_DESIRED,
    operation: 0,
    responseCode: 0,
    questions: [{ name: DnsName.parse(name), type, class: DnsClass.IN }],
    answers: [],
    authorities: [],
    additionals: edns === undefined ? [] : [ednsRecord({ ...EDNS, ...edns })],
  };
  return encodeDnsMessage(change?.(message) ?? message);
}

function read(bytes: Uint8Array): DnsMessage {
  const message = parseDnsMessage(bytes, 0, bytes.length);
  assert.ok(typeof message !== 'string', String(message));
  return message;
}

/** A forwarder, what it asks and what it responds. */
class Bench {
  readonly engine: DnsForwarder;
  readonly asked: DnsExchange[] = [];
  readonly ended = new Set<DnsExchange>();
  readonly responses: Uint8Array[] = [];
  now = 0;

  constructor(options: Partial<DnsForwarderOptions> = {}) {
    this.engine = new DnsForwarder(
      { random: seededRandom(1), servers: [FIRST, SECOND], ...options },
      {
        ask: (exchange) => this.asked.push(exchange),
        end: (exchange) => this.ended.add(exchange),
      },
    );
  }

  /** A client asks; answers the response, if there is one at once. */
  ask(ask: Ask = {}): DnsMessage | undefined {
    const before = this.responses.length;
    const { client = '10.1.0.9', port = 4000, transport = 'udp' } = ask;
    const bytes = questionOf(ask);
    this.engine.query(
      bytes,
      {
        remote: { address: at(client), port },
        transport,
        respond: (message) => this.responses.push(message),
      },
      this.now,
    );
    bytes.fill(0xee);
    return this.responses.length > before ? this.last : undefined;
  }

  /** The server answers what it was asked last, or the exchange given. */
  answer(
    change: (message: DnsMessage) => DnsMessage = (message) => message,
    exchange: DnsExchange = this.asked.at(-1)!,
  ): void {
    const asked = read(exchange.message);
    const bytes = encodeDnsMessage(
      change({
        ...asked,
        flags: asked.flags | DnsFlag.RESPONSE | DnsFlag.RECURSION_AVAILABLE,
        answers: [addressRecord(asked.questions[0]!.name, at('203.0.113.1'), 60)],
        additionals: [],
      }),
    );
    this.engine.answered(exchange, bytes, this.now);
    bytes.fill(0xee);
  }

  wait(milliseconds: number): void {
    this.now += milliseconds;
    this.engine.advance(this.now);
  }

  get last(): DnsMessage {
    return read(this.responses.at(-1)!);
  }
}

/** Records of this many bytes, about. */
function bulk(bytes: number): DnsRecord {
  const data = { kind: 'other' as const, bytes: new Uint8Array(bytes) };
  return { name: DnsName.ROOT, type: DnsType.TXT, class: DnsClass.IN, timeToLive: 1, data };
}

test('a question is passed on under an id of our own, and its answer under the client’s', () => {
  const bench = new Bench();
  assert.equal(bench.ask({ id: 7, edns: { dnssecOk: true } }), undefined);
  const [exchange] = bench.asked;
  assert.deepEqual([exchange!.server, exchange!.transport], [FIRST, 'udp']);
  const passedOn = read(exchange!.message);
  assert.notEqual(passedOn.id, 7);
  const edns = readEdns(passedOn);
  assert.ok(typeof edns === 'object' && edns.dnssecOk, 'EDNS is passed on as it is');
  bench.answer();
  assert.equal(bench.last.id, 7);
  assert.equal(bench.last.answers.length, 1);
  assert.ok(bench.ended.has(exchange!));
  assert.equal(bench.engine.outstanding, 0);
  assert.equal(bench.engine.deadline(), Infinity);
  bench.answer();
  assert.equal(bench.responses.length, 1, 'answered once');
});

test('ids are not to be guessed: two hundred questions have ids of all kinds', () => {
  const bench = new Bench({ limits: { outstandingPerClient: 500 } });
  for (let id = 0; id < 200; id++) bench.ask({ id });
  const ids = bench.asked.map(({ message }) => read(message).id);
  assert.ok(new Set(ids).size > 190);
  assert.ok(Math.max(...ids) - Math.min(...ids) > 50_000);
});

test('an answer to something else is not believed, and the right one is waited for (RFC 5452, 9.1)', () => {
  const bench = new Bench();
  bench.ask();
  const name = DnsName.parse('evil.example.com');
  bench.answer((message) => ({ ...message, id: (message.id + 1) & 0xffff }));
  bench.answer((message) => ({ ...message, flags: 0 }));
  bench.answer((message) => ({ ...message, questions: [{ name, type: 1, class: 1 }] }));
  bench.answer((message) => ({ ...message, questions: [] }));
  bench.engine.answered(bench.asked[0]!, fromHex('0102'), 0);
  assert.equal(bench.responses.length, 0);
  assert.deepEqual(bench.engine.drops.snapshot(), { 'answer-malformed': 1, 'answer-unasked': 4 });
  bench.answer((message) => ({
    ...message,
    questions: [{ ...message.questions[0]!, name: DnsName.parse('WWW.EXAMPLE.COM') }],
  }));
  assert.equal(bench.responses.length, 1, 'case does not matter');
});

test('a silent server: the next is asked, and first from then on', () => {
  const bench = new Bench();
  bench.ask();
  bench.wait(1999);
  assert.equal(bench.asked.length, 1);
  bench.wait(1);
  assert.deepEqual(
    bench.asked.map(({ server }) => server),
    [FIRST, SECOND],
  );
  assert.ok(bench.ended.has(bench.asked[0]!));
  bench.answer(undefined, bench.asked[0]!);
  assert.equal(bench.responses.length, 0, 'too late');
  bench.answer();
  assert.equal(bench.responses.length, 1);
  bench.ask({ id: 8 });
  assert.equal(bench.asked.at(-1)?.server, SECOND);
});

test('nobody answers: SERVFAIL, with the reason for those who speak EDNS (RFC 8914)', () => {
  for (const edns of [EDNS, undefined]) {
    const bench = new Bench();
    bench.ask(edns === undefined ? {} : { edns });
    for (let attempt = 0; attempt < 4; attempt++) bench.wait(2000);
    assert.equal(bench.asked.length, 4);
    assert.equal(bench.last.responseCode, DnsResponseCode.SERVER_FAILURE);
    const said = readEdns(bench.last);
    assert.ok(typeof said !== 'string');
    assert.deepEqual(
      said?.options.map(({ code, data }) => [code, new TextDecoder().decode(data.slice(2))]),
      edns && [[DnsOptionCode.EXTENDED_ERROR, 'no resolver of the host has answered']],
    );
    assert.equal(bench.engine.deadline(), Infinity);
  }
});

test('without any server: SERVFAIL at once, and why', () => {
  const bench = new Bench({ servers: [] });
  const response = bench.ask({ edns: EDNS })!;
  assert.equal(response.responseCode, DnsResponseCode.SERVER_FAILURE);
  const edns = readEdns(response);
  assert.ok(typeof edns === 'object');
  const text = new TextDecoder().decode(edns.options[0]!.data.slice(2));
  assert.match(text, /no resolver is known/);
  bench.engine.setServers([SECOND]);
  assert.equal(bench.ask(), undefined);
  assert.equal(bench.asked.at(-1)?.server, SECOND);
});

test('a server that fails or refuses: the next is asked; if none does better, that is what is said', () => {
  const bench = new Bench();
  bench.ask();
  bench.answer((message) => ({ ...message, responseCode: 2, answers: [] }));
  assert.equal(bench.asked.length, 2);
  bench.engine.failed(bench.asked[1]!, bench.now);
  bench.answer((message) => ({ ...message, responseCode: 5, answers: [] }));
  bench.engine.failed(bench.asked[3]!, bench.now);
  assert.equal(bench.last.responseCode, DnsResponseCode.REFUSED);
  assert.equal(bench.responses.length, 1);
  const good = new Bench();
  good.ask();
  good.answer((message) => ({ ...message, responseCode: 3, answers: [] }));
  assert.equal(
    good.last.responseCode,
    DnsResponseCode.NAME_ERROR,
    'a name that is not is an answer',
  );
});

test('an answer too long for UDP: TC to a client by UDP, asked again by TCP for one by TCP', () => {
  const bench = new Bench();
  bench.ask();
  bench.answer((message) => ({ ...message, flags: message.flags | DnsFlag.TRUNCATED }));
  assert.ok((bench.last.flags & DnsFlag.TRUNCATED) !== 0);
  assert.equal(bench.asked.length, 1);
  bench.ask({ transport: 'tcp' });
  bench.answer((message) => ({ ...message, flags: message.flags | DnsFlag.TRUNCATED }));
  assert.equal(bench.responses.length, 1);
  assert.deepEqual(
    bench.asked.map(({ transport }) => transport),
    ['udp', 'udp', 'tcp'],
  );
  bench.answer((message) => ({ ...message, additionals: [bulk(5000)] }));
  assert.ok(bench.responses.at(-1)!.length > 5000);
  assert.equal(bench.last.flags & DnsFlag.TRUNCATED, 0);
});

test('a response longer than the client takes is cut to its question, and says so', () => {
  // [the client's EDNS size, bytes of the answer, whether it is cut]
  const table: [number | undefined, number, boolean][] = [
    [undefined, 300, false],
    [undefined, 600, true],
    [1232, 1000, false],
    [1232, 1300, true],
    [4096, 1500, true],
  ];
  for (const [udpSize, size, isCut] of table) {
    const bench = new Bench();
    bench.ask(udpSize === undefined ? {} : { edns: { udpSize } });
    bench.answer((message) => ({ ...message, additionals: [bulk(size)] }));
    assert.equal((bench.last.flags & DnsFlag.TRUNCATED) !== 0, isCut, `${udpSize} ${size}`);
    assert.equal(bench.last.questions.length, 1);
    assert.ok(!isCut || bench.responses.at(-1)!.length < 100);
  }
});

test('names of the network are answered with authority, and nobody is asked', () => {
  const bench = new Bench();
  bench.engine.names.set(bench.engine.names.nameOf('box'), [at('10.1.0.9')]);
  const response = bench.ask({ name: 'box.lan', id: 99, edns: EDNS })!;
  assert.equal(response.id, 99);
  const flags = DnsFlag.RESPONSE | DnsFlag.AUTHORITATIVE | DnsFlag.RECURSION_AVAILABLE;
  assert.equal(response.flags, flags | DnsFlag.RECURSION_DESIRED);
  assert.deepEqual(response.answers[0]?.data, { kind: 'address', address: at('10.1.0.9') });
  assert.ok(typeof readEdns(response) === 'object');
  const missing = bench.ask({ name: 'nobody.lan' })!;
  assert.equal(missing.responseCode, DnsResponseCode.NAME_ERROR);
  assert.equal(missing.authorities[0]?.type, DnsType.SOA);
  assert.equal(readEdns(missing), undefined, 'who does not speak EDNS is not spoken to in it');
  assert.equal(bench.asked.length, 0);
});

test('a name with very many addresses does not fit into UDP, and comes by TCP', () => {
  const bench = new Bench();
  const many = Array.from({ length: 100 }, (_, last) => at(`10.1.0.${last}`));
  bench.engine.names.set(bench.engine.names.nameOf('box'), many);
  assert.ok((bench.ask({ name: 'box.lan' })!.flags & DnsFlag.TRUNCATED) !== 0);
  assert.equal(bench.ask({ name: 'box.lan', transport: 'tcp' })!.answers.length, 100);
});

/** The same question of another class. */
function chaos(message: DnsMessage): DnsMessage {
  return { ...message, questions: [{ ...message.questions[0]!, class: DnsClass.CHAOS }] };
}

test('what is no question of ours to answer is refused by name', () => {
  const bench = new Bench({ denies: (name) => name.endsWith('evil.example') });
  const code = (ask: Ask): number | undefined => {
    const response = bench.ask(ask);
    const edns = response && readEdns(response);
    const extended = typeof edns === 'object' ? edns.extendedCode << 4 : 0;
    return response && response.responseCode | extended;
  };
  assert.equal(code({ change: (message) => ({ ...message, operation: 5 }) }), 4);
  assert.equal(code({ change: (message) => ({ ...message, questions: [] }) }), 1);
  assert.equal(code({ change: chaos }), 5);
  assert.equal(code({ edns: { version: 1 } }), DnsResponseCode.BAD_VERSION);
  assert.equal(code({ name: 'www.EVIL.example' }), 5);
  const respond = (bytes: Uint8Array): void => void bench.responses.push(bytes);
  const client = { remote: FIRST, transport: 'udp' as const, respond };
  bench.engine.query(fromHex('abcd 0100 0001 0000 0000 0000 05'), client, 0);
  assert.deepEqual([bench.last.id, bench.last.responseCode], [0xabcd, 1]);
  const before = bench.responses.length;
  bench.engine.query(fromHex('abcd'), client, 0);
  bench.engine.query(questionOf({ change: (m) => ({ ...m, flags: DnsFlag.RESPONSE }) }), client, 0);
  assert.equal(bench.responses.length, before, 'responses to responses would go round for ever');
  assert.deepEqual(bench.engine.drops.snapshot(), {
    denied: 1,
    'edns-version': 1,
    'format-error': 2,
    'not-a-query': 1,
    'not-a-question': 1,
    'other-class': 1,
    truncated: 1,
  });
  assert.equal(bench.asked.length, 0);
});

test('a client that asks again while its question waits is answered once', () => {
  const bench = new Bench();
  bench.ask();
  bench.ask();
  assert.equal(bench.asked.length, 1);
  bench.ask({ port: 4001 });
  assert.equal(bench.asked.length, 2, 'another socket');
  bench.answer(undefined, bench.asked[0]!);
  assert.equal(bench.responses.length, 1);
  assert.equal(bench.engine.drops.get('asked-again'), 1);
});

test('one client’s flood leaves room for others; all of it is bounded and counted', () => {
  const bench = new Bench({ limits: { outstanding: 50, outstandingPerClient: 20 } });
  for (let id = 0; id < 1000; id++) bench.ask({ id, client: '10.1.0.66' });
  assert.equal(bench.engine.outstanding, 20);
  bench.ask({ client: '10.1.0.9' });
  assert.equal(bench.engine.outstanding, 21);
  for (let id = 0; id < 100; id++) bench.ask({ id, client: `10.1.1.${id}` });
  assert.equal(bench.engine.outstanding, 50);
  assert.equal(bench.engine.drops.get('too-many-of-client'), 980);
  assert.equal(bench.engine.drops.get('too-many'), 71);
  for (let attempt = 0; attempt < 4; attempt++) bench.wait(2000);
  assert.equal(bench.engine.outstanding, 0);
  assert.equal(bench.responses.length, 50, 'each was told');
  bench.ask({ client: '10.1.0.66' });
  assert.equal(bench.engine.outstanding, 1, 'and may ask again');
});

test('clients who want all there is leave something for the next who comes', () => {
  const bench = new Bench({ limits: { outstanding: 50, outstandingPerClient: 50 } });
  for (let id = 0; id < 100; id++) bench.ask({ id, client: '10.1.0.66' });
  assert.equal(bench.engine.outstanding, 25);
  for (let id = 0; id < 100; id++) bench.ask({ id, client: '10.1.0.67' });
  assert.equal(bench.engine.outstanding, 38);
  bench.ask({ client: '10.1.0.9' });
  assert.equal(bench.engine.outstanding, 39);
});

test('names are remembered by the addresses that they led to, and only those', () => {
  const bench = new Bench({ limits: { remembered: 2, namesPerAddress: 3 } });
  const learn = (name: string, answers: (asked: DnsName) => DnsRecord[]): void => {
    bench.ask({ name });
    bench.answer((message) => ({ ...message, answers: answers(message.questions[0]!.name) }));
  };
  const alias = DnsName.parse('CDN.example.net');
  const stranger = DnsName.parse('bank.example');
  learn('www.example.com', (asked) => [
    nameRecord(asked, DnsType.CNAME, alias, 5),
    addressRecord(alias, at('203.0.113.1'), 5),
    addressRecord(stranger, at('203.0.113.9'), 5),
  ]);
  const labels = (text: string): readonly string[] => bench.engine.labels(at(text));
  assert.deepEqual(labels('203.0.113.1'), ['www.example.com', 'cdn.example.net']);
  assert.deepEqual(labels('203.0.113.9'), [], 'nobody asked for that name');
  for (const name of ['b.example', 'c.example']) {
    learn(name, (asked) => [addressRecord(asked, at('203.0.113.1'), 5)]);
  }
  assert.deepEqual(labels('203.0.113.1'), ['c.example', 'b.example', 'www.example.com']);
  learn('d.example', (asked) => [addressRecord(asked, at('203.0.113.2'), 5)]);
  learn('e.example', (asked) => [addressRecord(asked, at('203.0.113.3'), 5)]);
  assert.deepEqual(labels('203.0.113.1'), [], 'the table is bounded');
  assert.equal(bench.engine.memory.size, 2);
  bench.engine.names.set(DnsName.parse('Own.lan'), [at('203.0.113.3')]);
  assert.deepEqual(labels('203.0.113.3'), ['own.lan', 'e.example']);
});

test('closing tells all that wait, and leaves nothing open', () => {
  const bench = new Bench();
  for (let id = 0; id < 5; id++) bench.ask({ id });
  bench.engine.close();
  assert.equal(bench.responses.length, 5);
  assert.equal(bench.ended.size, 5);
  assert.equal(bench.engine.outstanding, 0);
});

test('whatever comes: every question is answered once or dropped, and nothing is left', () => {
  const step = fc.record({
    kind: fc.constantFrom('ask', 'answer', 'wait', 'fail', 'garble'),
    pick: fc.nat(1000),
    code: fc.constantFrom(0, 2, 3, 5),
    tcp: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const bench = new Bench({ limits: { outstanding: 6, outstandingPerClient: 4 } });
      let asked = 0;
      for (const { kind, pick, code, tcp } of steps) {
        const exchange = bench.asked[pick % Math.max(bench.asked.length, 1)];
        if (kind === 'ask') {
          asked++;
          bench.ask({ id: asked, client: `10.0.0.${pick % 3}`, transport: tcp ? 'tcp' : 'udp' });
        } else if (kind === 'wait') bench.wait(pick * 3);
        else if (exchange === undefined) continue;
        else if (kind === 'fail') bench.engine.failed(exchange, bench.now);
        else if (kind === 'garble') {
          bench.engine.answered(exchange, Uint8Array.of(pick & 255, code, pick >> 8), bench.now);
        } else bench.answer((message) => ({ ...message, responseCode: code }), exchange);
        assert.ok(bench.engine.outstanding <= 6);
      }
      bench.engine.close();
      const { drops } = bench.engine;
      const dropped = drops.get('too-many') + drops.get('too-many-of-client');
      assert.equal(bench.responses.length + dropped, asked);
      assert.equal(bench.ended.size, bench.asked.length);
      assert.equal(bench.engine.deadline(), Infinity);
    }),
    { numRuns: 300 },
  );
});
