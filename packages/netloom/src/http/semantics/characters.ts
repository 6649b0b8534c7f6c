/** The character classes of HTTP (RFC 9110, section 5.6), as one table of flags indexed by byte. */

/** `tchar`: what methods, field names and other tokens are made of (RFC 9110, section 5.6.2). */
export const TOKEN = 1;
/** What a field value may hold: HTAB, SP, VCHAR and obs-text (RFC 9110, section 5.5). Never CR, LF, NUL or another control. */
export const FIELD_VALUE = 2;
/**
 * What a request target may hold: printable ASCII except space, `"`, `#`, `<` and `>`. That is wider than RFC 3986 by
 * `\ ^ { | }` and the backtick, which browsers send unescaped in queries (URL Standard, query percent-encode set).
 */
export const TARGET = 4;

/** The flags of each byte. */
export const CHARACTERS: Uint8Array = buildTable();

function buildTable(): Uint8Array {
  const table = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) {
    const character = String.fromCharCode(byte);
    let flags = 0;
    if (/[A-Za-z0-9!#$%&'*+\-.^_`|~]/.test(character)) flags |= TOKEN;
    if (byte === 9 || (byte >= 0x20 && byte !== 0x7f)) flags |= FIELD_VALUE;
    if (byte > 0x20 && byte < 0x7f && !'"#<>'.includes(character)) flags |= TARGET;
    table[byte] = flags;
  }
  return table;
}

/** Whether the text is a token. */
export function isToken(text: string): boolean {
  return text !== '' && isMadeOf(text, TOKEN);
}

/** Whether the text may be a field's value as it stands: no controls, no character beyond Latin-1, no space at either end. */
export function isFieldValue(text: string): boolean {
  return isMadeOf(text, FIELD_VALUE) && !/^[\t ]|[\t ]$/.test(text);
}

/** Whether the text may be a request's target. */
export function isTarget(text: string): boolean {
  return text !== '' && isMadeOf(text, TARGET);
}

function isMadeOf(text: string, flag: number): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 255 || (CHARACTERS[code]! & flag) === 0) return false;
  }
  return true;
}
