/** A network with a neighbour who works and an attacker who floods, around a switch and a gateway, in virtual time. */
import assert from 'node:assert/strict';
import { Cidr, IpAddress, MacAddress, type Connection, type Counters } from 'netloom/core';
import { serveDns } from 'netloom/dns';
import { gatewayServices, type GatewayServices } from 'netloom/gateway';
import {
  DhcpClient,
  simWorld,
  uplink,
  type SimHost,
  type SimWorld,
  type Uplink,
  type UplinkLimits,
} from 'netloom/host';
import type { AllStackLimits, Interface } from 'netloom/ip';
import {
  ImpairedLink,
  Switch,
  type Link,
  type PortSettings,
  type SwitchLimits,
  type SwitchPort,
} from 'netloom/link';
import { Attacker, type FrameMaker } from './attacker.ts';
import { echo, echoed, pour, resolveBy } from './traffic.ts';

/** Frames that an attacker sends in a virtual second, unless a test says otherwise. */
export const FLOOD_RATE = 50_000;

/** The port of a guest, as a node's file has it when it says nothing else. */
export const GUEST_PORT: Partial<PortSettings> = {
  stations: 64,
  whenFull: 'drop',
  storm: {
    broadcast: { framesPerSecond: 1000 },
    unknownUnicast: { framesPerSecond: 1000 },
  },
};

/** How a {@link FloodLab} is made. */
export interface FloodLabOptions {
  /** Of the attacker; default {@link GUEST_PORT}. */
  readonly port?: Partial<PortSettings>;
  readonly switchLimits?: Partial<SwitchLimits>;
  readonly snooping?: boolean;
  /** Of the gateway's stack, and the machine's. */
  readonly limits?: AllStackLimits;
  readonly uplinkLimits?: Partial<UplinkLimits>;
}

/** Bytes of the neighbour's that have arrived: at the server in the world, by the uplink, and from the machine on the switch. */
export interface Transferred {
  readonly upload: number;
  readonly download: number;
}

/** Bits per second of an honest station's line: what a flood puts on it is missed there. */
const LINE_RATE = 20_000_000;

/** How long the neighbour's transfers get going before they are watched, and how long they are watched. */
const WARM_UP = 1000;
const WATCHED = 2000;

/** The least share of the undisturbed transfer that a flood may leave. */
const LEAST_SHARE = 0.8;

/** Of the world: nobody answers there. */
export const SILENT: Cidr = Cidr.parse('203.0.113.0/24');

const GATEWAY = { 4: IpAddress.parse('10.0.0.1'), 6: IpAddress.parse('fd00::1') } as const;

/** See the file's head. */
export class FloodLab {
  readonly world: SimWorld = simWorld({ seed: 7 });
  readonly switch: Switch;
  readonly gateway: SimHost;
  /** The gateway's interface. */
  readonly inside: Interface;
  readonly uplink: Uplink;
  services!: GatewayServices;
  /** On the switch. */
  readonly machine: SimHost;
  readonly neighbour: SimHost;
  readonly attacker: Attacker;
  /** What carries the uplink's connections, and a server, both in the world. */
  readonly outside: SimHost;
  readonly server: SimHost;
  readonly #received = { upload: 0, download: 0 };
  #transfers: readonly Connection[] = [];
  readonly #lines = new Map<SimHost, ImpairedLink>();

  /** Makes it, with the neighbour at work. */
  static async open(options: FloodLabOptions = {}): Promise<FloodLab> {
    const lab = new FloodLab(options);
    await lab.world.run(lab.#start());
    return lab;
  }

  private constructor(options: FloodLabOptions) {
    const { world } = this;
    const { limits = {}, switchLimits = {}, uplinkLimits = {}, port = GUEST_PORT } = options;
    const subnets = ['198.18.0.0/24', '2001:db8:f::/64'];
    const internet = world.network('internet', { delay: 20, subnets });
    this.outside = world.machine('outside', { on: internet });
    this.server = world.machine('server', { on: internet });
    const hole = world.machine('hole', { on: internet });
    const { interface: via } = this.outside.cable(internet);
    this.outside.stack.addRoute(SILENT, via, hole.address);
    this.switch = new Switch(world.clock, {
      random: world.random('switch'),
      limits: switchLimits,
      ...(options.snooping === true && { snooping: {} }),
    });
    this.gateway = world.machine('gateway', { forwarding: true, limits });
    this.inside = this.gateway.addInterface(this.#cable('gateway', 1), {
      addresses: ['10.0.0.1/24', 'fd00::1/64', 'fe80::1/64'],
    });
    this.#pin(this.inside);
    const interfaces = [this.inside];
    const { gateway: inside, outside } = this;
    this.uplink = uplink({ inside, interfaces, outside, limits: uplinkLimits });
    this.machine = this.station('machine', 2, ['10.0.0.2/24', 'fd00::2/64'], limits);
    this.neighbour = this.station('neighbour', 3, ['10.0.0.3/24', 'fd00::3/64']);
    const link = this.#cable('attacker', 0x66, port);
    this.attacker = new Attacker(link, world.clock, world.random('attacker'));
  }

  /** The attacker's port of the switch. */
  get attackerPort(): SwitchPort {
    return this.switch.ports.find(({ link }) => link.name.startsWith('attacker'))!;
  }

  /** The neighbour's end of its line. */
  get neighbourLine(): ImpairedLink {
    return this.#lines.get(this.neighbour)!;
  }

