import { EMPTY } from '../../core/index.ts';
import {
  BLOCK_START_BYTES_AT_MOST,
  HPACK_FAULTS,
  HpackDecoder,
  HpackEncoder,
  encodedFieldBytesAtMost,
  type HpackFault,
} from '../hpack/index.ts';
import type { FieldSection } from './field-section.ts';
import type { Http2Limits } from './limits.ts';
import type { Http2Fault } from './wire/index.ts';

/** Fields as they are sent, the pseudo-header fields first. */
export type FieldPairs = Iterable<readonly [name: string, value: string]>;

/** What is decoded of a list that is too large to be taken, so that the tables stay the same and it can be answered. */
const DECODED_BEYOND = 4;

/** Both directions of a connection's header compression (RFC 9113, section 4.3; RFC 7541). */
export class HeaderCompression {
  readonly #decoder: HpackDecoder;
  readonly #encoder: HpackEncoder;
  /** Where blocks are written, over and over. */
  #block: Uint8Array = EMPTY;

  constructor(limits: Http2Limits) {
    this.#decoder = new HpackDecoder({
      listSize: limits.headerBytes,
      fieldCount: limits.headerCount,
      decodedSize: DECODED_BEYOND * limits.headerBytes,
      blockBytes: limits.headerBlockBytes,
    });
    this.#encoder = new HpackEncoder({ tableSize: limits.headerTableSize });
  }

  /** Our SETTINGS_HEADER_TABLE_SIZE is acknowledged. */
  acknowledgeTableSize(size: number): void {
    this.#decoder.setTableSize(size);
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. */
  setPeerTableSize(size: number): void {
    this.#encoder.setTableSize(size);
  }

  /** Reads a fragment of a header block, borrowed. */
  read(fragment: Uint8Array): Http2Fault | undefined {
    return asFault(this.#decoder.read(fragment));
  }

  /**
   * Ends the block, and puts its fields into the section; `undefined` is for a block that nobody wants, which the tables need all the
   * same. A list that is too large is a fault of its stream.
   */
  end(section: FieldSection | undefined): Http2Fault | undefined {
    const decoder = this.#decoder;
    const fault = asFault(decoder.end());
    if (fault !== undefined) return fault;
    if (section !== undefined) for (const { name, value } of decoder.list) section.add(name, value);
    return section !== undefined && decoder.excess !== undefined ? 'fields-too-large' : undefined;
  }

  /** The fields as a block, valid until the next one is made. It has to be sent. */
  encode(...parts: readonly FieldPairs[]): Uint8Array {
    let most = BLOCK_START_BYTES_AT_MOST;
    for (const part of parts) {
      for (const [name, value] of part) most += encodedFieldBytesAtMost(name, value);
    }
    if (this.#block.length < most) this.#block = new Uint8Array(2 * most);
    const block = this.#block;
    let at = this.#encoder.begin(block, 0);
    for (const part of parts) {
      for (const [name, value] of part) at = this.#encoder.field(block, at, name, value);
    }
    return block.subarray(0, at);
  }
}

function asFault(fault: HpackFault | undefined): Http2Fault | undefined {
  if (fault === undefined) return undefined;
  return HPACK_FAULTS[fault].kind === 'limit' ? 'header-block-too-large' : 'header-block-invalid';
}
