/**
 * Reads the stories of hpack-test-case (github.com/http2jp/hpack-test-case): header lists as other encoders have written them, block after block of one connection.
 *
 *     scripts/node conformance/hpack-stories.ts FOLDER
 *
 * FOLDER has the stories (story_*.json), at any depth. Every block must decode to the list it was made of, and so must what our own encoder makes of that list.
 * Ends with code 1 at the first that does not.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { fromHex } from 'netloom/core';
import { HpackDecoder, HpackEncoder } from '../packages/netloom/src/http/hpack/index.ts';
import { decodeBlock, encodeBlock } from '../packages/netloom/test/http/hpack/blocks.ts';

interface Story {
  readonly cases: readonly {
    /** The block, in hexadecimal. */
    readonly wire: string;
    /** Objects of one field each. */
    readonly headers: readonly Readonly<Record<string, string>>[];
    /** SETTINGS_HEADER_TABLE_SIZE, acknowledged before this block. */
    readonly header_table_size?: number | null;
  }[];
}

/** Answers how many blocks there were. */
function check(file: string): number {
  const { cases } = JSON.parse(readFileSync(file, 'utf8')) as Story;
  const decoder = new HpackDecoder();
  const again = { encoder: new HpackEncoder(), decoder: new HpackDecoder() };
  for (const [number, { wire, headers, header_table_size: size }] of cases.entries()) {
    const where = `${file}, case ${number}`;
    const told = headers.flatMap((header) => Object.entries(header));
    if (typeof size === 'number') decoder.setTableSize(size);
    const { fields, fault, excess } = decodeBlock(decoder, fromHex(wire));
    assert.equal(fault ?? excess, undefined, where);
    assert.deepEqual(fields, told, where);
    const block = encodeBlock(again.encoder, told);
    assert.deepEqual(decodeBlock(again.decoder, block).fields, told, `${where}, encoded by us`);
  }
  return cases.length;
}

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: scripts/node conformance/hpack-stories.ts FOLDER');
  process.exit(2);
}
const files = globSync('**/story_*.json', { cwd: folder }).map((name) => `${folder}/${name}`);
if (files.length === 0) {
  console.error(`there are no stories (story_*.json) in ${folder}`);
  process.exit(2);
}
const blocks = files.reduce((sum, file) => sum + check(file), 0);
console.log(`${files.length} stories, ${blocks} blocks: all are read as they were told`);
