import { ByteGatherer } from '../core/index.ts';
import type {
  CaptureFault,
  CaptureFileLimits,
  CaptureFileSink,
  CaptureInterface,
  CaptureReader,
} from './capture-file.ts';

const FILE_HEADER_LENGTH = 24;
const RECORD_HEADER_LENGTH = 16;

const MICROSECOND_MAGIC = 0xa1b2c3d4;
const NANOSECOND_MAGIC = 0xa1b23c4d;
const MICROSECOND_MAGIC_SWAPPED = 0xd4c3b2a1;
const NANOSECOND_MAGIC_SWAPPED = 0x4d3cb2a1;

/** Whether a file that begins with these four bytes, read big-endian, is a classic pcap file. */
export function isPcapMagic(word: number): boolean {
  return (
    word === MICROSECOND_MAGIC ||
    word === NANOSECOND_MAGIC ||
    word === MICROSECOND_MAGIC_SWAPPED ||
    word === NANOSECOND_MAGIC_SWAPPED
  );
}

/**
 * Reads a capture in the classic pcap format (draft-ietf-opsawg-pcap), in either byte order and with either unit of
 * time. It has one interface without a name, and knows no directions. There is no writer: pcapng says more.
 */
export class PcapReader implements CaptureReader {
  readonly #sink: CaptureFileSink;
  readonly #limits: CaptureFileLimits;
  readonly #bytes = new ByteGatherer();
  #interface: CaptureInterface | undefined;
  #littleEndian = false;
  #nanosecondsPerUnit = 1000n;
  #fault: CaptureFault | undefined;

  constructor(sink: CaptureFileSink, limits: CaptureFileLimits) {
    this.#sink = sink;
    this.#limits = limits;
  }

  push(chunk: Uint8Array): CaptureFault | undefined {
    this.#bytes.feed(chunk);
    if (this.#interface === undefined && !this.#readFileHeader()) return this.#fault;
    while (this.#fault === undefined && this.#readRecord());
    return this.#fault;
  }

  end(): CaptureFault | undefined {
    const isWhole = this.#interface !== undefined && this.#bytes.isEmpty;
    this.#fault ??= isWhole ? undefined : 'truncated';
    return this.#fault;
  }

  /** False: it is not there yet, or a fault. */
  #readFileHeader(): boolean {
    const header = this.#bytes.peek(FILE_HEADER_LENGTH);
    if (header === undefined) return false;
    const view = viewOf(header);
    const magic = view.getUint32(0);
    this.#littleEndian = magic === MICROSECOND_MAGIC_SWAPPED || magic === NANOSECOND_MAGIC_SWAPPED;
    const isNano = magic === NANOSECOND_MAGIC || magic === NANOSECOND_MAGIC_SWAPPED;
    this.#nanosecondsPerUnit = isNano ? 1n : 1000n;
    if (!isPcapMagic(magic) || view.getUint16(4, this.#littleEndian) !== 2) {
      this.#fault = 'bad-version';
      return false;
    }
    this.#interface = {
      id: 0,
      name: '',
      snapLength: view.getUint32(16, this.#littleEndian),
      // The upper bits tell of a frame check sequence.
      linkType: view.getUint32(20, this.#littleEndian) & 0xffff,
    };
    this.#bytes.consume(FILE_HEADER_LENGTH);
    this.#sink.interface?.(this.#interface);
    return true;
  }

  /** False: it is not there yet, or a fault. */
  #readRecord(): boolean {
    const head = this.#bytes.peek(RECORD_HEADER_LENGTH);
    if (head === undefined) return false;
    const length = RECORD_HEADER_LENGTH + viewOf(head).getUint32(8, this.#littleEndian);
    if (length > this.#limits.blockLength) {
      this.#fault = 'block-too-long';
      return false;
    }
    const record = this.#bytes.peek(length);
    if (record === undefined) return false;
    const view = viewOf(record);
    const seconds = BigInt(view.getUint32(0, this.#littleEndian));
    const fraction = BigInt(view.getUint32(4, this.#littleEndian));
    this.#sink.packet({
      interface: this.#interface!,
      time: seconds * 1_000_000_000n + fraction * this.#nanosecondsPerUnit,
      data: record.subarray(RECORD_HEADER_LENGTH),
      originalLength: view.getUint32(12, this.#littleEndian),
      direction: undefined,
    });
    this.#bytes.consume(length);
    return true;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
