/** `netloom dump FILE|LINK`: frames in words, from a capture file or live. */
import { createReadStream } from 'node:fs';
import { NetloomError, type Clock } from 'netloom/core';
import { CapturedLink, type Link } from 'netloom/link';
import {
  captureReader,
  LinkType,
  type CaptureFault,
  type CapturedPacket,
  type CaptureInterface,
} from 'netloom/wire';
import { readNumber, readOptions, usageError } from './command.ts';
import { DumpFormatter, type DumpFormat, type DumpTime } from './dump-format.ts';
import { unreadableError } from './file-error.ts';

/** What a dump needs of its surroundings. */
export interface DumpContext {
  /** Writes text to standard output; settles when there is room for more. */
  write(text: string): Promise<void> | void;
  /** What `-` stands for. */
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Opens the link of a name like `tap:NAME`, with the clock it runs on. */
  openLink(name: string): Promise<{ readonly link: Link; readonly clock: Clock }>;
  /** Ends a live dump. */
  readonly signal: AbortSignal;
}

/** What `netloom help dump` prints. */
export const dumpHelp = `netloom dump FILE|LINK [options]

Describes frames in one line each: from a pcapng or pcap file ('-' is standard input),
or live from a link such as tap:NAME, until Ctrl-C. (A file whose name looks
like a link is to be written with a path, as ./tap:x.)

  --count N      stop after N frames
  --time HOW     relative (to the first; default), wall, or none
  --ethernet     begin each description with the Ethernet addresses
  --hex          follow each line with the bytes
`;

interface DumpRequest extends DumpFormat {
  readonly source: string;
  readonly count: number;
}

/** Runs the command with the arguments after `dump`. Throws a `NetloomError` that says what to do. */
export async function dump(args: readonly string[], context: DumpContext): Promise<void> {
  const request = readArguments(args);
  if (/^[a-z]+:/.test(request.source)) await dumpLink(request, context);
  else await dumpFile(request, context);
}

function readArguments(args: readonly string[]): DumpRequest {
  const { values, positionals } = readOptions('dump', args, {
    count: { type: 'string' },
    time: { type: 'string' },
    ethernet: { type: 'boolean' },
    hex: { type: 'boolean' },
    // About errors, and of the whole command line.
    verbose: { type: 'boolean' },
  });
  const [source, ...others] = positionals;
  if (source === undefined || others.length > 0) {
    throw usageError('dump', 'dump wants one file or link');
  }
  const time = values.time ?? 'relative';
  if (!isDumpTime(time)) {
    throw usageError('dump', `--time is relative, wall or none, not '${time}'`);
  }
  const range = { least: 1, most: Number.MAX_SAFE_INTEGER, whole: true };
  const count = readNumber('dump', '--count', values.count, range) ?? Infinity;
  return { source, count, time, ethernet: values.ethernet ?? false, hex: values.hex ?? false };
}

function isDumpTime(text: string): text is DumpTime {
  return text === 'relative' || text === 'wall' || text === 'none';
}

async function dumpFile(request: DumpRequest, context: DumpContext): Promise<void> {
  const { source } = request;
  const formatter = new DumpFormatter(request);
  let text = '';
  const reader = captureReader({
    packet(packet) {
      if (formatter.count < request.count) text += formatter.packet(packet);
    },
  });
  let fault: CaptureFault | undefined;
  for await (const chunk of readSource(source, context)) {
    fault = reader.push(chunk);
    // A chunk at a time: what reads our output sets the pace.
    await context.write(text);
    text = '';
    if (fault !== undefined || formatter.count >= request.count) break;
  }
  if (formatter.count >= request.count) return;
  fault ??= reader.end();
  if (fault !== undefined) throw faultError(source, fault, formatter.count);
}

async function* readSource(
  source: string,
  { stdin, signal }: DumpContext,
): AsyncGenerator<Uint8Array> {
  try {
    yield* source === '-' ? stdin : createReadStream(source, { signal });
  } catch (error) {
    if (signal.aborted) return;
    throw unreadableError(error, source);
  }
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

/** Prints what passes a link, for which this is the station: frames to it and, should it send any, from it. */
async function dumpLink(request: DumpRequest, context: DumpContext): Promise<void> {
  const { link, clock } = await context.openLink(request.source);
  const formatter = new DumpFormatter(request);
  const from: CaptureInterface = {
    id: 0,
    name: link.name,
    linkType: LinkType.ETHERNET,
    snapLength: 0,
  };
  const captured = new CapturedLink(link, clock, {
    frame(_, direction, data, _offload, time) {
      if (formatter.count >= request.count) return;
      const nanoseconds = BigInt(Math.round(time * 1000)) * 1000n;
      const packet: CapturedPacket = {
        interface: from,
        time: nanoseconds,
        data,
        originalLength: data.length,
        direction,
      };
      void context.write(formatter.packet(packet));
      if (formatter.count >= request.count) void link.close();
    },
  });
  await new Promise<void>((resolve, reject) => {
    captured.attach({
      receive() {},
      batchEnd() {},
      closed: (error) => (error === undefined ? resolve() : reject(error)),
    });
    const stop = (): void => void captured.close();
    if (context.signal.aborted) stop();
    else context.signal.addEventListener('abort', stop, { once: true });
  });
}
