import { readUint16, writeUint32 } from '../core/index.ts';
import type { WireFault } from './fault.ts';

/** The VXLAN header, between UDP and an Ethernet frame (RFC 7348, section 5). */
export const VXLAN_HEADER_LENGTH = 8;
/** Where tunnel ends listen (RFC 7348, section 8). */
export const VXLAN_PORT = 4789;
/** The largest network identifier: it has 24 bits. */
export const LARGEST_VXLAN_IDENTIFIER = 0xff_ffff;

/** The one flag there is: the identifier is valid. */
const IDENTIFIER_VALID = 0x08;

/** A VXLAN header. */
export class VxlanHeader {
  /** Which of the networks between two tunnel ends the frame is of, 0 to 16,777,215. */
  identifier = 0;
}

/**
 * Reads the header at `start`; the Ethernet frame begins {@link VXLAN_HEADER_LENGTH} bytes on. The flag of the identifier must be set, and
 * reserved bits are ignored (RFC 7348, section 5): other standards have put them to use.
 */
export function parseVxlan(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: VxlanHeader = new VxlanHeader(),
): VxlanHeader | WireFault {
  if (end - start < VXLAN_HEADER_LENGTH) return 'truncated';
  if ((bytes[start]! & IDENTIFIER_VALID) === 0) return 'bad-value';
  into.identifier = (readUint16(bytes, start + 4) << 8) | bytes[start + 6]!;
  return into;
}

/** Writes the header at `at`, and answers where the frame begins. */
export function emitVxlan(header: VxlanHeader, bytes: Uint8Array, at: number): number {
  writeUint32(bytes, at, IDENTIFIER_VALID << 24);
  writeUint32(bytes, at + 4, header.identifier << 8);
  return at + VXLAN_HEADER_LENGTH;
}
