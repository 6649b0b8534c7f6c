import { copyBytes, readUint16 } from 'netloom/core';
import type { CaptureSink, Link } from 'netloom/link';
import {
  ETHERNET_HEADER_LENGTH,
  EtherType,
  IpProtocol,
  isFault,
  parseIpv4,
  parseTcp,
} from 'netloom/wire';

/** Frames kept; of the largest they take 0.8 MB. */
const MOST_FRAMES = 512;

/** A TCP segment in a frame. */
export interface LoggedSegment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** `TcpFlag` bits. */
  readonly flags: number;
  /** Where its header and its payload begin and where the payload ends, counted from the frame's beginning. */
  readonly start: number;
  readonly payload: number;
  readonly end: number;
}

/** A frame that passed the gateway's port. */
export interface LoggedFrame {
  /** Counted from 1. */
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** `out`: the gateway sent it. */
  readonly direction: 'in' | 'out';
  readonly bytes: Uint8Array;
  /** `other` is what the page does not tell of. */
  readonly kind: 'arp' | 'tcp' | 'other';
  readonly segment: LoggedSegment | undefined;
}

/** The last frames that passed a link, and the last question and answer of ARP, which come before all else and would soon be gone. */
export class FrameLog implements CaptureSink {
  readonly #frames: LoggedFrame[] = [];
  readonly #arp: LoggedFrame[] = [];
  #count = 0;

  frame(
    _link: Link,
    direction: 'in' | 'out',
    borrowed: Uint8Array,
    _: unknown,
    time: number,
  ): void {
    const bytes = copyBytes(borrowed);
    const segment = segmentOf(bytes);
    const kind = segment !== undefined ? 'tcp' : isArp(bytes) ? 'arp' : 'other';
    const logged = { number: ++this.#count, time, direction, bytes, kind, segment } as const;
    if (kind === 'arp') {
      this.#arp.push(logged);
      if (this.#arp.length > 2) this.#arp.shift();
      return;
    }
    this.#frames.push(logged);
    if (this.#frames.length > MOST_FRAMES) this.#frames.shift();
  }

  /** The last two frames of ARP, oldest first. */
  get arp(): readonly LoggedFrame[] {
    return this.#arp;
  }

  /** The segments of the gateway's connection from this port that are still kept, oldest first. */
  connection(port: number): LoggedFrame[] {
    return this.#frames.filter(
      ({ segment }) => segment?.sourcePort === port || segment?.destinationPort === port,
    );
  }
}

function isArp(frame: Uint8Array): boolean {
  return frame.length >= ETHERNET_HEADER_LENGTH && readUint16(frame, 12) === EtherType.ARP;
}

/** The LAN has IPv4 addresses only, so that is all that is looked for. */
function segmentOf(frame: Uint8Array): LoggedSegment | undefined {
  const ip = parseIpv4(frame, ETHERNET_HEADER_LENGTH, frame.length);
  if (isFault(ip) || ip.protocol !== IpProtocol.TCP) return undefined;
  const start = ETHERNET_HEADER_LENGTH + ip.headerLength;
  const end = ETHERNET_HEADER_LENGTH + ip.totalLength;
  const tcp = parseTcp(frame, start, end);
  if (isFault(tcp)) return undefined;
  const { sourcePort, destinationPort, flags, headerLength } = tcp;
  return { sourcePort, destinationPort, flags, start, payload: start + headerLength, end };
}
