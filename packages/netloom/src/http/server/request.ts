import { formatSocketAddress, type SocketAddress } from '../../core/index.ts';
import type { RequestHead } from '../http1/index.ts';

/**
 * The URL a request is for (RFC 9112, section 3.3); undefined if it is none. `local` stands in for an HTTP/1.0 request's missing
 * Host.
 */
export function requestUrl(head: RequestHead, local: SocketAddress): string | undefined {
  const { target } = head;
  // RFC 9112, section 3.2.2: an absolute target decides, whatever Host says.
  if (!target.startsWith('/') && target !== '*') return validUrl(target);
  const host = head.fields.get('host') ?? formatSocketAddress(local);
  return validUrl(`http://${host}${target === '*' ? '/*' : target}`);
}

function validUrl(text: string): string | undefined {
  return URL.canParse(text) ? text : undefined;
}

/** Whether the web's `Request` can have this method as it stands: it refuses three, and puts known ones in upper case. */
export function isMethodSupported(method: string): boolean {
  if (/^(?:connect|trace|track)$/i.test(method)) return false;
  return (
    !/^(?:delete|get|head|options|patch|post|put)$/i.test(method) || method === method.toUpperCase()
  );
}

/** The web's `Request` of a request's head and body. */
export function toRequest(
  head: RequestHead,
  url: string,
  body: ReadableStream<Uint8Array<ArrayBuffer>> | undefined,
  signal: AbortSignal,
): Request {
  const headers = new Headers();
  for (const [name, value] of head.fields) headers.append(name, value);
  // The web's Request takes no content with GET and HEAD; it is read past after the answer.
  const hasBody = body !== undefined && head.method !== 'GET' && head.method !== 'HEAD';
  // `duplex` is the Fetch Standard's, and not yet in the platform's types.
  const init: RequestInit & { duplex?: 'half' } = {
    method: head.method,
    headers,
    signal,
    ...(hasBody ? { body, duplex: 'half' } : {}),
  };
  return new Request(url, init);
}
