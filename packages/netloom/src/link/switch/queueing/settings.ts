import { NetloomError } from '../../../core/index.ts';

/** How frames wait for a port that is slower than what is to go out by it. */
export interface QueueingSettings {
  /** Bits per second, counted over whole frames without preamble and frame check sequence. */
  readonly rate: number;
  /** Bytes that may go out at once after a quiet time. Default: what the rate gives in 10 ms, and at least two full frames. */
  readonly burst?: number;
  /** Bytes that may wait in one class; what comes on top is dropped. Default 256 KiB. */
  readonly queueBytes?: number;
  /** Frames that may wait in one class. Default 1024. */
  readonly queueFrames?: number;
  /** Into how many queues the flows of a class are hashed, each of which gets the same share; 1: all wait in one line. Default 64. */
  readonly flows?: number;
  /** Bytes that a flow may send before it is the turn of the next. Default 1518. */
  readonly quantum?: number;
}

/** {@link QueueingSettings} with the defaults in their places. */
export type CompleteQueueing = Required<QueueingSettings>;

/** A timer of the platform may come some milliseconds late; so much is made up for. */
const BURST_SECONDS = 0.01;
const TWO_FRAMES = 2 * 1518;
const MAXIMUM_FLOWS = 4096;

/** Fills in the defaults. Throws `SWITCH_SETTING_INVALID`. */
export function completeQueueing(settings: QueueingSettings): CompleteQueueing {
  const { rate } = settings;
  const complete = {
    burst: Math.max(TWO_FRAMES, Math.ceil((rate / 8) * BURST_SECONDS)),
    queueBytes: 256 * 1024,
    queueFrames: 1024,
    flows: 64,
    quantum: 1518,
    ...settings,
  };
  for (const [name, value] of Object.entries(complete)) {
    if (!(value > 0 && value < Infinity)) throw invalid(name, value, 'a number above 0');
  }
  const { flows } = complete;
  if (!(Number.isInteger(flows) && flows <= MAXIMUM_FLOWS)) {
    throw invalid('flows', flows, `an integer from 1 to ${MAXIMUM_FLOWS}`);
  }
  return complete;
}

function invalid(name: string, value: number, wanted: string): NetloomError {
  return new NetloomError('SWITCH_SETTING_INVALID', `the queueing setting '${name}' is ${value}`, {
    remedy: `It must be ${wanted}.`,
  });
}
