/** A machine's module: serves `/N`, the first N of a row of bytes that {@link sumOf} knows. */
import { createHash } from 'node:crypto';

/** So that a byte that is lost, added or moved changes the sum. */
const PERIOD = 65_521;
const CHUNK = 64 * 1024;

function chunk(from: number, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => ((from + index) % PERIOD) % 251);
}

/** The SHA-256 of the first so many bytes, as sha256sum writes it. */
export function sumOf(length: number): string {
  return createHash('sha256').update(chunk(0, length)).digest('hex');
}

export default {
  fetch(request: Request): Response {
    const length = Number(new URL(request.url).pathname.slice(1));
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const next = chunk(sent, Math.min(CHUNK, length - sent));
        sent += next.length;
        if (next.length > 0) controller.enqueue(next);
        if (sent === length) controller.close();
      },
    });
    return new Response(body);
  },
};
