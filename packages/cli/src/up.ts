/** `netloom up`: a node with its networks, in this process. */
import { readNumber, readOptions, usageError, type Command } from './command.ts';
import { USUAL_DASHBOARD, readDashboard, type DashboardRequest } from './up/dashboard.ts';
import { runNode, type UpRequest } from './up/session.ts';

/** See its help. */
export const up: Command = {
  name: 'up',
  help: `netloom up [options] [FILE]

Starts the networks of a file, in this process: their machines, what is attached, their ways out and published
ports. Mistakes in the file are all told, and then nothing is started. 'netloom status' tells how it is,
'netloom apply' makes it follow a changed file (SIGHUP: the same file again), Ctrl-C ends it.

Without a file it starts a LAN with a gateway and a machine web.lan, both on Netloom's own TCP/IP stack.
web.lan serves a page, published on loopback. Needs no root.

  --port N       without a file: the port on 127.0.0.1 (default 8080; 0: any that is free)
  --dashboard [ADDRESS:]PORT
                 where the page is that shows the networks, to whoever has the address that is printed
                 (default 127.0.0.1:8800, or any port that is free)
  --no-dashboard
                 no such page
  --new-token    the page is at another address than at the last start: who has that is let in no more
  --pcap FILE    write every frame of every network as pcapng, for Wireshark or 'netloom dump'
  --name NAME    of this node, where there are to be several (default 'default')
  --state DIR    where nodes keep what they know (default $NETLOOM_STATE, or ~/.local/state/netloom)
  --verbose      tell of each connection that comes in or goes out
`,
  run: async (args, io) => runNode(readArguments(args), io),
};

function readArguments(args: readonly string[]): UpRequest {
  const { values, positionals } = readOptions('up', args, {
    port: { type: 'string' },
    dashboard: { type: 'string' },
    'no-dashboard': { type: 'boolean' },
    'new-token': { type: 'boolean' },
    pcap: { type: 'string' },
    name: { type: 'string' },
    state: { type: 'string' },
    verbose: { type: 'boolean' },
  });
  const [file, more] = positionals;
  if (more !== undefined) throw usageError('up', `up takes one file, not '${more}' too`);
  const range = { least: 0, most: 65_535, whole: true };
  const port = readNumber('up', '--port', values.port, range);
  if (port !== undefined && file !== undefined) {
    throw usageError(
      'up',
      '--port is for the network without a file: a file says what is published',
    );
  }
  const { pcap, name, state, verbose = false } = values;
  const hasNewToken = values['new-token'] === true;
  const asked = dashboardAsked(values.dashboard, values['no-dashboard']);
  if (hasNewToken && asked === undefined) {
    throw usageError('up', 'it is either --new-token or --no-dashboard');
  }
  const dashboard = asked && { ...asked, hasNewToken };
  return { file, port: port ?? 8080, dashboard, name, state, pcap, verbose };
}

function dashboardAsked(
  text: string | undefined,
  isUnwanted = false,
): DashboardRequest | undefined {
  if (!isUnwanted) return text === undefined ? USUAL_DASHBOARD : readDashboard(text);
  if (text === undefined) return undefined;
  throw usageError('up', 'it is either --dashboard or --no-dashboard');
}
