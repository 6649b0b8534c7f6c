import { spawn, type ChildProcess } from 'node:child_process';
import { ended, readUntil } from './place.ts';

/** What iperf3 says with --json at the end of a run, in the fields used here. */
export interface Iperf3Report {
  readonly end: {
    readonly sum_sent: { readonly retransmits: number };
    readonly sum_received: { readonly bytes: number; readonly bits_per_second: number };
    /** Of UDP. */
    readonly sum: { readonly lost_percent: number; readonly bits_per_second: number };
  };
}

/** Starts a server where it is to be; its output is piped. */
export type ServerStart = (command: string, ...args: string[]) => ChildProcess;

/** A server on this machine's loopback. */
export function onLoopback(command: string, ...args: string[]): ChildProcess {
  return spawn(command, [...args, '--bind', '127.0.0.1'], { stdio: ['ignore', 'pipe', 'ignore'] });
}

/** One run of iperf3: `client` runs the client with --json, once the server listens, and answers what that prints. */
export async function iperf3(
  startServer: ServerStart,
  port: number,
  client: () => Promise<string>,
): Promise<Iperf3Report> {
  const words = `--server --one-off --forceflush --port ${port}`.split(' ');
  const server = startServer('iperf3', ...words);
  try {
    await readUntil(server.stdout!, /listening/, 'iperf3 --server');
    return readReport(await client());
  } finally {
    await ended(server);
  }
}

/** What a client has printed, asked with --json. */
export function readReport(output: string): Iperf3Report {
  return JSON.parse(output) as Iperf3Report;
}

/** Megabits per second that the receiver counted. */
export function receivedRate({ end }: Iperf3Report): number {
  return end.sum_received.bits_per_second / 1e6;
}
