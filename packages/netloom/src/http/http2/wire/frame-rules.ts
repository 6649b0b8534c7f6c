import type { Http2Fault } from './fault.ts';
import { FrameFlag, FrameType, PRIORITY_LENGTH, SETTING_LENGTH } from './frame.ts';

/** What RFC 9113, section 6 asks of a type of frame before its payload is looked at. */
interface FrameRule {
  /** `stream`: the frame belongs to one; `connection`: it must not; `any`: either. */
  readonly scope: 'stream' | 'connection' | 'any';
  /** Bytes of payload, without padding and what the flags add. */
  readonly least: number;
  readonly greatest: number;
}

const ANY_LENGTH = Infinity;

/** By type. A type that has no rule is of an extension, and ignored (RFC 9113, section 5.5). */
const RULES: ReadonlyMap<number, FrameRule> = new Map<number, FrameRule>([
  [FrameType.DATA, { scope: 'stream', least: 0, greatest: ANY_LENGTH }],
  [FrameType.HEADERS, { scope: 'stream', least: 0, greatest: ANY_LENGTH }],
  [FrameType.PRIORITY, { scope: 'stream', least: 0, greatest: ANY_LENGTH }],
  [FrameType.RST_STREAM, { scope: 'stream', least: 4, greatest: 4 }],
  [FrameType.SETTINGS, { scope: 'connection', least: 0, greatest: ANY_LENGTH }],
  [FrameType.PUSH_PROMISE, { scope: 'stream', least: 4, greatest: ANY_LENGTH }],
  [FrameType.PING, { scope: 'connection', least: 8, greatest: 8 }],
  [FrameType.GOAWAY, { scope: 'connection', least: 8, greatest: ANY_LENGTH }],
  [FrameType.WINDOW_UPDATE, { scope: 'any', least: 4, greatest: 4 }],
  [FrameType.CONTINUATION, { scope: 'stream', least: 0, greatest: ANY_LENGTH }],
  [FrameType.PRIORITY_UPDATE, { scope: 'connection', least: 4, greatest: ANY_LENGTH }],
]);

/** Whether the type is one that is read here; ALTSVC and ORIGIN are not. */
export function isKnownFrame(type: number): boolean {
  return RULES.has(type);
}

/** What is wrong with a frame, for all that its header says. */
export function frameHeaderFault(
  type: number,
  flags: number,
  streamId: number,
  length: number,
): Http2Fault | undefined {
  const rule = RULES.get(type);
  if (rule === undefined) return undefined;
  if (rule.scope === 'stream' && streamId === 0) return 'stream-id-missing';
  if (rule.scope === 'connection' && streamId !== 0) return 'stream-id-unexpected';
  if (length < rule.least + prefixLength(type, flags) || length > rule.greatest) {
    return 'frame-length-invalid';
  }
  // RFC 9113, section 6.3: the one wrong length that is the fault of a stream.
  if (type === FrameType.PRIORITY && length !== PRIORITY_LENGTH) return 'priority-length-invalid';
  return type === FrameType.SETTINGS ? settingsLengthFault(flags, length) : undefined;
}

function settingsLengthFault(flags: number, length: number): Http2Fault | undefined {
  const isAck = (flags & FrameFlag.ACK) !== 0;
  const isRight = isAck ? length === 0 : length % SETTING_LENGTH === 0;
  return isRight ? undefined : 'frame-length-invalid';
}

/** Bytes before the data or fragment: the length of the padding, and the priority fields of RFC 7540. */
export function prefixLength(type: number, flags: number): number {
  if (type !== FrameType.DATA && type !== FrameType.HEADERS) return 0;
  const padding = (flags & FrameFlag.PADDED) === 0 ? 0 : 1;
  const hasPriority = type === FrameType.HEADERS && (flags & FrameFlag.PRIORITY) !== 0;
  return hasPriority ? padding + PRIORITY_LENGTH : padding;
}
