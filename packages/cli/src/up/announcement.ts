import type { NetloomNode, Network, NodeModel, PortStatus } from '@netloom/edge';
import { countOf } from '@netloom/edge/text';
import { formatTable, type Column } from '../table.ts';

/** A node that has come up, and how it was asked for. */
export interface AnnouncedNode {
  readonly node: NetloomNode<Network>;
  /** Where its frames go; undefined: nowhere. */
  readonly pcap: string | undefined;
  /** The address of its dashboard; undefined: it has none. */
  readonly dashboard: string | undefined;
}

/** What is said of the network that is there without a file. */
export function announceBuiltIn({ node, pcap, dashboard }: AnnouncedNode): string {
  const lan = node.network('lan');
  const rows = stationsOf(lan).map(({ name, addresses, mac }) => [
    `    ${name}.lan`,
    `${addresses.join(' ')}/24`,
    mac ?? '',
  ]);
  const [published] = lan.status().publications;
  const frames =
    pcap === undefined
      ? "Its frames are written with --pcap FILE, and read with 'netloom dump FILE' or Wireshark."
      : `Its frames go to ${pcap}: 'netloom dump ${pcap}' or Wireshark reads it.`;
  return `The network is up:  http://${published!.listen}/

${withoutHeadings(rows)}
  A connection to that address is carried over the gateway's TCP/IP stack to web.lan, as Ethernet frames
  in this process. ${frames}
${describeDashboard(dashboard)}  Ctrl-C ends it.
`;
}

/** What is said of the networks of a file. */
export function announceNode({ node, pcap, dashboard }: AnnouncedNode): string {
  const { model } = node;
  const parts = [
    `The node '${node.name}' is up: ${summarise(model)}.\n`,
    ...node.networks.map(describeNetwork),
    describeRouters(model),
    `${describeDashboard(dashboard)}${pcap === undefined ? '' : `  Its frames go to ${pcap}.\n`}  'netloom status' tells how it is; 'netloom apply FILE' makes it follow a changed file. Ctrl-C ends it.\n`,
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function describeDashboard(url: string | undefined): string {
  return url === undefined ? '' : `  dashboard: ${url}\n`;
}

function summarise({ networks, routers }: NodeModel): string {
  const stations = networks.flatMap(({ attachments }) => attachments).length;
  const parts = [
    countOf(networks.length, 'network'),
    countOf(stations, 'station'),
    ...(routers.length === 0 ? [] : [countOf(routers.length, 'router')]),
  ];
  return parts.join(', ');
}

function describeNetwork(network: Network): string {
  const { name, kind, subnets, publications } = network.status();
  const rows = stationsOf(network).map((port) => [
    `    ${port.name}`,
    port.kind,
    port.addresses.join(' '),
    port.mac ?? '',
  ]);
  const published = publications.map(
    ({ protocol, listen, target }) => `    ${protocol} ${listen} leads to ${target}\n`,
  );
  const reach = [kind, ...(subnets.length === 0 ? [] : [subnets.join(' ')])].join(', ');
  return `  ${name} (${reach})\n${withoutHeadings(rows)}${published.join('')}`;
}

function describeRouters({ routers }: NodeModel): string {
  return routers
    .map(({ name, interfaces }) => {
      const ends = interfaces.map(({ network, addresses }) => `${network} ${addresses.join(' ')}`);
      return `  router ${name}: ${ends.join(', ')}\n`;
    })
    .join('');
}

/** The gateway and whatever else is plugged in, but not routers, which are told of by themselves. */
function stationsOf(network: Network): PortStatus[] {
  return network.ports().filter(({ kind }) => kind !== 'router');
}

function withoutHeadings(rows: readonly (readonly string[])[]): string {
  const columns: Column[] = (rows[0] ?? []).map(() => ({ heading: '' }));
  const lines = formatTable(columns, rows).split('\n');
  return lines.slice(1).join('\n');
}
