/** Frames of TCP connections and UDP flows, as tests of what looks on want them. */
import { IpAddress, MacAddress, concatBytes, writeUint16 } from 'netloom/core';
import { EtherType, TcpHeader, VLAN_TAG_LENGTH } from 'netloom/wire';
import { reversed, tcpFrame, udpFrame as udpFrameOf, type Ends } from '../ip/frames.ts';

/** What is in a segment. */
export interface Segment {
  readonly flags: number;
  readonly sequence?: number;
  readonly acknowledgment?: number;
  readonly text?: string;
  readonly bytes?: Uint8Array;
}

/** What the frames of a connection have around it. */
export interface Surroundings {
  readonly family?: 4 | 6;
  /** VLANs, the outermost first. */
  readonly tags?: readonly number[];
}

const PORTS = { client: 4000, server: 80 } as const;
const ENDS = {
  4: endsOf('192.0.2.1', '192.0.2.2'),
  6: endsOf('2001:db8::1', '2001:db8::2'),
} as const;
/** Bytes of the two addresses of a frame. */
const ADDRESSES = 12;

function endsOf(client: string, server: string): Ends {
  return {
    source: IpAddress.parse(client),
    destination: IpAddress.parse(server),
    sourceMac: new MacAddress(0x0200, 1),
    destinationMac: new MacAddress(0x0200, 2),
  };
}

/** Makes the segments of both sides of a connection from 192.0.2.1:4000 to 192.0.2.2:80, or of 2001:db8::1 and ::2. */
export function connection({ family = 4, tags = [] }: Surroundings = {}) {
  const ends = ENDS[family];
  const { client, server } = PORTS;
  return {
    client: (segment: Segment): Uint8Array =>
      tagged(segmentFrame(segment, ends, client, server), tags),
    server: (segment: Segment): Uint8Array =>
      tagged(segmentFrame(segment, reversed(ends), server, client), tags),
  };
}

function segmentFrame(
  { flags, sequence = 0, acknowledgment = 0, text = '', bytes }: Segment,
  ends: Ends,
  sourcePort: number,
  destinationPort: number,
): Uint8Array {
  const ports = { sourcePort, destinationPort };
  const header = Object.assign(new TcpHeader(), { ...ports, flags, sequence, acknowledgment });
  return tcpFrame(ends, header, bytes ?? new TextEncoder().encode(text));
}

/** A datagram between 192.0.2.1:4000 and 192.0.2.2:80. `fragment`: IPv4's field of flags and offset. */
export function udpFrame(
  text: string,
  { isBack = false, fragment = 0 }: { readonly isBack?: boolean; readonly fragment?: number } = {},
): Uint8Array {
  const v4 = {
    dontFragment: fragment === 0,
    moreFragments: (fragment & 0x2000) !== 0,
    fragmentOffset: (fragment & 0x1fff) * 8,
  };
  const { client, server } = PORTS;
  const data = new TextEncoder().encode(text);
  return isBack
    ? udpFrameOf({ ...reversed(ENDS[4]), v4 }, server, client, data)
    : udpFrameOf({ ...ENDS[4], v4 }, client, server, data);
}

/** The frame with tags of 802.1Q put in, the outermost first. */
function tagged(frame: Uint8Array, identifiers: readonly number[]): Uint8Array {
  const tags = identifiers.map((identifier) => {
    const tag = new Uint8Array(VLAN_TAG_LENGTH);
    writeUint16(tag, 0, EtherType.VLAN);
    writeUint16(tag, 2, identifier);
    return tag;
  });
  return concatBytes([frame.subarray(0, ADDRESSES), ...tags, frame.subarray(ADDRESSES)]);
}
