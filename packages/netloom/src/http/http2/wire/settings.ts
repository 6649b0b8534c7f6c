import { readInt32, readUint16 } from '../../../core/index.ts';
import type { Http2Fault } from './fault.ts';
import {
  GREATEST_MAX_FRAME_SIZE,
  LEAST_MAX_FRAME_SIZE,
  MAX_WINDOW,
  SETTING_LENGTH,
  SettingId,
} from './frame.ts';

/** What one side has told of itself (RFC 9113, section 6.5.2). Infinity: no limit was told. */
export interface Http2Settings {
  headerTableSize: number;
  enablePush: boolean;
  maxConcurrentStreams: number;
  initialWindowSize: number;
  maxFrameSize: number;
  maxHeaderListSize: number;
  /** RFC 8441, section 3. */
  enableConnectProtocol: boolean;
  /** RFC 9218, section 2.1. */
  noRfc7540Priorities: boolean;
}

/** What holds until a side has told otherwise. */
export const INITIAL_SETTINGS: Readonly<Http2Settings> = {
  headerTableSize: 4096,
  enablePush: true,
  maxConcurrentStreams: Infinity,
  initialWindowSize: 65_535,
  maxFrameSize: LEAST_MAX_FRAME_SIZE,
  maxHeaderListSize: Infinity,
  enableConnectProtocol: false,
  noRfc7540Priorities: false,
};

/**
 * Takes the payload of a SETTINGS frame, whose length has been checked, into `settings`, one after the other as they stand
 * (RFC 9113, section 6.5.3). Answers what is wrong with one of them; those before it have been taken.
 */
export function readSettings(
  payload: Uint8Array,
  settings: Http2Settings,
  sender: 'client' | 'server',
): Http2Fault | undefined {
  for (let at = 0; at < payload.length; at += SETTING_LENGTH) {
    const value = readInt32(payload, at + 2) >>> 0;
    const fault = readSetting(readUint16(payload, at), value, settings, sender);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function readSetting(
  id: number,
  value: number,
  settings: Http2Settings,
  sender: 'client' | 'server',
): Http2Fault | undefined {
  switch (id) {
    case SettingId.HEADER_TABLE_SIZE:
      settings.headerTableSize = value;
      return undefined;
    case SettingId.ENABLE_PUSH:
      settings.enablePush = value === 1;
      // RFC 9113, section 6.5.2: a server has nobody to allow it to.
      return value > 1 || (value === 1 && sender === 'server') ? 'setting-invalid' : undefined;
    case SettingId.MAX_CONCURRENT_STREAMS:
      settings.maxConcurrentStreams = value;
      return undefined;
    case SettingId.INITIAL_WINDOW_SIZE:
      if (value > MAX_WINDOW) return 'window-size-invalid';
      settings.initialWindowSize = value;
      return undefined;
    case SettingId.MAX_FRAME_SIZE:
      settings.maxFrameSize = value;
      return value < LEAST_MAX_FRAME_SIZE || value > GREATEST_MAX_FRAME_SIZE
        ? 'setting-invalid'
        : undefined;
    case SettingId.MAX_HEADER_LIST_SIZE:
      settings.maxHeaderListSize = value;
      return undefined;
    case SettingId.ENABLE_CONNECT_PROTOCOL:
      return readConnectProtocol(value, settings);
    case SettingId.NO_RFC7540_PRIORITIES:
      settings.noRfc7540Priorities = value === 1;
      return value > 1 ? 'setting-invalid' : undefined;
    default:
      // RFC 9113, section 6.5.2: one that is not known is ignored.
      return undefined;
  }
}

/** RFC 8441, section 3: 0 or 1, and not taken back. */
function readConnectProtocol(value: number, settings: Http2Settings): Http2Fault | undefined {
  if (value > 1 || (value === 0 && settings.enableConnectProtocol)) return 'setting-invalid';
  settings.enableConnectProtocol = value === 1;
  return undefined;
}
