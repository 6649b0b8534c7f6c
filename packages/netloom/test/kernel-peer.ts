/** A station made by hand that talks to the kernel over a link: as little of a stack as a test of links needs. */
import {
  ETHERNET_HEADER_LENGTH,
  EtherType,
  IPV4_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  Ipv4Header,
  Ipv6Header,
  IpProtocol,
  TcpFlag,
  TcpHeader,
  emitIpv4,
  emitIpv6,
  emitTcp,
  finishChecksum,
  foldSum,
  parseTcp,
  sumWords,
} from 'netloom/wire';
import { writeUint16, type IpAddress, type MacAddress } from 'netloom/core';
import type { FrameOffload, Link, LinkHandler } from 'netloom/link';

/** A frame that has come, copied. */
export interface KeptFrame {
  readonly frame: Uint8Array;
  readonly offload: FrameOffload | undefined;
}

/** Where the checksum is in the headers of the transports. */
const CHECKSUM_OFFSET: Record<number, number> = { [IpProtocol.TCP]: 16, [IpProtocol.UDP]: 6 };

/** A station at our end of a link, with one IP address, whose peer is the kernel at the other. */
export class KernelPeer implements LinkHandler {
  readonly link: Link;
  readonly #kernelMac: MacAddress;
  readonly #ours: IpAddress;
  readonly #kernels: IpAddress;
  readonly #kept: KeptFrame[] = [];
  #waiting: (() => void) | undefined;

  constructor(link: Link, kernelMac: MacAddress, ours: IpAddress, kernels: IpAddress) {
    this.link = link;
    this.#kernelMac = kernelMac;
    this.#ours = ours;
    this.#kernels = kernels;
    link.attach(this);
  }

  /** Where the transport header of every frame begins. */
  get transportStart(): number {
    const ip = this.#ours.family === 4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH;
    return ETHERNET_HEADER_LENGTH + ip;
  }

  receive(frame: Uint8Array, offload: FrameOffload | undefined): void {
    this.#kept.push({ frame: frame.slice(), offload: offload && { ...offload } });
  }

  batchEnd(): void {
    this.#waiting?.();
  }

