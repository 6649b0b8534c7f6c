import {
  Cidr,
  IpAddress,
  formatSocketAddress,
  toNetloomError,
  type SocketAddress,
} from '../../core/index.ts';
import { hostFaults } from '../os/context.ts';
import type { FlowProtocol } from './flow.ts';

/** A flow that a guest asks for. */
export interface FlowRequest {
  readonly protocol: FlowProtocol;
  readonly guest: SocketAddress;
  /** As the guest sees it; of an echo the port is 0. */
  readonly destination: SocketAddress;
  /** The names that the destination's address was given for. */
  readonly labels: readonly string[];
}

/**
 * What of the machine that the uplink runs on a guest may reach.
 *
 * - `none`: nothing.
 * - `gateway`: what the machine serves on its loopback, at the gateway's addresses.
 */
export type HostAccess = 'none' | 'gateway';

/** What a {@link Policy} is made from. */
export interface PolicyOptions {
  readonly hostAccess?: HostAccess;
  /** Asked once for each flow that nothing else speaks against. False, or a reason, denies it; so does throwing, which is published on `netloom:host:fault`. */
  readonly allow?: (request: FlowRequest) => boolean | string;
  /** The names that an address was given for: by a name server that guests ask. */
  readonly labels?: (address: IpAddress) => readonly string[];
}

/** What is decided: where the flow goes to outside, or why it may not. */
export type Verdict =
  | { readonly target: IpAddress; readonly labels: readonly string[] }
  | { readonly denied: string; readonly labels: readonly string[] };

/**
 * Networks that mean something on the machine itself or on its links only, so that nobody behind an uplink can mean them (RFC 6890; RFC 4291, section
 * 2.5.5: an IPv4 address written as IPv6 would be one way around all rules for it).
 */
const RESERVED: readonly Cidr[] = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/96',
  '::ffff:0:0/96',
  'fe80::/10',
  'ff00::/8',
].map((text) => Cidr.parse(text));

/** How long the machine's addresses are believed to be the same: asking for them costs as much as a flow. */
const OWN_ADDRESSES_LIFETIME = 1000;

/**
 * Decides which flows go out.
 *
 * The machine itself is out of reach unless asked for, on every address it has, not on its loopback alone; so are link-local addresses. What others do, and why
 * this was decided so, is in docs/uplink.md.
 */
export class Policy {
  readonly #options: PolicyOptions;
  readonly #ownAddresses: () => readonly IpAddress[];
  readonly #now: () => number;
  #own = new Set<string>();
  #ownUntil = -Infinity;

  constructor(options: PolicyOptions, ownAddresses: () => readonly IpAddress[], now: () => number) {
    this.#options = options;
    this.#ownAddresses = ownAddresses;
    this.#now = now;
  }

  /** `isGateway`: the destination is the gateway itself, and nothing of the gateway serves there. */
  decide(request: Omit<FlowRequest, 'labels'>, isGateway: boolean): Verdict {
    const { address } = request.destination;
    const target = isGateway ? this.#loopback(address.family) : address;
    try {
      const labels = this.#options.labels?.(address) ?? [];
      if (!isGateway && this.#isOutOfReach(address)) return { denied: 'reserved', labels };
      const allowed = this.#options.allow?.({ ...request, labels }) ?? true;
      if (allowed === true) return { target, labels };
      return { denied: allowed === false ? 'denied' : allowed, labels };
    } catch (thrown) {
      // A rule that fails must neither let anything out nor stop the gateway's stack in the middle of a packet.
      const what = `deciding on ${request.protocol} to ${formatSocketAddress(request.destination)}`;
      const error = toNetloomError(thrown, 'HANDLER_THREW', what);
      hostFaults.publish({ host: 'uplink', error });
      return { denied: 'policy-threw', labels: [] };
    }
  }

  #isOutOfReach(address: IpAddress): boolean {
    return RESERVED.some((network) => network.contains(address)) || this.#isOwn(address);
  }

  #isOwn(address: IpAddress): boolean {
    const now = this.#now();
    if (now >= this.#ownUntil) {
      this.#own = new Set(this.#ownAddresses().map((own) => String(own)));
      this.#ownUntil = now + OWN_ADDRESSES_LIFETIME;
    }
    return this.#own.has(String(address));
  }

  #loopback(family: 4 | 6): IpAddress {
    return family === 4 ? IpAddress.LOOPBACK4 : IpAddress.LOOPBACK6;
  }
}
