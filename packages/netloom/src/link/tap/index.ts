/** Links to the kernel of Linux. */
export { openTap, type TapOptions } from './open-tap.ts';
export type { TapLimits } from './tap-link.ts';
