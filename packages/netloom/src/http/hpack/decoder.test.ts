import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NetloomError, concatBytes, fromHex } from '../../core/index.ts';
import {
  decodeBlock,
  decodeFragments,
  encodeBlock,
  type Triple,
} from '../../../test/http/hpack/blocks.ts';
import { byteByByte } from '../../../test/http/messages.ts';
import { HPACK_FAULTS, HpackDecoder, HpackEncoder, type HpackFault } from './index.ts';

function faultOf(hex: string, decoder: HpackDecoder = new HpackDecoder()): string | undefined {
  return decodeBlock(decoder, fromHex(hex)).fault;
}

/** Bad blocks, and what is wrong with each. */
const BAD: readonly (readonly [hex: string, fault: HpackFault, why: string])[] = [
  ['80', 'index-invalid', 'index 0'],
  ['be', 'index-invalid', 'an index of a table that is empty'],
  ['7f000161', 'index-invalid', 'a name of index 63'],
  ['0f300161', 'index-invalid', 'a name of index 63, not for the table'],
  ['1f300161', 'index-invalid', 'a name of index 63, never for the table'],
  ['ff80ffffff0f', 'index-invalid', 'an index of 32 bits'],
  ['ffffffffffff00', 'integer-too-large', 'an index of six bytes after the first'],
  ['ff808080808000', 'integer-too-large', 'zeros without end'],
  ['ff81ffffff0f', 'integer-too-large', 'an index of 2 ** 32'],
  ['007f80808080800161', 'integer-too-large', 'the length of a name'],
  ['82207f', 'table-size-update-late', 'after a field'],
  ['3fe21f', 'table-size-update-too-large', '4,097'],
  ['3fffffffff1f', 'integer-too-large', 'a size beyond 32 bits'],
  ['000161811c', 'huffman-padding-invalid', 'a value whose padding has a 0'],
  ['00821fff0161', 'huffman-padding-invalid', 'a name with a byte of padding'],
  ['00016184ffffffff', 'huffman-end-of-string', 'in a value'],
  ['0084fffffffc0161', 'huffman-end-of-string', 'in a name'],
  ['82ff', 'truncated', 'an index'],
  ['40', 'truncated', 'a name'],
  ['4003', 'truncated', 'a name of three bytes'],
  ['400161', 'truncated', 'a value'],
  ['41', 'truncated', 'a value, after an index'],
  ['4101', 'truncated', 'a value of one byte'],
  ['3f', 'truncated', 'a size'],
  ['007f', 'truncated', 'the length of a name'],
];

test('bad blocks have the fault they have, however they are cut, and nothing comes after it', () => {
  for (const [hex, fault, why] of BAD) {
    const decoder = new HpackDecoder();
    const block = fromHex(hex);
    assert.equal(decodeBlock(decoder, block).fault, fault, why);
    assert.equal(decoder.fault, fault);
    assert.equal(decodeBlock(decoder, fromHex('82')).fault, fault, why);
    assert.equal(decodeFragments(new HpackDecoder(), byteByByte(block)).fault, fault, why);
  }
});

test('every fault that is syntax is among them, but for the update that is missing', () => {
  const syntax = Object.entries(HPACK_FAULTS).filter(([, { kind }]) => kind === 'syntax');
  const seen = new Set<string>(BAD.map(([, fault]) => fault));
  assert.deepEqual(
    syntax.map(([name]) => name).filter((name) => !seen.has(name)),
    ['table-size-update-missing'],
  );
});

test('integers may have zeros behind them, as long as there are five bytes at most', () => {
  const decoder = new HpackDecoder();
  // The lengths 127 + 0 and 127 + 128 + 0.
  for (const [hex, length] of [
    ['007f8080808000', 127],
    ['007f80818000', 255],
  ] as const) {
    const name = new Uint8Array(length).fill(0x61);
    const block = concatBytes([fromHex(hex), name, fromHex('0162')]);
    assert.deepEqual(decodeBlock(decoder, block).fields, [['a'.repeat(length), 'b']]);
  }
});

test('a field of a table is the same object each time', () => {
  const decoder = new HpackDecoder();
  decodeBlock(decoder, fromHex('82400161016282be'));
  const [method, custom, again, fromTable] = decoder.list;
  assert.equal(again, method);
  assert.equal(fromTable, custom);
  assert.deepEqual({ ...custom }, { name: 'a', value: 'b', neverIndexed: false });
});

