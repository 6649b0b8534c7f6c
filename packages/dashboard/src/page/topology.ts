import type { AttachmentModel, NetworkModel } from '@netloom/edge/model';
import type { NetworkStatus, PortStatus } from '@netloom/edge/status';
import type { NodeView } from './node-api.ts';

/** A port of a network and what is at the other end of its cable. */
export interface Line {
  readonly key: string;
  readonly network: string;
  readonly name: string;
  /** As `PortStatus.kind`. */
  readonly kind: string;
  /** Null: the network is not up, and this is what it would have. */
  readonly port: PortStatus | null;
}

/** A network, and what stands around its switch. */
export interface DrawnNetwork {
  readonly status: NetworkStatus;
  readonly model: NetworkModel;
  /** Its ways to elsewhere but those over routers: gateway, bridge, overlay. */
  readonly ways: readonly Line[];
  readonly stations: readonly Line[];
}

/** A machine between networks, with its line in each. */
export interface DrawnRouter {
  readonly name: string;
  readonly lines: readonly Line[];
}

/** What there is to draw of a node. */
export interface Topology {
  readonly networks: readonly DrawnNetwork[];
  readonly routers: readonly DrawnRouter[];
  /** Networks whose gateway has a way through this machine's sockets; empty: there is no such way to draw. */
  readonly outside: readonly string[];
  /** Whether one of those ways leads out, and not only in. */
  readonly hasUplink: boolean;
}

/** What is at these ports leads elsewhere: it has nothing wrong with its line, and nothing is to be set. */
const WAYS: readonly string[] = ['gateway', 'uplink'];
/** A program that was started in the network: what is wrong with its line was said then. */
const PROGRAM = 'program';
const ROUTER = 'router';

/** A line's name among those of all networks. */
export function lineKey(network: string, port: string): string {
  return `${network}/${port}`;
}

/** Whether something can be made wrong with a line. */
export function isImpairable({ kind, port }: Line): boolean {
  return port !== null && kind !== PROGRAM && !WAYS.includes(kind);
}

/** What there is to draw. */
export function topologyOf(view: NodeView): Topology {
  const { status, model } = view;
  const models = new Map(model.networks.map((network) => [network.name, network]));
  const lines = Map.groupBy(view.ports.map(lineOf), ({ network }) => network);
  const networks = status.networks.flatMap((network): DrawnNetwork[] => {
    const wanted = models.get(network.name);
    // Between two answers it may have gone.
    if (wanted === undefined) return [];
    const there = lines.get(network.name) ?? [];
    const ends = there.filter(({ kind }) => kind !== ROUTER);
    return [
      {
        status: network,
        model: wanted,
        ways: ends.filter(({ kind }) => WAYS.includes(kind)),
        stations: [...ends.filter(({ kind }) => !WAYS.includes(kind)), ...absent(wanted, there)],
      },
    ];
  });
  const routers = status.routers.map(({ name, networks: joined }) => ({
    name,
    lines: joined.map((network): Line => {
      const there = lines.get(network)?.find((line) => line.kind === ROUTER && line.name === name);
      return there ?? { key: lineKey(network, name), network, name, kind: ROUTER, port: null };
    }),
  }));
  const reached = networks.filter(isReached);
  return {
    networks,
    routers,
    outside: reached.map(({ status: { name } }) => name),
    hasUplink: reached.some(({ model: { gateway } }) => gateway?.uplink != null),
  };
}

function lineOf(port: PortStatus): Line {
  const { network, name, kind } = port;
  return { key: lineKey(network, name), network, name, kind, port };
}

/** Stations that are wanted, and are not there: those of a network that has failed. */
function absent({ name: network, attachments }: NetworkModel, there: readonly Line[]): Line[] {
  const names = new Set(there.map(({ name }) => name));
  return attachments
    .filter(({ name }) => !names.has(name))
    .map(({ name, station }: AttachmentModel) => ({
      key: lineKey(network, name),
      network,
      name,
      kind: station.kind,
      port: null,
    }));
}

function isReached({ ways, model: { gateway, publications } }: DrawnNetwork): boolean {
  const isThere = ways.some(({ kind }) => kind === 'gateway');
  return isThere && (gateway?.uplink != null || publications.length > 0);
}
