import { formatSocketAddress, type Clock } from 'netloom/core';
import type { UplinkFlow } from 'netloom/host';
import type { FlowStatus, LeaseStatus } from '../status/index.ts';
import type { NetworkGateway } from './gateway/gateway.ts';

/** The leases of a gateway, IPv4 first. */
export function leaseStatuses(network: string, { services }: NetworkGateway): LeaseStatus[] {
  const v4 = (services.dhcp?.leases() ?? []).map((lease) => ({ ...lease, address: lease.address }));
  const v6 = (services.dhcpv6?.leases() ?? []).map((lease) => ({
    ...lease,
    address: lease.kind === 'address' ? lease.lease.replace(/\/128$/, '') : lease.lease,
  }));
  return [...v4, ...v6].map(({ address, client, hostname, remaining, isReserved }) => ({
    network,
    address,
    client,
    name: hostname ?? null,
    remaining,
    reserved: isReserved === true,
  }));
}

/** The flows of a gateway: those that have ended first, then those there are, each the oldest first. */
export function flowStatuses(
  network: string,
  { uplink }: NetworkGateway,
  clock: Clock,
): FlowStatus[] {
  const now = clock.now();
  const { flows } = uplink;
  return [...flows.ended(), ...flows.list()].map((flow) => flowStatus(network, flow, now));
}

function flowStatus(network: string, flow: UplinkFlow, now: number): FlowStatus {
  const { id, protocol, direction, labels, state, end, openedAt, endedAt } = flow;
  const { bytesSent, bytesReceived } = flow;
  const text = (one: UplinkFlow['guest']): string =>
    protocol === 'icmp' ? String(one.address) : formatSocketAddress(one);
  return {
    network,
    id,
    protocol,
    direction,
    guest: text(flow.guest),
    destination: text(flow.destination),
    labels,
    state,
    end: end ?? null,
    age: (endedAt ?? now) - openedAt,
    bytesSent,
    bytesReceived,
  };
}
