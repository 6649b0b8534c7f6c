import { readUint16 } from 'netloom/core';
import type { CaptureSink, Link } from 'netloom/link';
import { ETHERNET_HEADER_LENGTH, EtherType, IpProtocol } from 'netloom/wire';

/** Where the protocol stands in an IPv4 header (RFC 791, section 3.1), and the next header in that of IPv6 (RFC 8200, section 3). */
const IPV4_PROTOCOL_AT = ETHERNET_HEADER_LENGTH + 9;
const IPV6_NEXT_HEADER_AT = ETHERNET_HEADER_LENGTH + 6;

/** Counts the frames that pass a link, by what they carry. */
export class FrameCounts implements CaptureSink {
  frames = 0;
  bytes = 0;
  arpPackets = 0;
  ipPackets = 0;
  tcpSegments = 0;

  frame(_link: Link, _direction: 'in' | 'out', frame: Uint8Array): void {
    this.frames++;
    this.bytes += frame.length;
    switch (readUint16(frame, 12)) {
      case EtherType.ARP:
        this.arpPackets++;
        break;
      case EtherType.IPV4:
        this.#countIp(frame[IPV4_PROTOCOL_AT]);
        break;
      case EtherType.IPV6:
        this.#countIp(frame[IPV6_NEXT_HEADER_AT]);
        break;
    }
  }

  /** The counts as they are now. */
  snapshot(): FrameCountsSnapshot {
    const { frames, bytes, arpPackets, ipPackets, tcpSegments } = this;
    return { frames, bytes, arpPackets, ipPackets, tcpSegments };
  }

  #countIp(protocol: number | undefined): void {
    this.ipPackets++;
    if (protocol === IpProtocol.TCP) this.tcpSegments++;
  }
}

/** Counts at one moment. */
export interface FrameCountsSnapshot {
  readonly frames: number;
  readonly bytes: number;
  readonly arpPackets: number;
  readonly ipPackets: number;
  readonly tcpSegments: number;
}
