import { readFileSync } from 'node:fs';
import { IpAddress, MacAddress, type SocketAddress } from 'netloom/core';
import type { FetchHandler, ServeInfo } from 'netloom/http';
import type { MachineView } from '../service.ts';
import { currentConversation, restOfExchange } from './conversation.ts';
import type { FrameCounts } from './frame-counts.ts';
import type { FrameLog } from './frame-log.ts';
import { escapeHtml, renderRungs, type Ways } from './ladder.ts';

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
  readonly machine: MachineView;
  /** What has passed its port. */
  readonly log: FrameLog;
  readonly counts: FrameCounts;
}

/** The site of a machine: a page that tells how its request came there, and the same numbers as JSON. */
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

/** The numbers of the machine as they are now. */
export function statistics({ machine, counts }: SiteSubject) {
  const { fullName: name, network, addresses, mac, host } = machine;
  const { tcp, drops } = host.stack;
  return {
    name,
    network,
    addresses,
    mac: mac.toString(),
    port: counts.snapshot(),
    tcp: {
      open: tcp.connections,
      opened: tcp.statistics.opened,
      accepted: tcp.statistics.accepted,
      failed: tcp.statistics.failed,
      segmentsReceived: tcp.statistics.segmentsReceived,
      segmentsInError: tcp.statistics.segmentsInError,
      resetsReceived: tcp.statistics.resetsReceived,
      segmentsSent: tcp.statistics.segmentsSent,
      segmentsRetransmitted: tcp.statistics.segmentsRetransmitted,
      resetsSent: tcp.statistics.resetsSent,
      drops: tcp.statistics.drops.snapshot(),
    },
    drops: drops.snapshot(),
  };
}

/** The page, with what the placeholders in it, as `{{frames}}`, stand for. */
function renderPage(subject: SiteSubject, { remote }: ServeInfo): string {
  const { machine, log } = subject;
  const numbers = statistics(subject);
  const { arp, opening, exchange } = currentConversation(log, remote);
  const ways = waysOf(machine, remote);
  const start = startOf(arp[0]?.time, (opening[0] ?? exchange[0])?.time);
  const asked = (opening[0] ?? exchange[0])?.bytes;
  const texts: Readonly<Record<string, string | number>> = {
    name: machine.fullName,
    network: machine.network,
    address: machine.addresses[0] ?? '',
    mac: numbers.mac,
    peerName: peerName(machine, remote),
    peerAddress: String(remote.address),
    peerMac: asked === undefined ? '' : String(MacAddress.read(asked, 6)),
    port: remote.port,
    start,
    last: exchange.at(-1)?.number ?? 0,
    frames: numbers.port.frames.toLocaleString('en'),
    bytes: numbers.port.bytes.toLocaleString('en'),
    arpPackets: numbers.port.arpPackets,
    tcpSegments: numbers.port.tcpSegments.toLocaleString('en'),
    accepted: numbers.tcp.accepted,
    open: numbers.tcp.open,
  };
  const parts: Readonly<Record<string, string>> = {
    arp: renderRungs(arp, ways, start),
    opening: renderRungs(opening, ways, start) || FORGOTTEN,
    exchange: renderRungs(exchange, ways, start, exchange[0]) || FORGOTTEN,
  };
  return PAGE.replaceAll(
    /\{\{(\w+)\}\}/g,
    (_, name: string) => parts[name] ?? escapeHtml(String(texts[name] ?? '')),
  );
}

/** From when times are counted: ARP's question, if it was asked for this connection. */
function startOf(asked = 0, opened = asked): number {
  return opened - asked < RECENT ? asked : opened;
}

/** What followed the frames on a page, as more of its list: a page cannot have the frames it is in itself. */
function renderRest({ machine, log }: SiteSubject, asked: URLSearchParams): string {
  const [port, after, start] = ['port', 'after', 'start'].map((name) => Number(asked.get(name)));
  const address = IpAddress.tryParse(asked.get('address') ?? '');
  if (address === undefined) return '';
  const remote = { address, port: port! };
  return renderRungs(restOfExchange(log, remote, after!), waysOf(machine, remote), start!);
}

/** Most requests come by way of the gateway; others are known by their address. */
function peerName({ router }: MachineView, { address }: SocketAddress): string {
  return router?.address.equals(address) === true ? router.name : String(address);
}

function waysOf(machine: MachineView, remote: SocketAddress): Ways {
  const peer = peerName(machine, remote);
  const own = machine.fullName;
  return { in: `${peer} to ${own}`, out: `${own} to ${peer}` };
}
