/** The frames of floods, for a gateway at 10.9.0.1 and fd00:9::1. */
import {
  IpAddress,
  MacAddress,
  concatBytes,
  seededRandom,
  writeUint32,
  type Random,
} from 'netloom/core';
import {
  ArpOperation,
  Dhcpv4Message,
  Dhcpv4MessageType,
  Dhcpv4OptionCode,
  EtherType,
  Icmpv4Type,
  IpProtocol,
  TcpFlag,
  TcpHeader,
  encodeDhcpv4,
} from 'netloom/wire';
import {
  arpFrame,
  ethernetFrame,
  icmpFrame,
  ipFrame,
  ndpFrame,
  tcpFrame,
  udpFrame,
  type Ends,
} from '../../packages/netloom/test/ip/frames.ts';

const GATEWAY = { 4: IpAddress.parse('10.9.0.1'), 6: IpAddress.parse('fd00:9::1') } as const;
const ATTACKER = new MacAddress(0x0200, 0x66);

/** Frames of a flood: they are sent round and round. */
const COUNT = 8192;
/** A port of this machine's loopback where nobody listens (discard, RFC 863). */
const NOBODY = 9;

/** Makes a frame to the gateway, whose link address this is. */
type Maker = (random: Random, gateway: MacAddress, number: number) => Uint8Array;

function made(random: Random): MacAddress {
  return new MacAddress(0x0200, random.uint32());
}

/** From any address of the network that nobody has, to the gateway. */
function anyEnds(random: Random, destinationMac: MacAddress): Ends {
  const source = IpAddress.v4(0x0a09_0000 + 64 + random.below(60));
  return { source, destination: GATEWAY[4], sourceMac: ATTACKER, destinationMac };
}

const MAKERS: Readonly<Record<string, Maker>> = {
  'frames of made-up stations': (random, gateway) =>
    ethernetFrame(made(random), gateway, EtherType.IPV4, new Uint8Array(46)),
  'ARP requests': (random, gateway) =>
    arpFrame(gateway, {
      operation: ArpOperation.REQUEST,
      senderMac: ATTACKER,
      sender: IpAddress.v4(0x0a09_0000 + random.below(0x10000)),
      target: GATEWAY[4],
    }),
  'neighbour solicitations': (random, gateway) => {
    const source = IpAddress.v6(0xfe80_0000, 0, random.uint32(), random.uint32());
    const options = [{ kind: 'source-link-address', mac: ATTACKER }] as const;
    return ndpFrame(
      { source, destination: GATEWAY[6], sourceMac: ATTACKER, destinationMac: gateway },
      { kind: 'neighbour-solicitation', target: GATEWAY[6], options },
    );
  },
  'DHCP clients': (random, gateway) => {
    const message = new Dhcpv4Message();
    message.mac = made(random);
    message.transactionId = random.uint32();
    const data = Uint8Array.of(Dhcpv4MessageType.DISCOVER);
    message.options = [{ code: Dhcpv4OptionCode.MESSAGE_TYPE, data }];
    const ends = {
      ...anyEnds(random, gateway),
      source: IpAddress.ANY4,
      destination: IpAddress.BROADCAST4,
    };
    return udpFrame(ends, 68, 67, encodeDhcpv4(message));
  },
  'TCP SYNs': (random, gateway, number) => {
    const header = Object.assign(new TcpHeader(), {
      sourcePort: 1024 + number,
      destinationPort: NOBODY,
      sequence: random.uint32() | 0,
      flags: TcpFlag.SYN,
      window: 65_535,
      maximumSegmentSize: 1460,
    });
    return tcpFrame(anyEnds(random, gateway), header, new Uint8Array(0));
  },
  'UDP flows': (random, gateway, number) =>
    udpFrame(anyEnds(random, gateway), 1024 + number, NOBODY, new Uint8Array(20)),
  'ICMP echo requests': (random, gateway, number) =>
    icmpFrame(anyEnds(random, gateway), Icmpv4Type.ECHO_REQUEST, 0, number, new Uint8Array(56)),
  'first fragments': (random, gateway, number) => {
    const v4 = {
      dontFragment: false,
      moreFragments: true,
      fragmentOffset: 0,
      identification: number,
    };
    return ipFrame({ ...anyEnds(random, gateway), v4 }, IpProtocol.UDP, new Uint8Array(64));
  },
};

/** The names of the floods there are. */
export const FLOODS: readonly string[] = Object.keys(MAKERS);

/** The frames of a flood, each behind its length in four bytes. */
export function floodOf(name: string, gateway: MacAddress): Uint8Array {
  const random = seededRandom(1);
  const parts: Uint8Array[] = [];
  for (let number = 0; number < COUNT; number++) {
    const frame = MAKERS[name]!(random, gateway, number);
    const length = new Uint8Array(4);
    writeUint32(length, 0, frame.length);
    parts.push(length, frame);
  }
  return concatBytes(parts);
}
