import type {
  ControlClient,
  FlowStatus,
  LeaseStatus,
  NetworkStatus,
  PortStatus,
} from '@netloom/edge/client';
import { describeLeaseClient } from '@netloom/edge/text';
import type { Abortable } from 'netloom/core';
import { describeLine } from './describe-line.ts';
import { formatBytes, formatDuration } from './format.ts';
import type { Column } from './table.ts';

/** Which things are asked for. */
export interface ListRequest extends Abortable {
  readonly network?: string;
}

/** A kind of things that a node has, as a table. */
export interface NodeList<Thing> {
  /** What they are called: several, as `leases`. */
  readonly name: string;
  /** What one line tells. */
  readonly summary: string;
  readonly columns: readonly Column[];
  /** In the order in which they are shown. */
  fetch(client: ControlClient, request: ListRequest): Promise<readonly Thing[]>;
  row(thing: Thing): readonly string[];
}

const left = (heading: string): Column => ({ heading });
const right = (heading: string): Column => ({ heading, align: 'right' });
const shrinking = (heading: string): Column => ({ heading, shrinks: true });

/** Networks, in the order of the file. */
export const NETWORKS: NodeList<NetworkStatus> = {
  name: 'networks',
  summary: 'their kind and state, and how much is in them',
  columns: [
    shrinking('network'),
    left('kind'),
    left('state'),
    shrinking('subnets'),
    right('mtu'),
    right('interfaces'),
    right('macs'),
    right('leases'),
    right('flows'),
  ],
  fetch: (client, request) => client.networks(request),
  row: ({ name, kind, state, subnets, mtu, ports, stations, leases, flows }) => [
    name,
    kind,
    state,
    subnets.join(' '),
    ...[mtu, ports, stations, leases, flows].map(String),
  ],
};

/** Ports of switches and what is there, in the order of their numbers. */
export const INTERFACES: NodeList<PortStatus> = {
  name: 'interfaces',
  summary: 'the ports of each network, who is there, and what has passed',
  columns: [
    shrinking('network'),
    shrinking('interface'),
    left('kind'),
    shrinking('vlan'),
    left('state'),
    shrinking('addresses'),
    right('received'),
    right('sent'),
    right('dropped'),
    right('waiting'),
    shrinking('line'),
  ],
  fetch: (client, request) => client.interfaces(request),
  row: (port) => [
    port.network,
    port.name,
    port.kind,
    port.vlan,
    port.state,
    port.addresses.join(' '),
    formatBytes(port.received.bytes),
    formatBytes(port.sent.bytes),
    String(Object.values(port.drops).reduce((sum, count) => sum + count, 0)),
    formatBytes(port.link.queuedBytes),
    describeLine(port.link),
  ],
};

/** Leases, by network and address. */
export const LEASES: NodeList<LeaseStatus> = {
  name: 'leases',
  summary: 'addresses that were given out, to whom and for how long',
  columns: [
    shrinking('network'),
    left('address'),
    shrinking('client'),
    shrinking('name'),
    right('left'),
    left('reserved'),
  ],
  fetch: (client, request) => client.leases(request),
  row: ({ network, address, client, name, remaining, reserved }) => [
    network,
    address,
    describeLeaseClient(client),
    name ?? '',
    remaining === null ? 'for ever' : formatDuration(remaining / 1000),
    reserved ? 'yes' : '',
  ],
};

/** Flows: those there are, then those that have ended, each with the most bytes first. */
export const FLOWS: NodeList<FlowStatus> = {
  name: 'flows',
  summary: 'what goes to the world and comes from it',
  columns: [
    shrinking('network'),
    left('protocol'),
    shrinking('from'),
    shrinking('to'),
    shrinking('known as'),
    left('state'),
    right('age'),
    right('sent'),
    right('received'),
  ],
  async fetch(client, request) {
    const flows = await client.flows(request);
    return flows.toSorted(
      (a, b) =>
        Number(a.end !== null) - Number(b.end !== null) || bytesOf(b) - bytesOf(a) || a.id - b.id,
    );
  },
  row(flow) {
    const [from, to] = inOrder(flow, flow.guest, flow.destination);
    const [sent, received] = inOrder(flow, flow.bytesSent, flow.bytesReceived);
    return [
      flow.network,
      flow.protocol,
      from,
      to,
      flow.labels[0] ?? '',
      flow.end ?? flow.state,
      formatDuration(flow.age / 1000),
      formatBytes(sent),
      formatBytes(received),
    ];
  },
};

/** What is the guest's and what the other end's: that of who began comes first. */
function inOrder<T>({ direction }: FlowStatus, guest: T, other: T): [T, T] {
  return direction === 'outbound' ? [guest, other] : [other, guest];
}

function bytesOf({ bytesSent, bytesReceived }: FlowStatus): number {
  return bytesSent + bytesReceived;
}
