/** Blocks that hold a frame: Enhanced Packet and Simple Packet (draft-ietf-opsawg-pcapng, section 11.1). */
const FRAME_BLOCKS: readonly number[] = [6, 3];

/** Every block begins with its type and its length. */
const HEAD_BYTES = 8;

/** Counts the frames of a pcapng file while it comes, and knows up to where it is whole. */
export class PcapngBlocks {
  /** The beginning of a block whose length is not known yet. */
  readonly #head = new Uint8Array(HEAD_BYTES);
  readonly #view = new DataView(this.#head.buffer);
  #headBytes = 0;
  /** Of the block that is under way, beside its head. */
  #left = 0;
  #isFrame = false;
  #frames = 0;
  #bytes = 0;
  #wholeBytes = 0;

  get frames(): number {
    return this.#frames;
  }

  /** All that has come. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What has come up to the end of the last block that is whole. */
  get wholeBytes(): number {
    return this.#wholeBytes;
  }

  /** Looks at the next piece. */
  add(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#headBytes < HEAD_BYTES) {
        this.#head[this.#headBytes++] = chunk[at++]!;
        if (this.#headBytes === HEAD_BYTES) this.#begin();
      } else {
        const taken = Math.min(this.#left, chunk.length - at);
        at += taken;
        this.#left -= taken;
      }
      if (this.#headBytes === HEAD_BYTES && this.#left === 0) this.#end(this.#bytes + at);
    }
    this.#bytes += chunk.length;
  }

  #begin(): void {
    // Netloom writes little-endian files.
    const type = this.#view.getUint32(0, true);
    const length = this.#view.getUint32(4, true);
    this.#isFrame = FRAME_BLOCKS.includes(type);
    this.#left = Math.max(0, length - HEAD_BYTES);
  }

  #end(at: number): void {
    if (this.#isFrame) this.#frames++;
    this.#headBytes = 0;
    this.#wholeBytes = at;
  }
}
