import type { LinkChange, LinkModel } from '../../model/index.ts';
import { withoutPrefixLength } from '../../text/index.ts';
import { portUnknown } from '../errors.ts';
import { changeLink } from './line.ts';
import type { NetworkPort } from './port.ts';

/** A port, and the router's addresses there with the lengths of their prefixes. */
interface RouterPort {
  readonly port: NetworkPort;
  readonly addresses: readonly string[];
}

/** The ports of a network that routers are connected to, by the routers' names. */
export class RouterPorts {
  readonly #network: string;
  readonly #byName = new Map<string, RouterPort>();

  constructor(network: string) {
    this.#network = network;
  }

  get ports(): NetworkPort[] {
    return [...this.#byName.values()].map(({ port }) => port);
  }

  /** @param addresses the router's, as its model has them */
  add(port: NetworkPort, addresses: readonly string[]): void {
    this.#byName.set(port.name, { port, addresses });
  }

  /** Undefined: there is no such router. */
  addressesOf(name: string): readonly string[] | undefined {
    return this.#byName.get(name)?.addresses.map(withoutPrefixLength);
  }

  /** Undefined: there is no such router. */
  lineOf(name: string): LinkModel | undefined {
    return this.#byName.get(name)?.port.line?.model;
  }

  /** Throws `NETWORK_PORT_UNKNOWN`, `IMPAIRMENT_INVALID`. */
  impair(name: string, change: LinkChange): void {
    const line = this.#byName.get(name)?.port.line;
    if (line === undefined) throw portUnknown(this.#network, name);
    line.set(changeLink(line.model, change));
  }

  /** Takes the port away. Does nothing if there is none. */
  async remove(name: string): Promise<void> {
    const router = this.#byName.get(name);
    this.#byName.delete(name);
    await router?.port.close();
  }
}
