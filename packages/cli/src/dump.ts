/** `netloom dump`: frames and flows in words, from a capture file or live. */
import type { Clock } from 'netloom/core';
import type { Link } from 'netloom/link';
import { CaptureOutput } from './dump/capture-output.ts';
import { FlowListView, FlowTextView } from './dump/flow-views.ts';
import { FramesView } from './dump/frames-view.ts';
import { DumpPipeline } from './dump/pipeline.ts';
import { readDumpRequest, type DumpRequest, type DumpSource } from './dump/request.ts';
import { dumpCapture, dumpLink, readFileBytes, readUntilAborted } from './dump/sources.ts';
import type { FrameView } from './dump/view.ts';
import { nodeHelp, type NodeChoice } from './node-options.ts';

/** A network of a running node, as it is asked for. */
export interface DumpNetwork {
  readonly network: string;
  readonly port: string | undefined;
  readonly node: NodeChoice;
  /** The frames wanted. */
  readonly filter: string;
}

/** What a dump needs of its surroundings. */
export interface DumpContext {
  /** Writes text to standard output; settles when there is room for more. */
  write(text: string): Promise<void> | void;
  /** Writes text to standard error. */
  writeError(text: string): void;
  /** What `-` stands for. */
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Opens the link of a name like `tap:NAME`, with the clock it runs on. */
  openLink(name: string): Promise<{ readonly link: Link; readonly clock: Clock }>;
  /** Opens the capture of a network: a pcapng file that goes on until the signal is aborted. */
  openNetwork(request: DumpNetwork): Promise<AsyncIterable<Uint8Array>>;
  /** Settles when a file that is followed may have grown. */
  grown(): Promise<void>;
  /** Ends a live dump. */
  readonly signal: AbortSignal;
}

/** What `netloom help dump` prints. */
export const dumpHelp = `netloom dump FILE|LINK|--network NAME [options] ['FILTER']

Describes frames in one line each: from a pcapng or pcap file ('-' is standard input),
or live, until Ctrl-C: from a link such as tap:NAME, or from a network of a running
node. (A file whose name looks like a link is to be written with a path, as ./tap:x.)
FILTER is written as for tcpdump, as in 'tcp port 80 and host 10.0.0.1'; only frames
that pass it are shown, counted and written. docs/capture-filters.md has the language.

  --network NAME a network of a running node
  --port STATION only what passes this port of it, both ways
  --follow       go on as a file grows (what is live is always followed)
  --flows        list the flows instead, at the end
  --flow N       show what flow N carries as text: > from the side that began it, < back
  --pcap FILE    write the frames to FILE too
  --count N      stop after N frames
  --time HOW     relative (to the first; default), wall, or none
  --ethernet     begin each description with the Ethernet addresses
  --hex          follow each line with the bytes
${nodeHelp}`;

/** Runs the command with the arguments after `dump`. Throws a `NetloomError` that says what to do. */
export async function dump(args: readonly string[], context: DumpContext): Promise<void> {
  const request = readDumpRequest(args, (picture) => context.writeError(picture));
  const view = viewOf(request);
  const capture = captureOf(request);
  const { filter, count } = request;
  const write = (text: string): Promise<void> | void => context.write(text);
  const pipeline = new DumpPipeline({ filter, count, view, capture, write });
  let isRead = false;
  try {
    await run(request, pipeline, context);
    isRead = true;
  } finally {
    // Also before an error: what could be read is told.
    await pipeline.end();
    capture?.close();
    if (isRead || pipeline.seen > 0) {
      context.writeError(summaryOf(request.source, pipeline, view));
    }
  }
  const missing = view instanceof FlowTextView ? view.missing() : undefined;
  if (missing !== undefined && !context.signal.aborted) throw missing;
}

function viewOf({ view, format }: DumpRequest): FrameView {
  switch (view.kind) {
    case 'frames':
      return new FramesView(format);
    case 'flows':
      return new FlowListView();
    case 'text':
      return new FlowTextView(view.flow);
  }
}

function captureOf({ pcap, source }: DumpRequest): CaptureOutput | undefined {
  if (pcap === undefined) return undefined;
  return new CaptureOutput(pcap, source.kind === 'file' ? source.path : undefined);
}

async function run(
  { source, filter }: DumpRequest,
  pipeline: DumpPipeline,
  context: DumpContext,
): Promise<void> {
  const { signal } = context;
  switch (source.kind) {
    case 'file': {
      const grown = source.follow ? (): Promise<void> => context.grown() : undefined;
      const chunks = readFileBytes(source.path, signal, grown);
      return dumpCapture({ name: source.path, chunks, signal }, pipeline);
    }
    case 'stdin': {
      const chunks = readUntilAborted(context.stdin, signal);
      return dumpCapture({ name: '-', chunks, signal }, pipeline);
    }
    case 'link': {
      const opened = await context.openLink(source.name);
      context.writeError(listening(source.name));
      return dumpLink(opened, pipeline, signal);
    }
    case 'network': {
      const { network, port, node } = source;
      const chunks = await context.openNetwork({ network, port, node, filter });
      context.writeError(listening(`network ${network}`));
      await dumpCapture({ name: `the network ${network}`, chunks, signal }, pipeline);
      if (!pipeline.isDone && !signal.aborted) {
        context.writeError(`the network ${network} was taken away, or its node has ended\n`);
      }
    }
  }
}

function listening(what: string): string {
  return `listening on ${what}; Ctrl-C ends it\n`;
}

/** As tcpdump ends: how many frames there were, of a live source; and whatever else should be known. */
function summaryOf(source: DumpSource, pipeline: DumpPipeline, view: FrameView): string {
  const { seen, passed, dropped } = pipeline;
  const isLive = source.kind === 'link' || source.kind === 'network';
  const counts = `${seen} frames seen, ${passed} passed the filter, ${dropped} dropped`;
  const lines = isLive || dropped > 0 ? [counts, ...view.notices()] : view.notices();
  return lines.map((line) => `${line}\n`).join('');
}
