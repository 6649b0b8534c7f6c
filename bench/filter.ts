import { compileFilter } from 'netloom/wire';
import { FRAMES } from '../packages/netloom/test/frames.ts';
import type { Bench } from './frame/bench.ts';
import { keep, rate } from './frame/measure.ts';

/** Whether a frame passes. */
type Passes = (frame: Uint8Array) => boolean;

/** What one would write first for each filter: a `DataView` for each frame, and every condition by itself. */
const PLAIN: Readonly<Record<string, Passes>> = {
  arp: (frame) => viewOf(frame).getUint16(12) === 0x0806,
  'tcp port 9 or 443': (frame) => hasTcpPort(frame, 9) || hasTcpPort(frame, 443),
  'src net 192.0.2.0/24 and not udp port 53': (frame) =>
    isFromNetwork(frame) && !hasPort(frame, 17, 53),
  'tcp[tcpflags] & (tcp-syn|tcp-fin) != 0': (frame) => {
    const view = viewOf(frame);
    if (view.getUint16(12) !== 0x0800 || view.getUint8(23) !== 6) return false;
    if ((view.getUint16(20) & 0x1fff) !== 0) return false;
    return (view.getUint8(transportOf(view) + 13) & 3) !== 0;
  },
};

function viewOf(frame: Uint8Array): DataView {
  return new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
}

function transportOf(view: DataView): number {
  return 14 + (view.getUint8(14) & 15) * 4;
}

function hasTcpPort(frame: Uint8Array, port: number): boolean {
  return hasPort(frame, 6, port);
}

function hasPort(frame: Uint8Array, protocol: number, port: number): boolean {
  const view = viewOf(frame);
  const type = view.getUint16(12);
  let at: number;
  if (type === 0x0800) {
    if (view.getUint8(23) !== protocol || (view.getUint16(20) & 0x1fff) !== 0) return false;
    at = transportOf(view);
  } else if (type === 0x86dd) {
    if (view.getUint8(20) !== protocol) return false;
    at = 54;
  } else {
    return false;
  }
  return view.getUint16(at) === port || view.getUint16(at + 2) === port;
}

function isFromNetwork(frame: Uint8Array): boolean {
  const view = viewOf(frame);
  const type = view.getUint16(12);
  const at = type === 0x0800 ? 26 : type === 0x0806 || type === 0x8035 ? 28 : -1;
  return at > 0 && view.getUint32(at) >>> 8 === 0xc00002;
}

/** Frames of many kinds, as they come on a link. */
const frames = Object.values(FRAMES);

function throughput(passes: Passes): () => number {
  return () =>
    rate((count) => {
      let passed = 0;
      for (let i = 0; i < count; i++) if (passes(frames[i % frames.length]!)) passed++;
      keep(passed);
    });
}

/** See its description. */
export const bench: Bench = {
  name: 'filter',
  description:
    'Capture filters over frames of many kinds, against the same written by hand on a DataView',
  async run(report) {
    for (const [text, plain] of Object.entries(PLAIN)) {
      await report.compare({
        case: text,
        unit: 'frames/s',
        netloom: throughput(compileFilter(text)),
        peers: { dataview: throughput(plain) },
      });
    }
    for (const ports of [1, 10, 100]) {
      const text = Array.from({ length: ports }, (_, i) => `port ${1000 + i}`).join(' or ');
      await report.compare({
        case: `${ports} ports, none of which is there`,
        unit: 'frames/s',
        netloom: throughput(compileFilter(text)),
        peers: {},
      });
    }
  },
};
