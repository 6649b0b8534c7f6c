import { listMembers, type Fields } from '../semantics/index.ts';
import type { Http2ClientRequest } from './message.ts';

/** Fields about one connection, which HTTP/2 has not (RFC 9113, section 8.2.2), and the length, which the engines write themselves. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/** The fields as they may be sent, without those that speak of the connection, or that `connection` says do. */
export function outgoingFields(fields: Fields, alsoWithout?: string): [string, string][] {
  const named = listMembers(fields.get('connection'));
  const pairs: [string, string][] = [];
  for (const pair of fields) {
    const [name, value] = pair;
    if (LEFT_OUT.has(name) || name === alsoWithout || named.includes(name)) continue;
    if (name === 'te' && value.toLowerCase() !== 'trailers') continue;
    pairs.push(pair);
  }
  return pairs;
}

/** Trailers as they may be sent; undefined if nothing is left of them. */
export function outgoingTrailers(trailers: Fields | undefined): [string, string][] | undefined {
  if (trailers === undefined) return undefined;
  const pairs = outgoingFields(trailers);
  return pairs.length > 0 ? pairs : undefined;
}

/** Methods whose requests usually have content, so that its absence is said too (RFC 9110, section 8.6). */
const EXPECTS_CONTENT: readonly string[] = ['POST', 'PUT', 'PATCH'];

/** A request's pseudo-header fields (RFC 9113, section 8.3.1), and the others. */
export function requestFields(
  request: Http2ClientRequest,
): [[string, string][], [string, string][]] {
  const { method, target, fields, length, protocol } = request;
  const authority = fields.get('host');
  const isTunnel = method === 'CONNECT' && protocol === undefined;
  const pseudo: [string, string][] = [[':method', method]];
  if (!isTunnel) pseudo.push([':scheme', request.scheme ?? 'http']);
  if (isTunnel) pseudo.push([':authority', target]);
  else if (authority !== undefined) pseudo.push([':authority', authority]);
  if (!isTunnel) pseudo.push([':path', target]);
  if (protocol !== undefined) pseudo.push([':protocol', protocol]);
  const others = outgoingFields(fields, 'host');
  if (length !== undefined && method !== 'CONNECT') {
    if (length > 0 || EXPECTS_CONTENT.includes(method))
      others.push(['content-length', `${length}`]);
  }
  return [pseudo, others];
}
