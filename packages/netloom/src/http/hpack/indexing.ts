import { fieldSize } from './header-field.ts';

/**
 * How a field goes out that no table has (RFC 7541, section 6.2): into the table (`incremental`), as it is (`without`), or as it is and
 * on every hop after this one too (`never`).
 */
export type Indexing = 'incremental' | 'without' | 'never';

/** Decides about a field, for a table of this size. Names are in lower case. */
export type IndexingPolicy = (name: string, value: string, tableSize: number) => Indexing;

/** A cookie shorter than this could be guessed piece by piece, by watching what the table makes of the guesses (RFC 7541, section 7.1). */
const SHORT_COOKIE = 20;

/** A field that takes more than this part of the table would drive out too many others. */
const LARGEST_SHARE = 0.75;

/** Names whose values give access, so that no table is to hold them (RFC 7541, section 7.1.3). */
const SECRET = ['authorization', 'proxy-authorization', 'set-cookie'];

/** Names whose values are seldom sent twice on a connection: each would drive out a field that is. */
const CHANGING = [
  ':path',
  'age',
  'content-length',
  'content-range',
  'etag',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-modified',
  'location',
  'range',
  'traceparent',
  'x-request-id',
];

const BY_NAME: ReadonlyMap<string, Indexing> = new Map<string, Indexing>([
  ...SECRET.map((name) => [name, 'never'] as const),
  ...CHANGING.map((name) => [name, 'without'] as const),
]);

/** The policy of an encoder that is given none. */
export const defaultIndexing: IndexingPolicy = (name, value, tableSize) => {
  const known = BY_NAME.get(name);
  if (known !== undefined) return known;
  if (name === 'cookie' && value.length < SHORT_COOKIE) return 'never';
  return fieldSize(name, value) > LARGEST_SHARE * tableSize ? 'without' : 'incremental';
};
