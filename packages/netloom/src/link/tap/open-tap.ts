import { MacAddress, NetloomError, secureRandom, withLimits } from '../../core/index.ts';
import { createTapDevice, type TapDevice } from './tap-device.ts';
import { TAP_LIMITS, tapLink, type TapLimits, type TapLink } from './tap-link.ts';
import type { TapPlace } from './tap-place.ts';

export { TAP_LIMITS };

/** What {@link openTap} takes. */
export interface TapOptions {
  /** The interface's name; `%d` stands for a free number. Default `netloom%d`. */
  readonly name?: string;
  /** The network namespace in which the interface is: as `ip netns` names it, or the path of its file. Default: this process's. */
  readonly namespace?: string;
  /** Default: what the interface has, which is 1500 for a new one. At most 65,521. */
  readonly mtu?: number;
  /** The address of the station at our end. Default: a random one. */
  readonly mac?: MacAddress;
  /** The address of the kernel's station, at the other end, if the interface is a new one. Default: a random one. */
  readonly kernelMac?: MacAddress;
  /** Whether checksums and the cutting of TCP segments are left to the other side, both ways. Default true. */
  readonly offload?: boolean;
  /** Whether the interface stays when the link is closed. Default: as it was; a new one goes. */
  readonly persist?: boolean;
  /** Whether to set the interface up. Default true. */
  readonly up?: boolean;
  /** What the kernel's side is given, if it is up. Default: nothing. */
  readonly place?: TapPlace;
  readonly limits?: Partial<TapLimits>;
}

/**
 * Opens a link to the kernel: the interface `name` appears there (or is attached to, when it was made to stay), and the frames the kernel sends on it
 * come out here.
 *
 * Needs Linux, `/dev/net/tun`, Node 26.6 or newer and, to make an interface, root or CAP_NET_ADMIN. Throws `NATIVE_UNAVAILABLE`, `TAP_UNSUPPORTED`,
 * `TAP_DENIED`, `TAP_BUSY`, `TAP_NAME_INVALID`, `TAP_NAME_TAKEN`, `TAP_MTU_INVALID`, `TAP_MAC_INVALID`, `TAP_FAILED`,
 * `TAP_ADDRESS_REFUSED`, `TAP_GATEWAY_UNREACHABLE`, `TAP_ROUTE_TAKEN`, `TAP_BRIDGE_MISSING`,
 * `NETWORK_NAMESPACE_MISSING`, `NETWORK_NAMESPACE_DENIED` or `NETWORK_NAMESPACE_STUCK`. When the interface is deleted,
 * the handler's `closed` is given `TAP_GONE`; when it is put out of the bridge that it was put into, or that is deleted, `TAP_BRIDGE_GONE`.
 *
 * While it is open it keeps the process alive.
 */
export function openTap(options: TapOptions = {}): TapLink {
  const limits = withLimits(TAP_LIMITS, options.limits);
  const offload = options.offload ?? true;
  const device = createTapDevice({
    name: options.name ?? 'netloom%d',
    namespace: options.namespace,
    mtu: options.mtu,
    kernelMac: options.kernelMac,
    offload,
    persist: options.persist,
    up: options.up ?? true,
    place: options.place,
  });
  return adoptTap(device, { mac: options.mac, offload, limits });
}

/** The link of a TAP that was made elsewhere, in another namespace say. Throws `TAP_MAC_INVALID`; the device is closed then. */
export function adoptTap(
  device: TapDevice,
  options: {
    readonly mac: MacAddress | undefined;
    /** What the device was made with. */
    readonly offload: boolean;
    readonly limits: TapLimits;
  },
): TapLink {
  try {
    const mac = options.mac ?? MacAddress.random(secureRandom());
    checkMac(mac, device.kernelMac);
    const { offload, limits } = options;
    return tapLink(device, { mac, offload, limits });
  } catch (error) {
    device.membership?.close();
    device.descriptor.close();
    throw error;
  }
}

/** There are two stations on this link, the kernel's and ours: with one address for both, neither would hear the other. */
function checkMac(mac: MacAddress, kernelMac: MacAddress): void {
  if (mac.isStation && !mac.equals(kernelMac)) return;
  const problem = mac.equals(kernelMac) ? 'is the kernel’s own on this link' : 'is no station’s';
  throw new NetloomError('TAP_MAC_INVALID', `the address ${mac} ${problem}`, {
    remedy: 'Leave `mac` out, or give another unicast address.',
  });
}
