import { copyBytes } from 'netloom/core';
import {
  BLOCK_START_BYTES_AT_MOST,
  HpackDecoder,
  HpackEncoder,
  encodedFieldBytesAtMost,
} from '../packages/netloom/src/http/hpack/index.ts';
import type { Bench } from './frame/bench.ts';
import { keep, rate } from './frame/measure.ts';

type List = readonly (readonly [name: string, value: string])[];

/** What a browser asks for a script with. */
const REQUEST: List = [
  [':method', 'GET'],
  [':authority', 'www.example.org'],
  [':scheme', 'https'],
  [':path', '/assets/application-5f3a9c0d71e2.js'],
  ['sec-ch-ua-platform', '"Linux"'],
  [
    'user-agent',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  ],
  ['sec-ch-ua', '"Chromium";v="140", "Not=A?Brand";v="24"'],
  ['sec-ch-ua-mobile', '?0'],
  ['accept', '*/*'],
  ['sec-fetch-site', 'same-origin'],
  ['sec-fetch-mode', 'no-cors'],
  ['sec-fetch-dest', 'script'],
  ['referer', 'https://www.example.org/articles/2026/11/'],
  ['accept-encoding', 'gzip, deflate, br, zstd'],
  ['accept-language', 'en-GB,en;q=0.9,de;q=0.8'],
  ['cookie', 'session=b7e23ec29af22b0b4e41da31e868d57226121c84'],
  ['cookie', 'theme=dark; consent=2026-11-01'],
  ['priority', 'u=1'],
];

/** What it is answered with. */
const RESPONSE: List = [
  [':status', '200'],
  ['date', 'Sat, 21 Nov 2026 20:13:21 GMT'],
  ['content-type', 'text/javascript; charset=utf-8'],
  ['content-length', '184213'],
  ['cache-control', 'public, max-age=31536000, immutable'],
  ['etag', '"5f3a9c0d71e2"'],
  ['last-modified', 'Fri, 20 Nov 2026 08:00:00 GMT'],
  ['vary', 'accept-encoding'],
  ['content-encoding', 'br'],
  ['strict-transport-security', 'max-age=63072000'],
  ['x-content-type-options', 'nosniff'],
  ['server', 'netloom'],
];

const output = new Uint8Array(
  REQUEST.reduce(
    (sum, [name, value]) => sum + encodedFieldBytesAtMost(name, value),
    BLOCK_START_BYTES_AT_MOST,
  ),
);

/** Writes a block to `output`. Answers its length. */
function encode(encoder: HpackEncoder, list: List): number {
  let at = encoder.begin(output, 0);
  for (let i = 0; i < list.length; i++) {
    const field = list[i]!;
    at = encoder.field(output, at, field[0], field[1]);
  }
  return at;
}

/** Answers the number of fields. */
function decode(decoder: HpackDecoder, block: Uint8Array): number {
  const fault = decoder.read(block) ?? decoder.end();
  if (fault !== undefined) throw new Error(`a good block is said to have the fault ${fault}`);
  return decoder.list.length;
}

/** Blocks per second. */
function blocks(work: () => number): () => number {
  return () =>
    rate((count) => {
      let sum = 0;
      for (let i = 0; i < count; i++) sum += work();
      keep(sum);
    });
}

/** HPACK, alone: no other of its kind is installed. */
export const bench: Bench = {
  name: 'hpack',
  description:
    "Field blocks of a browser's request and its response, of a connection's start and later",
  async run(report) {
    for (const [what, list] of [
      ['request', REQUEST],
      ['response', RESPONSE],
    ] as const) {
      const encoder = new HpackEncoder();
      const first = copyBytes(output, 0, encode(encoder, list));
      const later = copyBytes(output, 0, encode(encoder, list));
      const decoder = new HpackDecoder();
      decode(decoder, first);
      report.note(`a ${what} takes ${first.length} bytes first, ${later.length} later`);
      const cases = {
        [`decode a first ${what}`]: () => decode(new HpackDecoder(), first),
        [`decode a later ${what}`]: () => decode(decoder, later),
        [`encode a first ${what}`]: () => encode(new HpackEncoder(), list),
        [`encode a later ${what}`]: () => encode(encoder, list),
      };
      for (const [name, work] of Object.entries(cases)) {
        await report.compare({ case: name, unit: 'blocks/s', netloom: blocks(work), peers: {} });
      }
    }
  },
};
