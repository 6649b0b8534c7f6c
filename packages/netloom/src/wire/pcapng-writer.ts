import { NetloomError } from '../core/index.ts';
import type { CaptureDirection } from './capture-file.ts';
import {
  BLOCK_OVERHEAD,
  BYTE_ORDER_MAGIC,
  DIRECTION_INBOUND,
  DIRECTION_OUTBOUND,
  padded,
  PcapngBlock,
  PcapngOption,
} from './pcapng-format.ts';

/** What a {@link PcapngWriter} is made from. */
export interface PcapngWriterOptions {
  /** Byte order of the file; any reader takes both. Default little-endian. */
  readonly byteOrder?: 'little' | 'big';
  /** What wrote the file. Default `netloom`. */
  readonly application?: string;
}

/** An interface of a capture to be written. */
export interface PcapngInterface {
  readonly name?: string;
  readonly description?: string;
  /** Default Ethernet. */
  readonly linkType?: number;
  /** Bytes kept of each packet; 0, the default: all. */
  readonly snapLength?: number;
  /** The unit of time stamps. Default nanoseconds. */
  readonly timeUnit?: 'microseconds' | 'nanoseconds';
}

/** A packet to be written. */
export interface PcapngPacket {
  /** What {@link PcapngWriter.addInterface} answered. */
  readonly interfaceId: number;
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  /** Borrowed: it is copied. */
  readonly data: Uint8Array;
  /** Bytes the packet had, if `data` is not all of it. */
  readonly originalLength?: number;
  readonly direction?: CaptureDirection;
  /** Something to be shown with the packet. */
  readonly comment?: string;
}

/** Counts of an interface to be written. */
export interface PcapngStatistics {
  readonly interfaceId: number;
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  readonly received?: bigint;
  readonly dropped?: bigint;
}

interface WrittenInterface {
  readonly snapLength: number;
  readonly nanosecondsPerUnit: bigint;
}

interface Option {
  readonly code: number;
  readonly value: Uint8Array;
}

/**
 * Writes a capture in the pcapng format (draft-ietf-opsawg-pcapng), one section of it, block by block: each call
 * hands `write` a whole block, which is given away. Nothing is held back, so a file cut off at any block is whole.
 */
export class PcapngWriter {
  readonly #write: (block: Uint8Array) => void;
  readonly #littleEndian: boolean;
  readonly #interfaces: WrittenInterface[] = [];

