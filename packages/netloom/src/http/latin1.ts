const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** The longest argument list that is surely within every platform's limit. */
const PIECE = 4096;

/** Up to this length a call of the platform's decoder takes longer than to hand over the characters one by one. */
const SHORT = 48;

/** For each short length an array to hand characters over in, used again and again. */
const characters: readonly number[][] = Array.from({ length: SHORT + 1 }, (_, length) =>
  Array.from({ length }, () => 0),
);

/**
 * Bytes as text, a character each. (The platform's decoder of the name `latin1` is that of windows-1252, which moves the
 * characters from 0x80 to 0x9f: Encoding Standard, "names and labels".)
 */
export function decodeLatin1(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  if (end - start <= SHORT) return decodeShort(bytes, start, end);
  const part = bytes.subarray(start, end);
  // Nearly all heads are ASCII, for which the platform's UTF-8 decoder is several times faster than any loop here.
  if (isAscii(part)) return decoder.decode(part);
  let text = '';
  for (let at = 0; at < part.length; at += PIECE) {
    text += String.fromCharCode(...part.subarray(at, at + PIECE));
  }
  return text;
}

function decodeShort(bytes: Uint8Array, start: number, end: number): string {
  const codes = characters[end - start]!;
  for (let i = 0; i < codes.length; i++) codes[i] = bytes[start + i]!;
  return String.fromCharCode(...codes);
}

/** Text as bytes, one for each character. The caller has checked that none is beyond 255. */
export function encodeLatin1(text: string): Uint8Array {
  const ascii = encoder.encode(text);
  if (ascii.length === text.length) return ascii;
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

function isAscii(bytes: Uint8Array): boolean {
  let seen = 0;
  for (let at = 0; at < bytes.length; at++) seen |= bytes[at]!;
  return seen < 0x80;
}
