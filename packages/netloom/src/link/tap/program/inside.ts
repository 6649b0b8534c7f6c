/** The first process of a program's namespaces. Its arguments: a {@link Setup} as JSON, then the program's words. */
import { enableCompileCache } from 'node:module';
import type { Setup } from './protocol.ts';

const [json, command, ...args] = process.argv.slice(2);
const setup = JSON.parse(json!) as Setup;
// Before anything else is imported.
if (setup.compileCache !== undefined) enableCompileCache(setup.compileCache);
const { Keeper } = await import('./keeper.ts');
new Keeper(setup, command!, args).run();
