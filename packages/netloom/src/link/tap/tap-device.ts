import { NetloomError, type MacAddress } from '../../core/index.ts';
import {
  FileDescriptor,
  inNetworkNamespace,
  InterfaceRequest,
  NativeMemory,
  REQUEST_NAME_LENGTH,
} from '../../native/index.ts';
import type { BridgeMembership } from './bridge-membership.ts';
import { hasInterface, setInterfaceMac } from './kernel-interface.ts';
import { duringStep } from './tap-errors.ts';
import { prepareTapPlace, setUpTapPlace, type TapPlace } from './tap-place.ts';

/** What {@link createTapDevice} takes. */
export interface TapDeviceOptions {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly mtu: number | undefined;
  /** The address of the kernel's station; an interface that was made to stay keeps its own. */
  readonly kernelMac?: MacAddress | undefined;
  readonly offload: boolean;
  readonly persist: boolean | undefined;
  readonly up: boolean;
  /** What else the kernel's interface is given. */
  readonly place?: TapPlace | undefined;
}

/** An open TAP, and what the kernel says of it. */
export interface TapDevice {
  readonly descriptor: FileDescriptor;
  /** As the kernel has made it, a number in the place of `%d`. */
  readonly name: string;
  readonly mtu: number;
  /** The address of the kernel's own station on this link. */
  readonly kernelMac: MacAddress;
  /** Of one that was put into a bridge. */
  readonly membership?: BridgeMembership;
}

/** Bytes of the header before each frame: `virtio_net_hdr_mrg_rxbuf` (linux/virtio_net.h). */
export const TAP_HEADER_LENGTH = 12;

const TUN_DEVICE = '/dev/net/tun';
/** sys/socket.h */
const AF_INET = 2;
const SOCK_DGRAM = 2;

/** linux/if_tun.h */
const TUNSETIFF = 0x4004_54ca;
const TUNSETPERSIST = 0x4004_54cb;
const TUNSETOFFLOAD = 0x4004_54d0;
const TUNSETVNETHDRSZ = 0x4004_54d8;
const IFF_TAP = 0x0002;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
const TUN_F_CSUM = 0x01;
const TUN_F_TSO4 = 0x02;
const TUN_F_TSO6 = 0x04;
const TUN_F_TSO_ECN = 0x08;
const ALL_OFFLOADS = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;

/** Makes a TAP, or attaches to one that was made to stay. Throws an error of `tap-errors.ts` or of {@link inNetworkNamespace}. */
export function createTapDevice(options: TapDeviceOptions): TapDevice {
  checkName(options.name);
  return options.namespace === undefined
    ? create(options)
    : inNetworkNamespace(options.namespace, () => create(options));
}

/** Everything that depends on the namespace: the device belongs to the one in which it is opened. */
function create(options: TapDeviceOptions): TapDevice {
  const descriptor = duringStep('open', options.name, () => FileDescriptor.open(TUN_DEVICE));
  let membership: BridgeMembership | undefined;
  try {
    const isNew = !hasInterface(options.name);
    const request = new InterfaceRequest(options.name);
    duringStep('create', options.name, () => {
      request.setFlags(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
      descriptor.ioctl(TUNSETIFF, request.memory);
    });
    const { name } = request;
    duringStep('set up', name, () => setUpDescriptor(descriptor, options));
    const { kernelMac } = options;
    if (isNew && kernelMac !== undefined) {
      duringStep('set up', name, () => setInterfaceMac(name, kernelMac));
    }
    prepareTapPlace(name, options.place);
    const facts = setUpInterface(request, options);
    membership = setUpTapPlace(name, options.place);
    // Last, so that what could not be set up does not stay.
    if (options.persist !== undefined) setPersistence(descriptor, name, options.persist);
    return { descriptor, name, ...facts, ...(membership && { membership }) };
  } catch (error) {
    membership?.close();
    descriptor.close();
    throw error;
  }
}

function setUpDescriptor(descriptor: FileDescriptor, { offload }: TapDeviceOptions): void {
  const headerLength = NativeMemory.allocate(4);
  headerLength.view.setInt32(0, TAP_HEADER_LENGTH, true);
  descriptor.ioctl(TUNSETVNETHDRSZ, headerLength);
  descriptor.ioctlNumber(TUNSETOFFLOAD, offload ? ALL_OFFLOADS : 0);
}

function setPersistence(descriptor: FileDescriptor, name: string, persist: boolean): void {
  duringStep('set up', name, () => descriptor.ioctlNumber(TUNSETPERSIST, persist ? 1 : 0));
}

/** What is the interface's rather than the descriptor's. It asks first: what is as wanted needs no privilege to be set. */
function setUpInterface(
  request: InterfaceRequest,
  options: TapDeviceOptions,
): Pick<TapDevice, 'mtu' | 'kernelMac'> {
  const { name } = request;
  using socket = duringStep('set up', name, () => FileDescriptor.socket(AF_INET, SOCK_DGRAM, 0));
  const mtu = duringStep('set the MTU', name, () => setMtu(socket, request, options.mtu));
  // A TAP is of Ethernet.
  const kernelMac = duringStep('set up', name, () => request.ethernetAddress(socket)!);
  if (options.up) duringStep('set up', name, () => request.bringUp(socket));
  return { mtu, kernelMac };
}

/** Sets the MTU unless it is undefined or what is wanted already; answers what it then is. */
function setMtu(
  socket: FileDescriptor,
  request: InterfaceRequest,
  wanted: number | undefined,
): number {
  const mtu = request.mtu(socket);
  if (wanted === undefined || wanted === mtu) return mtu;
  request.setMtu(socket, wanted);
  return wanted;
}

/** The kernel's rule (`dev_valid_name`), checked here because its answer would be that of a name that is taken. */
function checkName(name: string): void {
  const length = new TextEncoder().encode(name).length;
  const isName = length > 0 && length < REQUEST_NAME_LENGTH && !/[\s/:\0]/.test(name);
  if (isName && name !== '.' && name !== '..') return;
  throw new NetloomError('TAP_NAME_INVALID', `an interface cannot be called '${name}'`, {
    remedy:
      'Give 1 to 15 bytes without white space, slash or colon; "%d" stands for a free number.',
  });
}
