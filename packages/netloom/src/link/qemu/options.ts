import { withLimits, type MacAddress } from '../../core/index.ts';

/** The limits of a link to QEMU. */
export interface QemuLinkLimits {
  /** Bytes of a frame that is received; QEMU itself takes none over 68 KiB. */
  readonly frameLength: number;
  /** Bytes that may wait to be sent. */
  readonly queueBytes: number;
}

const DEFAULT_LIMITS: QemuLinkLimits = {
  frameLength: 68 * 1024,
  queueBytes: 4 * 1024 * 1024,
};

/** What a link to QEMU is made from beside its socket. */
export interface QemuLinkOptions {
  readonly name: string;
  /** The address of the station at this end: not that of the guest's network card. */
  readonly mac: MacAddress;
  /** Default 1500. */
  readonly mtu?: number;
  readonly limits?: Partial<QemuLinkLimits>;
}

/** The limits asked for, or the defaults. */
export function limitsOf(options: QemuLinkOptions): QemuLinkLimits {
  return withLimits(DEFAULT_LIMITS, options.limits);
}
