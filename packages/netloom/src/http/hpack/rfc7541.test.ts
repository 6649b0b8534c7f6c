import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromHex, toHex } from '../../core/index.ts';
import { decodeBlock, encodeBlock } from '../../../test/http/hpack/blocks.ts';
import { HpackDecoder, HpackEncoder } from './index.ts';
import { PrimitiveReader } from './primitive-reader.ts';
import { writeInteger } from './primitive-writer.ts';
import { STATIC_TABLE } from './static-table.ts';

test('appendix A: the static table', () => {
  assert.equal(STATIC_TABLE.length, 61);
  const names = STATIC_TABLE.map(({ name }) => name);
  // From index 15 on it is in alphabetical order, but for one.
  assert.equal(names[18], 'accept');
  const ordered = names.slice(14).filter((name) => name !== 'accept');
  assert.deepEqual(ordered, [...new Set(ordered)].toSorted());
  assert.equal(ordered.length, 46);
  // One of each ten, and all that have a value.
  for (const index of [1, 20, 30, 40, 50, 61]) assert.equal(STATIC_TABLE[index - 1]!.value, '');
  assert.deepEqual(
    [1, 20, 30, 40, 50, 61].map((index) => names[index - 1]),
    [
      ':authority',
      'access-control-allow-origin',
      'content-range',
      'if-modified-since',
      'range',
      'www-authenticate',
    ],
  );
  assert.deepEqual(
    [...STATIC_TABLE.entries()]
      .filter(([, { value }]) => value !== '')
      .map(([at, { name, value }]) => `${at + 1} ${name} ${value}`),
    [
      '2 :method GET',
      '3 :method POST',
      '4 :path /',
      '5 :path /index.html',
      '6 :scheme http',
      '7 :scheme https',
      '8 :status 200',
      '9 :status 204',
      '10 :status 206',
      '11 :status 304',
      '12 :status 400',
      '13 :status 404',
      '14 :status 500',
      '16 accept-encoding gzip, deflate',
    ],
  );
});

test('appendix C.1: integers', () => {
  // [value, bits of the prefix, bytes]
  const table = [
    [10, 5, '0a'],
    [1337, 5, '1f9a0a'],
    [42, 8, '2a'],
  ] as const;
  for (const [value, bits, hex] of table) {
    const output = new Uint8Array(6);
    assert.equal(toHex(output.subarray(0, writeInteger(value, bits, 0, output, 0))), hex);
    const reader = new PrimitiveReader();
    reader.begin(fromHex(hex), hex.length / 2);
    assert.equal(reader.integer(bits), value);
  }
});

test('appendix C.2: one field of each representation', () => {
  // [block, name, value, goes into the table, is never to]
  const table = [
    [
      '400a637573746f6d2d6b65790d637573746f6d2d686561646572',
      'custom-key',
      'custom-header',
      true,
      false,
    ],
    ['040c2f73616d706c652f70617468', ':path', '/sample/path', false, false],
    ['100870617373776f726406736563726574', 'password', 'secret', false, true],
    ['82', ':method', 'GET', false, false],
  ] as const;
  for (const [hex, name, value, isInserted, neverIndexed] of table) {
    const decoder = new HpackDecoder();
    assert.equal(decodeBlock(decoder, fromHex(hex)).fault, undefined);
    assert.deepEqual(
      decoder.list.map((field) => ({ ...field })),
      [{ name, value, neverIndexed }],
    );
    assert.deepEqual(decoder.table, isInserted ? decoder.list : []);
  }
});

/** Lists of an appendix that share a table: the block as there, the fields, and the size of the table afterwards. */
type Blocks = readonly (readonly [hex: string, fields: [string, string][], tableSize: number])[];

const REQUESTS: readonly [string, string][][] = [
  [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
  ],
  [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
    ['cache-control', 'no-cache'],
  ],
  [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':path', '/index.html'],
    [':authority', 'www.example.com'],
    ['custom-key', 'custom-value'],
  ],
];

const RESPONSES: readonly [string, string][][] = [
  [
    [':status', '302'],
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
    ['location', 'https://www.example.com'],
  ],
  [
    [':status', '307'],
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
    ['location', 'https://www.example.com'],
  ],
  [
    [':status', '200'],
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:22 GMT'],
    ['location', 'https://www.example.com'],
    ['content-encoding', 'gzip'],
    ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'],
  ],
];

const C3: Blocks = [
  ['828684410f7777772e6578616d706c652e636f6d', REQUESTS[0]!, 57],
  ['828684be58086e6f2d6361636865', REQUESTS[1]!, 110],
  ['828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565', REQUESTS[2]!, 164],
];

const C4: Blocks = [
  ['828684418cf1e3c2e5f23a6ba0ab90f4ff', REQUESTS[0]!, 57],
  ['828684be5886a8eb10649cbf', REQUESTS[1]!, 110],
  ['828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf', REQUESTS[2]!, 164],
];

const C5: Blocks = [
  [
    '4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54' +
      '6e1768747470733a2f2f7777772e6578616d706c652e636f6d',
    RESPONSES[0]!,
    222,
  ],
  ['4803333037c1c0bf', RESPONSES[1]!, 222],
  [
    '88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f' +
      '3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076' +
      '657273696f6e3d31',
    RESPONSES[2]!,
    215,
  ],
];

const C6: Blocks = [
  [
    '488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f' +
      '0b97c8e9ae82ae43d3',
    RESPONSES[0]!,
    222,
  ],
  ['4883640effc1c0bf', RESPONSES[1]!, 222],
  [
    '88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335df' +
      'dfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
    RESPONSES[2]!,
    215,
  ],
];

function readsBlocks(decoder: HpackDecoder, blocks: Blocks): void {
  for (const [hex, fields, tableSize] of blocks) {
    assert.deepEqual(decodeBlock(decoder, fromHex(hex)), {
      fields,
      fault: undefined,
      excess: undefined,
    });
    assert.equal(
      decoder.table.reduce((sum, { size }) => sum + size, 0),
      tableSize,
    );
  }
}

test('appendices C.3 and C.4: requests, without and with Huffman coding', () => {
  readsBlocks(new HpackDecoder(), C3);
  readsBlocks(new HpackDecoder(), C4);
});

test('appendices C.5 and C.6: responses in a table of 256 bytes, which evicts', () => {
  for (const blocks of [C5, C6]) {
    const decoder = new HpackDecoder();
    decoder.setTableSize(256);
    // The examples begin after the size was agreed upon.
    assert.equal(decodeBlock(decoder, fromHex('3fe101')).fault, undefined);
    readsBlocks(decoder, blocks);
    assert.deepEqual(
      decoder.table.map(({ name }) => name),
      ['set-cookie', 'content-encoding', 'date'],
    );
  }
});

test('the encoder writes the blocks of appendix C.4', () => {
  const encoder = new HpackEncoder();
  for (const [hex, fields] of C4) assert.equal(toHex(encodeBlock(encoder, fields)), hex);
});

test('the encoder writes the blocks of appendix C.6, but for a string that Huffman coding does not shorten', () => {
  const encoder = new HpackEncoder({ tableSize: 256, indexing: () => 'incremental' });
  assert.equal(toHex(encodeBlock(encoder, [])), '3fe101');
  const expected = C6.map(([hex]) => hex.replace('4883640eff', '4803333037'));
  const written = C6.map(([, fields]) => toHex(encodeBlock(encoder, fields)));
  assert.deepEqual(written, expected);
});
