import type { IpAddress, SocketAddress } from '../../core/index.ts';
import type { UplinkEnvironment } from './environment.ts';
import { PublishedConnections } from './published-connections.ts';
import { PublishedDatagrams } from './published-datagrams.ts';

/** What is to be published, and where. */
export interface PublicationOptions {
  /** Default `tcp`. */
  readonly protocol?: 'tcp' | 'udp';
  /** Where clients come in, on the outside host. Default: every address it has. */
  readonly address?: IpAddress;
  /** 0 lets the outside host choose. */
  readonly port: number;
  /** The guest's address and port. The guest sees clients come from the gateway. */
  readonly to: SocketAddress;
}

/** A guest's port, reached through one of the outside host. */
export interface Publication extends AsyncDisposable {
  readonly protocol: 'tcp' | 'udp';
  /** Where clients come in. */
  readonly local: SocketAddress;
  readonly to: SocketAddress;
  /** Lets nobody in any more, and cuts off who is. Settles when the port is free. Idempotent. */
  close(): Promise<void>;
}

/** Opens a publication; `closed` is called when it is. */
export async function publish(
  environment: UplinkEnvironment,
  options: PublicationOptions,
  closed: () => void,
): Promise<Publication> {
  return options.protocol === 'udp'
    ? PublishedDatagrams.open(environment, options, closed)
    : PublishedConnections.open(environment, options, closed);
}