  constructor(write: (block: Uint8Array) => void, options: PcapngWriterOptions = {}) {
    this.#write = write;
    this.#littleEndian = options.byteOrder !== 'big';
    const application = text(PcapngOption.SECTION_APPLICATION, options.application ?? 'netloom');
    // Magic, version 1.0, and a section length that is not known (all ones).
    this.#block(PcapngBlock.SECTION_HEADER, 16, [application], (view, at) => {
      view.setUint32(at, BYTE_ORDER_MAGIC, this.#littleEndian);
      view.setUint16(at + 4, 1, this.#littleEndian);
      view.setBigInt64(at + 8, -1n, this.#littleEndian);
    });
  }

  /** Describes an interface, and answers the number its packets are to name. */
  addInterface(description: PcapngInterface = {}): number {
    const { name, description: comment, linkType = 1, snapLength = 0 } = description;
    const isNano = description.timeUnit !== 'microseconds';
    const options: Option[] = [];
    if (name !== undefined) options.push(text(PcapngOption.INTERFACE_NAME, name));
    if (comment !== undefined) options.push(text(PcapngOption.INTERFACE_DESCRIPTION, comment));
    options.push({
      code: PcapngOption.INTERFACE_TIME_RESOLUTION,
      value: Uint8Array.of(isNano ? 9 : 6),
    });
    this.#block(PcapngBlock.INTERFACE_DESCRIPTION, 8, options, (view, at) => {
      view.setUint16(at, linkType, this.#littleEndian);
      view.setUint32(at + 4, snapLength, this.#littleEndian);
    });
    return this.#interfaces.push({ snapLength, nanosecondsPerUnit: isNano ? 1n : 1000n }) - 1;
  }

  /** Writes a packet, cut to its interface's `snapLength`. Throws `PCAPNG_INTERFACE_UNKNOWN`. */
  packet(packet: PcapngPacket): void {
    const { snapLength } = this.#interface(packet.interfaceId);
    const { length } = packet.data;
    const kept = snapLength > 0 ? Math.min(snapLength, length) : length;
    const options = packet.direction === undefined ? [] : [this.#flags(packet.direction)];
    if (packet.comment !== undefined) options.push(text(PcapngOption.COMMENT, packet.comment));
    this.#block(PcapngBlock.ENHANCED_PACKET, 20 + padded(kept), options, (view, at, block) => {
      view.setUint32(at, packet.interfaceId, this.#littleEndian);
      this.#putTime(view, at + 4, packet);
      view.setUint32(at + 12, kept, this.#littleEndian);
      view.setUint32(at + 16, packet.originalLength ?? length, this.#littleEndian);
      block.set(packet.data.subarray(0, kept), at + 20);
    });
  }

  /** Writes counts of an interface. Throws `PCAPNG_INTERFACE_UNKNOWN`. */
  statistics(statistics: PcapngStatistics): void {
    const { received, dropped } = statistics;
    const options: Option[] = [];
    if (received !== undefined)
      options.push(this.#count(PcapngOption.STATISTICS_RECEIVED, received));
    if (dropped !== undefined) options.push(this.#count(PcapngOption.STATISTICS_DROPPED, dropped));
    this.#block(PcapngBlock.INTERFACE_STATISTICS, 12, options, (view, at) => {
      view.setUint32(at, statistics.interfaceId, this.#littleEndian);
      this.#putTime(view, at + 4, statistics);
    });
  }

  #interface(id: number): WrittenInterface {
    const found = this.#interfaces[id];
    if (found !== undefined) return found;
    throw new NetloomError('PCAPNG_INTERFACE_UNKNOWN', `the capture has no interface ${id}`, {
      remedy: 'Describe it with addInterface, which answers its number.',
    });
  }

  /** The upper half first, whatever the byte order (section 4.3). */
  #putTime(view: DataView, at: number, of: { interfaceId: number; time: bigint }): void {
    const units = of.time / this.#interface(of.interfaceId).nanosecondsPerUnit;
    view.setUint32(at, Number((units >> 32n) & 0xffff_ffffn), this.#littleEndian);
    view.setUint32(at + 4, Number(units & 0xffff_ffffn), this.#littleEndian);
  }

  #flags(direction: CaptureDirection): Option {
    const value = new Uint8Array(4);
    const bits = direction === 'in' ? DIRECTION_INBOUND : DIRECTION_OUTBOUND;
    new DataView(value.buffer).setUint32(0, bits, this.#littleEndian);
    return { code: PcapngOption.PACKET_FLAGS, value };
  }

  #count(code: number, count: bigint): Option {
    const value = new Uint8Array(8);
    new DataView(value.buffer).setBigUint64(0, count, this.#littleEndian);
    return { code, value };
  }

  /** Writes a block whose body `fill` writes at the place it is told; options come behind. */
  #block(
    type: number,
    bodyLength: number,
    options: readonly Option[],
    fill: (view: DataView, at: number, block: Uint8Array) => void,
  ): void {
    const length = BLOCK_OVERHEAD + bodyLength + optionsLength(options);
    const block = new Uint8Array(length);
    const view = new DataView(block.buffer);
    view.setUint32(0, type, this.#littleEndian);
    view.setUint32(4, length, this.#littleEndian);
    fill(view, 8, block);
    this.#putOptions(view, 8 + bodyLength, options, block);
    view.setUint32(length - 4, length, this.#littleEndian);
    this.#write(block);
  }

  /** The end of options is the four zeros that the block has there already. */
  #putOptions(view: DataView, start: number, options: readonly Option[], block: Uint8Array): void {
    let at = start;
    for (const { code, value } of options) {
      view.setUint16(at, code, this.#littleEndian);
      view.setUint16(at + 2, value.length, this.#littleEndian);
      block.set(value, at + 4);
      at += 4 + padded(value.length);
    }
  }
}

function optionsLength(options: readonly Option[]): number {
  if (options.length === 0) return 0;
  return options.reduce((sum, { value }) => sum + 4 + padded(value.length), 4);
}

/** An option's length has 16 bits. */
const MAX_TEXT_LENGTH = 0xffff;

function text(code: number, value: string): Option {
  return { code, value: new TextEncoder().encode(value).subarray(0, MAX_TEXT_LENGTH) };
}
