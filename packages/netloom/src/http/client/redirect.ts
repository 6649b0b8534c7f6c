import { NetloomError } from '../../core/index.ts';

/** What of a request changes when it is redirected. */
export interface RedirectableRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly hasBody: boolean;
  /** The body, if there is one, can be sent again. */
  readonly isReplayable: boolean;
}

const REDIRECT_STATUSES: readonly number[] = [301, 302, 303, 307, 308];

/** Fields that go with a body (Fetch Standard, "request-body-header name"), and the length that the body had. */
const BODY_FIELDS: readonly string[] = [
  'content-encoding',
  'content-language',
  'content-location',
  'content-type',
  'content-length',
];

/** Fields that were meant for one origin (Fetch Standard: Authorization; the others by the same reason). */
const ORIGIN_FIELDS: readonly string[] = ['authorization', 'cookie', 'host', 'proxy-authorization'];

/** Whether a response is a redirect that can be followed. */
export function isRedirect(status: number, location: string | null): location is string {
  return location !== null && REDIRECT_STATUSES.includes(status);
}

/** The request that a redirect leads to (Fetch Standard, "HTTP-redirect fetch"). Throws if it must not be followed. */
export function redirectedRequest(
  request: RedirectableRequest,
  status: number,
  location: string,
): RedirectableRequest {
  const url = redirectUrl(request.url, location);
  const { method, hasBody, isReplayable } = request;
  if (status !== 303 && hasBody && !isReplayable) {
    throw new NetloomError(
      'HTTP_BODY_NOT_REPLAYABLE',
      `${request.url.href} redirects to ${url.href}, and the body was a stream, which is used up`,
      { remedy: 'Give the body as bytes, a string or a Blob, or use the URL redirected to.' },
    );
  }
  const becomesGet =
    ((status === 301 || status === 302) && method === 'POST') ||
    (status === 303 && method !== 'GET' && method !== 'HEAD');
  const headers = new Headers(request.headers);
  if (becomesGet) for (const name of BODY_FIELDS) headers.delete(name);
  if (url.origin !== request.url.origin) for (const name of ORIGIN_FIELDS) headers.delete(name);
  return {
    method: becomesGet ? 'GET' : method,
    url,
    headers,
    hasBody: hasBody && !becomesGet,
    isReplayable,
  };
}

function redirectUrl(from: URL, location: string): URL {
  const url = URL.parse(location, from.href);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new NetloomError(
      'HTTP_REDIRECT_INVALID',
      `${from.href} redirects to ${JSON.stringify(location)}, which is no http URL`,
    );
  }
  // Fetch Standard, "location URL": a fragment stays unless there is a new one.
  if (url.hash === '') url.hash = from.hash;
  return url;
}