  /** What the attacker's port has dropped, by reason. */
  get portDrops(): Counters {
    return this.attackerPort.statistics.drops;
  }

  /** Floods with such frames, watches the neighbour meanwhile, and has somebody new come in the middle. */
  async disturb(make: FrameMaker, rate: number = FLOOD_RATE): Promise<void> {
    const undisturbed = await calm();
    const seen = await this.#watch(() => this.attacker.flood(make, rate));
    for (const way of ['upload', 'download'] as const) {
      const share = seen[way] / undisturbed[way];
      assert.ok(share >= LEAST_SHARE, `${way}: ${(100 * share).toFixed(1)} % of the undisturbed`);
    }
    await this.newcomer();
    this.attacker.stop();
  }

  /** Ends the neighbour's transfers, and lets so many milliseconds pass. */
  async rest(milliseconds: number): Promise<void> {
    for (const connection of this.#transfers) connection.abort();
    await this.pass(milliseconds);
  }

  /** Lets so many milliseconds pass. */
  pass(milliseconds: number): Promise<void> {
    return this.world.run(this.world.now() + milliseconds);
  }

  /** Somebody new comes, gets an address, resolves a name of the world and talks to the host of that name, all within seconds. Answers the address. */
  newcomer(name = 'newcomer', number = 4): Promise<string> {
    return this.world.run(
      this.world.within(15_000, `what ${name} does`, this.#arrive(name, number)),
    );
  }

  /** A machine on the switch, behind a line of {@link LINE_RATE}, with the gateway as its router. */
  station(
    name: string,
    number: number,
    addresses: readonly string[],
    limits: AllStackLimits = {},
  ): SimHost {
    const host = this.world.machine(name, { limits });
    const line = { rate: LINE_RATE, delay: 0.2 };
    const link = new ImpairedLink(this.#cable(name, number), {
      clock: this.world.clock,
      random: this.world.random(`line:${name}`),
      outbound: line,
      inbound: line,
    });
    this.#lines.set(host, link);
    const via = host.addInterface(link, { name: 'lan', addresses });
    if (addresses.length > 0) {
      this.#pin(via);
      host.stack.addRoute(Cidr.parse('0.0.0.0/0'), via, GATEWAY[4]);
      host.stack.addRoute(Cidr.parse('::/0'), via, GATEWAY[6]);
    }
    return host;
  }

  /** The neighbour's transfer over some seconds; `meanwhile` begins with them. */
  async #watch(meanwhile: () => void): Promise<Transferred> {
    await this.pass(WARM_UP);
    const before = { ...this.#received };
    meanwhile();
    await this.pass(WATCHED);
    const { upload, download } = this.#received;
    return { upload: upload - before.upload, download: download - before.download };
  }

  /** What {@link disturb} compares with: see {@link calm}. */
  undisturbed(): Promise<Transferred> {
    return this.#watch(() => undefined);
  }

  /** Tells the switch where a station and its addresses are, as the owner of a network does who knows: nobody else is to pass for it. */
  #pin({ mac, addresses }: Interface): void {
    const port = this.switch.ports.at(-1)!;
    this.switch.addStation(mac, port);
    for (const { cidr } of addresses) this.switch.addAddress(cidr.address, port);
  }

  #cable(name: string, number: number, settings: Partial<PortSettings> = {}): Link {
    const mac = new MacAddress(0x0200, number);
    // Segments are cut by TCP itself, so that frames are those of a wire.
    return this.switch.port({ name, mac, settings, offload: { checksum: true, segmentation: 0 } });
  }

  async #start(): Promise<void> {
    const { server, machine, neighbour, gateway } = this;
    const address = server.addresses.find(({ family }) => family === 4)!;
    const names = await serveDns({ host: server, zone: 'example' });
    names.setName('www', [address]);
    await server.listen({
      port: 9,
      accept: (connection) =>
        connection.start({ data: (chunk) => void (this.#received.upload += chunk.length) }),
    });
    await server.listen({ port: 7, accept: echo });
    await machine.listen({ port: 19, accept: pour });
    await machine.listen({ port: 7, accept: echo });
    this.services = await gatewayServices(gateway, this.inside, {
      resolveVia: this.outside,
      resolvers: [{ address, port: 53 }],
    });
    const upload = await neighbour.connect({ host: address, port: 9 });
    pour(upload);
    const download = await neighbour.connect({ host: IpAddress.parse('10.0.0.2'), port: 19 });
    download.start({ data: (chunk) => void (this.#received.download += chunk.length) });
    this.#transfers = [upload, download];
  }

  async #arrive(name: string, number: number): Promise<string> {
    const host = this.station(name, number, []);
    const via = host.stack.interfaces.find((one) => one.name === 'lan')!;
    const client = new DhcpClient(host, via, { hostname: name, probe: false });
    const { address } = await client.lease();
    const found = await resolveBy(this.world, host, GATEWAY[4], 'www.example');
    const connection = await host.connect({ host: found, port: 7 });
    await echoed(connection);
    connection.abort();
    return address.toString();
  }
}

let known: Promise<Transferred> | undefined;

/** What the neighbour transfers where nobody floods: the same in every run, so it is watched once. */
function calm(): Promise<Transferred> {
  known ??= FloodLab.open().then((lab) => lab.undisturbed());
  return known;
}
