import { accessSync, constants, statSync } from 'node:fs';

/** Why files cannot be read, by the platform's error codes. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['ENOTDIR', 'there is no such file'],
  ['EACCES', 'it is not allowed'],
]);

/** Why the file of a module cannot be read, in a few words; undefined: it can. It is not loaded. */
export function moduleFileFault(path: string): string | undefined {
  try {
    if (!statSync(path).isFile()) return 'it is no file';
    accessSync(path, constants.R_OK);
    return undefined;
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    return REASONS.get(code) ?? message;
  }
}
