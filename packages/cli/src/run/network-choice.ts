import { usageError } from '../command.ts';

/** A network of a file. */
export interface NetworkChoice {
  readonly file: string;
  readonly name: string;
}

/** Reads the value of `--network`: `FILE:NAME`. Throws `USAGE`. */
export function readNetworkChoice(text: string): NetworkChoice {
  // The file's name may have colons, the network's has none.
  const [, file, name] = /^(.+):([^:/]+)$/.exec(text) ?? [];
  if (file !== undefined && name !== undefined) return { file, name };
  throw usageError(
    'run',
    `--network wants a file and the name of a network in it, as networks.yaml:lan, not '${text}'`,
  );
}
