/** The gateway of a program's network: a machine on our own stack, in this process, with the services of a router. */
import { RulePolicy } from '@netloom/edge/policy';
import { Cidr, type MacAddress, type SocketAddress } from 'netloom/core';
import { gatewayServices, type GatewayServices } from 'netloom/gateway';
import {
  osHost,
  StackHost,
  systemResolvers,
  uplink,
  type DestinationAccount,
  type OsHost,
  type Uplink,
} from 'netloom/host';
import type { Interface } from 'netloom/ip';
import type { Link } from 'netloom/link';
import type { Program } from 'netloom/link/tap/program';
import { CaptureFile } from '../capture-file.ts';
import {
  GATEWAY_ADDRESSES,
  GATEWAY_LINK_LOCAL,
  GATEWAY_MAC,
  PROGRAM_ADDRESSES,
} from './addresses.ts';
import { Line } from './line.ts';
import type { ProgramPlace } from './place.ts';
import type { PublicationRequest } from './publication-request.ts';
import type { RunRequest } from './request.ts';

/** See the file's head. */
export class Gateway implements ProgramPlace {
  readonly #request: RunRequest;
  readonly #inside = new StackHost({ name: 'gateway', forwarding: true });
  readonly #outside: OsHost = osHost();
  readonly #capture: CaptureFile | undefined;
  readonly #lan: Interface;
  readonly #uplink: Uplink;
  readonly #policy: RulePolicy;
  #services: GatewayServices | undefined;

  /**
   * The gateway of the program's link. Rejects as that does, and with a named error when the capture cannot be written, or a port that is to be
   * published cannot be had.
   */
  static async open(program: Program, request: RunRequest): Promise<Gateway> {
    // Before there is a link: frames flow from then on, and what the program asks first is to be answered, not refused.
    const resolvers = await systemResolvers();
    const link = await program.link({ mac: GATEWAY_MAC });
    const gateway = new Gateway(link, request);
    try {
      await gateway.#serve(program.mac, resolvers);
      await Promise.all(request.publications.map((one) => gateway.#publish(one)));
      return gateway;
    } catch (error) {
      await gateway.close();
      throw error;
    }
  }

  private constructor(link: Link, request: RunRequest) {
    this.#request = request;
    this.#capture = request.pcap === undefined ? undefined : new CaptureFile(request.pcap);
    const line = new Line(link, request, this.#capture);
    this.#lan = this.#inside.addInterface(line.link, {
      name: 'lan',
      addresses: [...GATEWAY_ADDRESSES, GATEWAY_LINK_LOCAL],
    });
    this.#policy = new RulePolicy(
      request.rules,
      GATEWAY_ADDRESSES.map(({ address }) => address),
    );
    this.#uplink = uplink({
      inside: this.#inside,
      interfaces: [this.#lan],
      outside: this.#outside,
      hostAccess: request.hostAccess ? 'gateway' : 'none',
      allow: (flow) => this.#policy.allowsFlow(flow),
      labels: (address) => this.#services?.dns?.labels(address) ?? [],
    });
  }

  get captureFailed(): Promise<never> {
    return this.#capture?.failed ?? new Promise<never>(() => {});
  }

  destinations(): DestinationAccount[] {
    return this.#uplink.flows.destinations();
  }

  async close(): Promise<void> {
    await this.#uplink.close();
    await this.#services?.close();
    await Promise.all([this.#inside.close(), this.#outside.close()]);
    this.#capture?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #serve(mac: MacAddress, resolvers: readonly SocketAddress[]): Promise<void> {
    const { mtu, names } = this.#request;
    const [, v6] = GATEWAY_ADDRESSES as [Cidr, Cidr];
    this.#services = await gatewayServices(this.#inside, this.#lan, {
      names: Object.fromEntries([...names].map(([name, addresses]) => [`${name}.`, addresses])),
      resolveVia: this.#outside,
      resolvers,
      dns: { denies: (name) => !this.#policy.allowsName(name) },
      advertisements: {
        network: {
          // One address is enough, and it has one: so none is to be made of the prefix.
          prefixes: [{ prefix: new Cidr(v6.network, v6.prefixLength), autonomous: false }],
          dnsServers: [v6.address],
          managed: true,
          mtu,
        },
      },
    });
    // Its interface is set up without asking; a DHCP client that asks again is to get what is there already.
    const addresses = PROGRAM_ADDRESSES.map(({ address }) => address);
    this.#services.reserve({ mac, hostname: 'program', addresses });
  }

  async #publish({ protocol, address, port, programPort }: PublicationRequest): Promise<void> {
    const target = PROGRAM_ADDRESSES.find((own) => own.address.family === address.family)!;
    await this.#uplink.publish({
      protocol,
      address,
      port,
      to: { address: target.address, port: programPort },
    });
  }
}
