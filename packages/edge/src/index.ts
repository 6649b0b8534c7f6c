/** The node: networks as a file describes them. */
export * from './control/index.ts';
export * from './file/index.ts';
export { moduleFileFault } from './machine/index.ts';
export * from './model/index.ts';
export * from './network/index.ts';
export * from './node/index.ts';
export * from './plan/index.ts';
export * from './router/index.ts';
export * from './status/index.ts';
