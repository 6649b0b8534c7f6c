/** The keys of a line and of a port. */
import {
  PERCENT,
  RATE,
  RATE_OR_NONE,
  SIZE,
  SPREAD,
  VLAN,
  VLANS,
  type VlanRanges,
} from '../scalars.ts';
import {
  as,
  either,
  flag,
  integer,
  oneOf,
  record,
  text,
  written,
  type Fields,
  type Shape,
} from '../shape.ts';
import type { Spread } from '../../text/index.ts';

/** What a file says of a line. */
export interface LinkText {
  readonly delay: Spread;
  /** Infinity: no limit. */
  readonly rate: number;
  readonly queue: number;
  readonly loss: number;
  readonly reorder: number;
  readonly duplicate: number;
  readonly corrupt: number;
  readonly partition: boolean;
  readonly seed: number;
}

const LINK_FIELDS: Fields<LinkText> = {
  delay: {
    shape: SPREAD,
    about: 'What a frame takes each way, and by how much it varies.',
    otherwise: '0',
  },
  rate: { shape: RATE_OR_NONE, about: 'Bits per second, each way.', otherwise: 'none' },
  queue: {
    shape: SIZE,
    about: 'What may wait for a line of that rate; more is dropped.',
    otherwise: '256KiB',
  },
  loss: { shape: PERCENT, about: 'The share of frames that are lost.', otherwise: '0%' },
  reorder: {
    shape: PERCENT,
    about: 'The share of frames that are held back, so that later ones overtake them.',
    otherwise: '0%',
  },
  duplicate: { shape: PERCENT, about: 'The share of frames that arrive twice.', otherwise: '0%' },
  corrupt: {
    shape: PERCENT,
    about: 'The share of frames of which one bit is turned over.',
    otherwise: '0%',
  },
  partition: { shape: flag, about: 'Whether nothing passes.', otherwise: 'false' },
  seed: {
    shape: integer('a seed', 0, Number.MAX_SAFE_INTEGER),
    about: 'Decides the fate of each frame, the same at every start.',
    otherwise: 'another at every start',
  },
};

/** A line between a station and the switch. */
export const LINK: Shape<Partial<LinkText>> = record('link', LINK_FIELDS);

/** What a file says of the VLANs of a port. */
export type VlanText =
  | { readonly vlan: number }
  | { readonly trunk?: VlanRanges; readonly native?: number };

interface TrunkText {
  readonly trunk: VlanRanges;
  readonly native: number;
}

const TRUNK: Shape<Partial<TrunkText>> = record<TrunkText>('vlan', {
  trunk: { shape: VLANS, about: 'The VLANs whose frames have tags.', otherwise: 'all' },
  native: {
    shape: VLAN,
    about: 'The VLAN of frames without a tag.',
    otherwise: 'none, and such frames are dropped',
  },
});

const VLAN_OR_TRUNK: Shape<VlanText> = either<VlanText>(
  'a VLAN or a trunk',
  'Write a number from 1 to 4094, or a trunk as {trunk: [1, 10-20], native: 1}.',
  as(VLAN, (vlan) => ({ vlan })),
  written(TRUNK),
);

interface StormText {
  readonly broadcast: number;
  readonly multicast: number;
  readonly unknownUnicast: number;
}

const FRAMES = integer('frames per second', 0, 1_000_000_000);

const STORM: Shape<Partial<StormText>> = record<StormText>('storm', {
  broadcast: { shape: FRAMES, about: 'Broadcasts per second.', otherwise: '1000' },
  multicast: { shape: FRAMES, about: 'Frames to groups per second.', otherwise: 'no limit' },
  unknownUnicast: {
    shape: FRAMES,
    about: 'Frames per second to stations that the switch does not know.',
    otherwise: '1000',
  },
});

const PRIORITY: Shape<number | 'dscp'> = text(
  'a priority',
  'Write a number from 0 to 7, or dscp.',
  (written) =>
    written === 'dscp' ? written : /^[0-7]$/.test(written) ? Number(written) : undefined,
  { enum: ['dscp', 0, 1, 2, 3, 4, 5, 6, 7] },
  ['dscp'],
);

/** What a file says of a station's port. */
export interface PortText {
  readonly vlan: VlanText;
  readonly priority: number | 'dscp';
  readonly isolated: boolean;
  readonly stations: number;
  readonly whenFull: 'forward' | 'drop';
  readonly storm: Partial<StormText>;
  readonly shaping: number;
  readonly link: Partial<LinkText>;
}

/** A station's port and its line: the keys that every kind of station has. */
export const PORT_FIELDS: Fields<PortText> = {
  link: {
    shape: LINK,
    about: 'What is wrong with its line, on purpose.',
    otherwise: 'what `link` of the network says, key by key',
  },
  vlan: {
    shape: VLAN_OR_TRUNK,
    about: 'Its VLAN, or those of a trunk.',
    otherwise: '1',
  },
  shaping: {
    shape: RATE,
    about: 'Bits per second towards the station, fairly shared between flows.',
    otherwise: 'no limit',
  },
  priority: {
    shape: PRIORITY,
    about: 'Of frames that come without a tag, 0 to 7; `dscp`: what the packet in them asks for.',
    otherwise: 'dscp',
  },
  isolated: {
    shape: flag,
    about: 'Whether it reaches no other station that is isolated too.',
    otherwise: 'false',
  },
  stations: {
    shape: integer('a number of stations', 0, 1_000_000),
    about: 'How many addresses the switch learns there.',
    otherwise: '64',
  },
  whenFull: {
    shape: oneOf(['forward', 'drop']),
    about: 'What becomes of frames of further stations: they pass, or are dropped.',
    otherwise: 'drop',
  },
  storm: {
    shape: STORM,
    about: 'How many frames of a kind the switch takes in there; more are dropped.',
    otherwise: '1000 broadcasts and 1000 frames to stations it does not know',
  },
};
