/** What honest stations of a {@link FloodLab} do. */
import type { Connection, IpAddress } from 'netloom/core';
import {
  DnsClass,
  DnsFlag,
  DnsName,
  DnsType,
  encodeDnsMessage,
  parseDnsMessage,
} from 'netloom/dns';
import type { SimHost, SimWorld } from 'netloom/host';

const CHUNK = 16_384;

/** Sends for as long as the connection lasts. */
export function pour(connection: Connection): void {
  const more = (): void => {
    while (connection.write(new Uint8Array(CHUNK)));
  };
  connection.start({ drain: more });
  more();
}

/** Sends back what comes. */
export function echo(connection: Connection): void {
  connection.start({ data: (chunk) => void connection.write(chunk.slice()) });
}

/** Says something and waits until it comes back. */
export async function echoed(connection: Connection): Promise<void> {
  const back = Promise.withResolvers<void>();
  connection.start({
    data: () => back.resolve(),
    closed: (error) => back.reject(error ?? new Error('the connection was closed')),
  });
  connection.write(new Uint8Array(100));
  await back.promise;
}

/** A question for the IPv4 addresses of a name. */
export function dnsQuestion(name: string, id: number): Uint8Array {
  return encodeDnsMessage({
    id,
    flags: DnsFlag.RECURSION_DESIRED,
    operation: 0,
    responseCode: 0,
    questions: [{ name: DnsName.parse(name), type: DnsType.A, class: DnsClass.IN }],
    answers: [],
    authorities: [],
    additionals: [],
  });
}

/** The IPv4 address of a name, from the DNS server at an address: it is asked once a second until it answers. */
export async function resolveBy(
  world: SimWorld,
  host: SimHost,
  server: IpAddress,
  name: string,
): Promise<IpAddress> {
  const answer = Promise.withResolvers<IpAddress>();
  await using socket = await host.bind();
  socket.start({
    receive: ([datagram]) => {
      const message = parseDnsMessage(datagram!.data, 0, datagram!.data.length);
      const data = typeof message === 'string' ? undefined : message.answers[0]?.data;
      if (data?.kind === 'address') answer.resolve(data.address);
    },
  });
  const timer = world.clock.timer(() => {
    socket.send([{ data: dnsQuestion(name, 1), remote: { address: server, port: 53 } }]);
    timer.set(world.now() + 1000);
  });
  timer.set(world.now());
  try {
    return await answer.promise;
  } finally {
    timer.clear();
  }
}
