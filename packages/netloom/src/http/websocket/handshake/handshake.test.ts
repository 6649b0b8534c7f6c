import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { seededRandom } from '../../../core/index.ts';
import { sha1 } from '../../../../test/websocket/sha1.ts';
import { Fields } from '../../semantics/index.ts';
import {
  UPGRADE_FAULTS,
  acceptDeflateAnswer,
  acceptFor,
  answerDeflate,
  answerFaultError,
  answerUpgrade,
  beginHandshake,
  finishHandshake,
  formatExtension,
  isKey,
  offerDeflate,
  parseExtensions,
  type AcceptOptions,
  type DeflateOptions,
  type OfferOptions,
  type UpgradeRequest,
} from './index.ts';

/** The request of RFC 6455, section 1.2, with other fields in place of some; undefined takes one out. */
function request(
  changes: Record<string, string | undefined> = {},
  head: Partial<UpgradeRequest> = {},
): UpgradeRequest {
  const all: Record<string, string | undefined> = {
    host: 'server.example.com',
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    origin: 'http://example.com',
    'sec-websocket-protocol': 'chat, superchat',
    'sec-websocket-version': '13',
    ...changes,
  };
  const fields = new Fields();
  for (const [name, value] of Object.entries(all)) {
    if (value !== undefined) fields.append(name, value);
  }
  return { method: 'GET', minorVersion: 1, fields, ...head };
}

