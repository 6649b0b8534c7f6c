/** What carries frames. */
export {
  LINK_DROP,
  LinkStatistics,
  NO_OFFLOAD,
  type FrameOffload,
  type Link,
  type LinkHandler,
  type LinkOffload,
} from './link.ts';
export { linkPair, type LinkPairLimits, type LinkPairOptions } from './pair.ts';
export { loopbackLink } from './loopback.ts';
export { CapturedLink, PcapngSink, type CaptureSink, type PcapngSinkOptions } from './capture.ts';
export { forwardFrame } from './forward.ts';
export { FramePool } from './frame-pool.ts';
export { Hub, type HubLimits, type HubPortOptions } from './hub.ts';
export * from './impairment/index.ts';
export * from './qemu/index.ts';
export { refusalOf } from './refusal.ts';
export { StrictLink } from './strict.ts';
export { WrappedLink } from './wrapped-link.ts';
export * from './switch/index.ts';
export * from './vxlan/index.ts';
export { finishFrameChecksum, segmentFrame } from './segmentation.ts';
