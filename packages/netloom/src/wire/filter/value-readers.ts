import { EtherType } from '../ethernet.ts';
import { IpProtocol } from '../ip-protocol.ts';
import { IPV6_HEADER_LENGTH } from '../ipv6.ts';
import { IPV6_NEXT_HEADER, beginsOverIpv4, transportAt } from './ip-tests.ts';
import { carries, type LinkLayer } from './link-layer.ts';
import { PROTOCOLS } from './protocols.ts';
import type { Operator, Relation, Value } from './syntax.ts';
import {
  CUT_OFF,
  NO,
  YES,
  both,
  load16,
  load32,
  load8,
  type Reader,
  type Test,
} from './verdict.ts';

type Load = Extract<Value, { readonly kind: 'load' }>;

const LOADS = { 1: load8, 2: load16, 4: load32 } as const;

/** A comparison of two values: of those frames only that are of all the protocols the values are read from. */
export function compareValues(
  layer: LinkLayer,
  relation: Relation,
  left: Value,
  right: Value,
): Test {
  const loads = new Map([...loadsOf(left), ...loadsOf(right)].map((load) => [load.protocol, load]));
  const conditions = [...loads.values()].flatMap((load) => conditionOf(layer, load) ?? []);
  const comparison = relationTest(relation, readerOf(layer, left), readerOf(layer, right));
  return [...conditions, comparison].reduce(both);
}

function* loadsOf(value: Value): Generator<Load> {
  if (value.kind === 'load') {
    yield value;
    yield* loadsOf(value.index);
  } else if (value.kind === 'operation') {
    yield* loadsOf(value.left);
    yield* loadsOf(value.right);
  } else if (value.kind === 'negative') {
    yield* loadsOf(value.operand);
  }
}

/** What a frame has to be for the header to be where {@link readLoad} looks for it. */
function conditionOf(layer: LinkLayer, { protocol }: Load): Test | undefined {
  const mark = PROTOCOLS[protocol];
  if (mark.over === 'link') return undefined;
  if (mark.over === 'ether') return carries(layer, mark.number);
  if (protocol === 'icmp6') {
    const { payload } = layer;
    const isIcmp6: Test = (frame) => {
      const next = load8(frame, payload + IPV6_NEXT_HEADER);
      return next === IpProtocol.ICMPV6 ? YES : next === CUT_OFF ? CUT_OFF : NO;
    };
    return both(carries(layer, EtherType.IPV6), isIcmp6);
  }
  return beginsOverIpv4(layer, mark.number);
}

function relationTest(relation: Relation, left: Reader, right: Reader): Test {
  const holds = RELATIONS[relation];
  return (frame, length) => {
    const a = left(frame, length);
    if (a === CUT_OFF) return CUT_OFF;
    const b = right(frame, length);
    return b === CUT_OFF ? CUT_OFF : holds(a, b) ? YES : NO;
  };
}

const RELATIONS: Readonly<Record<Relation, (a: number, b: number) => boolean>> = {
  '=': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

/** On 32 bits without sign; what divides by zero has no value. */
const OPERATIONS: Readonly<Record<Operator, (a: number, b: number) => number>> = {
  '+': (a, b) => (a + b) >>> 0,
  '-': (a, b) => (a - b) >>> 0,
  '*': (a, b) => Math.imul(a, b) >>> 0,
  '/': (a, b) => (b === 0 ? CUT_OFF : Math.floor(a / b)),
  '%': (a, b) => (b === 0 ? CUT_OFF : a % b),
  '&': (a, b) => (a & b) >>> 0,
  '|': (a, b) => (a | b) >>> 0,
  '^': (a, b) => (a ^ b) >>> 0,
  '<<': (a, b) => (b > 31 ? 0 : (a << b) >>> 0),
  '>>': (a, b) => (b > 31 ? 0 : a >>> b),
};

function readerOf(layer: LinkLayer, value: Value): Reader {
  switch (value.kind) {
    case 'constant': {
      const constant = value.value;
      return () => constant;
    }
    case 'length':
      return (_, length) => length;
    case 'load':
      return readLoad(layer, value);
    case 'negative': {
      const operand = readerOf(layer, value.operand);
      return (frame, length) => {
        const a = operand(frame, length);
        return a === CUT_OFF ? CUT_OFF : -a >>> 0;
      };
    }
    case 'operation': {
      const operate = OPERATIONS[value.operator];
      const left = readerOf(layer, value.left);
      const right = readerOf(layer, value.right);
      return (frame, length) => {
        const a = left(frame, length);
        if (a === CUT_OFF) return CUT_OFF;
        const b = right(frame, length);
        return b === CUT_OFF ? CUT_OFF : operate(a, b);
      };
    }
  }
}

/** Bytes of a header. Above IPv4 the header is where the packet's own length says; above IPv6, right behind the fixed header. */
function readLoad(layer: LinkLayer, { protocol, index, size }: Load): Reader {
  const load = LOADS[size];
  const mark = PROTOCOLS[protocol];
  const { payload } = layer;
  if (mark.over === 'ip' && protocol !== 'icmp6') return readAboveIpv4(layer, index, load);
  const base =
    mark.over === 'link' ? 0 : protocol === 'icmp6' ? payload + IPV6_HEADER_LENGTH : payload;
  if (index.kind === 'constant') {
    const at = base + index.value;
    return (frame) => load(frame, at);
  }
  const readIndex = readerOf(layer, index);
  return (frame, length) => {
    const at = readIndex(frame, length);
    return at === CUT_OFF ? CUT_OFF : load(frame, base + at);
  };
}

function readAboveIpv4(layer: LinkLayer, index: Value, load: (typeof LOADS)[1]): Reader {
  const { payload } = layer;
  const readIndex = readerOf(layer, index);
  return (frame, length) => {
    const distance = readIndex(frame, length);
    if (distance === CUT_OFF) return CUT_OFF;
    const header = transportAt(frame, payload);
    if (header === CUT_OFF) return CUT_OFF;
    // The kernel adds 32 bits to the length of the header, so that a negative index leads back into it.
    return load(frame, payload + ((header - payload + distance) >>> 0));
  };
}
