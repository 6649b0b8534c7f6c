import { NetloomError, withLimits } from '../../core/index.ts';
import { LinkType } from '../capture-file.ts';
import { compileExpression, UnfitExpression } from './compile.ts';
import { FilterError, FilterMistake } from './filter-error.ts';
import { linkLayerOf } from './link-layer.ts';
import { parseFilter } from './parse.ts';
import { YES } from './verdict.ts';

/** Whether a frame passes. `length`: the bytes it had, where not all of them are there. The frame is borrowed. */
export type FrameFilter = (frame: Uint8Array, length?: number) => boolean;

/** The limits of a filter. */
export interface FilterLimits {
  /** Characters of the expression. */
  readonly length: number;
  /** Parentheses, brackets and negations open at once. */
  readonly nesting: number;
}

const DEFAULT_LIMITS: FilterLimits = { length: 8192, nesting: 64 };

/** What a filter is made for. */
export interface FilterOptions {
  /** A {@link LinkType}, or another number of that registry: 101, 228 and 229 are IP packets without a frame. Default Ethernet. */
  readonly linkType?: number;
  readonly limits?: Partial<FilterLimits>;
}

/**
 * Makes a filter of an expression in the language of tcpdump, pcap-filter(7); an empty one passes all. It allocates nothing per frame.
 * Throws a {@link FilterError} with the code `FILTER_INVALID`, or `FILTER_UNFIT` where the frames are not such as it speaks of.
 */
export function compileFilter(text: string, options: FilterOptions = {}): FrameFilter {
  const limits = withLimits(DEFAULT_LIMITS, options.limits);
  if (text.trim() === '') return () => true;
  const linkType = options.linkType ?? LinkType.ETHERNET;
  const layer = linkLayerOf(linkType);
  if (layer === undefined) {
    throw unfit(`filters do not know frames of link type ${linkType}`);
  }
  try {
    if (text.length > limits.length) {
      throw new FilterMistake(limits.length, `it has more than ${limits.length} characters`);
    }
    const test = compileExpression(parseFilter(text, limits.nesting), layer);
    return (frame, length = frame.length) => test(frame, length) === YES;
  } catch (error) {
    if (error instanceof FilterMistake) throw new FilterError(text, error);
    if (error instanceof UnfitExpression) throw unfit(error.message);
    throw error;
  }
}

function unfit(message: string): NetloomError {
  return new NetloomError('FILTER_UNFIT', message, {
    remedy: 'Filter a capture of Ethernet frames, or ask for what the packets have.',
  });
}
