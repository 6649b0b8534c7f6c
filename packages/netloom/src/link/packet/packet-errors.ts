import { NetloomError, type MacAddress } from '../../core/index.ts';
import { explained } from '../../native/index.ts';

/** Opens a packet socket; what the operating system refuses is thrown as a NetloomError that says what to do. */
export function duringOpening<T>(name: string, work: () => T): T {
  return explained(work, (systemCode, cause) => meaningOf(systemCode, name, cause));
}

function meaningOf(systemCode: string, name: string, cause: unknown): NetloomError {
  switch (systemCode) {
    case 'EPERM':
    case 'EACCES':
      return new NetloomError(
        'PACKET_DENIED',
        `this process may not open a packet socket on '${name}'`,
        { cause, remedy: 'Run as root or with CAP_NET_RAW.' },
      );
    case 'ENODEV':
      return new NetloomError('PACKET_INTERFACE_MISSING', `there is no interface '${name}'`, {
        cause,
        remedy: "See 'ip link' for those there are, in the namespace that was meant.",
      });
    case 'EAFNOSUPPORT':
    case 'ENOPROTOOPT':
      return new NetloomError(
        'PACKET_UNSUPPORTED',
        'this kernel has not the packet sockets wanted',
        {
          cause,
          remedy:
            'Use Linux 4.20 or newer with CONFIG_PACKET, or a TAP in a bridge with the interface.',
        },
      );
    default:
      return new NetloomError('PACKET_FAILED', `cannot open a packet socket on '${name}'`, {
        cause,
        remedy: 'The cause names the call and its error.',
      });
  }
}

/** The interface has no Ethernet frames: a tunnel of IP packets, or the loopback. */
export function notEthernet(name: string): NetloomError {
  return new NetloomError(
    'PACKET_INTERFACE_UNSUITABLE',
    `the interface '${name}' does not carry Ethernet frames of stations`,
    { remedy: "Choose one whose 'ip link' says 'link/ether'." },
  );
}

/** The address is no station's. */
export function macInvalid(mac: MacAddress): NetloomError {
  return new NetloomError('PACKET_MAC_INVALID', `the address ${mac} is no station’s`, {
    remedy: 'Leave `mac` out, or give a unicast address.',
  });
}

/** What a link's handler is told when the interface was deleted under it. */
export function packetGone(name: string): NetloomError {
  return new NetloomError('PACKET_GONE', `the interface '${name}' went away while it was open`, {
    remedy: 'Open it anew; look for what deletes or moves interfaces ("ip monitor link").',
  });
}

/** What a link's handler is told when receiving fails in a way that will not pass. */
export function packetFailed(name: string, cause: Error): NetloomError {
  return new NetloomError('PACKET_FAILED', `the interface '${name}' cannot be read any more`, {
    cause,
    remedy: 'Open it anew; the cause names the error.',
  });
}
