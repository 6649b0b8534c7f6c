/** What an interface of a capture carries (the "LINKTYPE_" registry of tcpdump.org). */
export const LinkType = { ETHERNET: 1 } as const;

/** An interface that packets of a capture were seen at. */
export interface CaptureInterface {
  /** Its number in its section of the file. */
  readonly id: number;
  /** Empty when the file does not name it. */
  readonly name: string;
  /** A {@link LinkType}, or another number of that registry. */
  readonly linkType: number;
  /** Bytes kept of each packet at most; 0: all. */
  readonly snapLength: number;
}

/** Which way a packet went, seen from the machine that captured it. */
export type CaptureDirection = 'in' | 'out';

/** A packet of a capture. */
export interface CapturedPacket {
  readonly interface: CaptureInterface;
  /** Nanoseconds since 1970; undefined where the file has none. */
  readonly time: bigint | undefined;
  /** What was kept of the packet: borrowed, valid until the sink returns. */
  readonly data: Uint8Array;
  /** Bytes the packet had. */
  readonly originalLength: number;
  readonly direction: CaptureDirection | undefined;
}

/** Counts of an interface, as its capturer wrote them at some time. */
export interface CaptureStatistics {
  readonly interface: CaptureInterface;
  readonly time: bigint;
  readonly received: bigint | undefined;
  readonly dropped: bigint | undefined;
}

/** What a reader of captures calls, in the order of the file. */
export interface CaptureFileSink {
  packet(packet: CapturedPacket): void;
  interface?(description: CaptureInterface): void;
  statistics?(counts: CaptureStatistics): void;
}

/** Why a file cannot be read further. */
export type CaptureFault =
  /** Neither pcapng nor pcap. */
  | 'not-a-capture'
  /** A version or byte order that is not known. */
  | 'bad-version'
  /** It ends in the middle of a block or record. */
  | 'truncated'
  /** A block or record is longer than the limit. */
  | 'block-too-long'
  /** A length that contradicts another, or its own block. */
  | 'bad-length'
  /** An option that reaches over the end of its block. */
  | 'bad-option'
  /** A packet of an interface that was not described. */
  | 'unknown-interface'
  | 'too-many-interfaces'
  /** The file is longer than the limit. */
  | 'too-long';

/** The limits of a reader of captures. */
export interface CaptureFileLimits {
  /** Bytes of a block or record. Wireshark, too, takes none over 16 MiB. */
  readonly blockLength: number;
  /** Interfaces of a section. */
  readonly interfaces: number;
  /** Bytes of the whole file. */
  readonly totalLength: number;
}

/** A reader that a file is pushed through, chunk by chunk. It never throws for what is in the file. */
export interface CaptureReader {
  /** Reads a chunk: borrowed. Answers the fault that ended reading, if there is one; what follows is then passed over. */
  push(chunk: Uint8Array): CaptureFault | undefined;
  /** The file has ended. Answers the fault, if it did not end where it may. */
  end(): CaptureFault | undefined;
}
