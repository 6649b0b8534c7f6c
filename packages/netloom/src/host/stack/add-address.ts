import { NetloomError, hostError, type Abortable, type Cidr } from '../../core/index.ts';
import type { AddAddressOptions, AddressConflict, Interface, IpStack } from '../../ip/index.ts';

/** How a host is given an address. */
export interface HostAddressOptions extends AddAddressOptions, Abortable {}

/** Gives an interface an address and waits until it may be used. See {@link StackHost.addAddress}. */
export async function addAddress(
  stack: IpStack,
  via: Interface,
  cidr: Cidr,
  options: AddAddressOptions,
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  stack.addAddress(via, cidr, {
    ...options,
    ready: () => {
      resolve();
      options.ready?.();
    },
    conflict: (conflict) => {
      reject(duplicate(conflict));
      options.conflict?.(conflict);
    },
    removed: () => {
      const what = `${cidr.address} was taken from ${via.name} before it could be used`;
      reject(hostError('ADDRESS_NOT_AVAILABLE', what));
      options.removed?.();
    },
  });
  const onAbort = (): void => stack.removeAddress(via, cidr.address);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function duplicate({ address, interface: name, other }: AddressConflict): NetloomError {
  const whose = other === undefined ? 'another station' : `the station ${other}`;
  return new NetloomError('ADDRESS_DUPLICATE', `${whose} on ${name} has the address ${address}`, {
    remedy: 'Choose another address of the network, or take it from that station.',
  });
}
