/** `netloom status`: how a running node is. */
import type { NetworkStatus, NodeStatus } from '@netloom/edge/client';
import { printable } from '@netloom/edge/text';
import { readOptions, usageError, type Command } from './command.ts';
import { formatBytes, formatDuration } from './format.ts';
import { NETWORKS } from './node-lists.ts';
import { chooseNode, nodeHelp, nodeOptions } from './node-options.ts';
import { sentence } from './report-error.ts';
import { formatTable, type Column } from './table.ts';
import { tell, watchHelp, watchOption } from './watch.ts';

/** See its help. */
export const status: Command = {
  name: 'status',
  help: `netloom status [options]

Tells of a running node: its networks and their state, what is published, what has failed and what to do
about it. 'netloom list' has more of each.

  --json         as JSON, for programs
${watchHelp}${nodeHelp}`,
  async run(args, io) {
    const { values, positionals } = readOptions('status', args, {
      json: { type: 'boolean' },
      ...watchOption,
      verbose: { type: 'boolean' },
      ...nodeOptions,
    });
    if (positionals.length > 0) throw usageError('status', `status takes no '${positionals[0]}'`);
    await using client = chooseNode(values, io);
    const { watch: isWatched = false, json: isJson = false } = values;
    await tell(io, {
      isWatched,
      isJson,
      async look() {
        const node = await client.status({ signal: io.signal });
        return isJson ? `${JSON.stringify(node)}\n` : describeNode(node, io.outputWidth);
      },
    });
  },
};

/** A node for people: paragraphs, of which those that would say nothing are left out. */
function describeNode(node: NodeStatus, width: number | undefined): string {
  const { networks } = node;
  const paragraphs = [
    describeProcess(node),
    networks.length === 0
      ? 'It has no networks.\n'
      : formatTable(NETWORKS.columns, networks.map(NETWORKS.row), width),
    describePublications(networks, width),
    describeRouters(node, width),
    networks.map(describeFailure).join(''),
    networks.map(describeDrops).join(''),
  ];
  return paragraphs.filter((text) => text !== '').join('\n');
}

function describeProcess({ name, version, process, uptime, memory, file }: NodeStatus): string {
  const time = formatDuration(Math.floor(uptime / 1000));
  const what = `Netloom ${version}, process ${process}, up for ${time}, ${formatBytes(memory)} of memory`;
  const follows = file === null ? '' : `It follows ${printable(file)}.\n`;
  return `Node ${printable(name)}: ${printable(what)}.\n${follows}`;
}

const PUBLISHED: readonly Column[] = [
  { heading: 'published at' },
  { heading: 'protocol' },
  { heading: 'network', shrinks: true },
  { heading: 'leads to', shrinks: true },
];

function describePublications(
  networks: readonly NetworkStatus[],
  width: number | undefined,
): string {
  const published = networks.flatMap(({ publications }) => publications);
  if (published.length === 0) return '';
  const rows = published.map(({ listen, protocol, network, target }) => [
    listen,
    protocol,
    network,
    target,
  ]);
  return formatTable(PUBLISHED, rows, width);
}

const ROUTERS: readonly Column[] = [
  { heading: 'router', shrinks: true },
  { heading: 'between', shrinks: true },
];

function describeRouters({ routers }: NodeStatus, width: number | undefined): string {
  if (routers.length === 0) return '';
  const rows = routers.map(({ name, networks }) => [name, networks.join(', ')]);
  return formatTable(ROUTERS, rows, width);
}

/** As the command tells its own errors. */
function describeFailure({ name, error }: NetworkStatus): string {
  if (error === null) return '';
  const remedy = error.remedy === null ? '' : ` ${sentence(error.remedy)}`;
  return `${printable(`${name} has failed: ${sentence(error.message)}${remedy}`)} (${error.code})\n`;
}

function describeDrops({ name, drops }: NetworkStatus): string {
  const reasons = Object.entries(drops).filter(([, count]) => count > 0);
  if (reasons.length === 0) return '';
  const told = reasons.sort(([, a], [, b]) => b - a).map(([why, count]) => `${why} ${count}`);
  return printable(`${name} has dropped or refused: ${told.join(', ')}`).concat('\n');
}
