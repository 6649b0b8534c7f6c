/** Why bytes are not a field block that can be taken (RFC 7541). The name doubles as that of the counter. */
export type HpackFault =
  | 'block-too-large'
  | 'huffman-end-of-string'
  | 'huffman-padding-invalid'
  | 'index-invalid'
  | 'integer-too-large'
  | 'list-too-large'
  | 'table-size-update-late'
  | 'table-size-update-missing'
  | 'table-size-update-too-large'
  | 'truncated';

/** What a fault means. */
export interface HpackFaultMeaning {
  /**
   * Either ends the connection, since the two tables are no longer the same: `syntax` with COMPRESSION_ERROR (RFC 9113, section 4.3),
   * `limit` with ENHANCE_YOUR_CALM.
   */
  readonly kind: 'syntax' | 'limit';
  readonly meaning: string;
}

/** Every {@link HpackFault} with its meaning. */
export const HPACK_FAULTS: { readonly [Fault in HpackFault]: HpackFaultMeaning } = {
  'block-too-large': limit('a field block has more bytes than the limit'),
  'huffman-end-of-string': syntax('a Huffman-coded string has the code of the end of strings'),
  'huffman-padding-invalid': syntax(
    'a Huffman-coded string ends in something else than up to seven bits of 1',
  ),
  'index-invalid': syntax('an index is 0, or beyond the end of the tables'),
  'integer-too-large': syntax('an integer has more than 32 bits, or more bytes than those need'),
  'list-too-large': limit('a field list is so large that it is not even read to its end'),
  'table-size-update-late': syntax('the size of the table is changed after the first field'),
  'table-size-update-missing': syntax(
    'the table was to be made smaller, and the next field block does not begin with that',
  ),
  'table-size-update-too-large': syntax('the table is made larger than it was allowed to be'),
  truncated: syntax('a field block ends within a field'),
};

function syntax(meaning: string): HpackFaultMeaning {
  return { kind: 'syntax', meaning };
}

function limit(meaning: string): HpackFaultMeaning {
  return { kind: 'limit', meaning };
}
