import type { IpAddress, MacAddress } from 'netloom/core';
import type { Link } from 'netloom/link';
import type { MachineSetup } from '../machine/index.ts';
import type {
  AttachmentModel,
  GatewayModel,
  LinkChange,
  LinkModel,
  NetworkModel,
  PortModel,
  PublicationModel,
} from '../model/index.ts';
import type { FlowStatus, LeaseStatus, PortStatus, PublicationStatus } from '../status/index.ts';
import { ipAddressesOf } from './addresses.ts';
import { gatewayMissing, portTaken, portUnknown } from './errors.ts';
import type { Fabric, FabricOptions } from './fabric.ts';
import type { GatewayGuest } from './gateway/gateway.ts';
import { GATEWAY, GatewayPort } from './gateway/gateway-port.ts';
import { setupWithoutGateway } from './gateway/setup.ts';
import { openUplink } from './kinds/index.ts';
import { Cabling } from './port/cabling.ts';
import type { Gate } from './port/port-link.ts';
import type { NetworkPort } from './port/port.ts';
import { RouterPorts } from './port/router-ports.ts';
import { END_SETTINGS, UPLINK_SETTINGS, portSettings } from './port/settings.ts';
import { Publications } from './publications.ts';
import {
  openStation,
  type Station,
  type StationContext,
  type StationOpener,
} from './station/index.ts';
import { WatchedLink } from './station/watched-link.ts';
import { flowStatuses, leaseStatuses } from './statuses.ts';

/** The name of the port that leads out of the switch without a gateway. */
const UPLINK = 'uplink';

/** A station, and its port. */
interface Attached {
  /** Undefined: the station is the caller's, and no part of the model. */
  readonly model: AttachmentModel | undefined;
  readonly station: Station;
  readonly port: NetworkPort;
}

/** A network around a switch: every kind but the direct one. */
export class SwitchFabric implements Fabric {
  readonly gate: Gate = { isOpen: true };
  readonly #options: FabricOptions;
  readonly #model: NetworkModel;
  readonly #cabling: Cabling;
  readonly #attached = new Map<string, Attached>();
  readonly #routers: RouterPorts;
  readonly #publications: Publications;
  #gateway: GatewayPort | undefined;
  #uplink: NetworkPort | undefined;

  constructor(options: FabricOptions) {
    const { model } = options;
    this.#options = options;
    this.#model = model;
    this.#cabling = new Cabling(options, this.gate);
    this.#routers = new RouterPorts(model.name);
    this.#publications = new Publications(model.name, (station) => this.#addressesOf(station));
  }

