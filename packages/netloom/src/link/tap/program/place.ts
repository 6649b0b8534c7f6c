import { Cidr, IpAddress, MacAddress } from '../../../core/index.ts';
import {
  addDefaultRoute,
  addInterfaceAddress,
  allowIpv6,
  allowPing,
  bringUpInterface,
  hasIpv6,
} from '../kernel-interface.ts';
import { createTapDevice, type TapDevice } from '../tap-device.ts';
import { showInterfaces, showProcesses } from './file-systems.ts';
import { useNameServers } from './name-service.ts';
import type { InterfaceSetup, Setup } from './protocol.ts';

/** A place for a program: the namespaces of this process, made ready. */
export interface Place {
  /** The kernel's interface in it. */
  readonly device: TapDevice;
  /** What could not be set up, and can be done without. */
  readonly notes: readonly string[];
}

/** Makes the namespaces of this process, which are new, ready. Throws an error of `tap-errors.ts`, or a SystemCallError. */
export function preparePlace(setup: Setup): Place {
  bringUpInterface('lo');
  allowPing(setup.userNamespace);
  const { device, notes } = prepareInterface(setup.interface);
  const other = [useNameServers(setup.nameServers), showInterfaces(), showProcesses()];
  return { device, notes: [...notes, ...other.flat()] };
}

function prepareInterface(setup: InterfaceSetup): Place {
  const { name, mtu, offload, addresses, gateways } = setup;
  const kernelMac = setup.mac === null ? undefined : MacAddress.parse(setup.mac);
  const make = { name, mtu, offload, kernelMac, namespace: undefined, persist: undefined };
  const notes: string[] = [];
  // Set up only below: then it has no address yet that would be tried out for seconds.
  const device = createTapDevice({ ...make, up: false });
  if (hasIpv6()) allowIpv6(device.name);
  else notes.push('this kernel has no IPv6');
  bringUpInterface(device.name);
  for (const cidr of addresses.map((text) => Cidr.parse(text))) {
    if (isKnown(cidr.address.family)) addInterfaceAddress(device.name, cidr);
  }
  for (const gateway of gateways.map((text) => IpAddress.parse(text))) {
    if (isKnown(gateway.family)) addDefaultRoute(device.name, gateway);
  }
  return { device, notes };
}

function isKnown(family: 4 | 6): boolean {
  return family === 4 || hasIpv6();
}
