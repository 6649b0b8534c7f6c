import { IpAddress, readInt32, readUint16 } from '../core/index.ts';
import { finishFrameChecksum, type FrameOffload } from '../link/index.ts';
import type { Interface } from './interface/interface.ts';

/** Where a frame's source address is. */
const SOURCE_MAC = 6;

/**
 * An IP packet on its way up: where its parts are in the frame and what its header says. One mutable instance serves
 * a whole stack, so nothing may keep it; addresses are words as in {@link IpAddress}.
 */
export class Packet {
  bytes!: Uint8Array;
  interface!: Interface;
  offload: FrameOffload | undefined;
  family: 4 | 6 = 4;
  /** Index of the IP header. */
  start = 0;
  /** Index of the transport header: past options and extension headers. */
  transport = 0;
  /** Index one past the packet's last byte. */
  end = 0;
  protocol = 0;
  source0 = 0;
  source1 = 0;
  source2 = 0;
  source3 = 0;
  destination0 = 0;
  destination1 = 0;
  destination2 = 0;
  destination3 = 0;
  hopLimit = 0;
  /** DSCP and ECN. */
  trafficClass = 0;
  /** Its IP destination is a group or a broadcast address, or its link destination is: nothing may be answered with an error (RFC 1122, section 3.2.2). */
  isGroup = false;
  /** It is for another host, in whose name it is taken up: see `interception/`. */
  isForeign = false;
  /** Of a packet that came in fragments: the station that sent the last of them. */
  fragmentsFrom = 0;

  /**
   * The station that sent its frame, as `MacAddress.toNumber` has it. Whoever shares something out among guests tells them apart by this: an address of IP costs nothing to make up,
   * and may be another's, while a switch can hold a port to the stations it has.
   */
  get station(): number {
    if (this.isReassembled) return this.fragmentsFrom;
    const at = SOURCE_MAC;
    return readUint16(this.bytes, at) * 0x1_0000_0000 + (readInt32(this.bytes, at + 2) >>> 0);
  }

  /** It came in fragments: it stands by itself, with no frame around it. */
  get isReassembled(): boolean {
    return this.start === 0;
  }

  /** Its TCP or UDP checksum need not be verified: it was never finished, since only memory lies between, or a device has done so. */
  get isChecksumTrusted(): boolean {
    const { offload } = this;
    return (
      offload !== undefined && (offload.checksumStart > 0 || offload.checksumVerified === true)
    );
  }

  /**
   * Completes a checksum that was left unfinished further in than the transport header, as the kernel leaves that of a segment in a tunnel's
   * datagram: whoever takes the payload hears nothing of the frame. It is done in the frame itself, which nobody else reads any more.
   */
  finishInnerChecksum(): void {
    const { offload } = this;
    const start = offload?.checksumStart ?? 0;
    if (offload === undefined || start === 0 || start === this.transport) return;
    finishFrameChecksum(this.bytes.subarray(0, this.end), offload);
    this.offload = undefined;
  }

  get source(): IpAddress {
    return this.family === 4
      ? IpAddress.v4(this.source3)
      : IpAddress.v6(
          this.source0,
          this.source1,
          this.source2,
          this.source3,
          this.#zone(this.source0),
        );
  }

  get destination(): IpAddress {
    const { destination0, destination1, destination2, destination3 } = this;
    return this.family === 4
      ? IpAddress.v4(destination3)
      : IpAddress.v6(
          destination0,
          destination1,
          destination2,
          destination3,
          this.#zone(destination0),
        );
  }

  /** Link-local addresses mean something only together with the interface (RFC 4007). */
  #zone(word0: number): string {
    return word0 >>> 22 === 0x3fa ? this.interface.name : '';
  }
}
