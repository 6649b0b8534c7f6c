import { Cidr, NetloomError, type IpAddress } from 'netloom/core';
import {
  DhcpClient,
  StackHost,
  osHost,
  type HostCandidate,
  type Ipv6Configuration,
  type OsHost,
} from 'netloom/host';
import type { Interface } from 'netloom/ip';
import { WrappedLink, type Link, type LinkHandler } from 'netloom/link';
import { openTap } from 'netloom/link/tap';
import type { CaptureFile } from './capture-file.ts';

/** How our stack is set up on a TAP. */
export interface TapHostOptions {
  readonly tap: string;
  /** Undefined: DHCP servers and IPv6 routers on the link are asked. */
  readonly address: Cidr | undefined;
  readonly gateway: IpAddress | undefined;
  /** Gets every frame. */
  readonly capture: CaptureFile | undefined;
}

/**
 * Milliseconds that those who give addresses have. A DHCP server's comes within a second or two, one by IPv6 within six, since every step begins with a wait
 * of up to a second (RFC 4862, section 5.4.2; RFC 8415, section 18.2.1); the rest is for messages that are lost.
 */
const ADDRESS_PATIENCE = 10_000;

/** Our stack on a TAP, as a candidate. */
export function tapCandidate(options: TapHostOptions): HostCandidate {
  return {
    name: `stack on ${options.tap}`,
    async open(signal) {
      const host = new TapHost(options.tap);
      try {
        await host.attach(options, signal);
        return host;
      } catch (error) {
        await host.close();
        throw error;
      }
    },
  };
}

/** A link of which it is known when it is lost. */
class WatchedLink extends WrappedLink {
  readonly #lost = Promise.withResolvers<never>();

  constructor(inner: Link) {
    super(inner);
    // Nobody may be waiting any more.
    this.#lost.promise.catch(() => undefined);
  }

  /** Rejects with the link's error if it goes without having been closed from here; never settles otherwise. */
  get lost(): Promise<never> {
    return this.#lost.promise;
  }

  override attach(handler: LinkHandler): void {
    super.attach({
      receive: (frame, offload) => handler.receive(frame, offload),
      batchEnd: () => handler.batchEnd(),
      closed: (error) => {
        if (error !== undefined) this.#lost.reject(error);
        handler.closed?.(error);
      },
    });
  }
}

/** Names are looked up by this machine's resolver: the stack has none of its own yet. */
class TapHost extends StackHost {
  readonly #resolver: OsHost;
  #dhcp: DhcpClient | undefined;
  #ipv6: Ipv6Configuration | undefined;

  constructor(tap: string) {
    const resolver = osHost();
    super({
      name: `stack on ${tap}`,
      resolver: (name, options) => resolver.resolve(name, options),
    });
    this.#resolver = resolver;
  }

  async attach(options: TapHostOptions, signal: AbortSignal | undefined): Promise<void> {
    const { tap, gateway, capture } = options;
    const link = new WatchedLink(openTap({ name: tap }));
    const via = this.addInterface(capture?.capture(link, this.clock) ?? link);
    await Promise.race([this.#obtainAddress(via, options, signal), link.lost]);
    if (gateway === undefined) return;
    this.stack.addRoute(Cidr.parse(gateway.family === 4 ? '0.0.0.0/0' : '::/0'), via, gateway);
  }

  override async close(): Promise<void> {
    // Connections need the address to end in good order. Then it is given back, so that the next run, with another MAC address, does not use up one more.
    const connections = this.stack.tcp.openConnections();
    await Promise.all(connections.map((connection) => connection.close()));
    await Promise.all([this.#dhcp?.release(), this.#ipv6?.release()]);
    await super.close();
    await this.#resolver.close();
  }

  async #obtainAddress(
    via: Interface,
    { tap, address }: TapHostOptions,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (address === undefined) return this.#configure(via, tap, signal);
    // Whoever chose it may not know all stations of the link.
    const waiting = signal === undefined ? {} : { signal };
    return this.addAddress(via, address, { duplicates: 'detect', ...waiting });
  }

  /** Asks for addresses of both families; the first to come will do. */
  async #configure(via: Interface, tap: string, signal: AbortSignal | undefined): Promise<void> {
    const patience = { timeout: ADDRESS_PATIENCE, ...(signal === undefined ? {} : { signal }) };
    // Without the five seconds of probing: the address is in use for moments, and the server has just found it free.
    this.#dhcp = new DhcpClient(this, via, { probe: false });
    this.#ipv6 = this.autoconfigure(via);
    try {
      await Promise.any([this.#dhcp.lease(patience), this.#ipv6.ready(patience)]);
    } catch (thrown) {
      const [error] = (thrown as AggregateError).errors as NetloomError[];
      if (error?.code !== 'TIMEOUT') throw error;
      throw new NetloomError('DHCP_UNANSWERED', `no DHCP server and no router answered on ${tap}`, {
        cause: thrown,
        remedy: 'Start one there, or give an address of its network, as --address 10.0.0.2/24.',
      });
    }
  }
}
