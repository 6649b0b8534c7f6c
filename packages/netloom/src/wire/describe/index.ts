/** Frames and packets in words: one line each. */
export { describeFrame, describePacket, type DescribeOptions } from './frame.ts';
