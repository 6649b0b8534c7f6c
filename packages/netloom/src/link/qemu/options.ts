import { withLimits, type MacAddress } from '../../core/index.ts';
import { ETHERNET_HEADER_LENGTH } from '../../wire/index.ts';

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

const VLAN_TAG_LENGTH = 4;

/** Why a frame is not for a link of this MTU: the name of the counter it is dropped under. */
export function refusalOf(frame: Uint8Array, mtu: number): string | undefined {
  if (frame.length < ETHERNET_HEADER_LENGTH) return 'too-short';
  return frame.length > mtu + ETHERNET_HEADER_LENGTH + VLAN_TAG_LENGTH ? 'too-long' : undefined;
}
