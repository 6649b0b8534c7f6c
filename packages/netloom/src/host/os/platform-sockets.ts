import type { Socket, SocketConnectOpts, SocketConstructorOpts } from 'node:net';
import {
  abortError,
  formatSocketAddress,
  hostError,
  type Clock,
  type SocketAddress,
} from '../../core/index.ts';
import { parsePlatformAddress } from './context.ts';
import { fromSystemError } from './errors.ts';
import { PlatformStream, type SocketFamily } from './platform-stream.ts';
import type { ConnectedStream, Ends } from './stream.ts';

/** The part of a socket that the platform keeps to itself: the handle under it. */
interface WithHandle {
  _handle: unknown;
}

/** The ends of a socket; undefined when it is not connected any more. */
function endsOf(socket: Socket): Ends | undefined {
  const { localAddress, localPort, remoteAddress, remotePort } = socket;
  if (localAddress === undefined || remoteAddress === undefined) return undefined;
  return {
    local: { address: parsePlatformAddress(localAddress), port: localPort! },
    remote: { address: parsePlatformAddress(remoteAddress), port: remotePort! },
  };
}

/** Connects a socket of `node:net` to an address. Rejects with a named error, or as the signal says. */
export function connectPlatform(
  clock: Clock,
  remote: SocketAddress,
  local: Partial<SocketAddress> | undefined,
  signal: AbortSignal,
): Promise<ConnectedStream> {
  const what = `the connection to ${formatSocketAddress(remote)}`;
  const options = {
    host: remote.address.toString(),
    port: remote.port,
    family: remote.address.family,
    ...(local?.address === undefined ? {} : { localAddress: local.address.toString() }),
    ...(local?.port === undefined ? {} : { localPort: local.port }),
  };
  const stream = new PlatformStream(clock, { noDelay: true });
  return connectStream(stream, options, what, signal, () => endsOf(stream.socket));
}

/** Connects the socket; `ends` is asked once it is, and has nothing to say when it is not any more. */
export function connectStream(
  stream: PlatformStream,
  options: SocketConnectOpts,
  what: string,
  signal: AbortSignal,
  ends: () => Ends | undefined,
): Promise<ConnectedStream> {
  const { socket } = stream;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      socket.destroy();
      settle(() => reject(abortError(signal, what)));
    };
    const onError = (error: Error): void => settle(() => reject(fromSystemError(error, what)));
    const onConnect = (): void => {
      const found = ends();
      if (found !== undefined) {
        settle(() => resolve({ stream, ...found }));
        return;
      }
      socket.destroy();
      settle(() => reject(hostError('CONNECTION_RESET', `${what} was made and cut off at once`)));
    };
    const settle = (outcome: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      socket.off('error', onError);
      socket.off('connect', onConnect);
      outcome();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('error', onError);
    socket.once('connect', onConnect);
    socket.connect(options);
  });
}

/**
 * Takes over a socket that a server accepted (with `pauseOnConnect`), so that it receives into the shared buffer as well: the
 * platform's servers make sockets that allocate for each read. Undefined when the peer has gone already.
 */
export function adoptSocket(clock: Clock, accepted: Socket): ConnectedStream | undefined {
  const ends = endsOf(accepted);
  const stream = ends && adoptHandle(clock, accepted, 'tcp');
  if (stream === undefined) {
    accepted.destroy();
    return undefined;
  }
  stream.setNoDelay(true);
  return { stream, ...ends! };
}

/** As {@link adoptSocket}, the socket alone. */
export function adoptHandle(
  clock: Clock,
  accepted: Socket,
  family: SocketFamily,
): PlatformStream | undefined {
  const inner = accepted as unknown as WithHandle;
  const handle = inner._handle;
  if (!handle) return undefined;
  inner._handle = null;
  // What is left of it is an empty shell, which the server must not count among its connections.
  accepted.destroy();
  // `handle` may be a platform's handle; its types know of the newer `BoundSocket` only.
  const options = { handle, pauseOnCreate: true } as unknown as SocketConstructorOpts;
  return new PlatformStream(clock, options, family);
}
