import type { Datagram } from './host.ts';

/** Calls with the data of each datagram that this one stands for: {@link Datagram.segmentSize}. An empty one is one too. */
export function forEachSegment(
  { data, segmentSize }: Datagram,
  call: (data: Uint8Array) => void,
): void {
  if (segmentSize === undefined || segmentSize <= 0 || segmentSize >= data.length) {
    call(data);
    return;
  }
  for (let at = 0; at < data.length; at += segmentSize) call(data.subarray(at, at + segmentSize));
}
