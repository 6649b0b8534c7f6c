/** Writes docs/state-machines.md. */
import { writeFileSync } from 'node:fs';
import { stateMachinesDocument } from './documents/state-machines.ts';
import { root } from './run.ts';

writeFileSync(`${root}docs/state-machines.md`, await stateMachinesDocument());
