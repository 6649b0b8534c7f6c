import { link, open, readFile, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { NetloomError } from '../../core/index.ts';
import type { Dhcpv4LeaseRecord, Dhcpv6LeaseRecord } from '../../ip/index.ts';
import type { KeptLeases, LeaseStore } from '../stack/lease-keeper.ts';

/** How a {@link LeaseFile} is made. */
export interface LeaseFileOptions {
  /**
   * What is done with a file that cannot be read as leases: `reject`, the default, has `load` reject with `LEASE_FILE_DAMAGED`; `set-aside`
   * renames it, and begins without leases.
   */
  readonly damaged?: 'reject' | 'set-aside';
  /** Told of a file that was set aside, and where it is now. */
  readonly setAside?: (error: NetloomError, path: string) => void;
}

/** The format's number: a file of another is not touched. */
const VERSION = 1;

/** Leases in a file, as JSON. It is replaced as a whole, so that it is the old or the new one at any instant. */
export class LeaseFile<LeaseRecord> implements LeaseStore<LeaseRecord> {
  readonly path: string;
  readonly #read: (value: unknown) => LeaseRecord | undefined;
  readonly #options: LeaseFileOptions;
  /** Saves stand in line: two must not write the same temporary file. */
  #last: Promise<void> = Promise.resolve();

  /** @param read a record of the file's, or undefined if it is none */
  constructor(
    path: string,
    read: (value: unknown) => LeaseRecord | undefined,
    options: LeaseFileOptions = {},
  ) {
    this.path = path;
    this.#read = read;
    this.#options = options;
  }

  /** Rejects with `LEASE_FILE_FAILED` or `LEASE_FILE_DAMAGED`. */
  async load(): Promise<KeptLeases<LeaseRecord> | undefined> {
    let text: string;
    try {
      text = await readFile(this.path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw failed(`${this.path} cannot be read`, error);
    }
    const kept = this.#parse(text);
    if (typeof kept === 'object') return kept;
    const damage = new NetloomError('LEASE_FILE_DAMAGED', `${this.path} holds no leases: ${kept}`, {
      remedy: 'Put back a copy, or move the file away to begin without leases.',
    });
    if (this.#options.damaged !== 'set-aside') throw damage;
    this.#options.setAside?.(damage, await this.#setAside());
    return undefined;
  }

  /** Rejects with `LEASE_FILE_FAILED`: then the file is as it was. */
  save(kept: KeptLeases<LeaseRecord>): Promise<void> {
    const saved = this.#last.then(() => this.#write(kept));
    this.#last = saved.catch(() => undefined);
    return saved;
  }

  /** Renames the file, and never over another that was set aside before. */
  async #setAside(): Promise<string> {
    for (let number = 1; ; number++) {
      const aside = `${this.path}.damaged-${number}`;
      try {
        await link(this.path, aside);
        await unlink(this.path);
        return aside;
      } catch (error) {
        const isTaken = (error as NodeJS.ErrnoException).code === 'EEXIST';
        if (!isTaken) throw failed(`${this.path} cannot be set aside`, error);
      }
    }
  }

  async #write(kept: KeptLeases<LeaseRecord>): Promise<void> {
    const temporary = `${this.path}.new`;
    try {
      await writeDurably(temporary, `${JSON.stringify({ version: VERSION, ...kept })}\n`);
      await rename(temporary, this.path);
      await syncFolder(dirname(this.path));
    } catch (error) {
      throw failed(`${this.path} cannot be written`, error);
    }
  }

  /** The leases, or what is wrong. */
  #parse(text: string): KeptLeases<LeaseRecord> | string {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      return (error as Error).message;
    }
    if (!isObject(value)) return 'it is no object';
    const { version, at, leases } = value;
    if (version !== VERSION) return `its version is ${String(version)}, not ${VERSION}`;
    if (typeof at !== 'number' || !Array.isArray(leases)) return 'it has no time or no list';
    const records: LeaseRecord[] = [];
    for (const [index, one] of leases.entries()) {
      const record = this.#read(one);
      if (record === undefined) return `lease ${index + 1} is none`;
      records.push(record);
    }
    return { at, leases: records };
  }
}

/** A file for the leases of a DHCPv4 server. */
export function leaseFileV4(
  path: string,
  options?: LeaseFileOptions,
): LeaseFile<Dhcpv4LeaseRecord> {
  return new LeaseFile(path, readV4, options);
}

/** A file for the leases of a DHCPv6 server. */
export function leaseFileV6(
  path: string,
  options?: LeaseFileOptions,
): LeaseFile<Dhcpv6LeaseRecord> {
  return new LeaseFile(path, readV6, options);
}

function readV4(value: unknown): Dhcpv4LeaseRecord | undefined {
  const common = readCommon(value);
  if (common === undefined || !isObject(value)) return undefined;
  const { address, hardware } = value;
  if (typeof address !== 'string') return undefined;
  if (hardware !== undefined && typeof hardware !== 'string') return undefined;
  return { address, ...(hardware !== undefined && { hardware }), ...common };
}

function readV6(value: unknown): Dhcpv6LeaseRecord | undefined {
  const common = readCommon(value);
  if (common === undefined || !isObject(value)) return undefined;
  const { kind, lease, associationId } = value;
  if (kind !== 'address' && kind !== 'prefix') return undefined;
  if (typeof lease !== 'string' || typeof associationId !== 'number') return undefined;
  return { kind, lease, associationId, ...common };
}

/** What records of both families have. */
function readCommon(
  value: unknown,
): Pick<Dhcpv4LeaseRecord, 'client' | 'hostname' | 'remaining'> | undefined {
  if (!isObject(value)) return undefined;
  const { client, hostname, remaining } = value;
  if (typeof client !== 'string') return undefined;
  if (hostname !== undefined && typeof hostname !== 'string') return undefined;
  if (remaining !== null && typeof remaining !== 'number') return undefined;
  return { client, hostname, remaining };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function writeDurably(path: string, text: string): Promise<void> {
  // Names and addresses of people's machines: for the owner alone.
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A rename is durable when its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function failed(what: string, cause: unknown): NetloomError {
  const { message } = cause as Error;
  return new NetloomError('LEASE_FILE_FAILED', `${what}: ${message}`, {
    cause,
    remedy: 'Check that the folder is there, may be written by this user, and has room.',
  });
}
