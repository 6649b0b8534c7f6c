import {
  copyBytes,
  type Connection,
  type Datagram,
  type DatagramSocket,
  type Listener,
} from 'netloom/core';
import type { RunningService, ServiceMaker } from '../service.ts';

/** The ports of the echo and the discard protocol (RFC 862, RFC 863). */
const ECHO_PORT = 7;
const DISCARD_PORT = 9;

/** Sends back what it is sent, by TCP and UDP (RFC 862). */
export const echoService: ServiceMaker = {
  async start({ host }): Promise<RunningService> {
    const listener = await host.listen({ port: ECHO_PORT, accept: sendBack });
    const socket = await host.bind({ port: ECHO_PORT });
    socket.start({
      receive: (batch) => {
        // Two that echo would never end.
        const asked = batch.filter(({ remote }) => remote.port !== ECHO_PORT);
        socket.send(asked.map(answerOf));
      },
    });
    return closing(listener, socket);
  },
};

/** Takes what it is sent, and forgets it, by TCP and UDP (RFC 863). */
export const sinkService: ServiceMaker = {
  async start({ host }): Promise<RunningService> {
    const listener = await host.listen({ port: DISCARD_PORT, accept: forget });
    const socket = await host.bind({ port: DISCARD_PORT });
    socket.start({});
    return closing(listener, socket);
  },
};

function answerOf({ data, remote, local, segmentSize }: Datagram): Datagram {
  return {
    // What has come is borrowed, and so is the rest.
    data: copyBytes(data),
    remote: { address: remote.address, port: remote.port },
    // From the address that was asked.
    ...(local !== undefined && { local }),
    ...(segmentSize !== undefined && { segmentSize }),
  };
}

/** A peer that does not read what it is sent back is not read from either. */
function sendBack(connection: Connection): void {
  connection.start({
    data: (chunk) => {
      if (!connection.write(copyBytes(chunk))) connection.pause();
    },
    drain: () => connection.resume(),
    end: () => connection.end(),
  });
}

function forget(connection: Connection): void {
  connection.start({ end: () => connection.end() });
}

function closing(listener: Listener, socket: DatagramSocket): RunningService {
  return {
    async close() {
      await Promise.all([listener.close(), socket.close()]);
    },
  };
}
