import { END_RADIUS } from './layout.ts';
import { svg } from './dom.ts';

/** What is at the end of a line: a silhouette, and a sign in it. Both say what it is, since colours say how it is. */
interface Shape {
  readonly outline: string;
  readonly sign: string;
}

const R = END_RADIUS;
const ROUNDED_SQUARE = `M${-R + 6} ${-R}H${R - 6}Q${R} ${-R} ${R} ${-R + 6}V${R - 6}Q${R} ${R} ${R - 6} ${R}H${-R + 6}Q${-R} ${R} ${-R} ${R - 6}V${-R + 6}Q${-R} ${-R} ${-R + 6} ${-R}Z`;
const CIRCLE = `M${-R} 0A${R} ${R} 0 0 1 ${R} 0A${R} ${R} 0 0 1 ${-R} 0Z`;
const HEXAGON = `M${-R} 0L${-R / 2} ${-R + 2}H${R / 2}L${R} 0L${R / 2} ${R - 2}H${-R / 2}Z`;
const OCTAGON = `M${-R} ${-8}L${-8} ${-R}H8L${R} ${-8}V8L8 ${R}H-8L${-R} 8Z`;

/** By the kind of a port; those of QEMU by what it begins with. */
const SHAPES: Readonly<Record<string, Shape>> = {
  /** A machine of ours: a box with two drives and their lamps. */
  machine: { outline: ROUNDED_SQUARE, sign: 'M-10 -9H10V-1H-10ZM-10 3H10V11H-10ZM5 -5H7M5 7H7' },
  /** A TAP: a plug. */
  tap: { outline: CIRCLE, sign: 'M-4 -10V-4M4 -10V-4M-8 -4H8V1Q8 6 3 6H-3Q-8 6 -8 1ZM0 6V12' },
  /** A program that was started in the network: a prompt. */
  program: { outline: CIRCLE, sign: 'M-9 -6L-3 0L-9 6M0 7H9' },
  /** A virtual machine: a chip. */
  qemu: {
    outline: ROUNDED_SQUARE,
    sign: 'M-7 -7H7V7H-7ZM-3 -7V-11M3 -7V-11M-3 7V11M3 7V11M-7 -3H-11M-7 3H-11M7 -3H11M7 3H11',
  },
  /** Out of the network, and into it. */
  gateway: { outline: HEXAGON, sign: 'M-8 -4H8M4 -8L8 -4L4 0M8 5H-8M-4 1L-8 5L-4 9' },
  /** Joined with what is elsewhere: two links of a chain. */
  uplink: {
    outline: OCTAGON,
    sign: 'M-2 4L-5 7A5 5 0 0 1 -11 1L-6 -3A5 5 0 0 1 0 -3M2 -4L5 -7A5 5 0 0 1 11 -1L6 3A5 5 0 0 1 0 3',
  },
  /** Four ways. */
  router: {
    outline: CIRCLE,
    sign: 'M0 -3V-13M-3 -10L0 -13L3 -10M0 3V13M-3 10L0 13L3 10M-3 0H-13M-10 -3L-13 0L-10 3M3 0H13M10 -3L13 0L10 3',
  },
};

/** Draws what is at the end of a line around the point 0, 0. */
export function drawEnd(kind: string): SVGGElement {
  const shape = SHAPES[kind.startsWith('qemu') ? 'qemu' : kind] ?? SHAPES['machine']!;
  return svg(
    'g',
    { class: 'end' },
    svg('path', { class: 'outline', d: shape.outline }),
    svg('path', { class: 'sign', d: shape.sign }),
  );
}

/** Draws the world around the point 0, 0: a globe. */
export function drawGlobe(): SVGGElement {
  return svg(
    'g',
    { class: 'globe' },
    svg('circle', { r: 9 }),
    svg('path', { d: 'M-9 0H9M0 -9Q6 0 0 9Q-6 0 0 -9M-7.5 -5H7.5M-7.5 5H7.5' }),
  );
}

/** What a kind is called. */
const KIND_NAMES: Readonly<Record<string, string>> = {
  machine: 'machine',
  tap: 'TAP',
  program: 'program',
  'qemu-stream': 'QEMU',
  'qemu-datagram': 'QEMU',
  gateway: 'gateway',
  uplink: 'way to elsewhere',
  router: 'router',
};

/** A kind as people say it. */
export function kindName(kind: string): string {
  return KIND_NAMES[kind] ?? kind;
}
