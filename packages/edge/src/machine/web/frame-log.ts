import { copyBytes, readUint16, type IpAddress, type SocketAddress } from 'netloom/core';
import type { CaptureSink, Link } from 'netloom/link';
import {
  ETHERNET_HEADER_LENGTH,
  EtherType,
  IPV6_HEADER_LENGTH,
  IpProtocol,
  isFault,
  parseArp,
  parseIpv4,
  parseIpv6,
  parseTcp,
} from 'netloom/wire';

/** Frames kept; of the largest they take 0.4 MB. */
const MOST_FRAMES = 256;
/** Those of ARP are kept apart: they come before all else, and would soon be gone. */
const MOST_ARP_FRAMES = 32;

/** A TCP segment in a frame. */
export interface LoggedSegment {
  /** The other machine's end of its connection. */
  readonly remote: SocketAddress;
  /** `TcpFlag` bits. */
  readonly flags: number;
  /** Where its header and its payload begin and where the payload ends, counted from the frame's beginning. */
  readonly start: number;
  readonly payload: number;
  readonly end: number;
}

/** A frame that passed the machine's port. */
export interface LoggedFrame {
  /** Counted from 1. */
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** `in`: the machine has received it. */
  readonly direction: 'in' | 'out';
  readonly bytes: Uint8Array;
  readonly kind: 'arp' | 'tcp';
  readonly segment: LoggedSegment | undefined;
}

/** The last frames that passed a machine's link, of those that a page tells of. */
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
    const number = ++this.#count;
    const isArp = readUint16(borrowed, 12) === EtherType.ARP;
    const segment = isArp ? undefined : segmentOf(borrowed, direction);
    if (!isArp && segment === undefined) return;
    const common = { number, time, direction, bytes: copyBytes(borrowed), segment };
    if (isArp) keep(this.#arp, MOST_ARP_FRAMES, { ...common, kind: 'arp' });
    else keep(this.#frames, MOST_FRAMES, { ...common, kind: 'tcp' });
  }

  /** The last question of this machine's for our address and the answer, if they are still kept. */
  arp(asker: IpAddress): LoggedFrame[] {
    const at = this.#arp.findLastIndex(
      ({ bytes, direction }) => direction === 'in' && isArpFrom(bytes, asker),
    );
    const question = this.#arp[at];
    if (question === undefined) return [];
    const answer = this.#arp
      .slice(at)
      .find(({ bytes, direction }) => direction === 'out' && isArpTo(bytes, asker));
    return answer === undefined ? [question] : [question, answer];
  }

  /** The segments of the connection with this remote end that are still kept, oldest first. */
  connection({ address, port }: SocketAddress): LoggedFrame[] {
    return this.#frames.filter(
      ({ segment }) => segment!.remote.port === port && segment!.remote.address.equals(address),
    );
  }
}

function keep(frames: LoggedFrame[], most: number, frame: LoggedFrame): void {
  frames.push(frame);
  if (frames.length > most) frames.shift();
}

function isArpFrom(frame: Uint8Array, address: IpAddress): boolean {
  const packet = parseArp(frame, ETHERNET_HEADER_LENGTH, frame.length);
  return !isFault(packet) && packet.sender.equals(address);
}

function isArpTo(frame: Uint8Array, address: IpAddress): boolean {
  const packet = parseArp(frame, ETHERNET_HEADER_LENGTH, frame.length);
  return !isFault(packet) && packet.target.equals(address);
}

function segmentOf(frame: Uint8Array, direction: 'in' | 'out'): LoggedSegment | undefined {
  const ip = ipOf(frame);
  if (ip === undefined || ip.protocol !== IpProtocol.TCP) return undefined;
  const tcp = parseTcp(frame, ip.start, ip.end);
  if (isFault(tcp)) return undefined;
  const remote =
    direction === 'in'
      ? { address: ip.source, port: tcp.sourcePort }
      : { address: ip.destination, port: tcp.destinationPort };
  const { flags, headerLength } = tcp;
  return { remote, flags, start: ip.start, payload: ip.start + headerLength, end: ip.end };
}

/** What is looked at of an IP packet: where its payload is, and whose it is. */
interface IpPacket {
  readonly protocol: number;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly start: number;
  readonly end: number;
}

function ipOf(frame: Uint8Array): IpPacket | undefined {
  const at = ETHERNET_HEADER_LENGTH;
  const v4 = parseIpv4(frame, at, frame.length);
  if (!isFault(v4)) {
    const { protocol, sourceAddress: source, destinationAddress: destination } = v4;
    const [start, end] = [at + v4.headerLength, at + v4.totalLength];
    return { protocol, source, destination, start, end };
  }
  const v6 = parseIpv6(frame, at, frame.length);
  if (isFault(v6)) return undefined;
  const { nextHeader: protocol, sourceAddress: source, destinationAddress: destination } = v6;
  const start = at + IPV6_HEADER_LENGTH;
  return { protocol, source, destination, start, end: start + v6.payloadLength };
}
