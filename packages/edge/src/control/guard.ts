import { IpAddress, NetloomError, TokenBucket, type Clock } from 'netloom/core';
import type { FetchHandler, ServeInfo } from 'netloom/http';
import { errorAnswer } from './answer.ts';
import { statusOf } from './errors.ts';
import { isToken } from './token.ts';

/** What a guard is told by. */
export interface GuardOptions {
  readonly token: string;
  readonly clock: Clock;
  /** Whether the page is asked for at other addresses than the loopback's as well. Default false. */
  readonly beyondLoopback?: boolean;
}

/** Wrong tokens that are looked at: so many at once, and so many a second. */
const ATTEMPTS_AT_ONCE = 10;
const ATTEMPTS_PER_SECOND = 1;

/** What pages of ours may do: show and ask what comes from here, and be in no frame (Content Security Policy Level 3). */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const SECURITY_FIELDS: Readonly<Record<string, string>> = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/**
 * A handler for this machine's own browser and its user alone, though other sites' pages run in the same browser, and other users on the
 * same machine:
 *
 * - `Host` has to be this place by address or as `localhost`: a name of another site that was made to lead here (DNS rebinding) is none.
 * - `Origin`, where the browser sends one, has to be the same place: no other site's page may ask.
 * - The token has to be known, as `Authorization: Bearer` or from a cookie. `GET /?token=...` sets that, and leads to `/`, so that the token does not
 *   stay where addresses are seen.
 */
export function guarded(handler: FetchHandler, options: GuardOptions): FetchHandler {
  return new Guard(handler, options);
}

class Guard implements FetchHandler {
  readonly #handler: FetchHandler;
  readonly #options: GuardOptions;
  readonly #attempts = new TokenBucket(ATTEMPTS_PER_SECOND, ATTEMPTS_AT_ONCE);

  constructor(handler: FetchHandler, options: GuardOptions) {
    this.#handler = handler;
    this.#options = options;
  }

  async fetch(request: Request, info: ServeInfo): Promise<Response> {
    return withSecurityFields(await this.#answer(request, info));
  }

  async #answer(request: Request, info: ServeInfo): Promise<Response> {
    const url = new URL(request.url);
    try {
      this.#checkPlace(request, url, info.local.port);
      const given = url.pathname === '/' ? url.searchParams.get('token') : null;
      if (given !== null && (request.method === 'GET' || request.method === 'HEAD')) {
        this.#checkToken(given);
        return entered(this.#options.token, info.local.port);
      }
      this.#checkToken(tokenOf(request, info.local.port));
    } catch (error) {
      return refusal(error as NetloomError, url);
    }
    return this.#handler.fetch(request, info);
  }

  #checkPlace(request: Request, url: URL, port: number): void {
    const host = request.headers.get('host') ?? url.host;
    // The URL's is another where the request line names one (RFC 9112, section 3.2.2).
    for (const authority of [host, url.host]) {
      if (this.#isHere(authority, port)) continue;
      throw new NetloomError('CONTROL_REFUSED', `'${authority}' is not this place`, {
        remedy: 'Open the address that was printed when the node started.',
      });
    }
    const origin = request.headers.get('origin');
    if (origin === null || isSameOrigin(origin, host)) return;
    throw new NetloomError('CONTROL_REFUSED', `'${origin}' may not ask here`, {
      remedy: 'Nothing but the page of this node may.',
    });
  }

  #isHere(authority: string, port: number): boolean {
    if (!URL.canParse(`http://${authority}/`)) return false;
    const { hostname, port: named } = new URL(`http://${authority}/`);
    if (Number(named || '80') !== port) return false;
    if (hostname === 'localhost') return true;
    const address = IpAddress.tryParse(hostname.replace(/^\[(.*)\]$/, '$1'));
    return address !== undefined && (address.isLoopback || this.#options.beyondLoopback === true);
  }

  /**
   * Throws unless it is the right one. That is let in however many wrong ones came before: or whoever guesses could keep the owner out, and
   * a token that long is not found by guessing.
   */
  #checkToken(given: string | undefined): void {
    const { token, clock } = this.#options;
    if (given !== undefined && isToken(given, token)) return;
    const remedy = 'Open the address that was printed when the node started: it has the token.';
    if (given === undefined) {
      throw new NetloomError('CONTROL_TOKEN_WRONG', 'this needs the token of the node', { remedy });
    }
    if (this.#attempts.take(clock.now())) {
      throw new NetloomError('CONTROL_TOKEN_WRONG', 'the token is not that of the node', {
        remedy,
      });
    }
    const message = 'too many wrong tokens were given';
    throw new NetloomError('CONTROL_TOO_MANY_ATTEMPTS', message, { remedy });
  }
}

/** Browsers keep cookies by host and not by port (RFC 6265, section 8.5): so each node has a name of its own for its. */
function cookieName(port: number): string {
  return `netloom-${port}`;
}

function tokenOf(request: Request, port: number): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  const prefix = `${cookieName(port)}=`;
  const cookies = (request.headers.get('cookie') ?? '').split(';').map((pair) => pair.trim());
  return cookies.find((pair) => pair.startsWith(prefix))?.slice(prefix.length);
}

function isSameOrigin(origin: string, host: string): boolean {
  return URL.canParse(origin) && origin === new URL(`http://${host}/`).origin;
}

function entered(token: string, port: number): Response {
  const cookie = `${cookieName(port)}=${token}; HttpOnly; SameSite=Strict; Path=/`;
  return new Response(null, {
    status: 303,
    headers: { location: '/', 'set-cookie': cookie, 'cache-control': 'no-store' },
  });
}

/** For the page in words, for the API as all its errors. */
function refusal(error: NetloomError, url: URL): Response {
  const fields: Record<string, string> = {};
  // RFC 9110, section 11.6.1: a 401 says how to be let in.
  if (error.code === 'CONTROL_TOKEN_WRONG') fields['www-authenticate'] = 'Bearer';
  if (error.code === 'CONTROL_TOO_MANY_ATTEMPTS') fields['retry-after'] = '1';
  if (url.pathname.startsWith('/v1/')) return errorAnswer(error, fields);
  return new Response(`Netloom: ${error.message}. ${error.remedy}\n`, {
    status: statusOf(error),
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      ...fields,
    },
  });
}

function withSecurityFields(response: Response): Response {
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(SECURITY_FIELDS)) headers.set(name, value);
  const { body, status, statusText } = response;
  return new Response(body, { status, statusText, headers });
}
