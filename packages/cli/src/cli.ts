/** Finds the command that is meant and runs it. */
import { readFileSync } from 'node:fs';
import { NetloomError, suggest } from 'netloom/core';
import { Interruption, usageError, type CommandEntry, type CommandIo } from './command.ts';
import { commands } from './commands.ts';
import { describeError } from './report-error.ts';

/** Runs a command line and answers the exit code: 0, 1 after an error, 2 if the command line was not understood. */
export async function runCli(
  args: readonly string[],
  io: CommandIo,
  available: readonly CommandEntry[] = commands,
): Promise<number> {
  try {
    return (await dispatch(args, io, available)) ?? 0;
  } catch (error) {
    const reason: unknown = io.signal.reason;
    if (reason instanceof Interruption && isAbort(error)) return reason.exitCode;
    io.writeError(describeError(error, isVerbose(args)));
    return error instanceof NetloomError && error.code === 'USAGE' ? 2 : 1;
  }
}

/** The command was asked to end, and has nothing more to say about it. */
function isAbort(error: unknown): boolean {
  return error instanceof NetloomError && error.code === 'ABORTED';
}

function isVerbose(args: readonly string[]): boolean {
  return args.includes('--verbose') || Boolean(process.env['NETLOOM_DEBUG']);
}

async function dispatch(
  args: readonly string[],
  io: CommandIo,
  available: readonly CommandEntry[],
): Promise<number | void> {
  const [name, ...rest] = args;
  switch (name) {
    case undefined:
      // Asked for nothing, it says what there is; as that was not help, not with success.
      io.writeError(overview(available));
      return 2;
    case 'help':
    case '--help':
    case '-h':
      await io.write(
        rest[0] === undefined ? overview(available) : (await find(rest[0], available).load()).help,
      );
      return 0;
    case '--version':
      await io.write(`netloom ${version()} (Node ${process.versions.node})\n`);
      return 0;
    default: {
      const command = await find(name, available).load();
      if (!asksForHelp(rest)) return command.run(rest, io);
      await io.write(command.help);
      return 0;
    }
  }
}

function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  const options = end < 0 ? args : args.slice(0, end);
  return options.includes('--help') || options.includes('-h');
}

function find(name: string, available: readonly CommandEntry[]): CommandEntry {
  const found = available.find((command) => command.name === name);
  if (found !== undefined) return found;
  const near = suggest(
    name,
    available.map((command) => command.name),
  );
  const question = near === undefined ? '' : `; did you mean '${near}'?`;
  throw usageError('', `there is no command '${name}'${question}`);
}

function overview(available: readonly CommandEntry[]): string {
  const width = Math.max(...available.map(({ name }) => name.length)) + 3;
  const lines = available.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`);
  return `netloom: a network in TypeScript, from the Ethernet frame to HTTP

usage: netloom COMMAND [options]

${lines.join('\n')}

'netloom help COMMAND' tells more, 'netloom --version' which one this is. --verbose after a command, or
NETLOOM_DEBUG=1 in the environment, shows where an error came from.
`;
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