  /** The next TCP segment that has come, with what it carries; other frames are passed over. */
  async nextSegment(): Promise<{ header: TcpHeader; payload: Uint8Array; kept: KeptFrame }> {
    for (;;) {
      const kept = this.#kept.shift();
      if (kept === undefined) {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#waiting = resolve;
        await promise;
        continue;
      }
      const start = this.transportStart;
      const { frame } = kept;
      if (frame[this.#ours.family === 4 ? 23 : 20] !== IpProtocol.TCP) continue;
      const header = parseTcp(frame, start, frame.length);
      if (typeof header !== 'string') {
        return { header, payload: frame.subarray(start + header.headerLength), kept };
      }
    }
  }

  /**
   * Sends a transport header with its payload. Its checksum is left to the link where that can do it, and so is the
   * cutting into segments of `segmentSize` bytes of payload, if that is not 0.
   */
  send(protocol: number, segment: Uint8Array, segmentSize = 0): boolean {
    const start = this.transportStart;
    const frame = this.link.allocate(start + segment.length);
    this.#kernelMac.copyTo(frame, 0);
    this.link.mac.copyTo(frame, 6);
    this.#writeIp(frame, protocol, segment.length);
    frame.set(segment, start);
    const addresses = sumWords(frame, this.#ours.family === 4 ? 26 : 22, start);
    const pseudoHeader = foldSum(addresses + protocol + segment.length);
    const checksumOffset = CHECKSUM_OFFSET[protocol]!;
    writeUint16(frame, start + checksumOffset, pseudoHeader);
    if (this.link.offload.checksum) {
      return this.link.transmit(frame, { checksumStart: start, checksumOffset, segmentSize });
    }
    const checksum = finishChecksum(sumWords(frame, start, frame.length));
    writeUint16(frame, start + checksumOffset, checksum);
    return this.link.transmit(frame);
  }

  #writeIp(frame: Uint8Array, protocol: number, length: number): void {
    const isV4 = this.#ours.family === 4;
    writeUint16(frame, 12, isV4 ? EtherType.IPV4 : EtherType.IPV6);
    if (isV4) {
      const header = new Ipv4Header();
      header.totalLength = IPV4_HEADER_LENGTH + length;
      header.protocol = protocol;
      header.dontFragment = true;
      header.source = this.#ours.word3;
      header.destination = this.#kernels.word3;
      emitIpv4(header, frame, ETHERNET_HEADER_LENGTH);
      return;
    }
    const header = new Ipv6Header();
    header.payloadLength = length;
    header.nextHeader = protocol;
    emitIpv6(header, frame, ETHERNET_HEADER_LENGTH);
    this.#ours.copyTo(frame, ETHERNET_HEADER_LENGTH + 8);
    this.#kernels.copyTo(frame, ETHERNET_HEADER_LENGTH + 24);
  }
}

/** One TCP connection of a {@link KernelPeer}'s: in order, nothing lost, no timers. */
export class HandMadeTcp {
  readonly #peer: KernelPeer;
  readonly #header = new TcpHeader();

  constructor(peer: KernelPeer, localPort: number, remotePort: number) {
    this.#peer = peer;
    this.#header.sourcePort = localPort;
    this.#header.destinationPort = remotePort;
    this.#header.sequence = 1000;
    this.#header.window = 65_535;
  }

  /** Opens to a port on which the kernel listens. */
  async connect(): Promise<void> {
    this.#send(TcpFlag.SYN);
    const { header } = await this.#peer.nextSegment();
    this.#synchronized(header);
    this.#send(TcpFlag.ACK);
  }

  /** Answers the kernel, which opens. */
  async accept(): Promise<void> {
    const { header } = await this.#peer.nextSegment();
    this.#header.destinationPort = header.sourcePort;
    this.#header.acknowledgment = header.sequence + 1;
    this.#send(TcpFlag.SYN | TcpFlag.ACK);
    this.#header.sequence++;
    this.#header.maximumSegmentSize = 0;
  }

  /** Sends bytes in one frame, to be cut into segments of this size. */
  write(payload: Uint8Array, segmentSize: number): boolean {
    const sent = this.#send(TcpFlag.ACK | TcpFlag.PSH, payload, segmentSize);
    this.#header.sequence += payload.length;
    return sent;
  }

  end(): void {
    this.#send(TcpFlag.FIN | TcpFlag.ACK);
  }

  reset(): void {
    this.#send(TcpFlag.RST | TcpFlag.ACK);
  }

  /** The next frame that carries bytes, which are acknowledged. */
  async read(): Promise<{ payload: Uint8Array; kept: KeptFrame }> {
    for (;;) {
      const { header, payload, kept } = await this.#peer.nextSegment();
      if (payload.length === 0 || header.sequence !== (this.#header.acknowledgment | 0)) continue;
      this.#header.acknowledgment = (header.sequence + payload.length) | 0;
      this.#send(TcpFlag.ACK);
      return { payload, kept };
    }
  }

  #synchronized(header: TcpHeader): void {
    this.#header.acknowledgment = (header.sequence + 1) | 0;
    this.#header.sequence++;
    this.#header.maximumSegmentSize = 0;
  }

  #send(flags: number, payload: Uint8Array = new Uint8Array(0), segmentSize = 0): boolean {
    const header = this.#header;
    header.flags = flags;
    header.maximumSegmentSize = (flags & TcpFlag.SYN) === 0 ? 0 : 1400;
    const space = new Uint8Array(60);
    const length = emitTcp(header, space, 0);
    const segment = new Uint8Array(length + payload.length);
    segment.set(space.subarray(0, length));
    segment.set(payload, length);
    return this.#peer.send(IpProtocol.TCP, segment, segmentSize);
  }
}
