import { Cidr, type IpAddress } from 'netloom/core';
import type { MachineSetup } from '../../machine/index.ts';
import type { NetworkModel } from '../../model/index.ts';
import { ipAddressesOf } from '../addresses.ts';

/** What most networks of a family are: for addresses of which nobody says the network. */
const USUAL_PREFIX = { 4: 24, 6: 64 } as const;

/** An address with the prefix of the network it is in. */
export function inSubnet(address: IpAddress, { subnets }: Pick<NetworkModel, 'subnets'>): Cidr {
  const subnet = subnets.map((text) => Cidr.parse(text)).find((one) => one.contains(address));
  return new Cidr(address, subnet?.prefixLength ?? USUAL_PREFIX[address.family]);
}

/** How a machine is configured in a network that has no gateway. */
export function setupWithoutGateway(
  addresses: readonly IpAddress[],
  model: Pick<NetworkModel, 'subnets' | 'routers'>,
): MachineSetup {
  return {
    addresses: addresses.map((address) => inSubnet(address, model)),
    routers: ipAddressesOf(model.routers),
    nameServers: [],
    zone: undefined,
  };
}
