import { NetloomError } from '../../core/index.ts';

/**
 * Loss in bursts, by the model of Gilbert (1960) and Elliott (1963): the path is either good or bad, may change with each frame, and loses
 * with another probability in each of the two. The mean length of a bad spell is `1 / leave` frames, and the share of time spent in it is
 * `enter / (enter + leave)`.
 */
export interface BurstLoss {
  /** The probability that a frame finds the path turned bad. */
  readonly enter: number;
  /** The probability that a frame finds it turned good again. */
  readonly leave: number;
  /** The probability of loss while it is bad. Default 1. */
  readonly lossWhileBad?: number;
  /** The probability of loss while it is good. Default 0. */
  readonly lossWhileGood?: number;
}

/** What is wrong with one direction of a link. Probabilities are for each frame, 0 to 1; times are milliseconds. */
export interface Impairment {
  /** From sending to arrival. */
  readonly delay: number;
  /** The delay varies evenly by up to this much, either way. Frames keep their order all the same. */
  readonly jitter: number;
  /** The probability that a frame is lost, each for itself. */
  readonly loss: number;
  /** Loss in bursts, on top of {@link loss}; undefined: none. */
  readonly burstLoss: BurstLoss | undefined;
  /** The probability that a frame is held back, so that later ones overtake it. */
  readonly reorder: number;
  /** How long such a frame is held back. */
  readonly reorderDelay: number;
  /** The probability that a frame arrives twice. */
  readonly duplicate: number;
  /** The probability that one bit of a frame is turned over. */
  readonly corrupt: number;
  /** Bits per second, counted over whole frames without preamble and frame check sequence; Infinity: no limit. */
  readonly rate: number;
  /** Bytes that may wait for a line of that {@link rate}; what comes on top is dropped. */
  readonly queueBytes: number;
  /** Nothing passes: what is sent is lost, and what was under way and would arrive now. */
  readonly partition: boolean;
}

/** A direction with nothing wrong. */
export const NO_IMPAIRMENT: Impairment = {
  delay: 0,
  jitter: 0,
  loss: 0,
  burstLoss: undefined,
  reorder: 0,
  reorderDelay: 10,
  duplicate: 0,
  corrupt: 0,
  rate: Infinity,
  queueBytes: 256 * 1024,
  partition: false,
};

/** Whether frames pass as they come. */
export function isClear(settings: Impairment): boolean {
  return (
    settings.delay === 0 &&
    settings.jitter === 0 &&
    settings.loss === 0 &&
    settings.burstLoss === undefined &&
    settings.reorder === 0 &&
    settings.duplicate === 0 &&
    settings.corrupt === 0 &&
    settings.rate === Infinity &&
    !settings.partition
  );
}

/** The settings with `change` in their place. Throws `IMPAIRMENT_INVALID` for a value that makes no sense. */
export function changeImpairment(settings: Impairment, change: Partial<Impairment>): Impairment {
  const changed = { ...settings, ...change };
  for (const name of ['loss', 'reorder', 'duplicate', 'corrupt'] as const) {
    checkProbability(name, changed[name]);
  }
  for (const [name, value] of Object.entries(changed.burstLoss ?? {})) {
    checkProbability(`burstLoss.${name}`, value);
  }
  for (const name of ['delay', 'jitter', 'reorderDelay', 'queueBytes'] as const) {
    if (!(changed[name] >= 0)) throw invalid(name, changed[name], 'a number of 0 or more');
  }
  if (!(changed.rate > 0)) throw invalid('rate', changed.rate, 'more than 0 bits per second');
  return changed;
}

function checkProbability(name: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw invalid(name, value, 'a probability, 0 to 1');
}

function invalid(name: string, value: number, wanted: string): NetloomError {
  return new NetloomError('IMPAIRMENT_INVALID', `the impairment '${name}' is ${value}`, {
    remedy: `It must be ${wanted}.`,
  });
}
