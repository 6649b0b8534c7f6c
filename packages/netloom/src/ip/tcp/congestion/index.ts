/** Congestion control: the interface and the algorithms to choose from. */
export {
  type AcknowledgedBytes,
  type CongestionControl,
  type CongestionOptions,
} from './congestion-control.ts';
export { Cubic } from './cubic.ts';
export { NewReno } from './new-reno.ts';
