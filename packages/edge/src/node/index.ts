/** A node: everything that a model asks for, live. */
export { NetloomNode, type NetloomNodeOptions } from './node.ts';
export type { LiveNetwork, NodeEnvironment } from './live-network.ts';
export {
  DEFAULT_NODE_NAME,
  StateFolder,
  defaultStateRoot,
  type StateEnvironment,
} from './state-folder.ts';
