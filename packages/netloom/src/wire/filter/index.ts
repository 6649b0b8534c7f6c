/** Capture filters: the language of tcpdump, pcap-filter(7), made functions over the bytes of a frame. */
export { FilterError } from './filter-error.ts';
export {
  compileFilter,
  type FilterLimits,
  type FilterOptions,
  type FrameFilter,
} from './filter.ts';
