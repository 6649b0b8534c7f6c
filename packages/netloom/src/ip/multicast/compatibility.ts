import type { Transitions } from '../../core/index.ts';

/**
 * How old a version the host speaks, since a querier on the link speaks no newer one (RFC 3376, section 7.2.1; RFC 3810, section
 * 8.2.1): IGMP versions 3, 2 and 1; MLD versions 2 and 1, of which 1 is like IGMP's 2.
 */
export type CompatibilityMode = 'newest' | 'older' | 'oldest';

/** What changes the mode. */
export type CompatibilityEvent =
  /** A general query of the version of that age was heard. */
  | 'older-query'
  | 'oldest-query'
  /** The oldest querier has been silent for so long that it is gone, and one of the older version is there. */
  | 'only-older-left'
  /** All old queriers are gone. */
  | 'none-left';

/** RFC 3376, section 7.2.1, the table. */
export const COMPATIBILITY_TRANSITIONS: Transitions<CompatibilityMode, CompatibilityEvent> = {
  newest: { 'older-query': 'older', 'oldest-query': 'oldest' },
  older: { 'older-query': 'older', 'oldest-query': 'oldest', 'none-left': 'newest' },
  oldest: {
    'older-query': 'oldest',
    'oldest-query': 'oldest',
    'only-older-left': 'older',
    'none-left': 'newest',
  },
};
