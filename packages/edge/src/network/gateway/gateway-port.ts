import type { GatewayModel } from '../../model/index.ts';
import type { FabricOptions } from '../fabric.ts';
import type { Cabling } from '../port/cabling.ts';
import type { NetworkPort } from '../port/port.ts';
import { END_SETTINGS } from '../port/settings.ts';
import { NetworkGateway } from './gateway.ts';

/** The name of a gateway's port. */
export const GATEWAY = 'gateway';

/** A network's gateway, at its port of the switch. */
export class GatewayPort {
  readonly live: NetworkGateway;
  readonly port: NetworkPort;

  private constructor(live: NetworkGateway, port: NetworkPort) {
    this.live = live;
    this.port = port;
  }

  /**
   * Plugs one in, for which no other station can pass. Rejects as `NetworkGateway.open`.
   * @param hasUplink whether beyond the switch there may be another that speaks from the same link-local address
   */
  static async open(
    model: GatewayModel,
    { model: network, environment }: FabricOptions,
    cabling: Cabling,
    hasUplink: boolean,
  ): Promise<GatewayPort> {
    // Two gateways of one network, on two nodes, have different addresses, and are to be different stations.
    const [inside, link] = cabling.cable(GATEWAY, GATEWAY, ...model.addresses);
    const settings = END_SETTINGS;
    const port = cabling.plug({ name: GATEWAY, kind: GATEWAY, link: inside, settings });
    const failed = ({ message }: Error): void => environment.notice?.(message);
    const live = await NetworkGateway.open({ network, model, link, environment, failed });
    const addresses = live.interface.addresses.map(({ cidr }) => cidr.address);
    const own = addresses.filter(({ isLinkLocal }) => !hasUplink || !isLinkLocal);
    cabling.pin(port, live.interface.mac, own);
    return new GatewayPort(live, port);
  }

  async close(): Promise<void> {
    await this.live.close();
    await this.port.close();
  }
}
