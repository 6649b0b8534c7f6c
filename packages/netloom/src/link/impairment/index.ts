/** A link with something wrong: for tests and simulations. */
export { ImpairedLink, type ImpairedLinkLimits, type ImpairedLinkOptions } from './link.ts';
export type { FrameEffect, FrameLoss, ImpairedPath } from './path.ts';
export { NO_IMPAIRMENT, type BurstLoss, type Impairment } from './settings.ts';
