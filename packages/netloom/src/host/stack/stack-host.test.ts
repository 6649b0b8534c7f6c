import { IpAddress, readUint16 } from '../../core/index.ts';
import { linkPair, type Link, type LinkHandler } from '../../link/index.ts';
import { IpProtocol } from '../../wire/index.ts';
import { hostCompliance } from '../compliance/index.ts';
import { SystemClock } from '../os/clock.ts';
import { stackHost } from './stack-host.ts';

const SERVER4 = '10.0.0.2';
const SERVER6 = '2001:db8::2';

/** Connection requests to this port are lost on their way. */
const BLACKHOLE_PORT = 9;

/** Where an IPv4 packet without options has its protocol and the transport's destination port, counted from the frame's start. */
const PROTOCOL_AT = 14 + 9;
const PORT_AT = 14 + 20 + 2;

/** Loses what comes over the link for {@link BLACKHOLE_PORT}. */
function losingBlackhole(link: Link): Link {
  const attach = link.attach.bind(link);
  link.attach = (handler: LinkHandler): void => {
    attach({
      receive(frame, offload) {
        const isLost =
          frame[PROTOCOL_AT] === IpProtocol.TCP && readUint16(frame, PORT_AT) === BLACKHOLE_PORT;
        if (!isLost) handler.receive(frame, offload);
      },
      batchEnd: () => handler.batchEnd(),
      closed: (error) => handler.closed?.(error),
    });
  };
  return link;
}

hostCompliance(
  async () => {
    const clock = new SystemClock();
    const [clientEnd, serverEnd] = linkPair(clock, { strict: true });
    // Half a second instead of five: one test waits for it.
    const limits = { tcp: { closeTimeout: 500 } };
    const names = { 'server.test': [SERVER4, SERVER6] };
    const client = stackHost({ name: 'client', clock, limits, names });
    const server = stackHost({ name: 'server', clock, limits });
    client.addInterface(clientEnd, { addresses: ['10.0.0.1/24', '2001:db8::1/64'] });
    server.addInterface(losingBlackhole(serverEnd), {
      addresses: [`${SERVER4}/24`, `${SERVER6}/64`],
    });
    return {
      client,
      server,
      serverAddress4: IpAddress.parse(SERVER4),
      serverAddress6: IpAddress.parse(SERVER6),
      blackhole: { address: IpAddress.parse(SERVER4), port: BLACKHOLE_PORT },
      close: async () => {
        await Promise.all([client.close(), server.close()]);
      },
    };
  },
  { name: 'the stack on a memory link', serverName: 'server.test' },
);
