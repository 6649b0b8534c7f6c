/** HTTP/2's frames as bytes (RFC 9113, sections 4 and 6): reader and writer, pure. */
export { ErrorCode, errorCodeName, type Http2ErrorCode } from './error-code.ts';
export { HTTP2_FAULTS, http2FaultError, type Http2Fault, type Http2FaultMeaning } from './fault.ts';
export {
  CLIENT_PREFACE,
  FRAME_HEADER_LENGTH,
  FrameFlag,
  FrameType,
  GREATEST_MAX_FRAME_SIZE,
  LEAST_MAX_FRAME_SIZE,
  MAX_STREAM_ID,
  MAX_WINDOW,
  SettingId,
  frameTypeName,
} from './frame.ts';
export { FrameReader, type FrameEvent } from './frame-reader.ts';
export { FrameWriter } from './frame-writer.ts';
export { DEFAULT_PRIORITY, URGENCIES, parsePriority, type Http2Priority } from './priority.ts';
export { INITIAL_SETTINGS, readSettings, type Http2Settings } from './settings.ts';
