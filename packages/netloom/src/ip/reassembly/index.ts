/** Fragments to datagrams. */
export type { Arrival } from './partial-datagram.ts';
export {
  REASSEMBLY_LIMITS,
  Reassembler,
  type ReassemblyLimits,
  type ReassemblySink,
} from './reassembler.ts';
