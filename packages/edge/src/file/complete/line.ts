/** What a file says of a line and a port, with every default in its place. */
import { DEFAULT_PORT, type LinkModel, type PortModel, type VlanModel } from '../../model/index.ts';
import type { LinkText, PortText, VlanText } from '../form/line.ts';
import type { VlanRanges } from '../scalars.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The line of one that says `own` where `common` holds for all. What is not wrong is left out, so that one line has one form. */
export function completeLink(
  own: Partial<LinkText> = {},
  common: Partial<LinkText> = {},
): LinkModel {
  const { delay, rate = Infinity, queue, partition, seed, ...shares } = { ...common, ...own };
  const link: Mutable<LinkModel> = {};
  if (delay !== undefined && delay.value > 0) link.delay = delay.value;
  if (delay !== undefined && delay.spread > 0) link.jitter = delay.spread;
  if (rate < Infinity) link.rate = rate;
  if (queue !== undefined) link.queueBytes = queue;
  for (const name of ['loss', 'reorder', 'duplicate', 'corrupt'] as const) {
    const share = shares[name] ?? 0;
    if (share > 0) link[name] = share;
  }
  if (partition === true) link.partition = true;
  if (seed !== undefined) link.seed = seed;
  return link;
}

/** A port. */
export function completePort(
  text: Partial<PortText>,
  commonLink: Partial<LinkText> | undefined,
): PortModel {
  return {
    vlan: text.vlan === undefined ? DEFAULT_PORT.vlan : completeVlan(text.vlan),
    priority: text.priority ?? DEFAULT_PORT.priority,
    isolated: text.isolated ?? DEFAULT_PORT.isolated,
    stations: text.stations ?? DEFAULT_PORT.stations,
    whenFull: text.whenFull ?? DEFAULT_PORT.whenFull,
    storm: { ...DEFAULT_PORT.storm, ...text.storm },
    shaping: text.shaping === undefined ? DEFAULT_PORT.shaping : { rate: text.shaping },
    link: completeLink(text.link, commonLink),
  };
}

function completeVlan(text: VlanText): VlanModel {
  if ('vlan' in text) return { mode: 'access', vlan: text.vlan };
  const { trunk, native } = text;
  return {
    mode: 'trunk',
    allowed: trunk === undefined ? 'all' : completeRanges(trunk),
    ...(native !== undefined && { native }),
  };
}

function completeRanges(ranges: VlanRanges): 'all' | (number | readonly [number, number])[] {
  const [only] = ranges;
  if (ranges.length === 1 && only![0] === 1 && only![1] === 4094) return 'all';
  return ranges.map((range) => (range[0] === range[1] ? range[0] : range));
}
