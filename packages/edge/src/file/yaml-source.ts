import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  parseDocument,
  visit,
  type Alias,
  type Document,
  type Node,
  type ParsedNode,
  type YAMLMap,
} from 'yaml';
import type { Path } from './mistake.ts';

/** What ends a line (YAML 1.2.2, section 5.4). */
export const LINE_BREAK: RegExp = /\r\n|[\n\r]/g;

/** A pair of a map. Pairs that came by `<<` are there too, behind the map's own. */
export interface Entry {
  readonly key: string;
  /** Where the key begins in the text. */
  readonly keyOffset: number;
  readonly value: Node | undefined;
}

/** A map's pairs, and what is wrong with its keys. */
export interface Entries {
  readonly byKey: ReadonlyMap<string, Entry>;
  readonly repeated: readonly { readonly entry: Entry; readonly firstOffset: number }[];
  /** Where keys are that are no text. */
  readonly complex: readonly number[];
}

/** Something the YAML parser says of the text. */
export interface SyntaxFault {
  readonly offset: number;
  readonly message: string;
}

/** A YAML text as nodes with their places, aliases followed. */
export class YamlSource {
  readonly faults: readonly SyntaxFault[];
  readonly #document: Document.Parsed<ParsedNode>;
  /** Where each line begins. The parser's own count has gaps after faults. */
  readonly #lines: readonly number[];
  /** What each alias stands for: found in one pass, as each look-up of the parser's own goes through the whole document. */
  readonly #targets = new Map<Alias, Node>();
  /** The pairs of maps that were asked for. */
  readonly #entries = new Map<YAMLMap, Entries>();

  constructor(text: string) {
    const breaks = [...text.matchAll(LINE_BREAK)];
    this.#lines = [0, ...breaks.map(({ 0: found, index }) => index + found.length)];
    this.#document = parseDocument(text, {
      // They are told with the place of the first.
      uniqueKeys: false,
      prettyErrors: false,
    });
    const faults = this.#document.errors.map(({ pos, message }) => ({ offset: pos[0], message }));
    faults.push(...this.#findTargets());
    this.faults = faults.sort((a, b) => a.offset - b.offset);
  }

  /** The whole of it; undefined of an empty text. */
  get root(): Node | undefined {
    return this.#document.contents ?? undefined;
  }

  /** Line and column, from 1. */
  position(offset: number): { line: number; column: number } {
    let [first, next] = [0, this.#lines.length];
    while (next - first > 1) {
      const middle = (first + next) >>> 1;
      if (this.#lines[middle]! <= offset) first = middle;
      else next = middle;
    }
    return { line: first + 1, column: offset - this.#lines[first]! + 1 };
  }

  /** What an alias stands for; another node itself. */
  follow(node: Node | undefined): Node | undefined {
    return isAlias(node) ? this.#targets.get(node) : node;
  }

  /** The pairs of a map. */
  entriesOf(map: YAMLMap): Entries {
    const known = this.#entries.get(map);
    if (known !== undefined) return known;
    const entries = this.#readEntries(map);
    this.#entries.set(map, entries);
    return entries;
  }

  #readEntries(map: YAMLMap): Entries {
    const own: Entry[] = [];
    const merged: Entry[] = [];
    const complex: number[] = [];
    for (const { key, value } of map.items) {
      const entry = readEntry(key, value);
      if (entry === undefined) complex.push(offsetOf(key));
      else if (entry.key === '<<') merged.push(...this.#merged(entry.value));
      else own.push(entry);
    }
    const byKey = new Map<string, Entry>();
    const repeated: { entry: Entry; firstOffset: number }[] = [];
    for (const entry of own) {
      const first = byKey.get(entry.key);
      if (first === undefined) byKey.set(entry.key, entry);
      else repeated.push({ entry, firstOffset: first.keyOffset });
    }
    for (const entry of merged) if (!byKey.has(entry.key)) byKey.set(entry.key, entry);
    return { byKey, repeated, complex };
  }

  /** Where the value of a path begins, or its key; of a path that is not in the text, the nearest above that is. */
  locate(path: Path, of: 'key' | 'value' = 'value'): number {
    let node = this.follow(this.root);
    let offset = offsetOf(node);
    for (const [index, step] of path.entries()) {
      const isLast = index === path.length - 1;
      if (isMap(node) && typeof step === 'string') {
        const entry = this.#entry(node, step);
        if (entry === undefined) return offset;
        offset = isLast && of === 'key' ? entry.keyOffset : offsetOf(entry.value, entry.keyOffset);
        node = this.follow(entry.value);
      } else if (isSeq(node) && typeof step === 'number') {
        const item = asNode(node.items[step]);
        offset = offsetOf(item, offset);
        node = this.follow(item);
      } else return offset;
    }
    return offset;
  }

  /** Whether something is written for the last key of a path. */
  has(path: Path): boolean {
    let node = this.follow(this.root);
    for (const step of path) {
      if (!isMap(node) && !isSeq(node)) return false;
      const entry = isMap(node)
        ? this.#entry(node, step)
        : { value: asNode(node.items[Number(step)]) };
      if (entry === undefined) return false;
      node = this.follow(entry.value);
    }
    return true;
  }

  /** The pairs that `<<` brings in: of a map, or of several. One level: those maps' own `<<` counts no more. */
  #merged(value: Node | undefined): Entry[] {
    const target = this.follow(value);
    const maps = isSeq(target) ? target.items.map((item) => this.follow(asNode(item))) : [target];
    return maps
      .filter(isMap)
      .flatMap(({ items }) => items.flatMap((pair) => readEntry(pair.key, pair.value) ?? []));
  }

  #entry(map: YAMLMap, step: string | number): Entry | undefined {
    return this.entriesOf(map).byKey.get(String(step));
  }

  #findTargets(): SyntaxFault[] {
    const faults: SyntaxFault[] = [];
    const anchors = new Map<string, Node>();
    visit(this.#document, {
      Node: (_, node) => {
        if (!isAlias(node)) {
          if (node.anchor !== undefined) anchors.set(node.anchor, node as Node);
          return;
        }
        const target = anchors.get(node.source);
        if (target !== undefined) this.#targets.set(node, target);
        else {
          const message = `There is no anchor &${node.source} before this alias`;
          faults.push({ offset: offsetOf(node), message });
        }
      },
    });
    return faults;
  }
}

/** Where a node begins in the text. */
export function offsetOf(node: unknown, otherwise = 0): number {
  return (isNode(node) ? node.range?.[0] : undefined) ?? otherwise;
}

function readEntry(key: unknown, value: unknown): Entry | undefined {
  if (!isScalar(key)) return undefined;
  return { key: key.source ?? String(key.value), keyOffset: offsetOf(key), value: asNode(value) };
}

/** As a node; undefined of what the parser leaves out, as the value of `a` in `{ a }`. */
export function asNode(value: unknown): Node | undefined {
  return isNode(value) ? value : undefined;
}
