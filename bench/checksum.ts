import { seededRandom } from 'netloom/core';
import { finishChecksum, sumWords } from 'netloom/wire';
import type { Bench } from './frame/bench.ts';
import { keep, marginalThroughput, rate } from './frame/measure.ts';

/** Headers, segments of Ethernet's and of a jumbo frame's size, and what segmentation offload hands over. */
const SIZES = [20, 40, 60, 64, 512, 1460, 9000, 65_000];

/** Where packets begin is not ours to choose: behind 14 bytes of Ethernet, then anywhere. */
const STARTS = [14, 34, 54, 17];

/** The Internet checksum over a range of bytes. */
type Checksum = (bytes: Uint8Array, start: number, end: number) => number;

/** What one would write first: 16 bits at a time through a `DataView`. */
const plainDataView: Checksum = (bytes, start, end) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
  let sum = 0;
  let at = 0;
  for (const last = end - start - 1; at < last; at += 2) sum += view.getUint16(at);
  if (at < end - start) sum += view.getUint8(at) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
};

const ours: Checksum = (bytes, start, end) => finishChecksum(sumWords(bytes, start, end));

/** A round that answers megabytes per second. */
function throughput(checksum: Checksum, bytes: Uint8Array, size: number): () => number {
  return () => {
    const perSecond = rate((count) => {
      let sum = 0;
      for (let i = 0; i < count; i++) {
        const start = STARTS[i & 3]!;
        sum += checksum(bytes, start, start + size);
      }
      keep(sum);
    });
    return (perSecond * size) / 1e6;
  };
}

/** Our Internet checksum against a plain loop. */
export const bench: Bench = {
  name: 'checksum',
  description: 'the Internet checksum against a plain DataView loop, over sizes',
  async run(report) {
    const bytes = seededRandom(1).fill(new Uint8Array(70_000));
    const own: [number, number][] = [];
    const plain: [number, number][] = [];
    for (const size of SIZES) {
      const { netloom, peers } = await report.compare({
        case: `${size} bytes`,
        unit: 'MB/s',
        netloom: throughput(ours, bytes, size),
        peers: { dataview: throughput(plainDataView, bytes, size) },
      });
      // From megabytes per second to ranges per second.
      own.push([size, (1e6 * netloom) / size]);
      plain.push([size, (1e6 * (peers['dataview'] ?? NaN)) / size]);
    }
    report.record({
      case: 'slope',
      unit: 'GB/s',
      netloom: marginalThroughput(own),
      peers: { dataview: marginalThroughput(plain) },
    });
  },
};
