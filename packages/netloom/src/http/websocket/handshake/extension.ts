import { isToken } from '../../semantics/index.ts';

/** One member of Sec-WebSocket-Extensions (RFC 6455, section 9.1). */
export interface Extension {
  readonly name: string;
  /** Name and value in the order they came; a parameter may have no value, and may be there twice. */
  readonly parameters: readonly (readonly [name: string, value: string | undefined])[];
}

/** A token or a quoted string at the point where it is searched, with the white space after it. */
const TOKEN = /([A-Za-z0-9!#$%&'*+\-.^_`|~]+)[\t ]*/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"[\t ]*/y;
const SPACE = /[\t ]*/y;

/** Reads a list of extensions from the left to the right. */
class ExtensionReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#match(SPACE);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  /** Passes over this character and white space after it, if it is next. */
  skips(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    this.#match(SPACE);
    return true;
  }

  token(): string | undefined {
    return this.#match(TOKEN);
  }

  /** A token, or a quoted string, whose content must be a token too. */
  value(): string | undefined {
    const quoted = this.#match(QUOTED)?.replaceAll(/\\(.)/g, '$1');
    if (quoted === undefined) return this.token();
    return isToken(quoted) ? quoted : undefined;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at = pattern.lastIndex;
    return found[1];
  }
}

/** The extensions that a field names; undefined: it is not made as RFC 6455, section 9.1 has it. No field: none. */
export function parseExtensions(value: string | undefined): Extension[] | undefined {
  const extensions: Extension[] = [];
  if (value === undefined) return extensions;
  const reader = new ExtensionReader(value);
  while (!reader.isAtEnd) {
    // RFC 9110, section 5.6.1.2: empty members of a list are passed over.
    if (reader.skips(',')) continue;
    const extension = readExtension(reader);
    if (extension === undefined || !(reader.isAtEnd || reader.skips(','))) return undefined;
    extensions.push(extension);
  }
  return extensions;
}

function readExtension(reader: ExtensionReader): Extension | undefined {
  const name = reader.token();
  if (name === undefined) return undefined;
  const parameters: [string, string | undefined][] = [];
  while (reader.skips(';')) {
    const parameter = reader.token();
    if (parameter === undefined) return undefined;
    const hasValue = reader.skips('=');
    const value = hasValue ? reader.value() : undefined;
    if (hasValue && value === undefined) return undefined;
    parameters.push([parameter, value]);
  }
  return { name, parameters };
}

/** The extension as a field has it. Values are tokens, so nothing needs quotes. */
export function formatExtension({ name, parameters }: Extension): string {
  return [
    name,
    ...parameters.map(([key, value]) => (value === undefined ? key : `${key}=${value}`)),
  ].join('; ');
}
