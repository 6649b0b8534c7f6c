import type { SocketAddress } from '../core/index.ts';

/** How a message travels. */
export type DnsTransport = 'udp' | 'tcp';

/** Who asks, and how it is answered. */
export interface DnsClient {
  readonly remote: SocketAddress;
  readonly transport: DnsTransport;
  /** The station that asks, where that is known: questions are shared out by it, and else by the address. */
  readonly station?: number | undefined;
  /** The bytes are given away. Called once at most. */
  respond(message: Uint8Array): void;
  /** There will be no response. */
  dropped?(): void;
}

/** A question on its way to one server. */
export interface DnsExchange {
  readonly server: SocketAddress;
  readonly transport: DnsTransport;
  /** To be sent as it is: given away. */
  readonly message: Uint8Array;
}
