/**
 * What the program is to have as the user has it, though this process has it otherwise: the launcher (scripts/node) puts folders before those of the user's in
 * LD_LIBRARY_PATH where the pinned Node needs a library, and Node raises its limit of open files. In two variables the launcher says so.
 */
import type { ProgramOptions } from 'netloom/link/tap/program';

/** The program's surroundings, from what the launcher says in this process's environment. */
export function userSurroundings(
  environment: Readonly<Record<string, string | undefined>>,
): Pick<ProgramOptions, 'variables' | 'openFiles'> {
  const { NETLOOM_LIBRARIES: libraries, NETLOOM_OPEN_FILES: limit } = environment;
  const variables = {
    ...(libraries !== undefined && withoutLauncher(libraries, environment)),
    NETLOOM_LIBRARIES: null,
    NETLOOM_OPEN_FILES: null,
  };
  // Without a limit, a shell says `unlimited`: then there was nothing to raise.
  const openFiles = /^\d+$/.test(limit ?? '') ? Number(limit) : undefined;
  return { variables, openFiles };
}

/** The user's own folders of libraries, where those of the launcher come first. */
function withoutLauncher(
  libraries: string,
  { LD_LIBRARY_PATH: path }: Readonly<Record<string, string | undefined>>,
): Record<string, string | null> {
  if (path === libraries) return { LD_LIBRARY_PATH: null };
  if (!path?.startsWith(`${libraries}:`)) return {};
  return { LD_LIBRARY_PATH: path.slice(libraries.length + 1) };
}
