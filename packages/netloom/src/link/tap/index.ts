/** Links to the kernel of Linux. */
export { networkNamespaceIdentity } from '../../native/index.ts';
export { openTap, type TapOptions } from './open-tap.ts';
export type { TapLimits, TapLink } from './tap-link.ts';
export type { TapPlace } from './tap-place.ts';
