import { parseArgs, type ParseArgsConfig } from 'node:util';
import { NetloomError, suggest } from 'netloom/core';

/** What a command has of the outside; a test hands in its own. */
export interface CommandIo {
  /** Writes to standard output; settles when there is room for more. */
  write(data: string | Uint8Array): Promise<void>;
  /** Writes to standard error. */
  writeError(text: string): void;
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Width of the terminal that standard error is; undefined when it is none. */
  readonly terminalWidth: number | undefined;
  /** Width of the terminal that standard output is; undefined when it is none. */
  readonly outputWidth: number | undefined;
  /** Lines of it. */
  readonly outputHeight: number | undefined;
  /** Aborted when the user or the system asks the command to end; the reason is an {@link Interruption}. */
  readonly signal: AbortSignal;
  /** From now on these signals do nothing but call the handler. */
  takeSignals(names: readonly NodeJS.Signals[], handler: (name: NodeJS.Signals) => void): void;
}

/** Why a command is asked to end. */
export class Interruption extends Error {
  /** The exit code of a command that had more to do. */
  readonly exitCode: number;

  /** @param what the signal's name, or what else it was */
  constructor(what: string, exitCode: number) {
    super(`interrupted by ${what}`);
    this.name = 'Interruption';
    this.exitCode = exitCode;
  }
}

/** A command of `netloom`. */
export interface Command {
  readonly name: string;
  /** What `netloom help NAME` prints; its first line is the synopsis. */
  readonly help: string;
  /** Runs it with the arguments after its name, and answers the exit code; nothing is 0. Throws a `NetloomError`. */
  run(args: readonly string[], io: CommandIo): Promise<number | void>;
}

/** A command, and how to come by it: each is loaded only when it is wanted. */
export interface CommandEntry {
  readonly name: string;
  /** A few words, for the list of commands. */
  readonly summary: string;
  load(): Promise<Command>;
}

/** The error of a command line that is not understood: exit code 2. */
export function usageError(command: string, message: string): NetloomError {
  const help = command === '' ? 'netloom help' : `netloom help ${command}`;
  return new NetloomError('USAGE', message, { remedy: `See '${help}'.` });
}

/** The options and positional arguments of a command line. Throws `USAGE`. */
export function readOptions<T extends NonNullable<ParseArgsConfig['options']>>(
  command: string,
  args: readonly string[],
  options: T,
) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const [, option] = /^Option '(--?[^' ]+).*' argument is ambiguous/.exec(message) ?? [];
    if (option !== undefined) {
      const hint = `as ${option}=-1 if it is to begin with a hyphen`;
      throw usageError(command, `${command}: ${option} wants a value, written ${hint}`);
    }
    const [, unknown] = /^Unknown option '([^']+)'/.exec(message) ?? [];
    if (unknown !== undefined) {
      const near = suggest(unknown.replace(/^-+/, ''), Object.keys(options));
      const question = near === undefined ? '' : `; did you mean '--${near}'?`;
      throw usageError(command, `${command}: there is no option '${unknown}'${question}`);
    }
    // The platform goes on with advice of several sentences.
    throw usageError(command, `${command}: ${message.split(/\. |\n/, 1)[0]}`);
  }
}

/** A number given as an option's value, within bounds. Throws `USAGE`. */
export function readNumber(
  command: string,
  option: string,
  text: string | undefined,
  range: { readonly least: number; readonly most: number; readonly whole?: boolean },
): number | undefined {
  if (text === undefined) return undefined;
  const value = text.trim() === '' ? NaN : Number(text);
  const { least, most, whole = false } = range;
  if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
  const kind = whole ? 'a whole number' : 'a number';
  throw usageError(command, `${option} wants ${kind} from ${least} to ${most}, not '${text}'`);
}
