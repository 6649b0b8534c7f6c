import { IpAddress } from '../../core/index.ts';
import { linkPair } from '../../link/index.ts';
import { hostCompliance } from '../compliance/index.ts';
import { SystemClock } from '../os/clock.ts';
import { stackHost } from './stack-host.ts';

const SERVER4 = '10.0.0.2';
const SERVER6 = '2001:db8::2';

hostCompliance(
  async () => {
    const clock = new SystemClock();
    const [clientEnd, serverEnd] = linkPair(clock, { poison: true });
    // Half a second instead of five: one test waits for it.
    const limits = { tcp: { closeTimeout: 500 } };
    const client = stackHost({ name: 'client', clock, limits });
    const server = stackHost({ name: 'server', clock, limits });
    client.addInterface(clientEnd, { addresses: ['10.0.0.1/24', '2001:db8::1/64'] });
    server.addInterface(serverEnd, { addresses: [`${SERVER4}/24`, `${SERVER6}/64`] });
    return {
      client,
      server,
      serverAddress4: IpAddress.parse(SERVER4),
      serverAddress6: IpAddress.parse(SERVER6),
      close: async () => {
        await Promise.all([client.close(), server.close()]);
      },
    };
  },
  { name: 'the stack on a memory link' },
);
