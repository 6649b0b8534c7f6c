import { createReadStream } from 'node:fs';
import {
  describeMistakes,
  moduleFileFault,
  readNodeFile,
  type Mistake,
  type NodeFileResult,
} from '@netloom/edge';
import { countOf } from '@netloom/edge/text';
import { NetloomError } from 'netloom/core';
import { unreadableError } from './file-error.ts';

/** A node's file, read. */
export type LoadedNodeFile = NodeFileResult & { readonly text: string };

/** Reads a node's file. Throws `FILE_UNREADABLE`, and as `readNodeFile` does. */
export async function loadNodeFile(path: string): Promise<LoadedNodeFile> {
  const text = await readText(path);
  return { text, ...readNodeFile(text, { path, moduleFault: moduleFileFault }) };
}

/** What is told of a file with mistakes: each of them, how many there are, and what that means, as `nothing is started`. */
export function mistakesText(
  { path, text }: { readonly path: string; readonly text: string },
  mistakes: readonly Mistake[],
  outcome = '',
): string {
  const end = outcome === '' ? '' : `; ${outcome}`;
  return `${describeMistakes(text, path, mistakes)}\n${path}: ${countOf(mistakes.length, 'mistake')}${end}\n`;
}

/** Bytes that are read at most: more than a file that is not too large can have. */
const MOST_BYTES = 4_000_000;

async function readText(path: string): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let bytes = 0;
  let text = '';
  try {
    const chunks: AsyncIterable<Uint8Array> = createReadStream(path, { end: MOST_BYTES });
    for await (const chunk of chunks) {
      bytes += chunk.length;
      text += decode(decoder, chunk, path);
    }
    return bytes > MOST_BYTES ? text : text + decode(decoder, undefined, path);
  } catch (error) {
    throw error instanceof NetloomError ? error : unreadableError(error, path);
  }
}

/** The text of a chunk, or what is left at the end. */
function decode(decoder: TextDecoder, chunk: Uint8Array | undefined, path: string): string {
  try {
    return decoder.decode(chunk, { stream: chunk !== undefined });
  } catch (error) {
    throw new NetloomError('FILE_UNREADABLE', `cannot read ${path}: it is not UTF-8`, {
      cause: error,
      remedy: 'Check that it is a text file, and save it as UTF-8.',
    });
  }
}
