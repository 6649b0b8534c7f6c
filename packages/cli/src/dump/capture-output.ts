import { closeSync, openSync, statSync } from 'node:fs';
import { PcapngWriter, type CapturedPacket, type CaptureInterface } from 'netloom/wire';
import { writeAll } from '../capture-file.ts';
import { usageError } from '../command.ts';
import { fileError } from '../file-error.ts';

/** A pcapng file of the frames that passed, with the interfaces they were seen at. */
export class CaptureOutput {
  readonly #path: string;
  readonly #file: number;
  readonly #writer: PcapngWriter;
  readonly #interfaces = new Map<CaptureInterface, number>();
  #blocks: Uint8Array[] = [];

  /** Makes the file, or empties it; it must not be the one that is read. Throws a named error. */
  constructor(path: string, source: string | undefined) {
    if (source !== undefined && isSame(path, source)) {
      throw usageError('dump', `--pcap ${path} would overwrite what is read`);
    }
    this.#path = path;
    try {
      this.#file = openSync(path, 'w');
    } catch (error) {
      throw fileError(error, path, 'write the capture');
    }
    this.#writer = new PcapngWriter((block) => void this.#blocks.push(block));
  }

  /** Takes a frame, which is borrowed. */
  frame({ interface: from, time = 0n, data, originalLength, direction }: CapturedPacket): void {
    let interfaceId = this.#interfaces.get(from);
    if (interfaceId === undefined) {
      const { name, linkType, snapLength } = from;
      interfaceId = this.#writer.addInterface({ name, linkType, snapLength });
      this.#interfaces.set(from, interfaceId);
    }
    const rest = direction === undefined ? {} : { direction };
    this.#writer.packet({ interfaceId, time, data, originalLength, ...rest });
  }

  /** Writes what was taken. Throws a named error. */
  flush(): void {
    const blocks = this.#blocks;
    this.#blocks = [];
    try {
      if (blocks.length > 0) writeAll(this.#file, blocks);
    } catch (error) {
      throw fileError(error, this.#path, 'write the capture');
    }
  }

  /** Writes what is left. Throws a named error. */
  close(): void {
    try {
      this.flush();
    } finally {
      closeSync(this.#file);
    }
  }
}

function isSame(path: string, other: string): boolean {
  const a = statSync(path, { throwIfNoEntry: false });
  const b = statSync(other, { throwIfNoEntry: false });
  return a !== undefined && a.isFile() && a.ino === b?.ino && a.dev === b.dev;
}
