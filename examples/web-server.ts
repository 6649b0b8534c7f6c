/**
 * Two machines and a cable, in this process: one serves a page, the other fetches it. Every byte goes through
 * HTTP, TCP, IP, ARP and Ethernet, all ours, and each frame is shown.
 *
 *     scripts/node examples/web-server.ts
 */
import { SystemClock, stackHost } from 'netloom/host';
import { fetch, serve } from 'netloom/http';
import { CapturedLink, NO_OFFLOAD, linkPair } from 'netloom/link';
import { describeFrame } from 'netloom/wire';

const clock = new SystemClock();
// Without offload, frames are as they would be on a wire.
const [oneEnd, otherEnd] = linkPair(clock, { offload: NO_OFFLOAD });
const watched = new CapturedLink(oneEnd, clock, {
  frame: (_link, direction, frame) => console.log(direction.padEnd(4), describeFrame(frame)),
});

await using client = stackHost({ clock, names: { 'web.lan': ['10.0.0.2'] } });
await using server = stackHost({ clock });
client.addInterface(watched, { addresses: ['10.0.0.1/24'] });
server.addInterface(otherEnd, { addresses: ['10.0.0.2/24'] });

await serve(
  { fetch: (request) => new Response(`you asked for ${new URL(request.url).pathname}\n`) },
  { host: server, port: 80 },
);
const response = await fetch('http://web.lan/a/page', { host: client });
console.log(response.status, (await response.text()).trim());
