import type { Counters } from '../../core/index.ts';
import { TcpFlag, type TcpHeader } from '../../wire/index.ts';
import type { Packet } from '../packet.ts';

/**
 * Counts of a stack's TCP. Of a segment that the link cuts, or has put together, each part counts. In brackets is what RFC 4022
 * calls it.
 */
export class TcpStatistics {
  /** What was dropped, and other things out of the ordinary, by reason. */
  readonly drops: Counters;
  /** Attempts to connect (tcpActiveOpens). */
  opened = 0;
  /** Connections that listeners have been handed. */
  accepted = 0;
  /** Connections that ended by an error, attempts included. */
  failed = 0;
  /** Segments received, those in error included (tcpInSegs). */
  segmentsReceived = 0;
  /** Of those: malformed, or with a wrong checksum (tcpInErrs). */
  segmentsInError = 0;
  /** Of those: with the RST flag, believed or not. */
  resetsReceived = 0;
  /** Segments sent for the first time (tcpOutSegs). */
  segmentsSent = 0;
  /** Segments sent again (tcpRetransSegs). */
  segmentsRetransmitted = 0;
  /** Segments sent with the RST flag (tcpOutRsts). */
  resetsSent = 0;

  constructor(drops: Counters) {
    this.drops = drops;
  }

  /** A segment has come that is whole. */
  received({ offload, transport, end }: Packet, { flags, headerLength }: TcpHeader): void {
    if (flags & TcpFlag.RST) this.resetsReceived++;
    const length = end - transport - headerLength;
    if (offload === undefined || offload.segmentSize === 0) this.segmentsReceived++;
    else this.segmentsReceived += Math.max(1, Math.ceil(length / offload.segmentSize));
  }

  /** One has come that is not. */
  inError(reason: string): void {
    this.segmentsReceived++;
    this.segmentsInError++;
    this.drops.add(reason);
  }

  /** So many bytes leave in segments of at most `segmentSize`; `again`: they, or the SYN, have been sent before. */
  sent(flags: number, length: number, segmentSize: number, again: boolean): void {
    const segments = length > segmentSize ? Math.ceil(length / segmentSize) : 1;
    if (again) this.segmentsRetransmitted += segments;
    else this.segmentsSent += segments;
    if (flags & TcpFlag.RST) this.resetsSent++;
  }
}
