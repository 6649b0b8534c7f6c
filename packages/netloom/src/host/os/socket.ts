import { Socket, type SocketConnectOpts, type SocketConstructorOpts } from 'node:net';
import {
  abortError,
  copyBytes,
  formatSocketAddress,
  hostError,
  type Clock,
  type SocketAddress,
} from '../../core/index.ts';
import { parsePlatformAddress } from './context.ts';
import { fromSystemError } from './errors.ts';
import { ReceiveBuffer } from './receive-buffer.ts';

/** The part of a socket that the platform keeps to itself: the handle under it. */
interface WithHandle {
  _handle: unknown;
}

/** What a stream socket is of: TCP, or the local ones of Unix. */
export type SocketFamily = 'tcp' | 'local';

/** Resets the connection. Unix sockets know no reset: their peer is told of one if there was something unread, and sees the end otherwise. */
export function cutOff(socket: Socket, family: SocketFamily): void {
  if (family === 'tcp') socket.resetAndDestroy();
  else socket.destroy();
}

/** Whom a {@link PushSocket} hands what it receives. */
export interface Receiver {
  /** Borrowed until it returns. */
  data(chunk: Uint8Array): void;
  end(): void;
}

/** A TCP or Unix socket of the platform that pushes what it receives. It is made paused. */
export class PushSocket {
  readonly socket: Socket;
  readonly #clock: Clock;
  readonly #family: SocketFamily;
  readonly #buffer = new ReceiveBuffer();
  #receiver: Receiver | undefined;
  #paused = true;
  /** Copies of what came while paused: the platform may read once more after a pause. Then it stops. */
  #held: Uint8Array[] = [];
  #endHeld = false;

  constructor(clock: Clock, options: SocketConstructorOpts = {}, family: SocketFamily = 'tcp') {
    this.#clock = clock;
    this.#family = family;
    this.socket = new Socket({
      ...options,
      allowHalfOpen: true,
      // Asked for before the first read, and after each.
      onread: {
        buffer: () => this.#buffer.bytes,
        callback: (length) => this.#received(length),
      },
    });
    this.socket.pause();
    this.socket.on('end', () => {
      if (this.#held.length > 0) this.#endHeld = true;
      else this.#receiver?.end();
    });
    this.socket.on('close', () => this.#buffer.release());
  }

  setReceiver(receiver: Receiver): void {
    this.#receiver = receiver;
  }

  /** Cuts the connection off; see {@link cutOff}. */
  reset(): void {
    cutOff(this.socket, this.#family);
  }

  pause(): void {
    this.#paused = true;
    this.socket.pause();
  }

  /** Lets bytes flow; never calls the receiver before it returns. */
  resume(): void {
    this.#paused = false;
    if (this.#held.length > 0) this.#clock.defer(() => this.#deliverHeld());
    else this.socket.resume();
  }

  #received(length: number): boolean {
    if (this.#paused || this.#held.length > 0) {
      this.#held.push(copyBytes(this.#buffer.bytes.subarray(0, length)));
      return false;
    }
    this.#buffer.handOn(length, this.#receiver!);
    return true;
  }

  #deliverHeld(): void {
    while (!this.#paused && this.#held.length > 0) this.#receiver!.data(this.#held.shift()!);
    if (this.#held.length > 0) return;
    if (!this.#paused) this.socket.resume();
    if (this.#endHeld) {
      this.#endHeld = false;
      this.#receiver!.end();
    }
  }
}

/** A socket that is connected, and between which ends. */
export interface ConnectedSocket {
  readonly push: PushSocket;
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  /** What the other end is called in errors, where that is not its address. */
  readonly peer?: string;
}

/** What a connection is between. */
export type Ends = Omit<ConnectedSocket, 'push'>;

/** The ends of a socket; undefined when it is not connected any more. */
function endsOf(socket: Socket): Ends | undefined {
  const { localAddress, localPort, remoteAddress, remotePort } = socket;
  if (localAddress === undefined || remoteAddress === undefined) return undefined;
  return {
    local: { address: parsePlatformAddress(localAddress), port: localPort! },
    remote: { address: parsePlatformAddress(remoteAddress), port: remotePort! },
  };
}

/** Connects to an address. Rejects with a named error, or as the signal says. */
export function connectSocket(
  clock: Clock,
  remote: SocketAddress,
  local: Partial<SocketAddress> | undefined,
  signal: AbortSignal,
): Promise<ConnectedSocket> {
  const what = `the connection to ${formatSocketAddress(remote)}`;
  const options = {
    host: remote.address.toString(),
    port: remote.port,
    family: remote.address.family,
    ...(local?.address === undefined ? {} : { localAddress: local.address.toString() }),
    ...(local?.port === undefined ? {} : { localPort: local.port }),
  };
  const push = new PushSocket(clock, { noDelay: true });
  return connectPush(push, options, what, signal, () => endsOf(push.socket));
}

/** Connects the socket; `ends` is asked once it is, and has nothing to say when it is not any more. */
export function connectPush(
  push: PushSocket,
  options: SocketConnectOpts,
  what: string,
  signal: AbortSignal,
  ends: () => Ends | undefined,
): Promise<ConnectedSocket> {
  const { socket } = push;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      socket.destroy();
      settle(() => reject(abortError(signal, what)));
    };
    const onError = (error: Error): void => settle(() => reject(fromSystemError(error, what)));
    const onConnect = (): void => {
      const found = ends();
      if (found !== undefined) {
        settle(() => resolve({ push, ...found }));
        return;
      }
      socket.destroy();
      settle(() => reject(hostError('CONNECTION_RESET', `${what} was made and cut off at once`)));
    };
    const settle = (outcome: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      socket.off('connect', onConnect);
      outcome();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    // Stays for good: an error without a listener would end the process.
    socket.on('error', onError);
    socket.once('connect', onConnect);
    socket.connect(options);
  });
}

/**
 * Takes over a socket that a server accepted (with `pauseOnConnect`), so that it receives into the shared buffer as well: the
 * platform's servers make sockets that allocate for each read. Undefined when the peer has gone already.
 */
export function adoptSocket(clock: Clock, accepted: Socket): ConnectedSocket | undefined {
  const ends = endsOf(accepted);
  const push = ends && adoptHandle(clock, accepted, 'tcp');
  if (push === undefined) {
    accepted.destroy();
    return undefined;
  }
  push.socket.setNoDelay(true);
  return { push, ...ends! };
}

/** As {@link adoptSocket}, the socket alone. */
export function adoptHandle(
  clock: Clock,
  accepted: Socket,
  family: SocketFamily,
): PushSocket | undefined {
  const inner = accepted as unknown as WithHandle;
  const handle = inner._handle;
  if (!handle) return undefined;
  inner._handle = null;
  // What is left of it is an empty shell, which the server must not count among its connections.
  accepted.destroy();
  // `handle` may be a platform's handle; its types know of the newer `BoundSocket` only.
  const options = { handle, pauseOnCreate: true } as unknown as SocketConstructorOpts;
  return new PushSocket(clock, options, family);
}
