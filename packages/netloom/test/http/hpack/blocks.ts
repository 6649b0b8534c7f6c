/** What the tests of HPACK share: blocks from lists, and lists from blocks. */
import {
  BLOCK_START_BYTES_AT_MOST,
  encodedFieldBytesAtMost,
  type HpackDecoder,
  type HpackEncoder,
} from '../../../src/http/hpack/index.ts';

/** A field: its name, its value, and whether it is to be kept out of tables. */
export type Triple = readonly [name: string, value: string, neverIndexed?: boolean];

/** Writes a list as a block. */
export function encodeBlock(encoder: HpackEncoder, fields: Iterable<Triple>): Uint8Array {
  const list = [...fields];
  const room = list.reduce(
    (sum, [name, value]) => sum + encodedFieldBytesAtMost(name, value),
    BLOCK_START_BYTES_AT_MOST,
  );
  const output = new Uint8Array(room);
  let at = encoder.begin(output, 0);
  for (const [name, value, neverIndexed] of list) {
    at = encoder.field(output, at, name, value, neverIndexed);
  }
  return output.subarray(0, at);
}

/** What a decoder makes of a block. */
export interface Decoded {
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly fault: string | undefined;
  readonly excess: string | undefined;
}

/** Reads a block in these fragments, each from an array of its own that is overwritten afterwards, as a borrowed one may be. */
export function decodeFragments(decoder: HpackDecoder, fragments: Iterable<Uint8Array>): Decoded {
  for (const fragment of fragments) {
    const borrowed = Uint8Array.from(fragment);
    const fault = decoder.read(borrowed);
    borrowed.fill(0xee);
    if (fault !== undefined) return { fields: [], fault, excess: undefined };
  }
  const fault = decoder.end();
  if (fault !== undefined) return { fields: [], fault, excess: undefined };
  const fields = decoder.list.map(({ name, value }) => [name, value] as const);
  return { fields, fault, excess: decoder.excess };
}

/** Reads a block in one piece. */
export function decodeBlock(decoder: HpackDecoder, block: Uint8Array): Decoded {
  return decodeFragments(decoder, [block]);
}
