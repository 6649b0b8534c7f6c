import { NetloomError } from '../../core/index.ts';
import { systemErrorCode } from '../../native/index.ts';

/** What was being done with a TAP when the operating system refused. */
export type TapStep = 'open' | 'create' | 'set up' | 'set the MTU';

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
  ['open EACCES', DENIED],
  ['open EPERM', DENIED],
  ['create EPERM', DENIED],
  ['create EBUSY', BUSY],
  ['create EINVAL', TAKEN],
  ['set up EPERM', DENIED],
  ['set the MTU EPERM', DENIED],
  ['set the MTU EINVAL', MTU_INVALID],
]);

/** Does the work; what the operating system refuses is thrown as a NetloomError that says what to do. */
export function duringStep<T>(step: TapStep, name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const systemCode = systemErrorCode(error);
    // One of ours says already what to do.
    if (systemCode === undefined || error instanceof NetloomError) throw error;
    const { code, reason, remedy } = MEANINGS.get(`${step} ${systemCode}`) ?? FAILED;
    throw new NetloomError(code, `cannot ${step} the TAP '${name}': ${reason}`, {
      cause: error,
      remedy,
    });
  }
}

/** What a link's handler is told when the interface was deleted under it. */
export function tapGone(name: string): NetloomError {
  return new NetloomError('TAP_GONE', `the TAP '${name}' was deleted while it was open`, {
    remedy: 'Open it anew; look for what deletes interfaces ("ip monitor link").',
  });
}

/** What a link's handler is told when reading fails in a way that will not pass. */
export function tapFailed(name: string, cause: unknown): NetloomError {
  return new NetloomError('TAP_FAILED', `the TAP '${name}' cannot be read any more`, {
    cause,
    remedy: 'Open it anew; the cause names the error.',
  });
}
