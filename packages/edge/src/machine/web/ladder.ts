import { ETHERNET_HEADER_LENGTH, TcpFlag, describeFrame } from 'netloom/wire';
import { summarise } from './conversation.ts';
import type { LoggedFrame } from './frame-log.ts';

/** Bytes of a frame that are shown. */
const SHOWN = 256;
const BYTES_PER_LINE = 16;

/** A part of a frame that one layer has written. */
interface Layer {
  /** What it is called on the page, and its class. */
  readonly name: 'Ethernet' | 'ARP' | 'IP' | 'TCP' | 'HTTP' | 'padding';
  readonly end: number;
}

/** What the ways of frames are called, as `gateway.lan to web.lan`. */
export type Ways = Readonly<Record<'in' | 'out', string>>;

/**
 * Frames as the rungs of a ladder between two machines: items of a list, each of which opens and shows the frame's bytes.
 * @param ways what the way of a frame that the machine has received, or has sent, is called
 * @param start the time that times are counted from
 * @param opened the frame whose bytes are shown from the beginning
 */
export function renderRungs(
  frames: readonly LoggedFrame[],
  ways: Ways,
  start: number,
  opened?: LoggedFrame,
): string {
  return frames.map((frame) => renderRung(frame, ways, start, frame === opened)).join('\n');
}

function renderRung(frame: LoggedFrame, ways: Ways, start: number, isOpen: boolean): string {
  const { bytes, direction, number, time } = frame;
  const length = bytes.length.toLocaleString('en');
  return `<li class="rung ${direction} ${topLayer(frame)}" data-frame="${number}"><details${isOpen ? ' open' : ''}><summary>
<span class="time">${formatOffset(time - start)}</span>
<span class="wire"><span class="hidden">${escapeHtml(ways[direction])}: </span><span class="words">${escapeHtml(summarise(frame))}</span></span>
<span class="length">${length}<span class="hidden"> bytes</span></span>
</summary><div class="inside"><p>${escapeHtml(describeFrame(bytes))}</p>
<p class="layers">${renderLegend(layersOf(frame))}</p>
<pre>${renderBytes(frame)}</pre></div></details></li>`;
}

/** What colours the rung. */
function topLayer({ kind, segment }: LoggedFrame): string {
  if (segment === undefined) return kind;
  if (segment.end > segment.payload) return 'http';
  return (segment.flags & TcpFlag.SYN) !== 0 ? 'syn' : 'tcp';
}

/** A frame that comes from before, as those of ARP may, is long past. */
function formatOffset(milliseconds: number): string {
  return milliseconds < 0 ? 'earlier' : `${Math.round(milliseconds)} ms`;
}

function layersOf({ bytes, kind, segment }: LoggedFrame): Layer[] {
  const ethernet: Layer = { name: 'Ethernet', end: ETHERNET_HEADER_LENGTH };
  if (segment === undefined) {
    return [ethernet, { name: kind === 'arp' ? 'ARP' : 'IP', end: bytes.length }];
  }
  const layers: Layer[] = [
    ethernet,
    { name: 'IP', end: segment.start },
    { name: 'TCP', end: segment.payload },
    { name: 'HTTP', end: segment.end },
    { name: 'padding', end: bytes.length },
  ];
  return layers.filter(({ end }, i) => end > (layers[i - 1]?.end ?? 0));
}

function renderLegend(layers: readonly Layer[]): string {
  return layers
    .map(({ name, end }, i) => {
      const length = (end - (layers[i - 1]?.end ?? 0)).toLocaleString('en');
      return `<span class="${name.toLowerCase()}">${name} ${length}</span>`;
    })
    .join(' ');
}

/** In lines of offset, hexadecimal and text, each byte in its layer's colour. */
function renderBytes(frame: LoggedFrame): string {
  const { bytes } = frame;
  const layers = layersOf(frame);
  const lines: string[] = [];
  const end = Math.min(bytes.length, SHOWN);
  for (let at = 0; at < end; at += BYTES_PER_LINE) {
    const to = Math.min(at + BYTES_PER_LINE, end);
    const hex = renderRun(layers, at, to, (i) => `${bytes[i]!.toString(16).padStart(2, '0')} `);
    const text = renderRun(layers, at, to, (i) => printable(bytes[i]!));
    const gap = '   '.repeat(BYTES_PER_LINE - (to - at));
    lines.push(`${at.toString(16).padStart(4, '0')}  ${hex}${gap} ${text}`);
  }
  const left = bytes.length - end;
  if (left > 0) lines.push(`      and ${left.toLocaleString('en')} bytes more`);
  return lines.join('\n');
}

/** Bytes in one span for each layer. */
function renderRun(
  layers: readonly Layer[],
  from: number,
  to: number,
  render: (index: number) => string,
): string {
  let at = from;
  let html = '';
  for (const { name, end } of layers) {
    let run = '';
    for (; at < Math.min(end, to); at++) run += render(at);
    if (run !== '') html += `<span class="${name.toLowerCase()}">${run}</span>`;
  }
  return html;
}

function printable(byte: number): string {
  return byte >= 0x20 && byte < 0x7f ? escapeHtml(String.fromCharCode(byte)) : '·';
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

/** Text as it is written in HTML. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => ENTITIES[character]!);
}
