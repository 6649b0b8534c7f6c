import { ByteGatherer, copyBytes, withLimits } from '../core/index.ts';
import type {
  CaptureFault,
  CaptureFileLimits,
  CaptureFileSink,
  CaptureReader,
} from './capture-file.ts';
import { isPcapMagic, PcapReader } from './pcap.ts';
import { PcapngBlock } from './pcapng-format.ts';
import { PcapngReader } from './pcapng-reader.ts';

const DEFAULT_LIMITS: CaptureFileLimits = {
  blockLength: 16 * 1024 * 1024,
  interfaces: 4096,
  totalLength: 2 ** 40,
};

/** Makes a reader that finds out by itself whether the file is pcapng or pcap. */
export function captureReader(
  sink: CaptureFileSink,
  limits?: Partial<CaptureFileLimits>,
): CaptureReader {
  return new DetectingReader(sink, withLimits(DEFAULT_LIMITS, limits));
}

class DetectingReader implements CaptureReader {
  readonly #sink: CaptureFileSink;
  readonly #limits: CaptureFileLimits;
  readonly #bytes = new ByteGatherer();
  #reader: CaptureReader | undefined;
  #fault: CaptureFault | undefined;
  #total = 0;

  constructor(sink: CaptureFileSink, limits: CaptureFileLimits) {
    this.#sink = sink;
    this.#limits = limits;
  }

  push(chunk: Uint8Array): CaptureFault | undefined {
    if (this.#fault !== undefined) return this.#fault;
    this.#total += chunk.length;
    this.#fault = this.#total > this.#limits.totalLength ? 'too-long' : this.#read(chunk);
    return this.#fault;
  }

  end(): CaptureFault | undefined {
    this.#fault ??= this.#reader === undefined ? 'not-a-capture' : this.#reader.end();
    return this.#fault;
  }

  #read(chunk: Uint8Array): CaptureFault | undefined {
    if (this.#reader !== undefined) return this.#reader.push(chunk);
    this.#bytes.feed(chunk);
    const magic = this.#bytes.peek(4);
    if (magic === undefined) return undefined;
    this.#reader = this.#readerFor(magic);
    if (this.#reader === undefined) return 'not-a-capture';
    // The magic is the reader's to read: it may have come in several chunks.
    const first = this.#reader.push(copyBytes(magic));
    this.#bytes.consume(4);
    return first ?? this.#reader.push(this.#bytes.rest());
  }

  #readerFor(magic: Uint8Array): CaptureReader | undefined {
    const word = new DataView(magic.buffer, magic.byteOffset, 4).getUint32(0);
    if (word === PcapngBlock.SECTION_HEADER) return new PcapngReader(this.#sink, this.#limits);
    return isPcapMagic(word) ? new PcapReader(this.#sink, this.#limits) : undefined;
  }
}
