import { Cidr, NetloomError, type IpAddress } from 'netloom/core';
import { DhcpClient, StackHost, osHost, type HostCandidate, type OsHost } from 'netloom/host';
import { openTap } from 'netloom/link/tap';
import type { CaptureFile } from './capture-file.ts';

/** How our stack is set up on a TAP. */
export interface TapHostOptions {
  readonly tap: string;
  /** Undefined: a DHCP server on the link is asked. */
  readonly address: Cidr | undefined;
  readonly gateway: IpAddress | undefined;
  /** Gets every frame. */
  readonly capture: CaptureFile | undefined;
}

/** Milliseconds a DHCP server is given. Its first answer comes within a second or two; the rest is for messages that are lost. */
const DHCP_PATIENCE = 10_000;

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

/** Names are looked up by this machine's resolver: the stack has none of its own yet. */
class TapHost extends StackHost {
  readonly #resolver: OsHost;
  #dhcp: DhcpClient | undefined;

  constructor(tap: string) {
    const resolver = osHost();
    super({
      name: `stack on ${tap}`,
      resolver: (name, options) => resolver.resolve(name, options),
    });
    this.#resolver = resolver;
  }

  async attach(options: TapHostOptions, signal: AbortSignal | undefined): Promise<void> {
    const { tap, address, gateway, capture } = options;
    const link = openTap({ name: tap });
    const via = this.addInterface(capture?.capture(link, this.clock) ?? link);
    if (address === undefined) {
      // Without the five seconds of probing: the address is in use for moments, and the server has just found it free.
      this.#dhcp = new DhcpClient(this, via, { probe: false });
      await lease(this.#dhcp, tap, signal);
    } else {
      this.stack.addAddress(via, address);
    }
    if (gateway === undefined) return;
    this.stack.addRoute(Cidr.parse(gateway.family === 4 ? '0.0.0.0/0' : '::/0'), via, gateway);
  }

  override async close(): Promise<void> {
    // So that the next run, with another MAC address, does not use up one more.
    await this.#dhcp?.release();
    await super.close();
    await this.#resolver.close();
  }
}

async function lease(
  dhcp: DhcpClient,
  tap: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await dhcp.lease({ timeout: DHCP_PATIENCE, ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    if (!(error instanceof NetloomError) || error.code !== 'TIMEOUT') throw error;
    throw new NetloomError('DHCP_UNANSWERED', `no DHCP server answered on ${tap}`, {
      cause: error,
      remedy: 'Start one there, or give an address of its network, as --address 10.0.0.2/24.',
    });
  }
}
