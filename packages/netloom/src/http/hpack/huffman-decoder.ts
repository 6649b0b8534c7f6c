import { CODES, CODE_LENGTHS, END_OF_STRING } from './huffman-code.ts';

/** What {@link decodeHuffman} answers for a string that has the code of the end of strings. */
export const HAS_END_OF_STRING = -1;
/** What {@link decodeHuffman} answers for a string that does not end in up to seven bits of 1. */
export const HAS_INVALID_PADDING = -2;

/*
 * The code's tree has 256 inner nodes, which are the decoder's states, the root being 0. For each state and each byte there is
 * what the byte leads to, in one word: the next state in bits 0 to 7; up to two symbols, since the shortest code
 * has five bits, from bit 8 and from bit 16; their number from bit 24; and two flags.
 */
const COUNT_SHIFT = 24;
/** The code of the end of strings has been read. */
const FAILED = 1 << 26;
/** A string may end in the next state: what was read since the last symbol is up to seven bits of 1. */
const MAY_END = 1 << 27;

/** By state, times 256, and byte. Built with the first string, for programs that never see one to start sooner. */
let transitions: Int32Array | undefined;

/** The bytes that {@link decodeHuffman} may write for so many bytes of code: a symbol for each five bits, and two that do not count. */
export function decodedLengthAtMost(length: number): number {
  return Math.floor((8 * length) / 5) + 2;
}

/**
 * Decodes the string from `start` to `end` to the beginning of `output`, which has room for {@link decodedLengthAtMost}. Answers its
 * length; or {@link HAS_END_OF_STRING} or {@link HAS_INVALID_PADDING} (RFC 7541, section 5.2).
 */
export function decodeHuffman(
  bytes: Uint8Array,
  start: number,
  end: number,
  output: Uint8Array,
): number {
  const table = (transitions ??= buildTransitions());
  let length = 0;
  let transition = MAY_END;
  for (let at = start; at < end; at++) {
    transition = table[((transition & 0xff) << 8) | bytes[at]!]!;
    if ((transition & FAILED) !== 0) return HAS_END_OF_STRING;
    // Both are written whether they are there or not: that takes less time than to decide.
    output[length] = transition >>> 8;
    output[length + 1] = transition >>> 16;
    length += (transition >>> COUNT_SHIFT) & 3;
  }
  return (transition & MAY_END) === 0 ? HAS_INVALID_PADDING : length;
}

function buildTransitions(): Int32Array {
  const children = buildTree();
  const mayEnd = endings(children);
  const table = new Int32Array(256 * 256);
  /** Sets the words of all bytes that begin with the `depth` bits `prefix`, which have led from `state` to `node`. */
  const fill = (state: number, node: number, prefix: number, depth: number, found: number) => {
    if (depth === 8) {
      table[(state << 8) | prefix] = found | node | (mayEnd.has(node) ? MAY_END : 0);
      return;
    }
    for (const bit of [0, 1]) {
      const child = children[2 * node + bit]!;
      const longer = (prefix << 1) | bit;
      if (child >= 0) fill(state, child, longer, depth + 1, found);
      else fill(state, 0, longer, depth + 1, withSymbol(found, ~child));
    }
  };
  for (let state = 0; state < 256; state++) fill(state, state, 0, 0, 0);
  return table;
}

function withSymbol(found: number, symbol: number): number {
  if (symbol === END_OF_STRING) return found | FAILED;
  const count = (found >>> COUNT_SHIFT) & 3;
  return (found | (symbol << (8 + 8 * count))) + (1 << COUNT_SHIFT);
}

/** The code as a tree: the two children of each inner node, an inner node by its number, a symbol by the complement of its. */
function buildTree(): Int16Array {
  const children = new Int16Array(2 * 256);
  let nodes = 1;
  for (let symbol = 0; symbol <= END_OF_STRING; symbol++) {
    let node = 0;
    for (let bit = CODE_LENGTHS[symbol]! - 1; bit > 0; bit--) {
      const place = 2 * node + ((CODES[symbol]! >>> bit) & 1);
      // The root is nobody's child: 0 is a place that has nothing yet.
      if (children[place] === 0) children[place] = nodes++;
      node = children[place]!;
    }
    children[2 * node + (CODES[symbol]! & 1)] = ~symbol;
  }
  return children;
}

/** The nodes that padding may lead to: the root, and those that up to seven bits of 1 lead to from there. */
function endings(children: Int16Array): Set<number> {
  const nodes = new Set([0]);
  let node = 0;
  for (let bits = 1; bits <= 7; bits++) {
    node = children[2 * node + 1]!;
    nodes.add(node);
  }
  return nodes;
}