test('the list is new with each block, and an empty block has an empty one', () => {
  const decoder = new HpackDecoder();
  decodeBlock(decoder, fromHex('82'));
  const first = decoder.list;
  assert.deepEqual(decodeFragments(decoder, []).fields, []);
  assert.notEqual(decoder.list, first);
  assert.equal(first.length, 1);
  assert.deepEqual(decodeFragments(decoder, [fromHex(''), fromHex('84')]).fields, [[':path', '/']]);
});

test('characters of fields are bytes, and nothing is made of them', () => {
  const value = String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code));
  for (const neverIndexed of [true, false]) {
    const block = encodeBlock(new HpackEncoder(), [[value, value, neverIndexed]]);
    assert.deepEqual(decodeBlock(new HpackDecoder(), block).fields, [[value, value]]);
  }
});

test('strings may be long, Huffman-coded or not', () => {
  // Characters whose code is short, and one whose code is longer than itself.
  for (const character of ['0', '\xff']) {
    const value = character.repeat(10_000);
    const block = encodeBlock(new HpackEncoder(), [['long', value]]);
    assert.deepEqual(decodeBlock(new HpackDecoder(), block).fields, [['long', value]]);
  }
});

test('a field larger than the table empties it (RFC 7541, section 4.4)', () => {
  const decoder = new HpackDecoder();
  decoder.setTableSize(64);
  const long = 'x'.repeat(33);
  const always = new HpackEncoder({ tableSize: 64, indexing: () => 'incremental' });
  const block = encodeBlock(always, [
    ['a', 'b'],
    ['long', long],
    ['a', 'b'],
  ]);
  const { fields } = decodeBlock(decoder, block);
  assert.deepEqual(
    fields.map(([name]) => name),
    ['a', 'long', 'a'],
  );
  assert.deepEqual(
    decoder.table.map(({ name }) => name),
    ['a'],
  );
});

test('a name is taken from an entry that its own insertion evicts (RFC 7541, section 4.4)', () => {
  const decoder = new HpackDecoder();
  decoder.setTableSize(40);
  // Size 40; 'name: 1' is inserted, then the name of index 62 with the value '2'.
  const block = fromHex('3f09 40046e616d650131 7e0132');
  assert.deepEqual(decodeBlock(decoder, block).fields, [
    ['name', '1'],
    ['name', '2'],
  ]);
  assert.deepEqual(
    decoder.table.map(({ value }) => value),
    ['2'],
  );
});

test('a table that is to be smaller must be made so at the start of the next block (RFC 7541, section 4.2)', () => {
  const missing = new HpackDecoder();
  missing.setTableSize(100);
  assert.equal(faultOf('82', missing), 'table-size-update-missing');

  const larger = new HpackDecoder();
  larger.setTableSize(100);
  assert.equal(faultOf('3f46', larger), 'table-size-update-too-large');

  const good = new HpackDecoder();
  good.setTableSize(100);
  assert.equal(faultOf('', good), undefined, 'a block without fields needs nothing');
  assert.equal(faultOf('3f4582', good), undefined);
  assert.equal(faultOf('82', good), undefined);
  assert.equal(faultOf('3f46', good), 'table-size-update-too-large');
});

test('of several sizes between two blocks the smallest must be told first', () => {
  const decoder = new HpackDecoder();
  decodeBlock(decoder, fromHex('4001610162'));
  decoder.setTableSize(0);
  decoder.setTableSize(200);
  assert.equal(decoder.table.length, 1);
  // 0, then 200.
  assert.equal(faultOf('203fa901', decoder), undefined);
  assert.equal(decoder.table.length, 0);
  assert.equal(faultOf('4001610162be', decoder), undefined);

  const skipped = new HpackDecoder();
  skipped.setTableSize(0);
  skipped.setTableSize(200);
  assert.equal(faultOf('3fa901', skipped), 'table-size-update-too-large');
});