  /** Makes all that the model asks for; called once. */
  async open(): Promise<void> {
    const model = this.#model;
    const uplink = await openUplink(model, this.#options.environment);
    if (uplink !== undefined) this.#join(uplink);
    if (model.gateway !== null) await this.#openGateway(model.gateway);
    // First those that say which addresses they have: no other is to be given one of them.
    const { attachments } = model;
    for (const attachment of attachments.filter(hasAddresses)) await this.attach(attachment);
    for (const attachment of attachments) {
      if (!hasAddresses(attachment)) await this.attach(attachment);
    }
    for (const publication of model.publications) await this.publish(publication);
  }

  get portCount(): number {
    return this.#ports().length;
  }

  get stations(): number {
    return this.#cabling.switch.stations().length;
  }

  get flowCount(): number {
    return this.#gateway?.live.uplink.flows.size ?? 0;
  }

  async attach(attachment: AttachmentModel): Promise<void> {
    const { name, station, port } = attachment;
    this.#checkFree(name);
    const opened = await openStation(name, station, this.#stationContext());
    await this.#take(name, station.kind, opened, port, attachment);
  }

  async connect(name: string, port: PortModel, open: StationOpener): Promise<void> {
    this.#checkFree(name);
    await this.#take(name, 'program', await open(this.#stationContext()), port, undefined);
  }

  async detach(name: string): Promise<void> {
    const attached = this.#attached.get(name);
    if (attached === undefined) return;
    this.#attached.delete(name);
    await attached.station.close();
    await attached.port.close();
  }

  configurePort(name: string, port: PortModel): void {
    const attached = this.#attached.get(name);
    if (attached === undefined) throw portUnknown(this.#model.name, name);
    const isEnd = attached.model?.station.kind === 'machine';
    const before = attached.port.line!.model;
    attached.port.line!.set(port.link);
    try {
      attached.port.configure(portSettings(port, isEnd));
    } catch (error) {
      attached.port.line!.set(before);
      throw error;
    }
    const model = attached.model && { ...attached.model, port };
    this.#attached.set(name, { ...attached, model });
  }

  async changeGateway(model: GatewayModel | null): Promise<boolean> {
    const before = this.#gateway?.live.model ?? null;
    if (model !== null && this.#gateway?.live.follow(model) === true) return true;
    const publications = this.#publications.forget();
    await this.#closeGateway();
    try {
      if (model !== null) await this.#openGateway(model);
    } catch (error) {
      if (before !== null) await this.#openGateway(before);
      await this.#settleIn(publications);
      throw error;
    }
    await this.#settleIn(publications);
    return false;
  }

  async publish(publication: PublicationModel): Promise<void> {
    const { station, listen } = publication;
    if (this.#gateway === undefined) {
      throw gatewayMissing(this.#model.name, `publishing a port of ${station} at ${listen}`);
    }
    await this.#publications.open(publication, this.#gateway.live);
  }

  unpublish(publication: PublicationModel): Promise<void> {
    return this.#publications.close(publication);
  }

  connectRouter(name: string, line: LinkModel, addresses: readonly string[]): Link {
    this.#checkFree(name);
    const [inside, outside] = this.#cabling.cable(name, name);
    const port = this.#cabling.plug({
      name,
      kind: 'router',
      link: inside,
      settings: END_SETTINGS,
      line,
    });
    this.#routers.add(port, addresses);
    return outside;
  }

  impairRouter(name: string, change: LinkChange): void {
    this.#routers.impair(name, change);
  }

  routerLine(name: string): LinkModel | undefined {
    return this.#routers.lineOf(name);
  }

  disconnectRouter(name: string): Promise<void> {
    return this.#routers.remove(name);
  }

  checkPort(name: string): void {
    if (!this.#ports().some((port) => port.name === name)) {
      throw portUnknown(this.#model.name, name);
    }
  }

  ports(): PortStatus[] {
    const { switch: bridge } = this.#cabling;
    // Of several at one port, the first.
    const heard = new Map(
      bridge
        .stations()
        .toReversed()
        .map(({ port, mac }) => [port, mac]),
    );
    const connected = new Set(bridge.ports);
    const leases = this.leases();
    const statuses = this.#ports().map((port) => {
      const { switchPort } = port;
      const station = this.#attached.get(port.name)?.station;
      const mac =
        station === undefined ? switchPort.link.mac : (station.mac ?? heard.get(switchPort));
      return port.status({
        isConnected: connected.has(switchPort) && (station?.isConnected ?? true),
        mac: mac === undefined ? null : String(mac),
        addresses: this.#addressesAt(port, mac, leases),
      });
    });
    return statuses.toSorted((a, b) => a.number - b.number);
  }

  leases(): LeaseStatus[] {
    return this.#gateway === undefined ? [] : leaseStatuses(this.#model.name, this.#gateway.live);
  }

  flows(): FlowStatus[] {
    const { clock } = this.#options.environment;
    if (this.#gateway === undefined) return [];
    return flowStatuses(this.#model.name, this.#gateway.live, clock);
  }

  publicationStatus(): PublicationStatus[] {
    return this.#publications.status();
  }

  drops(): Record<string, number> {
    return this.#gateway?.live.drops() ?? {};
  }

  /** Stations first: what is being answered may be finished. */
  async close(): Promise<void> {
    await Promise.all([...this.#attached.values()].map(({ station }) => station.close()));
    this.#publications.forget();
    await this.#closeGateway();
    await this.#cabling.switch.close();
  }

  /** Plugs in a station that has been opened; where that is refused it is closed. */
  async #take(
    name: string,
    kind: string,
    station: Station,
    port: PortModel,
    model: AttachmentModel | undefined,
  ): Promise<void> {
    try {
      const plugged = this.#cabling.plug({
        name,
        kind,
        link: station.link,
        settings: portSettings(port, kind === 'machine'),
        line: port.link,
      });
      this.#attached.set(name, { model, station, port: plugged });
    } catch (error) {
      await station.close();
      throw error;
    }
  }

  /** The network ends with what it is joined to. */
  #join(link: Link): void {
    const watched = new WatchedLink(link, (error) => this.#options.lost(error));
    this.#uplink = this.#cabling.plug({
      name: UPLINK,
      kind: UPLINK,
      link: watched,
      settings: UPLINK_SETTINGS,
    });
  }

  async #openGateway(model: GatewayModel): Promise<void> {
    const hasUplink = this.#uplink !== undefined;
    this.#gateway = await GatewayPort.open(model, this.#options, this.#cabling, hasUplink);
  }

