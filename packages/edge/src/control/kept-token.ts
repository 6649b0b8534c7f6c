import { constants } from 'node:fs';
import { open, rm, writeFile } from 'node:fs/promises';
import { NetloomError, type Random } from 'netloom/core';
import type { StateFolder } from '../node/index.ts';
import { TOKEN_LENGTH, makeToken } from './token.ts';

/**
 * The token of a node's page, the same at each start, so that a browser's tab outlives the node; with `isNew` another, and from then on that. It is kept in the
 * node's folder for its owner alone. Rejects with `STATE_FOLDER_FAILED` where it cannot be kept.
 */
export async function keptToken(
  folder: StateFolder,
  random: Random,
  { isNew = false }: { readonly isNew?: boolean } = {},
): Promise<string> {
  const path = folder.dashboardToken;
  const kept = isNew ? undefined : await read(path);
  if (kept !== undefined) return kept;
  const token = makeToken(random);
  try {
    await rm(path, { force: true });
    await writeFile(path, `${token}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    throw new NetloomError(
      'STATE_FOLDER_FAILED',
      `the token of the dashboard cannot be kept: ${(error as Error).message}`,
      { cause: error, remedy: 'See that the folder can be written to, and that there is room.' },
    );
  }
  return token;
}

/** Undefined: there is none, or it is not one that nobody but its owner can know. */
async function read(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    const { uid, mode, size } = await file.stat();
    const isPrivate = uid === process.getuid!() && (mode & 0o077) === 0;
    if (!isPrivate || size > TOKEN_LENGTH + 1) return undefined;
    const text = (await file.readFile('utf8')).trimEnd();
    return text.length === TOKEN_LENGTH && /^[0-9a-f]+$/.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}
