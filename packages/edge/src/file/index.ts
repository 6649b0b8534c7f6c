/** The file that a node follows. */
export { describeMistakes } from './describe.ts';
export type { Mistake } from './mistake.ts';
export { readNodeFile, type NodeFileResult, type ReadNodeFileOptions } from './read.ts';
export type { NodeFileLimits } from './reading.ts';
export { nodeFileSchema } from './schema.ts';
export type { JsonSchema, JsonValue } from './shape.ts';