  async #closeGateway(): Promise<void> {
    const gateway = this.#gateway;
    this.#gateway = undefined;
    await gateway?.close();
  }

  /** A gateway is there that was not there before: stations and published ports are told. */
  async #settleIn(publications: readonly PublicationModel[]): Promise<void> {
    const { environment } = this.#options;
    for (const { model, station } of this.#attached.values()) {
      // One of the caller's stays as it is, if it cannot follow.
      if (station.gatewayChanged() || model === undefined) continue;
      await this.detach(model.name);
      await this.attach(model);
    }
    for (const publication of this.#gateway === undefined ? [] : publications) {
      try {
        await this.publish(publication);
      } catch (error) {
        environment.notice?.(`${publication.listen} is not published any more: ${String(error)}`);
      }
    }
  }

  #stationContext(): StationContext {
    const { environment } = this.#options;
    const { name, mtu } = this.#model;
    return {
      network: name,
      mtu,
      environment,
      routers: ipAddressesOf(this.#model.routers),
      macOf: (station) => this.#cabling.macOf(station),
      admit: (guest) => this.#admit(guest),
      dismiss: (guest) => this.#gateway?.live.dismiss(guest),
    };
  }

  #admit(guest: GatewayGuest): MachineSetup | 'ask' {
    if (this.#gateway !== undefined) return this.#gateway.live.admit(guest);
    const { kind } = this.#model.kind;
    // Beyond the switch there may be somebody who gives addresses.
    if (guest.addresses.length === 0 && kind !== 'isolated') return 'ask';
    return setupWithoutGateway(guest.addresses, this.#model);
  }

  #ports(): NetworkPort[] {
    const stations = [...this.#attached.values()].map(({ port }) => port);
    const own = [this.#gateway?.port, this.#uplink].filter((port) => port !== undefined);
    return [...own, ...stations, ...this.#routers.ports];
  }

  #checkFree(name: string): void {
    const taken =
      name === GATEWAY || name === UPLINK || this.#ports().some((one) => one.name === name);
    if (taken) throw portTaken(this.#model.name, name);
  }

  /** Those that the station is configured with; else those that are leased to it. */
  #addressesAt(
    port: NetworkPort,
    mac: MacAddress | undefined,
    leases: readonly LeaseStatus[],
  ): readonly string[] {
    if (port === this.#gateway?.port) return this.#gateway.live.addresses.map(String);
    const ofRouter = this.#routers.addressesOf(port.name);
    if (ofRouter !== undefined) return ofRouter;
    const attached = this.#attached.get(port.name);
    if (attached === undefined || mac === undefined) return [];
    const { addresses } = attached.station;
    return addresses.length > 0 ? addresses : leasedTo(mac, leases);
  }

  /** Those that the station has; else those that its name leads to. */
  #addressesOf(name: string): readonly IpAddress[] {
    const own = this.#attached.get(name)?.station.addresses ?? [];
    if (own.length > 0) return ipAddressesOf(own);
    return this.#gateway?.live.addressesOf(name) ?? [];
  }
}

/** Clients are known by identifiers that end, mostly, in their MAC address (RFC 2131, section 2; RFC 8415, section 11). */
function leasedTo(mac: MacAddress, leases: readonly LeaseStatus[]): string[] {
  const ending = mac.toString().replaceAll(':', '');
  return leases.filter(({ client }) => client.endsWith(ending)).map(({ address }) => address);
}

/** Whether the file says which addresses the station has. */
function hasAddresses({ station }: AttachmentModel): boolean {
  return 'addresses' in station && station.addresses.length > 0;
}
