import { NetloomError } from '../../core/index.ts';

/** The first and the last identifier a VLAN can have (IEEE 802.1Q, table 9-2: 0 says "no VLAN", 4095 is reserved). */
const FIRST_VLAN = 1;
const LAST_VLAN = 4094;

/** VLANs of a trunk: single ones, and ranges with both ends. */
export type VlanSet = 'all' | readonly (number | readonly [first: number, last: number])[];

/** Which VLANs a port belongs to, and which frames have tags there (IEEE 802.1Q). */
export type VlanSettings =
  /** One VLAN, whose stations know nothing of it: frames have no tag. */
  | { readonly mode: 'access'; readonly vlan: number }
  /** Several VLANs: frames have tags, but for those of the native VLAN. Without a native VLAN, frames without a tag are dropped. */
  | { readonly mode: 'trunk'; readonly allowed: VlanSet; readonly native?: number };

/** What a port is when nobody says otherwise: all of them are one network. */
export const DEFAULT_VLAN: VlanSettings = { mode: 'access', vlan: 1 };

/** The {@link VlanSettings} of a port in the form that frames are held against. */
export class VlanMembership {
  /** The VLAN of frames without a tag, both ways; 0: there is none. */
  readonly untagged: number;
  /** Whether frames with a tag come in: not where stations know of none (IEEE 802.1Q, clause 6.9, "Admit Only Untagged and Priority-tagged"). */
  readonly admitsTagged: boolean;
  /** A bit for each VLAN. */
  readonly #members = new Uint32Array(128);

  /** Throws `SWITCH_SETTING_INVALID`. */
  constructor(settings: VlanSettings) {
    this.admitsTagged = settings.mode === 'trunk';
    this.untagged = settings.mode === 'trunk' ? (settings.native ?? 0) : settings.vlan;
    if (settings.mode === 'trunk') this.#addSet(settings.allowed);
    if (settings.mode === 'access' || settings.native !== undefined) this.#add(this.untagged);
  }

  has(vlan: number): boolean {
    return ((this.#members[vlan >>> 5]! >>> (vlan & 31)) & 1) !== 0;
  }

  #addSet(allowed: VlanSet): void {
    const ranges = allowed === 'all' ? [[FIRST_VLAN, LAST_VLAN] as const] : allowed;
    for (const range of ranges) {
      const [first, last] = typeof range === 'number' ? [range, range] : range;
      checkVlan(last);
      for (let vlan = first; vlan <= last; vlan++) this.#add(vlan);
    }
  }

  #add(vlan: number): void {
    checkVlan(vlan);
    this.#members[vlan >>> 5]! |= 1 << (vlan & 31);
  }
}

/** Throws `SWITCH_SETTING_INVALID` for what is not the identifier of a VLAN. */
export function checkVlan(vlan: number): void {
  if (Number.isInteger(vlan) && vlan >= FIRST_VLAN && vlan <= LAST_VLAN) return;
  throw new NetloomError('SWITCH_SETTING_INVALID', `${vlan} is not a VLAN`, {
    remedy: `Give a number from ${FIRST_VLAN} to ${LAST_VLAN}.`,
  });
}
