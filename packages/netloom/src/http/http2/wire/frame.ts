/** Bytes of a frame's header (RFC 9113, section 4.1). */
export const FRAME_HEADER_LENGTH = 9;

/** The payload that every endpoint takes, and the most that any may be asked to (RFC 9113, section 4.2). */
export const LEAST_MAX_FRAME_SIZE = 16_384;
export const GREATEST_MAX_FRAME_SIZE = 16_777_215;

/** The largest flow-control window, and the largest stream identifier (RFC 9113, sections 6.9.1 and 5.1.1). */
export const MAX_WINDOW = 0x7fff_ffff;
export const MAX_STREAM_ID = 0x7fff_ffff;

/** What a client sends first of all (RFC 9113, section 3.4). */
export const CLIENT_PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** The types of frames: RFC 9113, section 6; ALTSVC of RFC 7838, ORIGIN of RFC 8336, PRIORITY_UPDATE of RFC 9218. */
export const FrameType = {
  DATA: 0x0,
  HEADERS: 0x1,
  PRIORITY: 0x2,
  RST_STREAM: 0x3,
  SETTINGS: 0x4,
  PUSH_PROMISE: 0x5,
  PING: 0x6,
  GOAWAY: 0x7,
  WINDOW_UPDATE: 0x8,
  CONTINUATION: 0x9,
  ALTSVC: 0xa,
  ORIGIN: 0xc,
  PRIORITY_UPDATE: 0x10,
} as const;

/** The flags; END_STREAM and ACK are one bit, of different types. */
export const FrameFlag = {
  END_STREAM: 0x1,
  ACK: 0x1,
  END_HEADERS: 0x4,
  PADDED: 0x8,
  PRIORITY: 0x20,
} as const;

/** The settings: RFC 9113, section 6.5.2; ENABLE_CONNECT_PROTOCOL of RFC 8441, NO_RFC7540_PRIORITIES of RFC 9218. */
export const SettingId = {
  HEADER_TABLE_SIZE: 0x1,
  ENABLE_PUSH: 0x2,
  MAX_CONCURRENT_STREAMS: 0x3,
  INITIAL_WINDOW_SIZE: 0x4,
  MAX_FRAME_SIZE: 0x5,
  MAX_HEADER_LIST_SIZE: 0x6,
  ENABLE_CONNECT_PROTOCOL: 0x8,
  NO_RFC7540_PRIORITIES: 0x9,
} as const;

/** Bytes of one setting, and of the priority fields of RFC 7540. */
export const SETTING_LENGTH = 6;
export const PRIORITY_LENGTH = 5;

const NAMES = new Map<number, string>(
  Object.entries(FrameType).map(([name, type]) => [type, name]),
);

/** The type's name in its RFC, or its number. */
export function frameTypeName(type: number): string {
  return NAMES.get(type) ?? `0x${type.toString(16)}`;
}
