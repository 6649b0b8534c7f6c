/** Bytes of the header before each frame; see `virtio-header.ts`. Apart from it, for what makes a TAP needs to know of no packets. */
export const VIRTIO_HEADER_LENGTH = 12;
