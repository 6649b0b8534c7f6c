import type { ProgramOptions } from 'netloom/link/tap/program';
import type { DestinationAccount } from 'netloom/host';

/** How a program's interface is to be in its network. */
export type ProgramInterface = Pick<
  ProgramOptions,
  'mtu' | 'addresses' | 'gateways' | 'nameServers' | 'interfaceMac'
>;

/** What is at the other end of a program's interface. */
export interface ProgramPlace extends AsyncDisposable {
  /** Rejects when the capture cannot be written any more; everything else goes on. */
  readonly captureFailed: Promise<never>;
  /** What went where. */
  destinations(): DestinationAccount[];
  /** Idempotent. Throws a named error if the disk is full. */
  close(): Promise<void>;
}
