import { ByteGatherer } from '../core/index.ts';
import type {
  CaptureDirection,
  CaptureFault,
  CaptureFileLimits,
  CaptureFileSink,
  CaptureInterface,
  CaptureReader,
} from './capture-file.ts';
import {
  BLOCK_OVERHEAD,
  BYTE_ORDER_MAGIC,
  DIRECTION_INBOUND,
  DIRECTION_OUTBOUND,
  padded,
  PcapngBlock,
  PcapngOption,
} from './pcapng-format.ts';
import { microsecondUnit, readTimeUnit, toNanoseconds, type TimeUnit } from './pcapng-time.ts';

interface KnownInterface extends CaptureInterface {
  readonly timeUnit: TimeUnit;
  /** Seconds to be added to each time stamp. */
  readonly timeOffset: bigint;
}

/** Calls with each option's code and the place of its value. */
type OptionVisitor = (code: number, at: number, length: number) => void;

/**
 * Reads a capture in the pcapng format (draft-ietf-opsawg-pcapng): any number of sections in either byte order. Blocks
 * of other kinds than sections, interfaces, packets and statistics are passed over (section 3.2).
 */
export class PcapngReader implements CaptureReader {
  readonly #sink: CaptureFileSink;
  readonly #limits: CaptureFileLimits;
  readonly #bytes = new ByteGatherer();
  #interfaces: KnownInterface[] = [];
  #littleEndian = false;
  #fault: CaptureFault | undefined;
  #block: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#block.buffer);

  constructor(sink: CaptureFileSink, limits: CaptureFileLimits) {
    this.#sink = sink;
    this.#limits = limits;
  }

  push(chunk: Uint8Array): CaptureFault | undefined {
    this.#bytes.feed(chunk);
    while (this.#fault === undefined) {
      const length = this.#blockLength();
      if (length === undefined) break;
      const block = this.#bytes.peek(length);
      if (block === undefined) break;
      this.#look(block);
      this.#fault = this.#readBlock();
      this.#bytes.consume(length);
    }
    return this.#fault;
  }

  end(): CaptureFault | undefined {
    this.#fault ??= this.#bytes.isEmpty ? undefined : 'truncated';
    return this.#fault;
  }

