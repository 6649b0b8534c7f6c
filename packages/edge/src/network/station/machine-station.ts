import { MacAddress } from 'netloom/core';
import { linkPair, NO_OFFLOAD, type Link } from 'netloom/link';
import { Machine } from '../../machine/index.ts';
import type { StationModel } from '../../model/index.ts';
import { withoutPrefixLength } from '../../text/index.ts';
import { ipAddressesOf } from '../addresses.ts';
import type { GatewayGuest } from '../gateway/gateway.ts';
import type { StationContext } from './context.ts';
import type { Station } from './station.ts';

/** What a machine is in the model. */
export type MachineModel = Extract<StationModel, { kind: 'machine' }>;

/** A machine at a port of a switch, on a cable in memory. */
export class MachineStation implements Station {
  readonly link: Link;
  readonly isConnected = true;
  readonly mac: MacAddress;
  readonly #machine: Machine;
  readonly #guest: GatewayGuest;
  readonly #context: StationContext;

  /** Rejects as its services do, or where there is no address for it; then nothing is left of it. */
  static async open(
    name: string,
    model: MachineModel,
    context: StationContext,
  ): Promise<MachineStation> {
    const { network, mtu, environment } = context;
    const mac = model.mac === null ? context.macOf(name) : MacAddress.parse(model.mac);
    const [inside, outside] = linkPair(environment.clock, {
      names: [name, name],
      macs: [mac, mac],
      mtu,
      // What a page shows is to be what would pass on a wire: frames no longer than the MTU, checksums complete.
      ...(model.services.some(({ kind }) => kind === 'web') && { offload: NO_OFFLOAD }),
    });
    const addresses = ipAddressesOf(model.addresses);
    const guest = { mac, name, addresses };
    try {
      const machine = await Machine.open({
        name,
        network,
        clock: environment.clock,
        random: environment.random,
        link: outside,
        services: model.services,
        setup: context.admit(guest),
      });
      return new MachineStation(inside, machine, guest, context);
    } catch (error) {
      context.dismiss(guest);
      throw error;
    }
  }

  private constructor(link: Link, machine: Machine, guest: GatewayGuest, context: StationContext) {
    this.link = link;
    this.mac = machine.mac;
    this.#machine = machine;
    this.#guest = guest;
    this.#context = context;
  }

  get addresses(): readonly string[] {
    return this.#machine.addresses.map(withoutPrefixLength);
  }

  gatewayChanged(): boolean {
    const setup = this.#context.admit(this.#guest);
    if (setup === 'ask') return false;
    this.#machine.configure(setup);
    return true;
  }

  close(): Promise<void> {
    this.#context.dismiss(this.#guest);
    return this.#machine.close();
  }
}
