import type { IpAddress, MacAddress } from 'netloom/core';
import { linkPair, Switch, type Link } from 'netloom/link';
import type { NetworkModel } from '../../model/index.ts';
import type { FabricOptions } from '../fabric.ts';
import { stationMac } from '../station/station-mac.ts';
import type { Gate } from './port-link.ts';
import { NetworkPort, type PlugOptions, type PortEnvironment } from './port.ts';

/** The switch of a network, and the cables that lead there. */
export class Cabling {
  readonly switch: Switch;
  readonly #options: FabricOptions;
  readonly #environment: PortEnvironment;

  /** @param gate stands open while frames go on */
  constructor(options: FabricOptions, gate: Gate) {
    const { model, environment, recorders } = options;
    const { clock, random } = environment;
    this.#options = options;
    this.switch = newSwitch(options);
    this.#environment = { network: model.name, clock, random, gate, recorders };
  }

  /** The address of one of our stations, which follows from the names. */
  macOf(...names: readonly string[]): MacAddress {
    return stationMac(this.#options.model, this.#options.environment, ...names);
  }

  /** A cable to a stack of ours: the switch's end, and the other. From `names` follows the stack's address. */
  cable(name: string, ...names: readonly string[]): [inside: Link, outside: Link] {
    const mac = this.macOf(...names);
    return linkPair(this.#environment.clock, {
      names: [name, name],
      macs: [mac, mac],
      mtu: this.#options.model.mtu,
    });
  }

  /** Plugs a cable's end into a port of the switch. Throws as {@link NetworkPort} does. */
  plug(options: PlugOptions): NetworkPort {
    return new NetworkPort(this.switch, options, this.#environment);
  }

  /** No other station is to pass for the one at this port, by its link address or by ARP and neighbour discovery. */
  pin({ switchPort }: NetworkPort, mac: MacAddress, addresses: readonly IpAddress[]): void {
    this.switch.addStation(mac, switchPort);
    for (const address of addresses) this.switch.addAddress(address, switchPort);
  }
}

function newSwitch({ model, environment }: FabricOptions): Switch {
  const { ageing, snooping, spanningTree, stations }: NetworkModel['switch'] = model.switch;
  return new Switch(environment.clock, {
    name: model.name,
    random: environment.random,
    ageing,
    ...(snooping && { snooping: {} }),
    ...(spanningTree && {
      spanningTree: { mode: spanningTree.protocol, priority: spanningTree.priority },
    }),
    limits: { stations },
  });
}
