import {
  Icmpv4ParameterProblem,
  Icmpv4TimeExceeded,
  Icmpv4Type,
  Icmpv4Unreachable,
  Icmpv6ParameterProblem,
  Icmpv6TimeExceeded,
  Icmpv6Type,
  Icmpv6Unreachable,
} from '../../wire/index.ts';

/** What the network can say of a packet, the same for both families. */
export type IcmpErrorKind =
  | 'network-unreachable'
  | 'host-unreachable'
  | 'protocol-unreachable'
  | 'port-unreachable'
  | 'prohibited'
  | 'too-big'
  | 'hop-limit-exceeded'
  | 'reassembly-time-exceeded'
  | 'bad-header';

/** Type and code of each kind (RFC 792, RFC 1812 section 5.2.7; RFC 4443, section 3). */
export const ICMP_ERRORS: {
  readonly [Kind in IcmpErrorKind]: {
    readonly v4: readonly [number, number];
    readonly v6: readonly [number, number];
  };
} = {
  'network-unreachable': {
    v4: [Icmpv4Type.DESTINATION_UNREACHABLE, Icmpv4Unreachable.NETWORK],
    v6: [Icmpv6Type.DESTINATION_UNREACHABLE, Icmpv6Unreachable.NO_ROUTE],
  },
  'host-unreachable': {
    v4: [Icmpv4Type.DESTINATION_UNREACHABLE, Icmpv4Unreachable.HOST],
    v6: [Icmpv6Type.DESTINATION_UNREACHABLE, Icmpv6Unreachable.ADDRESS],
  },
  'protocol-unreachable': {
    v4: [Icmpv4Type.DESTINATION_UNREACHABLE, Icmpv4Unreachable.PROTOCOL],
    // Parameter problem: unrecognized next header (RFC 8200, section 4).
    v6: [Icmpv6Type.PARAMETER_PROBLEM, Icmpv6ParameterProblem.NEXT_HEADER],
  },
  'port-unreachable': {
    v4: [Icmpv4Type.DESTINATION_UNREACHABLE, Icmpv4Unreachable.PORT],
    v6: [Icmpv6Type.DESTINATION_UNREACHABLE, Icmpv6Unreachable.PORT],
  },
  prohibited: {
    v4: [Icmpv4Type.DESTINATION_UNREACHABLE, Icmpv4Unreachable.COMMUNICATION_PROHIBITED],
    v6: [Icmpv6Type.DESTINATION_UNREACHABLE, Icmpv6Unreachable.PROHIBITED],
  },
  'too-big': {
    v4: [Icmpv4Type.DESTINATION_UNREACHABLE, Icmpv4Unreachable.FRAGMENTATION_NEEDED],
    v6: [Icmpv6Type.PACKET_TOO_BIG, 0],
  },
  'hop-limit-exceeded': {
    v4: [Icmpv4Type.TIME_EXCEEDED, Icmpv4TimeExceeded.TIME_TO_LIVE],
    v6: [Icmpv6Type.TIME_EXCEEDED, Icmpv6TimeExceeded.HOP_LIMIT],
  },
  'reassembly-time-exceeded': {
    v4: [Icmpv4Type.TIME_EXCEEDED, Icmpv4TimeExceeded.REASSEMBLY],
    v6: [Icmpv6Type.TIME_EXCEEDED, Icmpv6TimeExceeded.REASSEMBLY],
  },
  'bad-header': {
    v4: [Icmpv4Type.PARAMETER_PROBLEM, Icmpv4ParameterProblem.POINTER],
    v6: [Icmpv6Type.PARAMETER_PROBLEM, Icmpv6ParameterProblem.HEADER_FIELD],
  },
};

/** The kind that a received type and code stand for; undefined for those nobody acts on. */
export function icmpErrorKind(
  family: 4 | 6,
  type: number,
  code: number,
): IcmpErrorKind | undefined {
  const own = family === 4 ? 'v4' : 'v6';
  for (const [kind, codes] of Object.entries(ICMP_ERRORS) as [
    IcmpErrorKind,
    (typeof ICMP_ERRORS)[IcmpErrorKind],
  ][]) {
    if (codes[own][0] === type && codes[own][1] === code) return kind;
  }
  return undefined;
}
