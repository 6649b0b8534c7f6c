import { NODE } from './form/node.ts';
import type { JsonSchema } from './shape.ts';

/** The JSON schema of a node's file, for editors: made from the same shapes that the file is read by. */
export function nodeFileSchema(): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Networks of a Netloom node',
    ...NODE.schema,
  };
}
