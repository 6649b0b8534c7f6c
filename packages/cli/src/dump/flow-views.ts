import { FlowTracker, FLOW_TRACKER_LIMITS, type Flow, type FlowSink } from 'netloom/ip';
import { formatSocketAddress, NetloomError } from 'netloom/core';
import type { CapturedPacket } from 'netloom/wire';
import { formatTable, type Column } from '../table.ts';
import { FlowText } from './flow-text.ts';
import type { FrameView } from './view.ts';

const COLUMNS: readonly Column[] = [
  { heading: 'FLOW', align: 'right' },
  { heading: 'PROTOCOL' },
  { heading: 'FROM' },
  { heading: 'TO' },
  { heading: 'FRAMES', align: 'right' },
  { heading: 'BYTES', align: 'right' },
  { heading: 'FRAMES BACK', align: 'right' },
  { heading: 'BYTES BACK', align: 'right' },
  { heading: 'SECONDS', align: 'right' },
  { heading: 'END' },
];

/** The flows there were, as a table at the end. */
export class FlowListView implements FrameView {
  readonly #tracker = new FlowTracker({ begins: () => false });

  frame(packet: CapturedPacket): string {
    show(this.#tracker, packet);
    return '';
  }

  end(): string {
    const { flows } = this.#tracker;
    return flows.length === 0 ? '' : formatTable(COLUMNS, flows.map(rowOf));
  }

  notices(): readonly string[] {
    return noticesOf(this.#tracker);
  }
}

/** What one flow carries, as it comes. */
export class FlowTextView implements FrameView {
  readonly #id: number;
  readonly #tracker: FlowTracker;
  #flow: Flow | undefined;
  readonly #text = new FlowText();
  #output = '';

  /** `id`: the flow's number. */
  constructor(id: number) {
    this.#id = id;
    const sink: FlowSink = {
      begins: (flow) => this.#begin(flow),
      data: (flow, direction, bytes) => {
        const isDatagram = flow.protocol === 'udp';
        this.#output += this.#text.data(direction, bytes, isDatagram);
      },
      gap: (_, direction, length) => void (this.#output += this.#text.gap(direction, length)),
    };
    this.#tracker = new FlowTracker(sink);
  }

  frame(packet: CapturedPacket): string {
    show(this.#tracker, packet);
    return this.#takeOutput();
  }

  end(): string {
    this.#tracker.end();
    const output = this.#takeOutput() + this.#text.end();
    const end = this.#flow?.end;
    return end === undefined ? output : `${output}[${END_TEXTS[end]}]\n`;
  }

  notices(): readonly string[] {
    return noticesOf(this.#tracker);
  }

  /** The error of a flow that there was not. */
  missing(): NetloomError | undefined {
    if (this.#flow !== undefined) return undefined;
    const { length } = this.#tracker.flows;
    return new NetloomError('FLOW_MISSING', `there is no flow ${this.#id}: there are ${length}`, {
      remedy: "'--flows' with the same filter lists them.",
    });
  }

  #begin(flow: Flow): boolean {
    if (flow.id !== this.#id) return false;
    this.#flow = flow;
    this.#output += titleOf(flow);
    return true;
  }

  #takeOutput(): string {
    const output = this.#output;
    this.#output = '';
    return output;
  }
}

const END_TEXTS = {
  finished: 'both sides have finished',
  reset: 'it was reset',
} as const;

function show(tracker: FlowTracker, { data, time, interface: { linkType } }: CapturedPacket): void {
  tracker.frame({ data, time, linkType });
}

function titleOf({ protocol, from, to, isWhole }: Flow): string {
  const beginning = isWhole ? '' : ' (its beginning was not captured)';
  return `[${protocol} > from ${formatSocketAddress(from)}, < from ${formatSocketAddress(to)}${beginning}]\n`;
}

function rowOf(flow: Flow): string[] {
  const { id, protocol, from, to, forward, backward, first, last } = flow;
  const nanoseconds = first === undefined || last === undefined ? 0n : last - first;
  return [
    String(id),
    protocol,
    formatSocketAddress(from),
    formatSocketAddress(to),
    String(forward.frames),
    String(forward.bytes),
    String(backward.frames),
    String(backward.bytes),
    (Number(nanoseconds) / 1e9).toFixed(3),
    flow.end ?? (protocol === 'tcp' ? 'open' : '-'),
  ];
}

/** Frames that should perhaps have been in a flow. Those of other protocols should not. */
function noticesOf({ passedOver }: FlowTracker): readonly string[] {
  const { 'other-protocol': _, 'too-many-flows': tooMany = 0, ...reasons } = passedOver.snapshot();
  const notices: string[] = [];
  if (tooMany > 0) {
    const limit = FLOW_TRACKER_LIMITS.flows;
    notices.push(`${tooMany} frames of flows beyond the first ${limit} were not followed`);
  }
  const others = Object.entries(reasons);
  if (others.length > 0) {
    const list = others.map(([reason, count]) => `${count} ${reason}`).join(', ');
    notices.push(`frames that could not be put into a flow: ${list}`);
  }
  return notices;
}
