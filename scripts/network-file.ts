/** Writes docs/network-file.schema.json and the tables of docs/network-file.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { networkFileSchema, withKeyTables } from './documents/network-file.ts';
import { root } from './run.ts';

writeFileSync(`${root}docs/network-file.schema.json`, networkFileSchema());
const path = `${root}docs/network-file.md`;
writeFileSync(path, withKeyTables(readFileSync(path, 'utf8')));
