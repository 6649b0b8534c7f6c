import { open } from 'node:fs/promises';
import { copyBytes, NetloomError, type Clock } from 'netloom/core';
import { CapturedLink, finishFrameChecksum, type Link } from 'netloom/link';
import {
  captureReader,
  LinkType,
  type CaptureFault,
  type CaptureInterface,
  type CaptureStatistics,
} from 'netloom/wire';
import { unreadableError } from '../file-error.ts';
import type { DumpPipeline } from './pipeline.ts';

const CHUNK = 64 * 1024;

/** A capture as it is read. */
export interface CaptureBytes {
  /** What it is called in errors. */
  readonly name: string;
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
}

/**
 * The bytes of a file. With `grown` it goes on at the end of the file, when that has settled, until the signal is aborted. Throws
 * `FILE_UNREADABLE`.
 */
export async function* readFileBytes(
  path: string,
  signal: AbortSignal,
  grown: (() => Promise<void>) | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    await using file = await open(path);
    const buffer = new Uint8Array(CHUNK);
    while (!signal.aborted) {
      const { bytesRead } = await file.read(buffer);
      if (bytesRead > 0) yield buffer.subarray(0, bytesRead);
      else if (grown === undefined) return;
      else await grown();
    }
  } catch (error) {
    if (!signal.aborted) throw unreadableError(error, path);
  }
}

/** The chunks that come before the signal is aborted, from a source that knows nothing of it. */
export async function* readUntilAborted(
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  const stop = (): void => resolve();
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), aborted]);
      if (next === undefined || next.done === true) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    // Not waited for: it may itself wait for a chunk that does not come.
    void iterator.return?.();
  }
}

/** Sends the frames of a capture down the pipeline, at the pace at which the output is read. */
export async function dumpCapture(capture: CaptureBytes, pipeline: DumpPipeline): Promise<void> {
  const { name, chunks, signal } = capture;
  const dropped = new Map<CaptureInterface, bigint>();
  const reader = captureReader({
    packet: (packet) => pipeline.frame(packet),
    statistics: (counts) => void noteDropped(dropped, counts),
  });
  let fault: CaptureFault | undefined;
  for await (const chunk of chunks) {
    fault = reader.push(chunk);
    await pipeline.settle();
    if (fault !== undefined || pipeline.isDone) break;
  }
  for (const count of dropped.values()) pipeline.dropped += Number(count);
  if (pipeline.isDone || signal.aborted) return;
  fault ??= reader.end();
  if (fault !== undefined) throw faultError(name, fault, pipeline.seen);
}

/** A capture tells again and again how many frames its capturer has missed so far. */
function noteDropped(
  dropped: Map<CaptureInterface, bigint>,
  { interface: of, dropped: count }: CaptureStatistics,
): void {
  if (count !== undefined) dropped.set(of, count);
}

function faultError(source: string, fault: CaptureFault, count: number): NetloomError {
  if (fault === 'not-a-capture') {
    return new NetloomError('CAPTURE_INVALID', `${source} is neither a pcapng nor a pcap file`, {
      remedy: 'Give a file that tcpdump -w, Wireshark or netloom --pcap has written.',
    });
  }
  return new NetloomError(
    'CAPTURE_INVALID',
    `${source} is damaged after frame ${count}: ${fault}`,
    {
      remedy: 'What could be read is printed; capture anew for the rest.',
    },
  );
}

/** Sends down the pipeline what passes a link, for which this is the station: frames to it and, should it send any, from it. */
export async function dumpLink(
  { link, clock }: { readonly link: Link; readonly clock: Clock },
  pipeline: DumpPipeline,
  signal: AbortSignal,
): Promise<void> {
  const from: CaptureInterface = {
    id: 0,
    name: link.name,
    linkType: LinkType.ETHERNET,
    snapLength: 0,
  };
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // Whatever goes wrong while a frame is looked at must not stand in the way of the frame.
  const fail = (error: unknown): void => {
    reject(error as Error);
    void link.close();
  };
  const captured = new CapturedLink(link, clock, {
    frame(_, direction, frame, offload, time) {
      if (pipeline.isDone) return;
      const data = offload === undefined ? frame : copyBytes(frame);
      if (offload !== undefined) finishFrameChecksum(data, offload);
      const nanoseconds = BigInt(Math.round(time * 1000)) * 1000n;
      const { length: originalLength } = data;
      try {
        pipeline.liveFrame({ interface: from, time: nanoseconds, data, originalLength, direction });
        pipeline.settle().catch(fail);
      } catch (error) {
        fail(error);
      }
      if (pipeline.isDone) void link.close();
    },
  });
  captured.attach({
    receive() {},
    batchEnd() {},
    closed: (error) => (error === undefined ? resolve() : reject(error)),
  });
  const stop = (): void => void captured.close();
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  await promise;
}