  #look(bytes: Uint8Array): void {
    this.#block = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  #uint16(at: number): number {
    return this.#view.getUint16(at, this.#littleEndian);
  }

  #uint32(at: number): number {
    return this.#view.getUint32(at, this.#littleEndian);
  }

  /** The length of the next block, checked; undefined if it is not there yet or is a fault. */
  #blockLength(): number | undefined {
    const head = this.#bytes.peek(BLOCK_OVERHEAD);
    if (head === undefined) return undefined;
    this.#look(head);
    // A new section may have another byte order, which must be known before its length is read.
    if (this.#uint32(0) === PcapngBlock.SECTION_HEADER && !this.#readByteOrder()) {
      this.#fault = 'bad-version';
      return undefined;
    }
    const length = this.#uint32(4);
    if (length < BLOCK_OVERHEAD || length % 4 !== 0) this.#fault = 'bad-length';
    else if (length > this.#limits.blockLength) this.#fault = 'block-too-long';
    return this.#fault === undefined ? length : undefined;
  }

  #readByteOrder(): boolean {
    this.#littleEndian = this.#view.getUint32(8, true) === BYTE_ORDER_MAGIC;
    return this.#littleEndian || this.#view.getUint32(8) === BYTE_ORDER_MAGIC;
  }

  #readBlock(): CaptureFault | undefined {
    const { length } = this.#block;
    if (this.#uint32(length - 4) !== length) return 'bad-length';
    switch (this.#uint32(0)) {
      case PcapngBlock.SECTION_HEADER:
        return this.#readSection();
      case PcapngBlock.INTERFACE_DESCRIPTION:
        return this.#readInterface();
      case PcapngBlock.ENHANCED_PACKET:
        return this.#readPacket();
      case PcapngBlock.SIMPLE_PACKET:
        return this.#readSimplePacket();
      case PcapngBlock.INTERFACE_STATISTICS:
        return this.#readStatistics();
      default:
        return undefined;
    }
  }

  /** Where the body ends: before the second total length. */
  get #bodyEnd(): number {
    return this.#block.length - 4;
  }

  #readSection(): CaptureFault | undefined {
    if (this.#bodyEnd < 24) return 'bad-length';
    if (this.#uint16(12) !== 1) return 'bad-version';
    this.#interfaces = [];
    return undefined;
  }

  #readInterface(): CaptureFault | undefined {
    if (this.#bodyEnd < 16) return 'bad-length';
    if (this.#interfaces.length >= this.#limits.interfaces) return 'too-many-interfaces';
    let name = '';
    let timeUnit = microsecondUnit;
    let timeOffset = 0n;
    const fault = this.#readOptions(16, (code, at, length) => {
      if (code === PcapngOption.INTERFACE_NAME) {
        name = new TextDecoder().decode(this.#block.subarray(at, at + length));
      } else if (code === PcapngOption.INTERFACE_TIME_RESOLUTION && length === 1) {
        timeUnit = readTimeUnit(this.#block[at]!);
      } else if (code === PcapngOption.INTERFACE_TIME_OFFSET && length === 8) {
        timeOffset = this.#view.getBigInt64(at, this.#littleEndian);
      }
    });
    if (fault !== undefined) return fault;
    const id = this.#interfaces.length;
    const snapLength = this.#uint32(12);
    const known = { id, name, linkType: this.#uint16(8), snapLength, timeUnit, timeOffset };
    this.#interfaces.push(known);
    this.#sink.interface?.(known);
    return undefined;
  }

  #readPacket(): CaptureFault | undefined {
    if (this.#bodyEnd < 28) return 'bad-length';
    const from = this.#interfaces[this.#uint32(8)];
    if (from === undefined) return 'unknown-interface';
    const length = this.#uint32(20);
    if (length > this.#bodyEnd - 28) return 'bad-length';
    let direction: CaptureDirection | undefined;
    const fault = this.#readOptions(28 + padded(length), (code, at, optionLength) => {
      if (code === PcapngOption.PACKET_FLAGS && optionLength === 4) {
        direction = directionOf(this.#uint32(at));
      }
    });
    if (fault !== undefined) return fault;
    this.#sink.packet({
      interface: from,
      time: this.#time(from, 12),
      data: this.#block.subarray(28, 28 + length),
      originalLength: this.#uint32(24),
      direction,
    });
    return undefined;
  }

  /** Section 4.4: of the first interface, without time, and its length only to be inferred. */
  #readSimplePacket(): CaptureFault | undefined {
    if (this.#bodyEnd < 12) return 'bad-length';
    const from = this.#interfaces[0];
    if (from === undefined) return 'unknown-interface';
    const originalLength = this.#uint32(8);
    const length = from.snapLength > 0 ? Math.min(from.snapLength, originalLength) : originalLength;
    if (length > this.#bodyEnd - 12) return 'bad-length';
    this.#sink.packet({
      interface: from,
      time: undefined,
      data: this.#block.subarray(12, 12 + length),
      originalLength,
      direction: undefined,
    });
    return undefined;
  }

  #readStatistics(): CaptureFault | undefined {
    if (this.#bodyEnd < 20) return 'bad-length';
    const of = this.#interfaces[this.#uint32(8)];
    if (of === undefined) return 'unknown-interface';
    let received: bigint | undefined;
    let dropped: bigint | undefined;
    const fault = this.#readOptions(20, (code, at, length) => {
      if (length !== 8) return;
      const count = this.#view.getBigUint64(at, this.#littleEndian);
      if (code === PcapngOption.STATISTICS_RECEIVED) received = count;
      if (code === PcapngOption.STATISTICS_DROPPED) dropped = count;
    });
    if (fault !== undefined) return fault;
    this.#sink.statistics?.({ interface: of, time: this.#time(of, 12), received, dropped });
    return undefined;
  }

  #readOptions(start: number, visit: OptionVisitor): CaptureFault | undefined {
    let at = start;
    while (at + 4 <= this.#bodyEnd) {
      const code = this.#uint16(at);
      const length = this.#uint16(at + 2);
      if (code === PcapngOption.END) return undefined;
      if (at + 4 + length > this.#bodyEnd) return 'bad-option';
      visit(code, at + 4, length);
      at += 4 + padded(length);
    }
    // The list may end with the block, without an end option.
    return at >= this.#bodyEnd ? undefined : 'bad-option';
  }

  #time({ timeUnit, timeOffset }: KnownInterface, at: number): bigint {
    const units = (BigInt(this.#uint32(at)) << 32n) | BigInt(this.#uint32(at + 4));
    return toNanoseconds(units, timeUnit) + timeOffset * 1_000_000_000n;
  }
}

function directionOf(flags: number): CaptureDirection | undefined {
  const bits = flags & 3;
  if (bits === DIRECTION_INBOUND) return 'in';
  return bits === DIRECTION_OUTBOUND ? 'out' : undefined;
}