test('a larger table may be used once it is allowed, and need not be', () => {
  const decoder = new HpackDecoder();
  decoder.setTableSize(8192);
  assert.equal(faultOf('82', decoder), undefined);
  // 8,192.
  assert.equal(faultOf('3fe13f', decoder), undefined);
  assert.equal(faultOf('3fe23f', decoder), 'table-size-update-too-large');
});

/** Fields that take 40 bytes each. */
const FORTY: readonly Triple[] = Array.from({ length: 10 }, (_, i) => [`name-00${i}`, ''] as const);

test('fields beyond the size of a list are dropped and told of, and the table has them', () => {
  const decoder = new HpackDecoder({ listSize: 120 });
  const encoder = new HpackEncoder();
  const { fields, excess, fault } = decodeBlock(decoder, encodeBlock(encoder, FORTY));
  assert.equal(fault, undefined);
  assert.equal(excess, 'fields-too-large');
  assert.deepEqual(
    fields,
    FORTY.slice(0, 3).map(([name]) => [name, '']),
  );
  assert.equal(decoder.dropped, 7);
  // The next list is whole, and comes from the table.
  const next = encodeBlock(encoder, FORTY.slice(7));
  assert.equal(next.length, 3);
  assert.deepEqual(decodeBlock(decoder, next), {
    fields: FORTY.slice(7).map(([name]) => [name, '']),
    excess: undefined,
    fault: undefined,
  });
  assert.equal(decoder.dropped, 0);
});

test('nothing is taken after a field that was dropped, though it would fit', () => {
  const decoder = new HpackDecoder({ listSize: 120 });
  const block = encodeBlock(new HpackEncoder(), [FORTY[0]!, ['long', 'x'.repeat(80)], FORTY[1]!]);
  assert.deepEqual(decodeBlock(decoder, block).fields, [['name-000', '']]);
  assert.equal(decoder.dropped, 2);
});

test('fields beyond the number of a list are dropped and told of', () => {
  const decoder = new HpackDecoder({ fieldCount: 4 });
  const { fields, excess } = decodeBlock(decoder, encodeBlock(new HpackEncoder(), FORTY));
  assert.equal(fields.length, 4);
  assert.equal(excess, 'too-many-fields');
  assert.equal(decoder.dropped, 6);
});

test('a list that uses its limits up is whole', () => {
  const decoder = new HpackDecoder({ listSize: 400, fieldCount: 10, decodedSize: 400 });
  const { fields, excess } = decodeBlock(decoder, encodeBlock(new HpackEncoder(), FORTY));
  assert.equal(fields.length, 10);
  assert.equal(excess, undefined);
});

test('a bomb of one large entry and many indexes of it ends in a fault, after bounded work', () => {
  const decoder = new HpackDecoder({ listSize: 10_000, decodedSize: 40_000 });
  const large = encodeBlock(new HpackEncoder({ indexing: () => 'incremental' }), [
    ['bomb', 'x'.repeat(4000)],
  ]);
  const bomb = concatBytes([large, new Uint8Array(50_000).fill(0xbe)]);
  assert.equal(decodeBlock(decoder, bomb).fault, 'list-too-large');
  assert.equal(decoder.list.length, 2);
  // The tenth of 4,036 bytes went beyond it; the ninth and those before were dropped from the third on.
  assert.equal(decoder.dropped, 7);
  assert.equal(HPACK_FAULTS['list-too-large'].kind, 'limit');
});

test('a block of more bytes than the limit is a fault, at once or in pieces that never end', () => {
  const decoder = new HpackDecoder({ blockBytes: 100 });
  assert.equal(decodeBlock(decoder, new Uint8Array(100).fill(0x82)).fault, undefined);
  assert.equal(decodeBlock(decoder, new Uint8Array(101).fill(0x82)).fault, 'block-too-large');

  const patient = new HpackDecoder({ blockBytes: 100 });
  // A name that claims to be very long.
  assert.equal(patient.read(fromHex('007fffffff07')), undefined);
  let bytes = 6;
  while (patient.read(Uint8Array.of(0x61)) === undefined) bytes++;
  assert.equal(bytes, 100);
  assert.equal(patient.fault, 'block-too-large');
});

test('limits that there are not are refused', () => {
  const given = { listSise: 1 } as object;
  assert.throws(
    () => new HpackDecoder(given),
    (error: NetloomError) => error.code === 'LIMIT_INVALID',
  );
});
