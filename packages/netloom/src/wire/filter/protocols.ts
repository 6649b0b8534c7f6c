import { EtherType } from '../ethernet.ts';
import { IpProtocol } from '../ip-protocol.ts';

/** A protocol that a filter can name. */
export type Protocol =
  | 'ether'
  | 'ip'
  | 'ip6'
  | 'arp'
  | 'rarp'
  | 'stp'
  | 'tcp'
  | 'udp'
  | 'sctp'
  | 'icmp'
  | 'icmp6'
  | 'igmp'
  | 'pim'
  | 'vrrp'
  | 'ah'
  | 'esp';

/** How a protocol is told from others. */
export type ProtocolMark =
  /** The link layer itself: any frame. */
  | { readonly over: 'link' }
  /** By the type of the frame; up to 1,500, by the service access point of IEEE 802.2. */
  | { readonly over: 'ether'; readonly number: number }
  /** By the number in the header of these versions of IP. */
  | { readonly over: 'ip'; readonly number: number; readonly versions: readonly (4 | 6)[] };

/** The type of frames with RARP (RFC 903). */
export const REVERSE_ARP = 0x8035;
/** The number of SCTP in the header of IP (RFC 9260). */
export const SCTP = 132;
const BOTH = [4, 6] as const;

/** The protocols by name, and how each is told (the names are those of pcap-filter(7)). */
export const PROTOCOLS: Readonly<Record<Protocol, ProtocolMark>> = {
  ether: { over: 'link' },
  ip: { over: 'ether', number: EtherType.IPV4 },
  ip6: { over: 'ether', number: EtherType.IPV6 },
  arp: { over: 'ether', number: EtherType.ARP },
  rarp: { over: 'ether', number: REVERSE_ARP },
  stp: { over: 'ether', number: 0x42 },
  tcp: { over: 'ip', number: IpProtocol.TCP, versions: BOTH },
  udp: { over: 'ip', number: IpProtocol.UDP, versions: BOTH },
  sctp: { over: 'ip', number: SCTP, versions: BOTH },
  icmp: { over: 'ip', number: IpProtocol.ICMP, versions: [4] },
  icmp6: { over: 'ip', number: IpProtocol.ICMPV6, versions: [6] },
  igmp: { over: 'ip', number: IpProtocol.IGMP, versions: [4] },
  pim: { over: 'ip', number: 103, versions: BOTH },
  vrrp: { over: 'ip', number: 112, versions: [4] },
  ah: { over: 'ip', number: IpProtocol.AUTHENTICATION, versions: BOTH },
  esp: { over: 'ip', number: IpProtocol.ESP, versions: BOTH },
};

/** Other names of protocols. */
const ALIASES: ReadonlyMap<string, Protocol> = new Map([['link', 'ether']]);

/** The protocol of a name. */
export function protocolOf(word: string): Protocol | undefined {
  return Object.hasOwn(PROTOCOLS, word) ? (word as Protocol) : ALIASES.get(word);
}

/** Names of numbers that stand for bytes of headers: offsets of fields, and what is in them (pcap-filter(7)). */
export const CONSTANTS: ReadonlyMap<string, number> = new Map([
  ['icmptype', 0],
  ['icmpcode', 1],
  ['icmp6type', 0],
  ['icmp6code', 1],
  ['tcpflags', 13],
  ['tcp-fin', 0x01],
  ['tcp-syn', 0x02],
  ['tcp-rst', 0x04],
  ['tcp-push', 0x08],
  ['tcp-ack', 0x10],
  ['tcp-urg', 0x20],
  ['tcp-ece', 0x40],
  ['tcp-cwr', 0x80],
  ['icmp-echoreply', 0],
  ['icmp-unreach', 3],
  ['icmp-sourcequench', 4],
  ['icmp-redirect', 5],
  ['icmp-echo', 8],
  ['icmp-routeradvert', 9],
  ['icmp-routersolicit', 10],
  ['icmp-timxceed', 11],
  ['icmp-paramprob', 12],
  ['icmp-tstamp', 13],
  ['icmp-tstampreply', 14],
  ['icmp-ireq', 15],
  ['icmp-ireqreply', 16],
  ['icmp-maskreq', 17],
  ['icmp-maskreply', 18],
  ['icmp6-destinationunreach', 1],
  ['icmp6-packettoobig', 2],
  ['icmp6-timeexceeded', 3],
  ['icmp6-parameterproblem', 4],
  ['icmp6-echo', 128],
  ['icmp6-echoreply', 129],
  ['icmp6-multicastlistenerquery', 130],
  ['icmp6-multicastlistenerreportv1', 131],
  ['icmp6-multicastlistenerdone', 132],
  ['icmp6-routersolicit', 133],
  ['icmp6-routeradvert', 134],
  ['icmp6-neighborsolicit', 135],
  ['icmp6-neighboradvert', 136],
  ['icmp6-redirect', 137],
  ['icmp6-multicastlistenerreportv2', 143],
]);

/** Names of ports (IANA "Service Name and Transport Protocol Port Number Registry"): those that are seen every day. */
export const PORTS: ReadonlyMap<string, number> = new Map([
  ['ftp-data', 20],
  ['ftp', 21],
  ['ssh', 22],
  ['telnet', 23],
  ['smtp', 25],
  ['domain', 53],
  ['bootps', 67],
  ['bootpc', 68],
  ['tftp', 69],
  ['http', 80],
  ['pop3', 110],
  ['ntp', 123],
  ['imap2', 143],
  ['snmp', 161],
  ['bgp', 179],
  ['ldap', 389],
  ['https', 443],
  ['syslog', 514],
  ['dhcpv6-client', 546],
  ['dhcpv6-server', 547],
  ['ldaps', 636],
  ['imaps', 993],
  ['pop3s', 995],
  ['mysql', 3306],
  ['postgresql', 5432],
  ['mdns', 5353],
]);
