const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** The longest argument list that is surely within every platform's limit. */
const PIECE = 4096;

/**
 * Bytes as text, a character each. (The platform's decoder of the name `latin1` is that of windows-1252, which moves the
 * characters from 0x80 to 0x9f: Encoding Standard, "names and labels".)
 */
export function decodeLatin1(bytes: Uint8Array): string {
  // Nearly all heads are ASCII, for which the platform's UTF-8 decoder is several times faster than any loop here.
  if (isAscii(bytes)) return decoder.decode(bytes);
  let text = '';
  for (let at = 0; at < bytes.length; at += PIECE) {
    text += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  }
  return text;
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
