import {
  describeFrame,
  describePacket,
  LinkType,
  type CapturedPacket,
  type CaptureInterface,
} from 'netloom/wire';

/** How the time of a packet is shown: since the first, as a date, or not. */
export type DumpTime = 'relative' | 'wall' | 'none';

/** What the lines of a dump show. */
export interface DumpFormat {
  readonly time: DumpTime;
  /** Begins each description with the Ethernet addresses. */
  readonly ethernet: boolean;
  /** Follows each line with the bytes. */
  readonly hex: boolean;
}

/** Link types of packets without a frame around them (the "LINKTYPE_" registry): either version of IP, IPv4, IPv6. */
const RAW_IP_TYPES: readonly number[] = [101, 228, 229];

/** Turns packets into lines: number, time, interface and direction where the file has them, length, description. */
export class DumpFormatter {
  readonly #format: DumpFormat;
  #count = 0;
  #first: bigint | undefined;

  constructor(format: DumpFormat) {
    this.#format = format;
  }

  /** Packets so far. */
  get count(): number {
    return this.#count;
  }

  /** The text of a packet, with its line ends. */
  packet(packet: CapturedPacket): string {
    this.#count++;
    const columns = [
      String(this.#count).padStart(5),
      this.#time(packet.time),
      packet.interface.name,
      packet.direction?.padEnd(3) ?? '',
      String(packet.originalLength).padStart(5),
      this.#describe(packet.interface, packet.data),
    ];
    const line = columns.filter((column) => column !== '').join('  ');
    return this.#format.hex ? `${line}\n${hexDump(packet.data)}` : `${line}\n`;
  }

  #describe({ linkType }: CaptureInterface, data: Uint8Array): string {
    if (linkType === LinkType.ETHERNET) {
      return describeFrame(data, this.#format.ethernet ? { addresses: true } : {});
    }
    return RAW_IP_TYPES.includes(linkType) ? describePacket(data) : `link type ${linkType}`;
  }

  #time(time: bigint | undefined): string {
    if (this.#format.time === 'none') return '';
    if (time === undefined) return '-';
    if (this.#format.time === 'wall') return formatWallTime(time);
    this.#first ??= time;
    return formatSeconds(time - this.#first).padStart(11);
  }
}

/** Seconds with microseconds. */
function formatSeconds(nanoseconds: bigint): string {
  const sign = nanoseconds < 0n ? '-' : '';
  const microseconds = (nanoseconds < 0n ? -nanoseconds : nanoseconds) / 1000n;
  const fraction = String(microseconds % 1_000_000n).padStart(6, '0');
  return `${sign}${microseconds / 1_000_000n}.${fraction}`;
}

/** As ISO 8601 has it, in UTC, with microseconds. A time that no `Date` reaches is given in seconds. */
function formatWallTime(nanoseconds: bigint): string {
  const date = new Date(Number(nanoseconds / 1_000_000n));
  if (Number.isNaN(date.getTime())) return formatSeconds(nanoseconds);
  const microseconds = String((nanoseconds / 1000n) % 1000n).padStart(3, '0');
  return date.toISOString().replace('Z', `${microseconds}Z`);
}

const BYTES_PER_LINE = 16;

/** Sixteen bytes a line: offset, hexadecimal, and what is printable. */
function hexDump(data: Uint8Array): string {
  let text = '';
  for (let at = 0; at < data.length; at += BYTES_PER_LINE) {
    const row = data.subarray(at, at + BYTES_PER_LINE);
    const digits = Array.from(row, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const letters = Array.from(row, (byte) =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.',
    ).join('');
    const width = BYTES_PER_LINE * 3 - 1;
    text += `       ${at.toString(16).padStart(4, '0')}  ${digits.padEnd(width)}  ${letters}\n`;
  }
  return text;
}
