import { readFileSync } from 'node:fs';
import { formatSocketAddress } from 'netloom/core';
import type { FetchHandler, ServeInfo } from 'netloom/http';
import type { VirtualLan } from './lan.ts';
import type { Publication } from './publication.ts';

const PAGE = readFileSync(new URL('./page.html', import.meta.url), 'utf8');

/** Nothing on the page comes from elsewhere, and the browser is told so. */
const PAGE_FIELDS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'",
  'x-content-type-options': 'nosniff',
};

/** What the site tells about. */
export interface SiteSubject {
  readonly lan: VirtualLan;
  /** Undefined until the port is open. */
  readonly publication: Publication | undefined;
}

/** The site of `web.lan`: a page that tells how its request came here, and the same numbers as JSON. */
export function site(subject: SiteSubject): FetchHandler {
  return {
    fetch(request, info) {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        return new Response('GET or HEAD\n', { status: 405, headers: { allow: 'GET, HEAD' } });
      }
      switch (new URL(request.url).pathname) {
        case '/':
          return new Response(renderPage(statistics(subject), info), { headers: PAGE_FIELDS });
        case '/stats':
          return Response.json(statistics(subject), { headers: { 'cache-control': 'no-store' } });
        default:
          return new Response('there is / and /stats\n', { status: 404 });
      }
    },
  };
}

/** The numbers of the network as they are now. */
export function statistics({ lan, publication }: SiteSubject) {
  return {
    uptimeSeconds: Math.round(lan.clock.now() / 1000),
    lan: lan.frames.snapshot(),
    machines: lan.machines.map(({ name, address, mac, host: { stack } }) => ({
      name,
      address,
      mac: mac.toString(),
      tcp: {
        open: stack.tcp.connections,
        opened: stack.tcp.statistics.opened,
        accepted: stack.tcp.statistics.accepted,
        failed: stack.tcp.statistics.failed,
        resetsSent: stack.tcp.statistics.resetsSent,
        drops: stack.tcp.statistics.drops.snapshot(),
      },
      drops: stack.drops.snapshot(),
    })),
    published: {
      open: publication?.open ?? 0,
      carried: publication?.carried ?? 0,
      refused: publication?.refused ?? 0,
      bytesIn: publication?.bytesIn ?? 0,
      bytesOut: publication?.bytesOut ?? 0,
    },
  };
}

/** What the placeholders of the page, as `{{frames}}`, stand for. */
function renderPage(numbers: ReturnType<typeof statistics>, { local, remote }: ServeInfo): string {
  const [gateway, web] = numbers.machines;
  const values: Readonly<Record<string, string | number>> = {
    gatewayAddress: gateway!.address,
    gatewayMac: gateway!.mac,
    webAddress: web!.address,
    webMac: web!.mac,
    client: formatSocketAddress(remote),
    server: formatSocketAddress(local),
    frames: numbers.lan.frames,
    bytes: numbers.lan.bytes,
    arpPackets: numbers.lan.arpPackets,
    tcpSegments: numbers.lan.tcpSegments,
    carried: numbers.published.carried,
    accepted: web!.tcp.accepted,
  };
  return PAGE.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => String(values[name] ?? ''));
}
