/** What the tests of the repository itself share: which files there are, which layers, and who imports whom. */
import { globSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root folder, with a slash at its end. */
export const root: string = fileURLToPath(new URL('../../../', import.meta.url));

/** A TypeScript file: its path from the root, or from a layer's parent where a function says so, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** The files that match the patterns, with paths from `folder`, which is one from the root. */
export function sources(folder: string, ...patterns: string[]): SourceFile[] {
  const cwd = root + folder;
  return globSync(patterns, { cwd, exclude: (path) => /(^|\/)(node_modules|dist)$/.test(path) })
    .map((path) => path.replaceAll('\\', '/'))
    .sort()
    .map((path) => ({ path, text: readFileSync(`${cwd}/${path}`, 'utf8') }));
}

/** A layer of the library. */
export interface Layer {
  /** Its folder in `src`, as `link/tap`. */
  readonly folder: string;
  /** An engine layer knows no platform. */
  readonly isEngine: boolean;
}

/** The layers, lowest first: the table of docs/architecture.md. */
export function readLayers(markdown: string): Layer[] {
  const rows = markdown.matchAll(/^\| `([a-z/-]+)` \| (engine|platform) \|/gm);
  return [...rows].map(([, folder, kind]) => ({ folder: folder!, isEngine: kind === 'engine' }));
}

/** Where a file gets its imports from, types included: static, re-exported and dynamic. */
export function importsOf(text: string): string[] {
  // The formatter puts statements of a module at the start of a line.
  const statements = /^(?:import|export)\s(?:type\s)?(?:[^;'"]*?\sfrom\s)?\s*['"]([^'"]+)['"]/gm;
  const expressions = /\bimport\(\s*['"]([^'"]+)['"]/g;
  return [...text.matchAll(statements), ...text.matchAll(expressions)].map(([, from]) => from!);
}

/** The layer a file of `src` belongs to: the longest folder of the table that it is in. */
export function layerOf(path: string, layers: readonly Layer[]): Layer | undefined {
  return layers
    .filter(({ folder }) => path.startsWith(`${folder}/`))
    .toSorted((a, b) => b.folder.length - a.folder.length)[0];
}

/** The complaints about one file of `src` (its path counted from there). `folders` are those that have an `index.ts`. */
export function checkImports(
  { path, text }: SourceFile,
  layers: readonly Layer[],
  folders: ReadonlySet<string>,
): string[] {
  const layer = layerOf(path, layers);
  if (layer === undefined) return [`${path}: its folder is not in the table of layers`];
  const complaints: string[] = [];
  for (const specifier of importsOf(text)) {
    const complaint = checkImport(path, specifier, layer, layers, folders);
    if (complaint !== undefined) complaints.push(`${path}: '${specifier}' ${complaint}`);
  }
  return complaints;
}

function checkImport(
  path: string,
  specifier: string,
  layer: Layer,
  layers: readonly Layer[],
  folders: ReadonlySet<string>,
): string | undefined {
  if (specifier.startsWith('node:')) {
    return layer.isEngine ? 'is of the platform, and this is an engine layer' : undefined;
  }
  if (!specifier.startsWith('.')) return 'is a package: the library depends on none';
  if (!specifier.endsWith('.ts')) return 'does not end in .ts';
  const target = posix.join(posix.dirname(path), specifier);
  const targetLayer = layerOf(target, layers);
  if (targetLayer === undefined) return 'leads out of the layers';
  if (layers.indexOf(targetLayer) > layers.indexOf(layer)) return 'points up';
  if (layer.isEngine && !targetLayer.isEngine)
    return 'is of a platform layer, and this is an engine';
  const entry = entryTo(path, target, layer, targetLayer, folders);
  return entry === undefined || entry === target ? undefined : `must go through ${entry}`;
}

/** The `index.ts` an import from `path` to `target` has to use: that of the outermost folder it enters; undefined if it enters none. */
function entryTo(
  path: string,
  target: string,
  layer: Layer,
  targetLayer: Layer,
  folders: ReadonlySet<string>,
): string | undefined {
  if (layer !== targetLayer) return `${targetLayer.folder}/index.ts`;
  const parts = posix.dirname(target).split('/');
  for (let depth = 1; depth <= parts.length; depth++) {
    const folder = parts.slice(0, depth).join('/');
    if (!path.startsWith(`${folder}/`) && folders.has(folder)) return `${folder}/index.ts`;
  }
  return undefined;
}
