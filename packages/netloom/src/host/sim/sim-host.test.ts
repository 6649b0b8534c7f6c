import { Cidr, IpAddress } from '../../core/index.ts';
import { hostCompliance } from '../compliance/index.ts';
import { simWorld } from './world.ts';

/** A network of which nobody is, reached by way of a machine that passes nothing on and says nothing. */
const NOWHERE = Cidr.parse('192.0.2.0/24');

hostCompliance(
  async () => {
    const world = simWorld({ seed: 1 });
    const lan = world.network('lan', { delay: 0.5, rate: 1e9 });
    const client = world.machine('client', { on: lan });
    const server = world.machine('server', { on: lan });
    const hole = world.machine('hole', { on: lan });
    client.stack.addRoute(NOWHERE, client.cable(lan).interface, hole.address);
    const [serverAddress4, serverAddress6] = server.addresses as [IpAddress, IpAddress];
    return {
      client,
      server,
      serverAddress4,
      serverAddress6,
      blackhole: { address: IpAddress.parse('192.0.2.1'), port: 80 },
      drive: (work) => world.run(work),
      close: () => Promise.all([client.close(), server.close(), hole.close()]).then(() => {}),
    };
  },
  {
    name: 'a machine of a simulation',
    serverName: 'server.sim',
    transferSize: 8 * 1024 * 1024,
    stallSize: 16 * 1024 * 1024,
  },
);
