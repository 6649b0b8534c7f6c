/** `netloom list`: what a running node has, as tables. */
import { suggest } from 'netloom/core';
import { readOptions, usageError, type Command, type CommandIo } from './command.ts';
import { FLOWS, INTERFACES, LEASES, NETWORKS, type NodeList } from './node-lists.ts';
import { chooseNode, nodeHelp, nodeOptions, type NodeChoice } from './node-options.ts';
import { formatTable } from './table.ts';
import { tell, watchHelp, watchOption } from './watch.ts';

interface ShowRequest extends NodeChoice {
  readonly network: string | undefined;
  readonly isJson: boolean;
  readonly isWatched: boolean;
}

/** What there is to be listed, and how each is shown. */
const LISTS = [entry(NETWORKS), entry(INTERFACES), entry(LEASES), entry(FLOWS)] as const;

const overview = LISTS.map(({ name, summary }) => `  ${name.padEnd(15)}${summary}\n`).join('');

/** See its help. */
export const list: Command = {
  name: 'list',
  help: `netloom list WHAT [options]

Asks a running node what it has, which is

${overview}
  --network NAME of that network only
  --json         as JSON, for programs
${watchHelp}${nodeHelp}`,
  async run(args, io) {
    const { values, positionals } = readOptions('list', args, {
      network: { type: 'string' },
      json: { type: 'boolean' },
      ...watchOption,
      verbose: { type: 'boolean' },
      ...nodeOptions,
    });
    const [what, ...others] = positionals;
    if (others.length > 0) throw usageError('list', `list takes one word, not '${others[0]}' too`);
    if (what === undefined) {
      await io.write(`netloom list WHAT, which is\n\n${overview}`);
      return;
    }
    const { name, state, network, json: isJson = false, watch: isWatched = false } = values;
    await find(what).show({ name, state, network, isJson, isWatched }, io);
  },
};

function find(what: string): (typeof LISTS)[number] {
  const names = LISTS.map(({ name }) => name);
  const found = LISTS.find(({ name }) => name === what);
  if (found !== undefined) return found;
  const near = suggest(what, names);
  const hint =
    near === undefined ? `list wants one of ${names.join(', ')}` : `did you mean '${near}'?`;
  throw usageError('list', `there are no '${what}' to list; ${hint}`);
}

/** A list, whatever it is of. */
function entry<Thing>(of: NodeList<Thing>) {
  const { name, summary, columns } = of;
  return {
    name,
    summary,
    async show(request: ShowRequest, io: CommandIo): Promise<void> {
      const { network, isJson, isWatched, ...choice } = request;
      await using client = chooseNode(choice, io);
      const wanted = network === undefined ? {} : { network };
      await tell(io, {
        isWatched,
        isJson,
        async look() {
          const things = await of.fetch(client, { ...wanted, signal: io.signal });
          if (isJson) return `${JSON.stringify(things)}\n`;
          if (things.length === 0) {
            return `There are no ${name}${network === undefined ? '' : ` in ${network}`}.\n`;
          }
          const rows = things.map((thing) => of.row(thing));
          return formatTable(columns, rows, io.outputWidth);
        },
      });
    },
  };
}
