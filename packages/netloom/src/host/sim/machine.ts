import { Cidr, IpAddress, NetloomError } from '../../core/index.ts';
import type { AddInterfaceOptions } from '../../ip/index.ts';
import { StackHost, type StackHostOptions } from '../stack/stack-host.ts';
import type { SimCable, SimCableOptions } from './cable.ts';
import type { SimNetwork } from './network.ts';

/** How a machine is made. */
export interface SimMachineOptions extends Omit<
  StackHostOptions,
  'name' | 'clock' | 'random' | 'resolver'
> {
  /** The networks it is plugged into, with an address of each of their subnets. */
  readonly on?: SimNetwork | readonly SimNetwork[];
}

/** How a machine is plugged into a network. */
export interface SimAttachOptions extends SimCableOptions, Omit<AddInterfaceOptions, 'mac'> {
  /** Default: the next address of each of the network's subnets. An empty list gives none, for a machine that asks DHCP. */
  readonly addresses?: readonly (Cidr | string)[];
}

/**
 * A machine of a simulated world: a {@link StackHost} in virtual time, whose randomness is a function of the world's seed and
 * its name. Made by `world.machine`.
 */
export class SimHost extends StackHost {
  readonly #cables = new Map<SimNetwork, SimCable>();

  /** Plugs the machine into a network. The interface is called like the network, unless a name is given. */
  attach(network: SimNetwork, options: SimAttachOptions = {}): SimCable {
    const { outbound = {}, inbound = {}, ...rest } = options;
    const cable = network.plug(this.name, { outbound, inbound });
    const addresses = rest.addresses ?? network.nextAddresses();
    cable.interface = this.addInterface(cable, { name: network.name, ...rest, addresses });
    this.#cables.set(network, cable);
    return cable;
  }

  /** The machine's cable to a network. Throws `SIM_UNKNOWN` if it has none. */
  cable(network: SimNetwork): SimCable {
    const cable = this.#cables.get(network);
    if (cable !== undefined) return cable;
    throw new NetloomError('SIM_UNKNOWN', `${this.name} is not on the network ${network.name}`);
  }

  /** Its addresses on all networks, in the order they were given. */
  get addresses(): IpAddress[] {
    return [...this.#cables.values()].flatMap((cable) =>
      cable.interface.addresses
        .filter(({ tentative }) => !tentative)
        .map(({ cidr }) => cidr.address),
    );
  }

  /** Its first address. Throws `SIM_NO_ADDRESS`. */
  get address(): IpAddress {
    const [first] = this.addresses;
    if (first !== undefined) return first;
    throw new NetloomError('SIM_NO_ADDRESS', `${this.name} has no address`, {
      remedy: 'Plug it into a network with subnets, or wait for its DHCP lease.',
    });
  }

  /** Sends what is for other networks by way of a router, which is on a network that this machine is on too. */
  routeVia(router: SimHost, network: SimNetwork = this.#networkShared(router)): void {
    const via = this.cable(network).interface;
    for (const { cidr } of router.cable(network).interface.addresses) {
      if (cidr.address.isLinkLocal) continue;
      const everything = cidr.address.family === 4 ? IpAddress.ANY4 : IpAddress.ANY6;
      this.stack.addRoute(new Cidr(everything, 0), via, cidr.address);
    }
  }

  #networkShared(other: SimHost): SimNetwork {
    for (const network of this.#cables.keys()) if (other.#cables.has(network)) return network;
    throw new NetloomError('SIM_UNKNOWN', `${this.name} and ${other.name} share no network`, {
      remedy: 'Plug both into one network first.',
    });
  }
}
