import { isFault } from '../fault.ts';
import { parseNdp, type NdpMessage, type RouterAdvertisement } from '../ndp.ts';
import { findNdpOption, type NdpOption } from '../ndp-options.ts';
import { words, type Envelope } from './names.ts';

/** A neighbour discovery message, its ICMPv6 header included. */
export function describeNdp(
  bytes: Uint8Array,
  start: number,
  end: number,
  envelope: Envelope,
): string {
  const message = parseNdp(bytes, start, end, envelope);
  if (isFault(message)) return `NDP type ${bytes[start]} (${message})`;
  return words('NDP', describeMessage(message, envelope));
}

function describeMessage(message: NdpMessage, { source }: Envelope): string {
  const sourceMac = findNdpOption(message.options, 'source-link-address')?.mac;
  const targetMac = findNdpOption(message.options, 'target-link-address')?.mac;
  switch (message.kind) {
    case 'neighbour-solicitation':
      // RFC 4862, section 5.4.2: without a source it asks whether the address is taken.
      return source.isUnspecified
        ? `who has ${message.target}? (probe)`
        : words(`who has ${message.target}?`, sourceMac && `tell ${sourceMac}`);
    case 'neighbour-advertisement':
      return words(
        `${message.target} is`,
        targetMac === undefined ? 'here' : `at ${targetMac}`,
        message.router && 'router',
        message.solicited && 'solicited',
        message.override && 'override',
      );
    case 'router-solicitation':
      return words('who routes?', sourceMac && `tell ${sourceMac}`);
    case 'router-advertisement':
      return words(describeRouter(message), sourceMac && `at ${sourceMac}`);
    case 'redirect':
      return words(
        `${message.destination} is reached by ${message.target}`,
        targetMac && `at ${targetMac}`,
      );
  }
}

function describeRouter(message: RouterAdvertisement): string {
  return words(
    `router lifetime=${message.routerLifetime}s`,
    message.preference !== 'medium' && `preference=${message.preference}`,
    message.hopLimit > 0 && `hop-limit=${message.hopLimit}`,
    message.managed && 'managed',
    message.otherConfiguration && 'other-configuration',
    ...message.options.map(describeOption),
  );
}

function describeOption(option: NdpOption): string {
  switch (option.kind) {
    case 'prefix':
      return words(
        `prefix=${option.prefix}`,
        option.onLink && 'on-link',
        option.autonomous && 'autonomous',
        `valid=${option.validLifetime}s`,
      );
    case 'route':
      return `route=${option.prefix} lifetime=${option.lifetime}s`;
    case 'dns-servers':
      return `dns=${option.addresses.join(',')}`;
    case 'search-domains':
      return `search=${option.domains.join(',')}`;
    case 'mtu':
      return `mtu=${option.mtu}`;
    default:
      return '';
  }
}
