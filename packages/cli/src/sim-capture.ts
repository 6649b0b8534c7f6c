import { closeSync, openSync, writeSync } from 'node:fs';
import { copyBytes, type NetloomError } from 'netloom/core';
import type { SimFrame } from 'netloom/host';
import { finishFrameChecksum } from 'netloom/link';
import { PcapngWriter } from 'netloom/wire';
import { fileError } from './file-error.ts';

/** 2020-01-01T00:00:00Z, where the wall clock of a simulated world begins, in nanoseconds. */
const BEGINNING = 1_577_836_800_000_000_000n;

/**
 * A pcapng file of what the networks of a simulated world carried: an interface for each network, each frame once, in
 * virtual time. Frames that were lost are not in it; the trace has them.
 */
export class SimCapture {
  readonly #path: string;
  readonly #file: number;
  readonly #writer: PcapngWriter;
  readonly #interfaces = new Map<string, number>();
  /** Why nothing more can be written. */
  #failure: NetloomError | undefined;

  /** Makes the file, or empties it. Throws a named error. */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#file = openSync(path, 'w');
    } catch (error) {
      throw fileError(error, path, 'write the capture');
    }
    this.#writer = new PcapngWriter((block) => this.#write(block));
  }

  /** Writes a frame that was delivered; it is borrowed. Failures are told by {@link close}. */
  frame({ network, fate, bytes, offload, time }: SimFrame): void {
    if (fate !== 'delivered') return;
    let interfaceId = this.#interfaces.get(network);
    if (interfaceId === undefined) {
      interfaceId = this.#writer.addInterface({ name: network });
      this.#interfaces.set(network, interfaceId);
    }
    const data = offload === undefined ? bytes : copyBytes(bytes);
    if (offload !== undefined) finishFrameChecksum(data, offload);
    const sinceBeginning = BigInt(Math.round(time * 1_000_000));
    this.#writer.packet({ interfaceId, data, time: BEGINNING + sinceBeginning });
  }

  /** Throws a named error if not all could be written. */
  close(): void {
    closeSync(this.#file);
    if (this.#failure !== undefined) throw this.#failure;
  }

  #write(block: Uint8Array): void {
    if (this.#failure !== undefined) return;
    try {
      // The kernel may take less than it is given.
      for (let at = 0; at < block.length;) at += writeSync(this.#file, block, at);
    } catch (error) {
      this.#failure = fileError(error, this.#path, 'write the capture');
    }
  }
}
