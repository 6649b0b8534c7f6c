/**
 * Where the `netloom` command starts. JavaScript, and nothing in it but this: what Node makes of the TypeScript sources (types taken away, code compiled) is kept
 * from here on, so that from the second start on it need not load what takes types away. That halves the time to start and saves 20 MB. Where the
 * folder cannot be written to, it is done without.
 */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

enableCompileCache(fileURLToPath(new URL('../../../node_modules/.cache/netloom', import.meta.url)));
await import('./main.ts');
