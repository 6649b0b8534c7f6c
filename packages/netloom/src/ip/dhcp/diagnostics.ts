import {
  channel,
  type Channel,
  type Counters,
  type IpAddress,
  type StateMachine,
  type Transition,
} from '../../core/index.ts';

/** A step of a DHCP client. */
export interface DhcpStateEvent {
  /** `dhcpv4` or `dhcpv6`. */
  readonly protocol: string;
  /** The client's MAC address, or its DUID. */
  readonly client: string;
  readonly step: Transition<string, string>;
}

/** A message that a DHCP client or server did not take. */
export interface DhcpDropEvent {
  /** `dhcpv4-client`, `dhcpv4-server`, `dhcpv6-client` or `dhcpv6-server`. */
  readonly engine: string;
  readonly reason: string;
  readonly from: IpAddress;
  readonly at: number;
}

/** The steps of all DHCP clients. */
export const DHCP_STATE: Channel<DhcpStateEvent> = channel('netloom:dhcp:state');

/** The messages DHCP engines have dropped. */
export const DHCP_DROP: Channel<DhcpDropEvent> = channel('netloom:dhcp:drop');

/** Publishes the machine's steps while anybody listens. */
export function publishSteps<State extends string, Event extends string>(
  machine: StateMachine<State, Event>,
  protocol: string,
  client: string,
): void {
  machine.subscribe((step) => {
    if (DHCP_STATE.hasSubscribers) DHCP_STATE.publish({ protocol, client, step });
  });
}

/** Counts a message that was not taken, and publishes it while anybody listens. No reason: it was taken. */
export function countDrop(
  drops: Counters,
  reason: string | undefined,
  drop: Omit<DhcpDropEvent, 'reason'>,
): void {
  if (reason === undefined) return;
  drops.add(reason);
  if (DHCP_DROP.hasSubscribers) DHCP_DROP.publish({ reason, ...drop });
}
