import { NetloomError } from '../../core/index.ts';
import { explained } from '../../native/index.ts';

/** What was being done with a TAP when the operating system refused. */
export type TapStep =
  | 'open'
  | 'create'
  | 'set up'
  | 'set the MTU'
  | 'give addresses to'
  | 'route through'
  | 'make a bridge port of';

interface Meaning {
  readonly code: string;
  readonly reason: string;
  readonly remedy: string;
}

const UNSUPPORTED: Meaning = {
  code: 'TAP_UNSUPPORTED',
  reason: 'this system has no /dev/net/tun',
  remedy:
    'Load the driver with "modprobe tun"; give a container the device with "--device /dev/net/tun".',
};

const DENIED: Meaning = {
  code: 'TAP_DENIED',
  reason: 'this process is not allowed to',
  remedy:
    'Run as root or with CAP_NET_ADMIN, or have root make it ready once: "ip tuntap add dev NAME mode tap user YOU", then "ip link set NAME up".',
};

const DEVICE_DENIED: Meaning = {
  code: 'TAP_DENIED',
  reason: 'this process is not allowed to open /dev/net/tun',
  remedy: 'Run as root, or have root open the device to all: "chmod 0666 /dev/net/tun".',
};

const BUSY: Meaning = {
  code: 'TAP_BUSY',
  reason: 'another process, or another link of this one, has it open',
  remedy: 'Choose another name, or end what holds it.',
};

const TAKEN: Meaning = {
  code: 'TAP_NAME_TAKEN',
  reason: 'an interface of another kind has that name',
  remedy: 'Choose another name; "ip link" lists those that are taken.',
};

const MTU_INVALID: Meaning = {
  code: 'TAP_MTU_INVALID',
  reason: 'the kernel does not take that MTU',
  remedy: 'Give an MTU from 68 (1,280 where IPv6 is used) to 65,521.',
};

const ADDRESS_REFUSED: Meaning = {
  code: 'TAP_ADDRESS_REFUSED',
  reason: 'the kernel does not take such an address',
  remedy: 'Give addresses of stations, and IPv6 ones only where the kernel has IPv6.',
};

const GATEWAY_UNREACHABLE: Meaning = {
  code: 'TAP_GATEWAY_UNREACHABLE',
  reason: 'no network of its addresses has the gateway',
  remedy: 'Give it an address of the network that the gateway is in.',
};

const ROUTED: Meaning = {
  code: 'TAP_ROUTE_TAKEN',
  reason: 'the kernel has a default route there already',
  remedy: 'Leave the default route out, or put the interface into a namespace of its own.',
};

const NO_BRIDGE: Meaning = {
  code: 'TAP_BRIDGE_MISSING',
  reason: 'there is no bridge of that name',
  remedy:
    'Make it with "ip link add NAME type bridge"; "ip link show type bridge" lists those there are.',
};

const FAILED: Meaning = {
  code: 'TAP_FAILED',
  reason: 'the operating system refused',
  remedy: 'The cause names the call and its error.',
};

/** By step and the name of the error number. */
const MEANINGS: ReadonlyMap<string, Meaning> = new Map([
  ['open ENOENT', UNSUPPORTED],
  ['open ENODEV', UNSUPPORTED],
  ['open ENXIO', UNSUPPORTED],
  ['open EACCES', DEVICE_DENIED],
  ['open EPERM', DEVICE_DENIED],
  ['create EPERM', DENIED],
  ['create EBUSY', BUSY],
  ['create EINVAL', TAKEN],
  ['set up EPERM', DENIED],
  ['set the MTU EPERM', DENIED],
  ['set the MTU EINVAL', MTU_INVALID],
  ['give addresses to EPERM', DENIED],
  ['give addresses to EINVAL', ADDRESS_REFUSED],
  ['give addresses to EADDRNOTAVAIL', ADDRESS_REFUSED],
  ['give addresses to EAFNOSUPPORT', ADDRESS_REFUSED],
  ['give addresses to EACCES', ADDRESS_REFUSED],
  ['route through EPERM', DENIED],
  ['route through ENETUNREACH', GATEWAY_UNREACHABLE],
  ['route through EHOSTUNREACH', GATEWAY_UNREACHABLE],
  ['route through EINVAL', GATEWAY_UNREACHABLE],
  ['route through EEXIST', ROUTED],
  ['make a bridge port of EPERM', DENIED],
  ['make a bridge port of ENODEV', NO_BRIDGE],
  ['make a bridge port of EOPNOTSUPP', NO_BRIDGE],
  ['make a bridge port of ENOTTY', NO_BRIDGE],
]);

/**
 * Does the work; what the operating system refuses is thrown as a NetloomError that says what to do.
 *
 * @param where what else the message is to name, as ` at 'br0'`
 */
export function duringStep<T>(step: TapStep, name: string, work: () => T, where = ''): T {
  return explained(work, (systemCode, cause) => {
    const { code, reason, remedy } = MEANINGS.get(`${step} ${systemCode}`) ?? FAILED;
    const message = `cannot ${step} the TAP '${name}'${where}: ${reason}`;
    return new NetloomError(code, message, { cause, remedy });
  });
}

/** What a link's handler is told when the interface was deleted under it. */
export function tapGone(name: string): NetloomError {
  return new NetloomError('TAP_GONE', `the TAP '${name}' was deleted while it was open`, {
    remedy: 'Open it anew; look for what deletes interfaces ("ip monitor link").',
  });
}

/** What a link's handler is told when the interface is no port of its bridge any more. */
export function tapUnbridged(name: string, bridge: string): NetloomError {
  return new NetloomError(
    'TAP_BRIDGE_GONE',
    `the TAP '${name}' is no port of the bridge '${bridge}' any more`,
    { remedy: 'See that the bridge is there ("ip link show type bridge"), then open it anew.' },
  );
}

/** What a link's handler is told when reading fails in a way that will not pass. */
export function tapFailed(name: string, cause: unknown): NetloomError {
  return new NetloomError('TAP_FAILED', `the TAP '${name}' cannot be read any more`, {
    cause,
    remedy: 'Open it anew; the cause names the error.',
  });
}
