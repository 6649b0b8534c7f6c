/** A router with a DHCPv6 server on a simulated network, for machines that ask it. */
import { Cidr, IpAddress } from '../../src/core/index.ts';
import { simWorld, type SimHost, type SimNetwork, type SimWorld } from '../../src/host/index.ts';
import type { Interface } from '../../src/ip/index.ts';
import {
  DHCPV6_ALL_SERVERS,
  DHCPV6_SERVER_PORT,
  type RouterAdvertisement,
} from '../../src/wire/index.ts';
import { ServerStation6 } from './lan-v6.ts';

const ALL_NODES = IpAddress.parse('ff02::1');
const LINK_LOCAL = IpAddress.parse('fe80::1');
const PREFIX = Cidr.parse('2001:db8::/64');

/** The router's address, which is on the link for those who have heard it. */
export const ROUTER_ADDRESS: IpAddress = IpAddress.parse('2001:db8::1');

/** See above. The server answers from fe80::1, the router's link-local address. */
export class StackLan6 {
  readonly world: SimWorld = simWorld({ seed: 1 });
  readonly network: SimNetwork;
  readonly router: SimHost;
  readonly via: Interface;
  readonly server: ServerStation6;

  constructor() {
    this.network = this.world.network('lan', { subnets: [], delay: 1 });
    this.router = this.world.machine('router');
    const addresses = [`${LINK_LOCAL}/64`, `${ROUTER_ADDRESS}/64`];
    this.via = this.router.attach(this.network, { addresses }).interface;
    const socket = this.router.stack.udp.bind(IpAddress.ANY6, DHCPV6_SERVER_PORT, false, this.via);
    socket.joinGroup(DHCPV6_ALL_SERVERS, ROUTER_ADDRESS);
    let port = 0;
    this.server = new ServerStation6({
      add: () => undefined,
      send: (data, local, address) => socket.send([{ data, local, remote: { address, port } }]),
    });
    socket.start({
      receive: (batch) => {
        for (const { data, remote } of batch) {
          port = remote.port;
          this.server.receive(data, remote.address);
        }
      },
    });
  }

  /** A machine on the network that has a link-local address and no other, and takes the prefix to be on the link. */
  machine(name: string): { host: SimHost; via: Interface } {
    const host = this.world.machine(name);
    const number = this.network.stations.length + 1;
    const addresses = [`fe80::${number}/64`];
    const { interface: via } = host.attach(this.network, { addresses });
    host.stack.addRoute(PREFIX, via);
    return { host, via };
  }

  /** Has the router tell everybody of itself: the prefix is on the link, and not for addresses of one's own making. */
  advertise(change: Partial<RouterAdvertisement>): void {
    this.router.stack.ndp.send(this.via, LINK_LOCAL, ALL_NODES, {
      kind: 'router-advertisement',
      hopLimit: 64,
      managed: false,
      otherConfiguration: false,
      preference: 'medium',
      routerLifetime: 1800,
      reachableTime: 0,
      retransmitTime: 0,
      options: [
        { kind: 'source-link-address', mac: this.via.mac },
        {
          kind: 'prefix',
          prefix: PREFIX,
          onLink: true,
          autonomous: false,
          validLifetime: 7200,
          preferredLifetime: 3600,
        },
      ],
      ...change,
    });
  }
}
