/** What a program has that asks a node: light, since commands load it each time they run. */
export { controlClient, type ControlClient } from './control/client.ts';
export { DEFAULT_NODE_NAME, StateFolder } from './node/state-folder.ts';
export { formatValue } from './plan/format-value.ts';
export type * from './status/index.ts';
