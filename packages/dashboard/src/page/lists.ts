import type { FlowStatus, LeaseStatus, PublicationStatus } from '@netloom/edge/status';
import { totalDrops, type LineHistory } from './line-history.ts';
import { impairmentWords } from './line-words.ts';
import type { NodeView } from './node-api.ts';
import { linesOf } from './panel.ts';
import type { Choice } from './picture.ts';
import { kindName } from './shapes.ts';
import type { Column, Row } from './table.ts';
import type { Line, Topology } from './topology.ts';
import { formatBytes, formatCount, formatDuration, formatRate } from './units.ts';

/** What lists are made of. */
export interface ListSource {
  readonly view: NodeView;
  readonly topology: Topology;
  readonly history: (key: string) => LineHistory;
  readonly choose: (choice: Choice) => void;
}

/** A list of the page: what it is called, and its rows with the network that each is of. */
export interface List {
  readonly id: string;
  readonly name: string;
  readonly empty: string;
  readonly columns: readonly Column[];
  readonly rows: (source: ListSource) => readonly (Row & { readonly network: string })[];
}

/** All lists, in the order of their tabs. */
export const LISTS: readonly List[] = [
  {
    id: 'lines',
    name: 'Lines',
    empty: 'There are no lines.',
    columns: [
      { name: 'Name' },
      { name: 'Network' },
      { name: 'Kind' },
      { name: 'Address' },
      { name: 'From it', isNumber: true },
      { name: 'To it', isNumber: true },
      { name: 'Dropped', isNumber: true },
      { name: 'Queue', isNumber: true },
      { name: 'Impairments' },
    ],
    rows: (source) => linesOf(source.topology).map((line) => lineRow(line, source)),
  },
  {
    id: 'flows',
    name: 'Flows',
    empty: 'Nothing goes through an uplink or a published port.',
    columns: [
      { name: 'Guest' },
      { name: 'Network' },
      { name: '' },
      { name: 'Other end' },
      { name: 'Protocol' },
      { name: 'State' },
      { name: 'Sent', isNumber: true },
      { name: 'Received', isNumber: true },
      { name: 'Age', isNumber: true },
    ],
    // The newest of those that are there, then those that were.
    rows: ({ view }) =>
      view.flows
        .toSorted((one, other) => Number(isOver(one)) - Number(isOver(other)) || other.id - one.id)
        .map(flowRow),
  },
  {
    id: 'leases',
    name: 'Leases',
    empty: 'No address has been given out.',
    columns: [
      { name: 'Address' },
      { name: 'Network' },
      { name: 'Name' },
      { name: 'Client' },
      { name: 'Ends in', isNumber: true },
    ],
    rows: ({ view }) => view.leases.map(leaseRow),
  },
  {
    id: 'published',
    name: 'Published ports',
    empty: 'No port of this machine leads into a network.',
    columns: [
      { name: 'Published at' },
      { name: 'Network' },
      { name: 'Protocol' },
      { name: 'Leads to' },
    ],
    rows: ({ view }) =>
      view.status.networks.flatMap(({ publications }) => publications).map(publicationRow),
  },
];

type NetworkRow = Row & { readonly network: string };

function lineRow(line: Line, { history, choose }: ListSource): NetworkRow {
  const { key, network, name, kind, port } = line;
  const { latest } = history(key);
  const press = (): void => choose({ network, port: name });
  if (port === null) {
    const cells = [name, network, kindName(kind), 'not up', '', '', '', '', ''];
    return { key, network, press, cells, isOver: true };
  }
  const cells = [
    name,
    network,
    kindName(kind),
    port.connected ? port.addresses.join(' ') : 'not connected',
    formatRate(latest.fromStation),
    formatRate(latest.toStation),
    formatCount(totalDrops(port)),
    formatBytes(port.link.queuedBytes),
    impairmentWords(port.link).join(' · '),
  ];
  return { key, network, press, cells };
}

function isOver({ end }: FlowStatus): boolean {
  return end !== null;
}

function flowRow(flow: FlowStatus): NetworkRow {
  const { network, id, protocol, direction, guest, destination, labels, state, end, age } = flow;
  const names = labels.length === 0 ? '' : ` ${labels.join(', ')}`;
  const cells = [
    guest,
    network,
    direction === 'outbound' ? '→' : '←',
    `${destination}${names}`,
    protocol,
    end ?? state,
    formatBytes(flow.bytesSent),
    formatBytes(flow.bytesReceived),
    formatDuration(age),
  ];
  return { key: `${network} ${id}`, network, cells, isOver: isOver(flow) };
}

function leaseRow({ network, address, client, name, remaining, reserved }: LeaseStatus) {
  const rest = remaining === null ? 'never' : formatDuration(remaining);
  const ends = reserved ? `${rest}, reserved` : rest;
  return {
    key: `${network} ${address}`,
    network,
    cells: [address, network, name ?? '', client, ends],
  };
}

function publicationRow({ network, protocol, listen, target }: PublicationStatus): NetworkRow {
  return {
    key: `${protocol} ${listen}`,
    network,
    cells: [listen, network, protocol, target],
  };
}
