import type { Stats } from 'node:fs';
import { chmod, lstat, mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { NetloomError } from 'netloom/core';

/** The name of a node whose owner gave it none. */
export const DEFAULT_NODE_NAME = 'default';

/** Names of nodes and networks become names of files. */
const SAFE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** What {@link defaultStateRoot} is told by: the process's environment, or a test's. */
export type StateEnvironment = Readonly<Record<string, string | undefined>>;

/** Where a node keeps what is to outlive it, and where others find it while it runs. Everything in it is for its owner alone. */
export class StateFolder {
  readonly path: string;
  readonly nodeName: string;

  /** The folder of one node in that of all nodes, which is {@link defaultStateRoot} if not given. Throws `STATE_FOLDER_INVALID`. */
  constructor(nodeName: string = DEFAULT_NODE_NAME, root: string = defaultStateRoot(process.env)) {
    checkName(nodeName, 'a node');
    this.nodeName = nodeName;
    this.path = join(root, nodeName);
  }

  /** The node's local socket. */
  get controlSocket(): string {
    return join(this.path, 'control.sock');
  }

  /** What lets its owner see the node's page. */
  get dashboardToken(): string {
    return join(this.path, 'dashboard.token');
  }

  /** Where the leases of a network are kept. Throws `STATE_FOLDER_INVALID` if the network's name cannot be one of a file. */
  leaseFiles(network: string): { readonly v4: string; readonly v6: string } {
    checkName(network, 'a network');
    const base = join(this.path, 'leases', network);
    return { v4: `${base}.v4.json`, v6: `${base}.v6.json` };
  }

  /** Makes what is not there. Rejects with `STATE_FOLDER_FAILED`, `STATE_FOLDER_INVALID`, or with `NODE_FOREIGN` if the folder belongs to somebody else. */
  async prepare(): Promise<void> {
    try {
      await this.#claim();
      await makeFolder(join(this.path, 'leases'));
    } catch (error) {
      if (error instanceof NetloomError) throw error;
      throw new NetloomError(
        'STATE_FOLDER_FAILED',
        `the folder ${this.path} cannot be made: ${(error as Error).message}`,
        { cause: error, remedy: CHOOSE_ANOTHER },
      );
    }
  }

  /** Makes the folder. One that was there already may be open to others, or be theirs. */
  async #claim(): Promise<void> {
    const folder = (await this.#look()) ?? (await this.#make());
    if (!folder.isDirectory()) throw invalid(`${this.path} is not a folder`, CHOOSE_ANOTHER);
    if (folder.uid !== process.getuid!()) throw foreignFolder(this.path, START_AS_THEY);
    if ((folder.mode & 0o077) !== 0) await chmod(this.path, 0o700);
  }

  /** Undefined: it is not there. */
  async #look(): Promise<Stats | undefined> {
    try {
      return await lstat(this.path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return undefined;
      if (code === 'EACCES') throw foreignFolder(this.path, START_AS_THEY, error);
      throw error;
    }
  }

  async #make(): Promise<Stats> {
    await makeFolder(this.path);
    return lstat(this.path);
  }
}

const CHOOSE_ANOTHER = 'Choose another by --state, or in NETLOOM_STATE.';
const START_AS_THEY =
  'Start it as that user, or choose another folder by --state, or in NETLOOM_STATE.';

/**
 * Makes a folder for its owner alone, and those above that are not there. (The platform's own way tries without end where the system says of a folder which is
 * there that it is not, as Linux does of `/proc`.)
 */
async function makeFolder(path: string, isLastTry = false): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const parent = dirname(path);
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || isLastTry || parent === path) throw error;
    await makeFolder(parent);
    await makeFolder(path, true);
  }
}

/** The error of a node's folder, or of what is in it, that is somebody else's. */
export function foreignFolder(path: string, remedy: string, cause?: unknown): NetloomError {
  return new NetloomError('NODE_FOREIGN', `${path} belongs to another user`, { cause, remedy });
}

/**
 * The folder that holds those of all nodes: `$NETLOOM_STATE`, or `netloom` in `$XDG_STATE_HOME`, or in `~/.local/state`, which that stands for where it is not
 * set or not absolute (XDG Base Directory Specification).
 */
export function defaultStateRoot(environment: StateEnvironment): string {
  const { NETLOOM_STATE: own, XDG_STATE_HOME: common } = environment;
  if (own !== undefined && own !== '') return own;
  if (common !== undefined && isAbsolute(common)) return join(common, 'netloom');
  return join(homedir(), '.local', 'state', 'netloom');
}

function checkName(name: string, of: string): void {
  if (SAFE_NAME.test(name)) return;
  throw invalid(
    `'${name}' cannot be the name of ${of}`,
    "Use letters, digits, '.', '_' and '-', beginning with a letter or digit; 63 at most.",
  );
}

function invalid(message: string, remedy: string): NetloomError {
  return new NetloomError('STATE_FOLDER_INVALID', message, { remedy });
}
