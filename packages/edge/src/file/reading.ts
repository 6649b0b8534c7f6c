import { isMap, isScalar, isSeq, type Node } from 'yaml';
import { formatPath, type Mistake, type Path } from './mistake.ts';
import { asNode, offsetOf, type YamlSource } from './yaml-source.ts';

/** A value in the file. */
export interface Place {
  /** Undefined where nothing is written. */
  readonly node: Node | undefined;
  /** Where it is, or its alias. */
  readonly offset: number;
  readonly path: Path;
}

/** What a place holds. */
export type PlaceKind = 'nothing' | 'text' | 'number' | 'boolean' | 'list' | 'map';

/** Limits of a network file. */
export interface NodeFileLimits {
  /** UTF-16 units of the text. */
  readonly length: number;
  /** Values, each counted as often as aliases repeat it. */
  readonly values: number;
  /** Mistakes that are told. */
  readonly mistakes: number;
}

/** A pair of a map and where its value is. */
export interface PlacedEntry {
  readonly key: string;
  readonly keyOffset: number;
  readonly place: Place;
}

/** One reading of a file: its mistakes gather here. */
export class Reading {
  readonly source: YamlSource;
  readonly #limits: NodeFileLimits;
  readonly #mistakes = new Map<string, { readonly offset: number; readonly mistake: Mistake }>();
  #values = 0;

  constructor(source: YamlSource, limits: NodeFileLimits) {
    this.source = source;
    this.#limits = limits;
  }

  /** All that was found, in the order of the text. */
  get mistakes(): Mistake[] {
    return [...this.#mistakes.values()]
      .sort((a, b) => a.offset - b.offset)
      .map(({ mistake }) => mistake);
  }

  /** The whole file. */
  get root(): Place {
    return this.#place(this.source.root, 0, []);
  }

  /** Something is wrong at a place. What aliases bring in twice is told once. */
  mistakeAt(
    { offset, path }: Pick<Place, 'offset' | 'path'>,
    message: string,
    remedy: string,
  ): void {
    if (this.#mistakes.size >= this.#limits.mistakes) return;
    const key = `${offset} ${message}`;
    if (this.#mistakes.has(key)) return;
    const mistake = { ...this.source.position(offset), path: formatPath(path), message, remedy };
    this.#mistakes.set(key, { offset, mistake });
  }

  /** Something is wrong with the value of a path, or with its last key. */
  mistake(path: Path, message: string, remedy: string, of: 'key' | 'value' = 'value'): void {
    this.mistakeAt({ offset: this.source.locate(path, of), path }, message, remedy);
  }

  /** Whether the file has something there, if only what cannot be read: then it is not to be told as missing too. */
  isWritten(path: Path): boolean {
    return this.source.has(path);
  }

  /** The line a path's key is in: for mistakes that speak of two places. */
  lineOf(path: Path): number {
    return this.source.position(this.source.locate(path, 'key')).line;
  }

  /** The pairs of a map. Keys that are there twice are told. */
  entries({ node, path }: Place): PlacedEntry[] {
    if (!isMap(node)) return [];
    const { byKey, repeated, complex } = this.source.entriesOf(node);
    for (const { entry, firstOffset } of repeated) {
      const { line } = this.source.position(firstOffset);
      this.mistakeAt(
        { offset: entry.keyOffset, path: [...path, entry.key] },
        `'${entry.key}' is there already, in line ${line}`,
        'Leave one of the two out.',
      );
    }
    for (const offset of complex) {
      this.mistakeAt({ offset, path }, 'a key is not text', 'Write a word before the colon.');
    }
    return this.#within([...byKey.values()]).map(({ key, keyOffset, value }) => ({
      key,
      keyOffset,
      place: this.#place(value, keyOffset, [...path, key]),
    }));
  }

  /** The items of a list. */
  items({ node, path, offset }: Place): Place[] {
    if (!isSeq(node)) return [];
    return this.#within(node.items).map((item, index) =>
      this.#place(asNode(item), offset, [...path, index]),
    );
  }

  #place(node: Node | undefined, otherwise: number, path: Path): Place {
    return { node: this.source.follow(node), offset: offsetOf(node, otherwise), path };
  }

  /** As many as the limit leaves: aliases of aliases make a small file a large one. */
  #within<T>(values: readonly T[]): readonly T[] {
    const left = this.#limits.values - this.#values;
    this.#values += values.length;
    if (values.length <= left) return values;
    this.mistakeAt(
      { offset: 0, path: [] },
      `the file has more than ${this.#limits.values} values, those that aliases repeat counted`,
      'Make several files of it, or use fewer aliases.',
    );
    return values.slice(0, Math.max(left, 0));
  }
}

/** What a place holds. */
export function kindOf({ node }: Place): PlaceKind {
  if (isMap(node)) return 'map';
  if (isSeq(node)) return 'list';
  if (!isScalar(node) || node.value === null) return 'nothing';
  const type = typeof node.value;
  return type === 'number' || type === 'boolean' ? type : 'text';
}

/** The value of a place with a text, a number or a boolean: as it is written. */
export function textOf({ node }: Place): string {
  if (!isScalar(node)) return '';
  return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
}

/** Text longer than this is shown shortened. */
const LONGEST_SHOWN = 40;

/** What a place holds, for people. */
export function describePlace(place: Place): string {
  const kind = kindOf(place);
  if (kind === 'map' || kind === 'list') return `a ${kind}`;
  if (kind === 'nothing') return 'nothing';
  const text = textOf(place).replaceAll(/\s+/g, ' ');
  return `'${text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text}'`;
}
