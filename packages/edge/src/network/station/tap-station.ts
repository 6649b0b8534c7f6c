import { Cidr, type MacAddress } from 'netloom/core';
import { networkNamespaceIdentity, openTap, type TapLink } from 'netloom/link/tap';
import type { TapModel } from '../../model/index.ts';
import type { StationContext } from './context.ts';
import type { Station } from './station.ts';
import { WatchedLink } from './watched-link.ts';

/** The kernel at the other end of a TAP, in this process's network namespace or in another. */
export class TapStation implements Station {
  readonly link: WatchedLink;
  readonly mac: MacAddress;
  readonly #name: string;
  readonly #model: TapModel;
  readonly #context: StationContext;
  /** The namespace it is in, if that is not this process's own. */
  readonly #namespace: string | undefined;

  /** Throws as `openTap`, and as the gateway has it that keeps the addresses. */
  constructor(name: string, model: TapModel, context: StationContext) {
    this.#name = name;
    this.#model = model;
    this.#context = context;
    const { namespace } = model;
    this.#namespace = namespace === null ? undefined : networkNamespaceIdentity(namespace);
    const tap = this.#open();
    this.mac = tap.kernelMac;
    this.link = new WatchedLink(tap, ({ message }) => {
      context.environment.notice?.(`${name} is cut off: ${message}`);
    });
    try {
      this.#admit();
    } catch (error) {
      void tap.close();
      throw error;
    }
  }

  get isConnected(): boolean {
    return this.link.isUp && !this.#isElsewhere();
  }

  get addresses(): readonly string[] {
    return this.#addresses().map(({ address }) => address.toString());
  }

  gatewayChanged(): boolean {
    this.#admit();
    return true;
  }

  async close(): Promise<void> {
    this.#context.dismiss({ mac: this.mac, name: this.#name });
    await this.link.close();
  }

  /** Where a namespace was deleted and made again under its name, the interface is in the old one still. */
  #isElsewhere(): boolean {
    const { namespace } = this.#model;
    if (namespace === null) return false;
    const now = networkNamespaceIdentity(namespace);
    return now !== undefined && now !== this.#namespace;
  }

  #open(): TapLink {
    const { interface: name, namespace, defaultRoute } = this.#model;
    const { mtu, routers } = this.#context;
    const addresses = this.#addresses();
    const families = new Set(addresses.map(({ address }) => address.family));
    return openTap({
      name,
      ...(namespace !== null && { namespace }),
      mtu,
      // The same at every start: to a DHCP server, the kernel's or ours, that is who it is.
      kernelMac: this.#context.macOf(this.#name),
      place: {
        addresses,
        gateways: defaultRoute ? routers.filter(({ family }) => families.has(family)) : [],
      },
    });
  }

  #addresses(): Cidr[] {
    return this.#model.addresses.map((text) => Cidr.parse(text));
  }

  /** Without addresses of the file's it asks for some like any other station; its name is that of the file. */
  #admit(): void {
    const addresses = this.#addresses().map(({ address }) => address);
    this.#context.admit({ mac: this.mac, name: this.#name, addresses, isConfigured: true });
  }
}
