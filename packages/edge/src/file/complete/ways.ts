/** What follows for networks from the routers between them: default routes, and the gateways' ways to other networks. */
import { Cidr } from 'netloom/core';
import type { NetworkModel, RouterModel } from '../../model/index.ts';
import type { CompletedNetwork } from './network.ts';

/** The network with its default routers, unless the file says which, and with the routes of its gateway. */
export function withWays(
  { model, saysRouter }: CompletedNetwork,
  networks: ReadonlyMap<string, CompletedNetwork>,
  routers: readonly RouterModel[],
): NetworkModel {
  const { gateway } = model;
  return {
    ...model,
    routers: saysRouter ? model.routers : defaultRouters(model, routers),
    gateway: gateway && { ...gateway, routes: routesFrom(model.name, networks, routers) },
  };
}

/** The gateway's addresses; those of a router where the gateway leads nowhere. */
function defaultRouters(
  { name, gateway }: NetworkModel,
  routers: readonly RouterModel[],
): string[] {
  const ofRouters = routers.flatMap((router) => addressesIn(name, router));
  const ofGateway = gateway?.addresses ?? [];
  const isGatewayFirst = gateway?.uplink !== undefined && gateway.uplink !== null;
  const candidates = isGatewayFirst ? [...ofGateway, ...ofRouters] : [...ofRouters, ...ofGateway];
  const addresses = candidates.map((text) => Cidr.parse(text).address);
  return ([4, 6] as const).flatMap((family) => {
    const first = addresses.find((address) => address.family === family);
    return first === undefined ? [] : [String(first)];
  });
}

function addressesIn(network: string, { interfaces }: RouterModel): readonly string[] {
  return interfaces.find((one) => one.network === network)?.addresses ?? [];
}

/** By subnet of the networks behind routers: the nearest router's address, over as few routers as can be. */
function routesFrom(
  network: string,
  networks: ReadonlyMap<string, CompletedNetwork>,
  routers: readonly RouterModel[],
): Record<string, string> {
  const routes: [string, string][] = [];
  const reached = new Set([network]);
  // A network, and the addresses of the first router on the way there.
  let border = [{ name: network, hops: [] as readonly string[] }];
  while (border.length > 0) {
    border = border.flatMap(({ name, hops }) =>
      routers.flatMap((router) => {
        const own = addressesIn(name, router);
        const first = hops.length > 0 ? hops : own;
        return (own.length === 0 ? [] : networksBehind(name, router))
          .filter((one) => !reached.has(one))
          .map((one) => {
            reached.add(one);
            routes.push(...routesTo(networks.get(one)?.model.subnets ?? [], first));
            return { name: one, hops: first };
          });
      }),
    );
  }
  return Object.fromEntries(routes);
}

/** What can be reached by a router: not, from outside, the networks that it hides. */
function networksBehind(from: string, { interfaces, translation }: RouterModel): string[] {
  const isHidden = (network: string): boolean =>
    translation?.outside === from && translation.inside.includes(network);
  return interfaces.map(({ network }) => network).filter((one) => one !== from && !isHidden(one));
}

function routesTo(subnets: readonly string[], hops: readonly string[]): [string, string][] {
  const addresses = hops.map((hop) => Cidr.parse(hop).address);
  return subnets.flatMap((subnet) => {
    const { family } = Cidr.parse(subnet).address;
    const hop = addresses.find((address) => address.family === family);
    return hop === undefined ? [] : [[subnet, String(hop)] as [string, string]];
  });
}
