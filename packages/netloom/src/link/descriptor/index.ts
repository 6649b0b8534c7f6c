/** What links to the kernel by a file descriptor share. */
export {
  DESCRIPTOR_LINK_LIMITS,
  DescriptorLink,
  type DescriptorLinkLimits,
  type DescriptorLinkOptions,
} from './descriptor-link.ts';
export type { DeviceFailure, FrameDevice } from './frame-device.ts';
export { moveChecksumStart, VIRTIO_HEADER_LENGTH } from './virtio-header.ts';
