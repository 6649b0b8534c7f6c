import { readFileSync, readdirSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { extname } from 'node:path';

/** A file of the page, as a browser is to have it. */
export interface PageFile {
  readonly type: string;
  readonly text: string;
}

const FOLDER = new URL('./page/', import.meta.url);

/** By extension. A module keeps its name: its type says that there are no types left in it. */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.ts': 'text/javascript; charset=utf-8',
};

/** What is not ours, and where the page finds it. */
const PACKAGE_FILES: Readonly<Record<string, string>> = {
  '/uplot.js': 'uplot/dist/uPlot.esm.js',
  '/uplot.css': 'uplot/dist/uPlot.min.css',
};

/** The one package that modules of the page import: browsers know no packages. */
const PACKAGE_IMPORT = /(?<=\bfrom )'uplot'/g;

/** All files of the page, by the path they are served at. */
export function pageFiles(): ReadonlyMap<string, PageFile> {
  const files = new Map<string, PageFile>();
  for (const name of readdirSync(FOLDER)) {
    if (name.endsWith('.test.ts') || !Object.hasOwn(MEDIA_TYPES, extname(name))) continue;
    files.set(name === 'index.html' ? '/' : `/${name}`, pageFile(new URL(name, FOLDER)));
  }
  for (const [path, specifier] of Object.entries(PACKAGE_FILES)) {
    files.set(path, pageFile(new URL(import.meta.resolve(specifier))));
  }
  return files;
}

function pageFile(url: URL): PageFile {
  const extension = extname(url.pathname);
  const text = readFileSync(url, 'utf8');
  return {
    type: MEDIA_TYPES[extension]!,
    text: extension === '.ts' ? browserModule(text) : text,
  };
}

/** A module without its types; everything else stays where it is, so that errors name the right lines. */
function browserModule(text: string): string {
  return stripTypeScriptTypes(text).replaceAll(PACKAGE_IMPORT, "'/uplot.js'");
}
