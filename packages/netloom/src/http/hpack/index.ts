/** HPACK (RFC 7541): the field lists of HTTP/2 as bytes, with a memory on either side. */
export { HpackDecoder, type HpackExcess } from './decoder.ts';
export {
  BLOCK_START_BYTES_AT_MOST,
  HpackEncoder,
  encodedFieldBytesAtMost,
  type HpackEncoderOptions,
} from './encoder.ts';
export { HPACK_FAULTS, type HpackFault, type HpackFaultMeaning } from './fault.ts';
export { HeaderField } from './header-field.ts';
export { defaultIndexing, type Indexing, type IndexingPolicy } from './indexing.ts';
export { HPACK_DECODER_LIMITS, type HpackDecoderLimits } from './limits.ts';
