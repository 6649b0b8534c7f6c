/** Numbers of the pcapng format (draft-ietf-opsawg-pcapng), for its reader and its writer. */

/** Types of blocks (section 11.1). */
export const PcapngBlock = {
  /** The same read from either end, so that it is known before the byte order is. */
  SECTION_HEADER: 0x0a0d0d0a,
  INTERFACE_DESCRIPTION: 1,
  SIMPLE_PACKET: 3,
  INTERFACE_STATISTICS: 5,
  ENHANCED_PACKET: 6,
} as const;

/** Codes of options; each kind of block has its own numbers beside `END` and `COMMENT` (section 3.5). */
export const PcapngOption = {
  END: 0,
  /** Of any block. */
  COMMENT: 1,
  SECTION_HARDWARE: 2,
  SECTION_OPERATING_SYSTEM: 3,
  SECTION_APPLICATION: 4,
  INTERFACE_NAME: 2,
  INTERFACE_DESCRIPTION: 3,
  INTERFACE_TIME_RESOLUTION: 9,
  INTERFACE_TIME_OFFSET: 14,
  PACKET_FLAGS: 2,
  STATISTICS_RECEIVED: 4,
  STATISTICS_DROPPED: 5,
} as const;

/** What a section header has to show its byte order (section 4.1). */
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

/** Type, total length, and total length again at the end (section 3.1). */
export const BLOCK_OVERHEAD = 12;

/** The two lowest bits of a packet's flags (section 4.3.1). */
export const DIRECTION_INBOUND = 1;
/** See {@link DIRECTION_INBOUND}. */
export const DIRECTION_OUTBOUND = 2;

/** Blocks, packet data and options are padded to four bytes. */
export function padded(length: number): number {
  return (length + 3) & ~3;
}
