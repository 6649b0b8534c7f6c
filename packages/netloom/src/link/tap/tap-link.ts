import type { MacAddress, NetloomError } from '../../core/index.ts';
import { Failure, type FileDescriptor, type NativeMemory } from '../../native/index.ts';
import {
  DESCRIPTOR_LINK_LIMITS,
  DescriptorLink,
  type DescriptorLinkLimits,
  type DeviceFailure,
  type FrameDevice,
} from '../descriptor/index.ts';
import type { Link } from '../index.ts';
import type { BridgeMembership } from './bridge-membership.ts';
import { TAP_HEADER_LENGTH, type TapDevice } from './tap-device.ts';
import { tapFailed, tapGone } from './tap-errors.ts';

/** The limits of a TAP link. */
export type TapLimits = DescriptorLinkLimits;

/** The defaults of {@link TapLimits}. */
export const TAP_LIMITS: TapLimits = DESCRIPTOR_LINK_LIMITS;

/** A link to the kernel through a TAP. */
export interface TapLink extends Link {
  /** The address of the kernel's own station, at the other end. */
  readonly kernelMac: MacAddress;
}

/** The link of a TAP that is open. */
export function tapLink(
  device: TapDevice,
  options: { readonly mac: MacAddress; readonly offload: boolean; readonly limits: TapLimits },
): TapLink {
  return new KernelLink(device, options);
}

class KernelLink extends DescriptorLink implements TapLink {
  readonly kernelMac: MacAddress;

  constructor(device: TapDevice, options: Parameters<typeof tapLink>[1]) {
    super(new TapFrames(device), options);
    this.kernelMac = device.kernelMac;
  }
}

/** The frames of a TAP. Its send buffer is by default as good as endless (`INT_MAX` bytes). */
class TapFrames implements FrameDevice {
  readonly name: string;
  readonly mtu: number;
  readonly descriptor: FileDescriptor;
  readonly headerLength: number = TAP_HEADER_LENGTH;
  readonly #membership: BridgeMembership | undefined;

  constructor({ name, mtu, descriptor, membership }: TapDevice) {
    this.name = name;
    this.mtu = mtu;
    this.descriptor = descriptor;
    this.#membership = membership;
  }

  watch(lost: (error: NetloomError) => void): void {
    this.#membership?.watch(lost);
  }

  receive(into: NativeMemory): number {
    return this.descriptor.read(into);
  }

  send(from: NativeMemory, length: number): number {
    return this.descriptor.write(from, length);
  }

  judge(failure: number): DeviceFailure {
    switch (failure) {
      case Failure.IO:
        return 'down';
      case Failure.BAD_STATE:
        return 'gone';
      default:
        return 'failed';
    }
  }

  goneError(): NetloomError {
    return tapGone(this.name);
  }

  failedError(cause: Error): NetloomError {
    return tapFailed(this.name, cause);
  }

  close(): void {
    this.#membership?.close();
    this.descriptor.close();
  }
}
