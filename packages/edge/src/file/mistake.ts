/** Where in a file something is: keys, and the numbers of list items. */
export type Path = readonly (string | number)[];

/** Something in a file that has to be written otherwise. */
export interface Mistake {
  /** From 1. */
  readonly line: number;
  /** In UTF-16 units, from 1. */
  readonly column: number;
  /** As `networks.lan.subnets[0]`; empty where the text is no YAML, or the whole is meant. */
  readonly path: string;
  /** What is wrong. */
  readonly message: string;
  /** What to write instead: a sentence. */
  readonly remedy: string;
}

/** As {@link Mistake.path} has it. */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!/^[\w-]+$/.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}
