/**
 * Text of others as a terminal may be shown it: control characters, and those that turn the direction of writing or are not seen, are
 * replaced.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{fffd}');
}
