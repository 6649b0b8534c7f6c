import { NetloomError } from '../../core/index.ts';
import type { SimHost } from './machine.ts';

/** How much is told of each: enough to find the culprit, short enough for a line or two. */
const MACHINES_TOLD = 8;
const CONNECTIONS_TOLD = 3;

/** The error of a run in which nothing will ever happen again, though it is waited for something. */
export function deadlockError(now: number, machines: Iterable<SimHost>): NetloomError {
  const told = [...machines].map(whatIsOpen).filter((text) => text !== undefined);
  const more = told.length > MACHINES_TOLD ? [`and ${told.length - MACHINES_TOLD} more`] : [];
  const open = [...told.slice(0, MACHINES_TOLD), ...more];
  const what = open.length > 0 ? open.join('; ') : 'no machine has anything open';
  return new NetloomError(
    'SIM_DEADLOCK',
    `at ${now} ms of virtual time nothing is under way any more, and what the run waits for has not come: ${what}`,
    {
      remedy:
        'Look for who should have written, ended or answered. (Work outside of virtual time, as files or real timers, is not waited for.)',
    },
  );
}

/** What a machine has open, and so may be waiting at. */
function whatIsOpen({ name, stack }: SimHost): string | undefined {
  const connections = stack.tcp.openConnections();
  const sockets = stack.udp.sockets();
  const parts: string[] = connections
    .slice(0, CONNECTIONS_TOLD)
    .map((connection) => `${connection} (${connection.state})`);
  if (connections.length > CONNECTIONS_TOLD) {
    parts.push(`${connections.length - CONNECTIONS_TOLD} more connections`);
  }
  if (sockets.length > 0) {
    parts.push(`UDP at ${sockets.map(({ local }) => local.port).join(', ')}`);
  }
  return parts.length > 0 ? `${name} has ${parts.join(', ')}` : undefined;
}
