/** A network of a file, in which a program is a station: the node that the file describes is started in this process. */
import {
  DEFAULT_PORT,
  NetloomNode,
  Network,
  type NodeModel,
  type Station,
  type StationContext,
} from '@netloom/edge';
import { formatSocketAddress, MacAddress, NetloomError, secureRandom, suggest } from 'netloom/core';
import {
  osHost,
  SystemClock,
  systemResolvers,
  type DestinationAccount,
  type OsHost,
} from 'netloom/host';
import type { Link } from 'netloom/link';
import type { Program } from 'netloom/link/tap/program';
import { CaptureFile } from '../capture-file.ts';
import { destinationsOf } from './flow-accounts.ts';
import type { NetworkChoice } from './network-choice.ts';
import { Line } from './line.ts';
import type { ProgramInterface, ProgramPlace } from './place.ts';
import type { RunRequest } from './request.ts';

/** The program's name in the network: of its port, and in the zone. */
const STATION = 'program';
/** Locally administered, and none that a station's name leads to would have. */
const PROGRAM_MAC = MacAddress.parse('02:00:00:00:00:64');

/** What a {@link NodeNetwork} is opened with. */
export interface NodeNetworkOptions {
  readonly request: RunRequest;
  readonly choice: NetworkChoice;
  /** What the file says. */
  readonly model: NodeModel;
  /** Has the program's interface made, with these addresses. */
  prepare(wanted: ProgramInterface): Program;
  /** Told of what people should know and is no failure. */
  notice(text: string): void;
}

/** See the file's head. */
export class NodeNetwork implements ProgramPlace {
  readonly #request: RunRequest;
  readonly #outside: OsHost = osHost();
  readonly #capture: CaptureFile | undefined;
  #node: NetloomNode<Network> | undefined;
  #network: Network | undefined;
  /** The program's. */
  #addresses: readonly string[] = [];

  /** Rejects with `NODE_NETWORK_UNKNOWN`, as the node does, as the program's link does, and when the capture cannot be written. */
  static async open(options: NodeNetworkOptions): Promise<NodeNetwork> {
    checkName(options.model, options.choice);
    const place = new NodeNetwork(options.request);
    try {
      await place.#open(options);
      return place;
    } catch (error) {
      await place.close();
      throw error;
    }
  }

  private constructor(request: RunRequest) {
    this.#request = request;
    this.#capture = request.pcap === undefined ? undefined : new CaptureFile(request.pcap);
  }

  get captureFailed(): Promise<never> {
    return this.#capture?.failed ?? new Promise<never>(() => {});
  }

  destinations(): DestinationAccount[] {
    return destinationsOf(this.#network?.flows() ?? [], this.#addresses);
  }

  async close(): Promise<void> {
    await this.#network?.detach(STATION);
    await this.#node?.close();
    await this.#outside.close();
    this.#capture?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #open({ model, choice, prepare, notice }: NodeNetworkOptions): Promise<void> {
    this.#node = await NetloomNode.start(model, {
      name: 'run',
      file: choice.file,
      // Nothing of a run is to outlive it.
      stateFolder: null,
      environment: {
        clock: new SystemClock({ precise: true }),
        random: secureRandom(),
        outside: this.#outside,
        resolvers: await systemResolvers(),
        notice,
      },
      makeNetwork: (wanted, environment) => new Network(wanted, environment),
    });
    const network = this.#node.network(choice.name);
    this.#network = network;
    // What is wrong with the line is in the line itself.
    await network.connect(STATION, DEFAULT_PORT, (context) => this.#plugIn(context, prepare));
    if (this.#addresses.length === 0) notice(withoutAddress(choice.name));
    const { publications } = this.#request;
    for (const { protocol, address, port, programPort } of publications) {
      const listen = formatSocketAddress({ address, port });
      await network.publish({ protocol, listen, station: STATION, port: programPort });
    }
  }

  async #plugIn(context: StationContext, prepare: NodeNetworkOptions['prepare']): Promise<Station> {
    const guest = { mac: PROGRAM_MAC, name: STATION, addresses: [] };
    const setup = context.admit(guest);
    // Where nobody here gives addresses, the program may ask whoever else there is.
    const { addresses, routers, nameServers } =
      setup === 'ask' ? { addresses: [], routers: [], nameServers: [] } : setup;
    this.#addresses = addresses.map(({ address }) => address.toString());
    const program = prepare({
      mtu: context.mtu,
      interfaceMac: PROGRAM_MAC,
      addresses,
      gateways: routers,
      nameServers,
    });
    const tap = await program.link();
    const { link } = new Line(tap, this.#request, this.#capture);
    return new ProgramStation(link, this.#addresses, () => context.dismiss(guest));
  }
}

/** The program, as the network sees it. */
class ProgramStation implements Station {
  readonly link: Link;
  readonly isConnected = true;
  readonly mac: MacAddress = PROGRAM_MAC;
  readonly addresses: readonly string[];
  readonly #dismiss: () => void;

  constructor(link: Link, addresses: readonly string[], dismiss: () => void) {
    this.link = link;
    this.addresses = addresses;
    this.#dismiss = dismiss;
  }

  gatewayChanged(): boolean {
    // The kernel's interface has been set up, and stays as it is.
    return false;
  }

  close(): Promise<void> {
    this.#dismiss();
    return this.link.close();
  }
}

function withoutAddress(network: string): string {
  return `no gateway in the network ${network} gives out addresses here; the program has none until it sets one up for tap0, or asks for one (udhcpc -i tap0)`;
}

function checkName({ networks }: NodeModel, { file, name }: NetworkChoice): void {
  const names = networks.map((network) => network.name);
  if (names.includes(name)) return;
  const meant = suggest(name, names);
  throw new NetloomError('NODE_NETWORK_UNKNOWN', `${file} has no network '${name}'`, {
    remedy: meant === undefined ? `It has: ${names.join(', ')}.` : `Did you mean '${meant}'?`,
  });
}
