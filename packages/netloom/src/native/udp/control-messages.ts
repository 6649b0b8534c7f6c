/**
 * Control messages, which go along with a datagram and say what is not in it (cmsg(3)), as 64-bit Linux has them.
 *
 * A `struct cmsghdr` has its length, this header included, then level and type; the data follows, and the next begins at a multiple of 8.
 */
const HEADER_LENGTH = 16;
const LEVEL = 8;
const TYPE = 12;
const ALIGNMENT = 8;

/** Levels: linux/in.h */
export const SOL_IP = 0;
export const SOL_UDP = 17;
export const SOL_IPV6 = 41;

/** Types, and the options that ask for them where those have another number: linux/in.h, linux/in6.h, linux/udp.h. */
export const IP_TOS = 1;
export const IP_PKTINFO = 8;
export const IP_RECVERR = 11;
export const IP_RECVTOS = 13;
export const IPV6_RECVERR = 25;
export const IPV6_RECVPKTINFO = 49;
export const IPV6_PKTINFO = 50;
export const IPV6_RECVTCLASS = 66;
export const IPV6_TCLASS = 67;
export const UDP_SEGMENT = 103;
export const UDP_GRO = 104;

/** Told of each control message; `at` is where its data is in the view. */
export type ControlVisitor = (
  level: number,
  type: number,
  view: DataView,
  at: number,
  length: number,
) => void;

/** Goes through the control messages in the first `end` bytes. */
export function visitControls(view: DataView, end: number, visit: ControlVisitor): void {
  for (let at = 0; at + HEADER_LENGTH <= end;) {
    const length = view.getUint32(at, true);
    if (length < HEADER_LENGTH || at + length > end) return;
    const level = view.getInt32(at + LEVEL, true);
    const type = view.getInt32(at + TYPE, true);
    visit(level, type, view, at + HEADER_LENGTH, length - HEADER_LENGTH);
    at += aligned(length);
  }
}

/** Writes the header of a control message with so many bytes of data, which are to be written after it. */
export function writeControlHeader(
  view: DataView,
  at: number,
  level: number,
  type: number,
  length: number,
): void {
  view.setUint32(at, HEADER_LENGTH + length, true);
  view.setUint32(at + 4, 0, true);
  view.setInt32(at + LEVEL, level, true);
  view.setInt32(at + TYPE, type, true);
}

/** Where the data of a control message is that begins at `at`. */
export function controlData(at: number): number {
  return at + HEADER_LENGTH;
}

/** Bytes that a control message with so many bytes of data takes (CMSG_SPACE). */
export function controlSpace(length: number): number {
  return aligned(HEADER_LENGTH + length);
}

function aligned(length: number): number {
  return (length + ALIGNMENT - 1) & -ALIGNMENT;
}
