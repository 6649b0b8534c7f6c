import { channel, type Channel, type IpAddress, type MacAddress } from '../../core/index.ts';

/**
 * What comes of it that another station has an address too: it never gets into use (`before-use`), is given up (`gave-way`), or stays ours:
 * `defended` by saying so, or `ignored`.
 */
export type ConflictOutcome = 'before-use' | 'gave-way' | 'defended' | 'ignored';

/** Another station has an address of ours, or one that we wanted. */
export interface AddressConflict {
  /** The name of our interface. */
  readonly interface: string;
  readonly address: IpAddress;
  /** The other station; undefined where its message does not tell. */
  readonly other: MacAddress | undefined;
  readonly outcome: ConflictOutcome;
  readonly at: number;
}

/** The address conflicts of all stacks. */
export const ADDRESS_CONFLICT: Channel<AddressConflict> = channel('netloom:ip:address-conflict');
