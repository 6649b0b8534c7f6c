/**
 * A program that sends frames without end: `flooder.ts NAMESPACE INTERFACE RATE`. It reads the frames from standard input, each behind its length in four bytes, and
 * sends them round and round, so many a second, until it is ended. It says so when it begins.
 */
import { readFileSync } from 'node:fs';
import { packetLink } from 'netloom/link/packet';

const [namespace = '', device = '', rate = ''] = process.argv.slice(2);

const input = readFileSync(0);
const frames: Uint8Array[] = [];
for (let at = 0; at < input.length;) {
  const start = at + 4;
  at = start + input.readUInt32BE(at);
  frames.push(input.subarray(start, at));
}

const link = packetLink({ namespace, interface: device, promiscuous: false });
link.attach({ receive: () => undefined, batchEnd: () => undefined });
const started = performance.now();
let sent = 0;
setInterval(() => {
  const due = ((performance.now() - started) * Number(rate)) / 1000;
  for (; sent < due; sent++) {
    const frame = frames[sent % frames.length]!;
    const own = link.allocate(frame.length);
    own.set(frame);
    link.transmit(own);
  }
}, 1);
process.stdout.write('flooding\n');
