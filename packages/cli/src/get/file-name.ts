import { NetloomError } from 'netloom/core';

/** The file name a URL ends in; undefined if it has none. Throws `NAME_REFUSED`. */
export function nameOfUrl(url: URL): string | undefined {
  const segment = url.pathname.slice(url.pathname.lastIndexOf('/') + 1);
  if (segment === '') return undefined;
  return checkName(decodePercent(segment) ?? segment, 'the URL');
}

/** The file name in a Content-Disposition field (RFC 6266); undefined if it has none. Throws `NAME_REFUSED`. */
export function nameOfDisposition(field: string | null): string | undefined {
  const parameters = dispositionParameters(field ?? '');
  // RFC 6266, section 4.3: the extended one is preferred.
  const name = decodeExtended(parameters.get('filename*')) ?? parameters.get('filename');
  if (name === undefined || name === '') return undefined;
  const checked = checkName(name, 'the server');
  // A server is not to write what shells and other programs read unasked.
  if (checked.startsWith('.')) throw refused(name, 'the server', 'begins with a dot');
  return checked;
}

function checkName(name: string, source: string): string {
  if (/[/\\]/.test(name)) throw refused(name, source, 'leads to another folder');
  if (name === '.' || name === '..') throw refused(name, source, 'is a folder');
  if (/\p{Cc}/u.test(name)) throw refused(name, source, 'has control characters');
  return name;
}

function refused(name: string, source: string, why: string): NetloomError {
  const message = `the file name ${JSON.stringify(name)} that ${source} gives ${why}`;
  return new NetloomError('NAME_REFUSED', message, { remedy: 'Give the name yourself, with -o.' });
}

/** Names in lower case; of several parameters of one name the first. */
function dispositionParameters(field: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const parameter = /;\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/g;
  for (const [, name, quoted, token] of field.matchAll(parameter)) {
    const key = name!.toLowerCase();
    if (!found.has(key)) found.set(key, quoted?.replaceAll(/\\(.)/g, '$1') ?? token ?? '');
  }
  return found;
}

/** RFC 8187: a character set (UTF-8 is the only one that must be known), a language, and bytes in percent encoding. */
function decodeExtended(value: string | undefined): string | undefined {
  const [, charset, encoded] = /^([^']*)'[^']*'(.*)$/.exec(value ?? '') ?? [];
  if (charset?.toLowerCase() !== 'utf-8') return undefined;
  return decodePercent(encoded!);
}

function decodePercent(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
