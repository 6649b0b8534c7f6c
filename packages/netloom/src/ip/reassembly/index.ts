/** Fragments to datagrams. */
export {
  REASSEMBLY_LIMITS,
  Reassembler,
  type ReassemblyLimits,
  type ReassemblySink,
} from './reassembler.ts';
