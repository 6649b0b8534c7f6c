import {
  IpProtocol,
  TCP_CHECKSUM_OFFSET,
  TCP_HEADER_LENGTH,
  TcpHeader,
  emitTcp,
  finishChecksum,
  foldSum,
  sumWords,
  tcpOptionsLength,
} from '../../wire/index.ts';
import type { FrameOffload } from '../../link/index.ts';
import type { IpOutput } from '../output.ts';
import type { Path } from '../route/path.ts';
import type { SendQueue } from './send-queue.ts';

/**
 * Builds TCP segments in the frames they leave in. One serves a whole stack: fill {@link header}, then {@link send}. The header's
 * options are cleared by {@link begin}.
 */
export class SegmentWriter {
  readonly header: TcpHeader = new TcpHeader();
  readonly #output: IpOutput;
  readonly #offload: FrameOffload = {
    checksumStart: 0,
    checksumOffset: TCP_CHECKSUM_OFFSET,
    segmentSize: 0,
  };

  constructor(output: IpOutput) {
    this.#output = output;
  }

  /** A cleared header between these ports. */
  begin(sourcePort: number, destinationPort: number): TcpHeader {
    const { header } = this;
    header.sourcePort = sourcePort;
    header.destinationPort = destinationPort;
    header.flags = 0;
    header.window = 0;
    header.sequence = 0;
    header.acknowledgment = 0;
    header.checksum = 0;
    header.maximumSegmentSize = 0;
    header.windowScale = -1;
    header.sackPermitted = false;
    header.hasTimestamps = false;
    header.sackCount = 0;
    return header;
  }

  /**
   * Sends the header with `length` bytes of `queue` from `offset` on. `segmentSize`: the payload bytes of one segment, where
   * the link is to cut. Answers whether the link took it.
   */
  send(
    path: Path,
    queue: SendQueue | undefined,
    offset: number,
    length: number,
    segmentSize: number,
  ): boolean {
    const { header } = this;
    const output = this.#output;
    const headerLength = TCP_HEADER_LENGTH + tcpOptionsLength(header);
    const total = headerLength + length;
    if (!output.open(path, IpProtocol.TCP, total, length > segmentSize)) return false;
    const { bytes, at } = output;
    const payload = emitTcp(header, bytes, at);
    if (length > 0) queue!.copy(offset, length, bytes, payload);
    const pseudo = output.pseudoHeaderSum(IpProtocol.TCP, total);
    if (path.interface.link.offload.checksum) {
      this.#setChecksum(bytes, at, foldSum(pseudo));
      this.#offload.checksumStart = at;
      this.#offload.segmentSize = length > segmentSize ? segmentSize : 0;
      return output.send(this.#offload);
    }
    this.#setChecksum(bytes, at, finishChecksum(sumWords(bytes, at, at + total, pseudo)));
    return output.send(undefined);
  }

  #setChecksum(bytes: Uint8Array, at: number, value: number): void {
    bytes[at + TCP_CHECKSUM_OFFSET] = value >>> 8;
    bytes[at + TCP_CHECKSUM_OFFSET + 1] = value;
  }
}
