import { readFileSync } from 'node:fs';
import type { FetchHandler, ServeInfo } from 'netloom/http';
import { currentConversation, restOfExchange } from './conversation.ts';
import { renderRungs } from './ladder.ts';
import type { VirtualLan } from './lan.ts';
import type { Publication } from './publication.ts';

const PAGE = readFileSync(new URL('./page.html', import.meta.url), 'utf8');

/** Nothing on the page comes from elsewhere, and the browser is told so. */
const PAGE_FIELDS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:",
  'x-content-type-options': 'nosniff',
};

/** Milliseconds from ARP's question to the connection it was asked for, at most. */
const RECENT = 1000;

/** Stands for frames of a connection so old, or so busy, that they are not kept any more. */
const FORGOTTEN = '<li>These were so long ago that they are not kept any more.</li>';

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
      const { pathname, searchParams } = new URL(request.url);
      switch (pathname) {
        case '/':
          return new Response(renderPage(subject, info), { headers: PAGE_FIELDS });
        case '/frames':
          return new Response(renderRest(subject, searchParams), { headers: PAGE_FIELDS });
        case '/stats':
          return Response.json(statistics(subject), { headers: { 'cache-control': 'no-store' } });
        default:
          return new Response('there is /, /frames and /stats\n', { status: 404 });
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
        segmentsReceived: stack.tcp.statistics.segmentsReceived,
        segmentsInError: stack.tcp.statistics.segmentsInError,
        resetsReceived: stack.tcp.statistics.resetsReceived,
        segmentsSent: stack.tcp.statistics.segmentsSent,
        segmentsRetransmitted: stack.tcp.statistics.segmentsRetransmitted,
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

/** The page, with what the placeholders in it, as `{{frames}}`, stand for. */
function renderPage(subject: SiteSubject, { remote }: ServeInfo): string {
  const { lan } = subject;
  const numbers = statistics(subject);
  const [gateway, web] = numbers.machines;
  const { arp, opening, exchange } = currentConversation(lan.log, remote.port);
  const start = startOf(arp[0]?.time, (opening[0] ?? exchange[0])?.time);
  const values: Readonly<Record<string, string | number>> = {
    gatewayAddress: gateway!.address,
    gatewayMac: gateway!.mac,
    webAddress: web!.address,
    webMac: web!.mac,
    arp: renderRungs(arp, start),
    opening: renderRungs(opening, start) || FORGOTTEN,
    exchange: renderRungs(exchange, start, exchange[0]) || FORGOTTEN,
    port: remote.port,
    start,
    last: exchange.at(-1)?.number ?? 0,
    frames: numbers.lan.frames.toLocaleString('en'),
    bytes: numbers.lan.bytes.toLocaleString('en'),
    arpPackets: numbers.lan.arpPackets,
    tcpSegments: numbers.lan.tcpSegments.toLocaleString('en'),
    carried: numbers.published.carried,
    accepted: web!.tcp.accepted,
  };
  return PAGE.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => String(values[name] ?? ''));
}

/** From when times are counted: ARP's question, if it was asked for this connection. */
function startOf(asked = 0, opened = asked): number {
  return opened - asked < RECENT ? asked : opened;
}

/** What followed the frames on a page, as more of its list: a page cannot have the frames it is in itself. */
function renderRest({ lan }: SiteSubject, asked: URLSearchParams): string {
  const [port, after, start] = ['port', 'after', 'start'].map((name) => Number(asked.get(name)));
  return renderRungs(restOfExchange(lan.log, port!, after!), start!);
}
