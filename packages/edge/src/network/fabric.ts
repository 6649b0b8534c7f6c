import type { NetloomError } from 'netloom/core';
import type { Link } from 'netloom/link';
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
import type { NetworkEnvironment } from './environment.ts';
import type { Gate, Recorders } from './port/port-link.ts';
import type { StationOpener } from './station/index.ts';

/** What a fabric is made from. */
export interface FabricOptions {
  readonly model: NetworkModel;
  readonly environment: NetworkEnvironment;
  readonly recorders: Recorders;
  /** What it is joined to is gone. */
  lost(error: NetloomError): void;
}

/** All that is live of a network. What is refused throws or rejects, and leaves it as it was. */
export interface Fabric {
  readonly gate: Gate;
  readonly portCount: number;
  /** Stations that are known. */
  readonly stations: number;
  readonly flowCount: number;
  attach(attachment: AttachmentModel): Promise<void>;
  /** Missing: there is nowhere to plug in. */
  connect?(name: string, port: PortModel, open: StationOpener): Promise<void>;
  detach(name: string): Promise<void>;
  configurePort(name: string, port: PortModel): void;
  /** True: in place. */
  changeGateway(gateway: GatewayModel | null): Promise<boolean>;
  publish(publication: PublicationModel): Promise<void>;
  unpublish(publication: PublicationModel): Promise<void>;
  /** @param addresses the router's, for whoever lists the ports */
  connectRouter(name: string, line: LinkModel, addresses: readonly string[]): Link;
  impairRouter(name: string, change: LinkChange): void;
  /** Undefined: there is no such router. */
  routerLine(name: string): LinkModel | undefined;
  disconnectRouter(name: string): Promise<void>;
  /** Throws `NETWORK_PORT_UNKNOWN`. */
  checkPort(name: string): void;
  ports(): PortStatus[];
  leases(): LeaseStatus[];
  flows(): FlowStatus[];
  publicationStatus(): PublicationStatus[];
  drops(): Record<string, number>;
  close(): Promise<void>;
}
