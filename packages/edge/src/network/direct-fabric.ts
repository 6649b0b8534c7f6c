import { MacAddress, type NetloomError } from 'netloom/core';
import type { Link } from 'netloom/link';
import { packetLink } from 'netloom/link/packet';
import { Machine } from '../machine/index.ts';
import type { AttachmentModel, NetworkKind, PortModel } from '../model/index.ts';
import type { PortStatus } from '../status/index.ts';
import { withoutPrefixLength } from '../text/index.ts';
import { ipAddressesOf } from './addresses.ts';
import { networkUnfit, portUnknown } from './errors.ts';
import type { Fabric, FabricOptions } from './fabric.ts';
import { setupWithoutGateway } from './gateway/setup.ts';
import { Line } from './port/line.ts';
import { portState } from './port/port.ts';
import { PortLink, type Gate } from './port/port-link.ts';
import { stationMac } from './station/station-mac.ts';
import { WatchedLink } from './station/watched-link.ts';

/** How an interface is opened; in tests, what stands for one. */
export type OpenInterface = (name: string, mac: MacAddress) => Link;

/** A network without a switch: one machine, straight on an interface of this machine. */
export class DirectFabric implements Fabric {
  readonly gate: Gate = { isOpen: true };
  readonly stations = 0;
  readonly flowCount = 0;
  readonly #options: FabricOptions;
  readonly #openInterface: OpenInterface;
  #attached:
    | { readonly model: AttachmentModel; readonly line: Line; readonly machine: Machine }
    | undefined;

  constructor(
    options: FabricOptions,
    openInterface: OpenInterface = (name, mac) => packetLink({ interface: name, mac }),
  ) {
    this.#options = options;
    this.#openInterface = openInterface;
  }

  get portCount(): number {
    return this.#attached === undefined ? 0 : 1;
  }

  /** Makes what the model asks for; called once. */
  async open(): Promise<void> {
    const { attachments, gateway, publications } = this.#options.model;
    if (gateway !== null || publications.length > 0)
      throw this.#unfit('has no place for a gateway');
    for (const attachment of attachments) await this.attach(attachment);
  }

  async attach(attachment: AttachmentModel): Promise<void> {
    const { name, station, port } = attachment;
    if (station.kind !== 'machine' || this.#attached !== undefined) {
      throw this.#unfit('takes one built-in machine and nothing else');
    }
    const { model, environment, recorders, lost } = this.#options;
    const { clock, random } = environment;
    const mac =
      station.mac === null ? stationMac(model, environment, name) : MacAddress.parse(station.mac);
    const device = this.#openInterface(kindOf(model.kind).interface, mac);
    const line = this.#line(device, port, lost);
    const link = new PortLink(name, line.link, clock, this.gate, recorders, 'in');
    const addresses = ipAddressesOf(station.addresses);
    const setup = addresses.length === 0 ? ('ask' as const) : setupWithoutGateway(addresses, model);
    const { services } = station;
    const own = { name, network: model.name, clock, random, link, services, setup };
    this.#attached = { model: attachment, line, machine: await Machine.open(own) };
  }

  async detach(name: string): Promise<void> {
    if (this.#attached?.model.name !== name) return;
    const { machine } = this.#attached;
    this.#attached = undefined;
    await machine.close();
  }

  /** There is no switch, so of the port only the line counts. */
  configurePort(name: string, port: PortModel): void {
    this.checkPort(name);
    const attached = this.#attached!;
    attached.line.set(port.link);
    this.#attached = { ...attached, model: { ...attached.model, port } };
  }

  changeGateway(): Promise<boolean> {
    return Promise.reject(this.#unfit('has no place for a gateway'));
  }

  publish(): Promise<void> {
    return Promise.reject(this.#unfit('has no gateway that could publish ports'));
  }

  unpublish(): Promise<void> {
    return Promise.resolve();
  }

  connectRouter(): Link {
    throw this.#unfit('has no switch that a router could be connected to');
  }

  routerLine(): undefined {
    return undefined;
  }

  impairRouter(name: string): void {
    throw portUnknown(this.#options.model.name, name);
  }

  disconnectRouter(): Promise<void> {
    return Promise.resolve();
  }

  checkPort(name: string): void {
    if (this.#attached?.model.name !== name) throw portUnknown(this.#options.model.name, name);
  }

  ports(): PortStatus[] {
    if (this.#attached === undefined) return [];
    const { model, line, machine } = this.#attached;
    const { statistics } = line.link;
    const isConnected = !machine.interface.isGone;
    return [
      {
        network: this.#options.model.name,
        name: model.name,
        number: 0,
        kind: model.station.kind,
        vlan: '',
        state: portState({ isConnected, isSuspended: !this.gate.isOpen }),
        connected: isConnected,
        mac: machine.mac.toString(),
        addresses: machine.addresses.map(withoutPrefixLength),
        // The line's end is the station's: what it sends has come from there.
        received: { frames: statistics.sentFrames, bytes: statistics.sentBytes },
        sent: { frames: statistics.receivedFrames, bytes: statistics.receivedBytes },
        drops: statistics.drops.snapshot(),
        link: line.status(0),
      },
    ];
  }

  leases(): [] {
    return [];
  }

  flows(): [] {
    return [];
  }

  publicationStatus(): [] {
    return [];
  }

  drops(): Record<string, number> {
    return {};
  }

  async close(): Promise<void> {
    await this.#attached?.machine.close();
  }

  #line(device: Link, port: PortModel, lost: (error: NetloomError) => void): Line {
    const { clock, random } = this.#options.environment;
    try {
      return new Line(new WatchedLink(device, lost), port.link, clock, random);
    } catch (error) {
      void device.close();
      throw error;
    }
  }

  #unfit(why: string): NetloomError {
    const { name } = this.#options.model;
    return networkUnfit(name, `is direct, and ${why}`, 'Choose another kind of network for that.');
  }
}

function kindOf(kind: NetworkKind): Extract<NetworkKind, { kind: 'direct' }> {
  if (kind.kind === 'direct') return kind;
  throw new TypeError(`a network of kind ${kind.kind} is not direct`);
}
