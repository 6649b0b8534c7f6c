import { NetloomError, concatBytes } from 'netloom/core';
import { requestInvalid } from './errors.ts';

/**
 * The JSON object that a request carries, of at most so many bytes. Rejects with `CONTROL_BODY_TYPE`, `CONTROL_BODY_TOO_LARGE` or
 * `CONTROL_REQUEST_INVALID`.
 *
 * The type has to be said: another site's page can send no request of this type without asking first (Fetch Standard, "CORS-safelisted
 * request-header").
 */
export async function readObject(
  request: Request,
  most: number,
): Promise<Readonly<Record<string, unknown>>> {
  const type = request.headers.get('content-type')?.split(';', 1)[0]!.trim().toLowerCase();
  if (type !== 'application/json') {
    const message = `the body is to be application/json, not ${type ?? 'without a type'}`;
    throw new NetloomError('CONTROL_BODY_TYPE', message, {
      remedy: "Send JSON, with the field 'content-type: application/json'.",
    });
  }
  const value = parse(await readText(request, most));
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw requestInvalid('the body is no JSON object');
}

async function readText(request: Request, most: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > most) {
      const message = `the body is longer than ${most} bytes`;
      throw new NetloomError('CONTROL_BODY_TOO_LARGE', message, { remedy: 'Send less.' });
    }
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(concatBytes(chunks));
  } catch {
    throw requestInvalid('the body is not UTF-8');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw requestInvalid(`the body is no JSON: ${(error as Error).message}`);
  }
}