test('RFC 6455, sections 1.2 and 1.3: the example is answered as there', () => {
  const answer = answerUpgrade(request(), { protocols: ['chat'] }, sha1);
  assert.equal(answer.status, 101);
  assert.deepEqual(
    [...answer.fields],
    [
      ['upgrade', 'websocket'],
      ['connection', 'Upgrade'],
      ['sec-websocket-accept', 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='],
      ['sec-websocket-protocol', 'chat'],
    ],
  );
  assert.equal(acceptFor('dGhlIHNhbXBsZSBub25jZQ==', sha1), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
});

test('names in Upgrade and Connection are found in lists and in any case', () => {
  const changes = { upgrade: 'h2c, WebSocket', connection: 'keep-alive, UPGRADE' };
  assert.equal(answerUpgrade(request(changes), {}, sha1).status, 101);
});

/** [what is changed, the status, the fault]. */
const REFUSALS: readonly [
  Record<string, string | undefined>,
  number,
  string,
  Partial<UpgradeRequest>?,
][] = [
  [{}, 405, 'method-not-get', { method: 'POST' }],
  [{}, 400, 'http-too-old', { minorVersion: 0 }],
  [{ upgrade: undefined }, 426, 'upgrade-without-websocket'],
  [{ upgrade: 'h2c' }, 426, 'upgrade-without-websocket'],
  [{ connection: undefined }, 400, 'connection-without-upgrade'],
  [{ connection: 'keep-alive' }, 400, 'connection-without-upgrade'],
  [{ 'sec-websocket-version': undefined }, 426, 'version-unsupported'],
  [{ 'sec-websocket-version': '8' }, 426, 'version-unsupported'],
  [{ 'sec-websocket-version': '13, 8' }, 426, 'version-unsupported'],
  [{ 'sec-websocket-key': undefined }, 400, 'key-invalid'],
  [{ 'sec-websocket-key': '' }, 400, 'key-invalid'],
  [{ 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ' }, 400, 'key-invalid'],
  [{ 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZSE=' }, 400, 'key-invalid'],
  [{ 'sec-websocket-protocol': 'a b' }, 400, 'protocols-invalid'],
  [{ 'sec-websocket-protocol': 'a, a' }, 400, 'protocols-invalid'],
  [{ 'sec-websocket-protocol': ',' }, 400, 'protocols-invalid'],
  [{ 'sec-websocket-extensions': 'a; =b' }, 400, 'extensions-invalid'],
];

test('a request that is no handshake is refused with its status', () => {
  for (const [changes, status, fault, head] of REFUSALS) {
    const answer = answerUpgrade(request(changes, head), {}, sha1);
    assert.equal(answer.status, status, fault);
    assert.equal('fault' in answer && answer.fault, fault);
    const fields = Object.fromEntries(answer.fields);
    assert.equal(fields['sec-websocket-version'], status === 426 ? '13' : undefined);
    assert.equal(fields['upgrade'], status === 426 ? 'websocket' : undefined);
    assert.equal(fields['allow'], status === 405 ? 'GET' : undefined);
  }
  const tested = new Set(REFUSALS.map(([, , fault]) => fault));
  assert.deepEqual([...tested].sort(), Object.keys(UPGRADE_FAULTS).sort());
});

test('a key that came twice is refused', () => {
  const twice = request();
  twice.fields.append('sec-websocket-key', 'AAAAAAAAAAAAAAAAAAAAAA==');
  assert.equal(answerUpgrade(twice, {}, sha1).status, 400);
});

/** The subprotocol that a server which speaks these chooses. */
const choose = (protocols: readonly string[]) => {
  const answer = answerUpgrade(request(), { protocols }, sha1);
  return 'agreement' in answer ? answer.agreement.protocol : undefined;
};

test('the client’s first subprotocol that the server speaks is chosen, its case being a part of its name', () => {
  assert.equal(choose(['superchat', 'chat']), 'chat');
  assert.equal(choose(['superchat']), 'superchat');
  assert.equal(choose(['Chat']), '');
});

/** A client's and a server's handshake with each other: what each takes it to have settled. */
function shake(offer: OfferOptions, accept: AcceptOptions) {
  const handshake = beginHandshake(offer, seededRandom(7));
  const answer = answerUpgrade(
    { method: 'GET', minorVersion: 1, fields: handshake.fields },
    accept,
    sha1,
  );
  assert.ok('agreement' in answer, JSON.stringify(answer));
  return { client: finishHandshake(handshake, answer, sha1), server: answer.agreement, answer };
}

test('client and server settle the subprotocol', () => {
  const { client, server } = shake({ protocols: ['b', 'a'] }, { protocols: ['a', 'b'] });
  assert.deepEqual(client, { protocol: 'b', compression: undefined });
  assert.deepEqual(server, client);
});

test('a key is 16 random bytes in base64', () => {
  const random = seededRandom(1);
  const keys = Array.from({ length: 50 }, () => beginHandshake({}, random).key);
  assert.ok(keys.every(isKey));
  assert.equal(new Set(keys).size, 50);
  assert.equal(Buffer.from(keys[0]!, 'base64').length, 16);
});

test('subprotocols that cannot be asked for are an error', () => {
  for (const protocols of [['a b'], [''], ['a', 'a']]) {
    assert.throws(() => beginHandshake({ protocols }, seededRandom(1)), {
      code: 'WEBSOCKET_PROTOCOL_INVALID',
    });
  }
});

test('an answer that is none is seen by the client', () => {
  const offer = { protocols: ['a'], compression: {} };
  const { answer } = shake(offer, { protocols: ['a'], compression: {} });
  const handshake = beginHandshake(offer, seededRandom(7));
  const judge = (change: (fields: Fields) => void, status = 101) => {
    const fields = Fields.from(answer.fields);
    change(fields);
    return finishHandshake(handshake, { status, fields }, sha1);
  };
  assert.equal(typeof judge(() => undefined), 'object');
  assert.equal(
    judge(() => undefined, 200),
    'status-not-101',
  );
  const set = (name: string, value: string) => judge((fields) => fields.set(name, value));
  assert.equal(set('upgrade', 'h2c'), 'upgrade-without-websocket');
  assert.equal(set('connection', 'close'), 'connection-without-upgrade');
  assert.equal(set('sec-websocket-accept', 'AAAAAAAAAAAAAAAAAAAAAAAAAAA='), 'accept-wrong');
  assert.equal(
    judge((fields) => fields.delete('sec-websocket-accept')),
    'accept-wrong',
  );
  assert.equal(set('sec-websocket-protocol', 'b'), 'protocol-not-offered');
  assert.equal(set('sec-websocket-protocol', ''), 'protocol-not-offered');
  const extension = 'sec-websocket-extensions';
  assert.equal(set(extension, 'x-other'), 'extension-not-offered');
  assert.equal(set(extension, 'permessage-deflate, x'), 'extension-not-offered');
  assert.equal(set(extension, 'a b'), 'extensions-invalid');
  assert.equal(set(extension, 'permessage-deflate'), 'extension-parameters-invalid');
  const plain = judge((fields) => fields.delete(extension));
  assert.deepEqual(plain, { protocol: 'a', compression: undefined });
});

test('an extension that was not asked for is refused', () => {
  const handshake = beginHandshake({}, seededRandom(1));
  const fields = Fields.from([
    ['upgrade', 'websocket'],
    ['connection', 'upgrade'],
    ['sec-websocket-accept', acceptFor(handshake.key, sha1)],
    ['sec-websocket-extensions', 'permessage-deflate'],
  ]);
  assert.equal(finishHandshake(handshake, { status: 101, fields }, sha1), 'extension-not-offered');
});

test('a plain answer and a wrong one are different errors', () => {
  assert.equal(answerFaultError('status-not-101', 403).code, 'WEBSOCKET_REFUSED');
  assert.match(answerFaultError('status-not-101', 403).message, /403/);
  assert.equal(answerFaultError('accept-wrong', 101).code, 'WEBSOCKET_HANDSHAKE_INVALID');
});

/** [a field's value, what it names; undefined: it is no list of extensions]. */
const EXTENSIONS: readonly [string, string | undefined][] = [
  ['', ''],
  ['a', 'a'],
  ['a, b', 'a|b'],
  [',a,,b,', 'a|b'],
  ['  a ;  b ; c = d , e ', 'a; b; c=d|e'],
  ['a; b="c"', 'a; b=c'],
  ['a; b="\\c\\d"', 'a; b=cd'],
  ['a; b=c; b=d', 'a; b=c; b=d'],
  ['permessage-deflate; client_max_window_bits', 'permessage-deflate; client_max_window_bits'],
  ['a; b="c d"', undefined],
  ['a; b=""', undefined],
  ['a; b="c', undefined],
  ['a; b=', undefined],
  ['a;', undefined],
  ['; a', undefined],
  ['a b', undefined],
  ['a; b c', undefined],
  ['a; b="c"d', undefined],
  ['"a"', undefined],
  ['a=b', undefined],
  ['a; é', undefined],
];

test('lists of extensions are read with their quotes', () => {
  for (const [value, expected] of EXTENSIONS) {
    assert.equal(parseExtensions(value)?.map(formatExtension).join('|'), expected, value);
  }
  assert.deepEqual(parseExtensions(undefined), []);
});

test('any text is a list of extensions or none, and what is one is read again as it was', () => {
  const parts = fc.array(
    fc.constantFrom(',', ';', '=', '"', '\\', ' ', '\t', 'a', 'b1', 'permessage-deflate', '\xe9'),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(parts, (all) => {
      const extensions = parseExtensions(all.join(''));
      if (extensions === undefined) return;
      assert.deepEqual(parseExtensions(extensions.map(formatExtension).join(', ')), extensions);
    }),
    { numRuns: 2000 },
  );
});

/** What a client and a server settleWebSocket, which must be the same seen from either side. */
const settled = (client: DeflateOptions, server: DeflateOptions) => {
  const { answer, ...both } = shake({ compression: client }, { compression: server });
  assert.ok(typeof both.client === 'object');
  const mine = both.client.compression!;
  const theirs = both.server.compression!;
  assert.deepEqual(
    [mine.windowBits, mine.contextTakeover, mine.peerWindowBits, mine.peerContextTakeover],
    [theirs.peerWindowBits, theirs.peerContextTakeover, theirs.windowBits, theirs.contextTakeover],
  );
  return { ...mine, answer: answer.fields.get('sec-websocket-extensions') };
};

test('a context is taken over only where both sides ask for it', () => {
  assert.deepEqual(settled({}, {}), {
    windowBits: 15,
    contextTakeover: false,
    peerWindowBits: 15,
    peerContextTakeover: false,
    answer: 'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
  });
  const keeping = { contextTakeover: true };
  assert.equal(settled(keeping, {}).contextTakeover, false);
  assert.equal(settled({}, keeping).contextTakeover, false);
  assert.deepEqual(settled(keeping, keeping), {
    windowBits: 15,
    contextTakeover: true,
    peerWindowBits: 15,
    peerContextTakeover: true,
    answer: 'permessage-deflate',
  });
});

test('windows are as small as the side that wants it smaller says', () => {
  const bits = fc.integer({ min: 9, max: 15 });
  const options = fc.record({
    windowBits: bits,
    peerWindowBits: bits,
    contextTakeover: fc.boolean(),
  });
  fc.assert(
    fc.property(options, options, (client, server) => {
      const both = shake({ compression: client }, { compression: server });
      assert.ok(typeof both.client === 'object');
      const mine = both.client.compression!;
      const theirs = both.server.compression!;
      assert.equal(mine.windowBits, Math.min(client.windowBits, server.peerWindowBits));
      assert.equal(theirs.windowBits, Math.min(server.windowBits, client.peerWindowBits));
      assert.equal(mine.peerWindowBits, theirs.windowBits);
      assert.equal(theirs.peerWindowBits, mine.windowBits);
      assert.equal(mine.peerContextTakeover, theirs.contextTakeover);
      assert.equal(theirs.peerContextTakeover, mine.contextTakeover);
    }),
  );
});

/** [what a client offers, what the server answers; undefined: nothing]. */
const OFFERS: readonly [string, string | undefined, DeflateOptions?][] = [
  ['permessage-deflate', 'permessage-deflate', { contextTakeover: true }],
  [
    'permessage-deflate; server_no_context_takeover',
    'permessage-deflate; server_no_context_takeover',
    { contextTakeover: true },
  ],
  [
    'permessage-deflate; client_no_context_takeover',
    'permessage-deflate; client_no_context_takeover',
    { contextTakeover: true },
  ],
  [
    'permessage-deflate; server_max_window_bits="10"',
    'permessage-deflate; server_max_window_bits=10',
    { contextTakeover: true },
  ],
  [
    'permessage-deflate; server_max_window_bits=15',
    'permessage-deflate; server_max_window_bits=15',
    { contextTakeover: true },
  ],
  // A client that does not say that it can heed it is not told.
  ['permessage-deflate', 'permessage-deflate', { contextTakeover: true, peerWindowBits: 9 }],
  [
    'permessage-deflate; client_max_window_bits',
    'permessage-deflate; client_max_window_bits=9',
    { contextTakeover: true, peerWindowBits: 9 },
  ],
  [
    'permessage-deflate; client_max_window_bits=12',
    'permessage-deflate; client_max_window_bits=12',
    { contextTakeover: true },
  ],
  // The first that can be taken (RFC 7692, section 5.1).
  [
    'x-other, permessage-deflate; unknown, permessage-deflate; server_max_window_bits=9',
    'permessage-deflate; server_max_window_bits=9',
    { contextTakeover: true },
  ],
  ['permessage-deflate; server_no_context_takeover=1', undefined],
  ['permessage-deflate; client_no_context_takeover=true', undefined],
  ['permessage-deflate; server_max_window_bits', undefined],
  ['permessage-deflate; server_max_window_bits=7', undefined],
  ['permessage-deflate; server_max_window_bits=16', undefined],
  ['permessage-deflate; server_max_window_bits=010', undefined],
  ['permessage-deflate; client_max_window_bits=+9', undefined],
  ['permessage-deflate; client_max_window_bits; client_max_window_bits', undefined],
  ['permessage-deflate; unknown', undefined],
  ['x-webkit-deflate-frame', undefined],
];

test('the first offer that can be taken is, and parameters that are none are not', () => {
  for (const [offer, answer, options] of OFFERS) {
    const answered = answerDeflate(options ?? {}, parseExtensions(offer)!);
    const told = answered === undefined ? undefined : formatExtension(answered.answer);
    assert.equal(told, answer, offer);
  }
});

/** [what a server answers to a client that takes contexts over, in windows up to 12 bits of the server's; whether it may]. */
const ANSWERS: readonly [string, boolean][] = [
  ['permessage-deflate; server_max_window_bits=12', true],
  ['permessage-deflate; server_max_window_bits=8', true],
  ['permessage-deflate; server_max_window_bits=13', false],
  ['permessage-deflate', false],
  ['permessage-deflate; server_max_window_bits=9; client_max_window_bits=8', true],
  ['permessage-deflate; server_max_window_bits=9; client_max_window_bits', false],
  ['permessage-deflate; server_max_window_bits=9; server_no_context_takeover', true],
  ['permessage-deflate; server_max_window_bits=9; unknown', false],
];

test('an answer to an offer is judged by what was offered', () => {
  for (const [answer, isTaken] of ANSWERS) {
    const options = { contextTakeover: true, peerWindowBits: 12 };
    const [extension] = parseExtensions(answer)!;
    assert.equal(acceptDeflateAnswer(options, extension!) !== undefined, isTaken, answer);
  }
});

test('windows that DEFLATE or zlib does not have are an error', () => {
  const wrong = { code: 'WEBSOCKET_COMPRESSION_INVALID' };
  assert.throws(() => offerDeflate({ windowBits: 8 }), wrong);
  assert.throws(() => offerDeflate({ windowBits: 16 }), wrong);
  assert.throws(() => offerDeflate({ peerWindowBits: 7 }), wrong);
  assert.throws(() => answerDeflate({ windowBits: 9.5 }, []), wrong);
});
