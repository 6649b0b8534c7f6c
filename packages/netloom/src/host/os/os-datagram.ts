import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import {
  IpAddress,
  formatSocketAddress,
  hostError,
  type BindOptions,
  type Datagram,
  type DatagramHandler,
  type DatagramSocket,
  type NetloomError,
  type SocketAddress,
} from '../../core/index.ts';
import { parsePlatformAddress, type OpenThing, type OsContext } from './context.ts';
import { fromSystemError } from './errors.ts';
import { GuardedHandler } from './guarded-handler.ts';
import { bindNativeDatagram } from './native-datagram.ts';

/** Opens a UDP socket, by the means of the host: for both families, or for that of the address given. */
export async function bindDatagram(
  context: OsContext,
  options: BindOptions,
): Promise<DatagramSocket> {
  if (context.sockets === 'native') return bindNativeDatagram(context, options);
  const family = options.address?.family;
  if (family !== undefined) return bindFamily(context, options, family);
  try {
    return await bindFamily(context, options, 6);
  } catch (error) {
    // A machine without IPv6.
    if ((error as NetloomError).code !== 'NETWORK_UNREACHABLE') throw error;
    return bindFamily(context, options, 4);
  }
}

function bindFamily(
  context: OsContext,
  options: BindOptions,
  family: 4 | 6,
): Promise<OsDatagramSocket> {
  const any = family === 4 ? IpAddress.ANY4 : IpAddress.ANY6;
  const local = { address: options.address ?? any, port: options.port ?? 0 };
  return new Promise((resolve, reject) => {
    const socket = createSocket({
      type: family === 4 ? 'udp4' : 'udp6',
      reuseAddr: options.reuseAddress ?? false,
      // Addresses only come here: nothing is looked up, and so nothing waits.
      lookup: (address, _options, callback) => callback(null, address, family),
    });
    const onError = (error: Error): void => {
      socket.close();
      reject(fromSystemError(error, `cannot bind UDP ${formatSocketAddress(local)}`));
    };
    socket.once('error', onError);
    socket.once('listening', () => {
      socket.off('error', onError);
      resolve(new OsDatagramSocket(context, socket, family));
    });
    try {
      socket.bind({ address: local.address.toString(), port: local.port, exclusive: true });
    } catch (thrown) {
      onError(thrown as Error);
    }
  });
}

/**
 * A UDP socket of the platform. The platform gives and takes one datagram at a time: what comes within a turn is handed on
 * as one batch. It has no place for a datagram's local address and ECN bits, so those are not told and not heeded.
 */
export class OsDatagramSocket implements DatagramSocket, OpenThing {
  readonly local: SocketAddress;
  readonly #context: OsContext;
  readonly #socket: Socket;
  readonly #family: 4 | 6;
  readonly #handler: GuardedHandler;
  #received: Datagram[] = [];
  #deliveryScheduled = false;
  /** Connected to one remote end, to which all it sends goes. */
  #isNarrow = false;
  #closed: Promise<void> | undefined;

  /** Of a socket that is bound. */
  constructor(context: OsContext, socket: Socket, family: 4 | 6) {
    const bound = socket.address();
    this.local = { address: parsePlatformAddress(bound.address), port: bound.port };
    this.#context = context;
    this.#socket = socket;
    this.#family = family;
    this.#handler = new GuardedHandler(context, this.local, () => void this.close());
    context.open.add(this);
    socket.on('message', (data, from) => this.#receive(data, from));
    socket.on('error', (error) => this.#handler.error(error));
  }

  start(handler: DatagramHandler): void {
    this.#handler.set(handler);
    this.#scheduleDelivery();
  }

  send(batch: readonly Datagram[]): number {
    if (this.#closed !== undefined) return 0;
    let taken = 0;
    for (const datagram of batch) {
      if (this.#socket.getSendQueueSize() >= this.#context.limits.datagramSendBuffer) break;
      this.#sendOne(datagram);
      taken++;
    }
    if (taken < batch.length) this.#context.drops.add('send-buffer-full', batch.length - taken);
    return taken;
  }

  /**
   * Connects the socket: until {@link widen} it receives from this end only and sends there only, whatever a datagram says, and hears when that refuses what it
   * sends, as the platform tells connected sockets alone.
   */
  narrow(remote: SocketAddress): void {
    const address = this.#platformAddress(remote.address);
    if (this.#closed !== undefined || address === undefined) return;
    const failed = (error?: Error): void => {
      if (error) this.#handler.error(error, remote);
    };
    this.#socket.connect(remote.port, address, failed);
    this.#isNarrow = isConnected(this.#socket);
  }

  /** Takes {@link narrow} back. The port stays only if it was asked for by its number, not with 0 (Linux, `__udp_disconnect`). */
  widen(): void {
    if (this.#closed === undefined && this.#isNarrow) this.#socket.disconnect();
    this.#isNarrow = false;
  }

  joinGroup(group: IpAddress, via?: IpAddress): void {
    this.#membership('join', group, () => {
      this.#socket.addMembership(group.toString(), via?.toString());
    });
  }

  leaveGroup(group: IpAddress, via?: IpAddress): void {
    this.#membership('leave', group, () => {
      this.#socket.dropMembership(group.toString(), via?.toString());
    });
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#context.open.delete(this);
      this.#handler.over();
      this.#received = [];
      this.#socket.close(() => {
        this.#handler.closed();
        resolve();
      });
    });
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #receive(data: Uint8Array, from: RemoteInfo): void {
    if (this.#received.length >= this.#context.limits.receiveQueue) {
      this.#context.drops.add('receive-queue-full');
      return;
    }
    const { buffer, byteOffset, byteLength } = data;
    this.#received.push({
      // Of the type promised: the platform's is a Buffer.
      data: new Uint8Array(buffer, byteOffset, byteLength),
      remote: { address: parsePlatformAddress(from.address), port: from.port },
    });
    this.#scheduleDelivery();
  }

  #scheduleDelivery(): void {
    const hasWork = this.#handler.isSet && this.#received.length > 0;
    if (this.#deliveryScheduled || !hasWork) return;
    this.#deliveryScheduled = true;
    this.#context.clock.defer(() => {
      this.#deliveryScheduled = false;
      if (this.#closed !== undefined) return;
      const batch = this.#received;
      this.#received = [];
      this.#handler.receive(batch);
    });
  }

  #sendOne(datagram: Datagram): void {
    const { data, remote, segmentSize } = datagram;
    const address = this.#platformAddress(remote.address);
    if (address === undefined) {
      const local = formatSocketAddress(this.local);
      const message = `a datagram to ${formatSocketAddress(remote)} cannot leave from ${local}`;
      const error = hostError('NETWORK_UNREACHABLE', `${message}, which is of the other family`);
      this.#handler.error(error, remote);
      return;
    }
    const done = (error: Error | null): void => {
      if (error) this.#handler.error(error, remote);
    };
    const step = segmentSize === undefined || segmentSize <= 0 ? data.length : segmentSize;
    let at = 0;
    do {
      const part = data.subarray(at, at + step);
      if (this.#isNarrow) this.#socket.send(part, done);
      else this.#socket.send(part, remote.port, address, done);
      at += step;
    } while (at < data.length);
  }

  /** As this socket's family writes it, or undefined if it cannot send there. */
  #platformAddress(address: IpAddress): string | undefined {
    if (address.family === this.#family) return address.toString();
    // RFC 3493, section 3.7: on a socket for both families, an IPv4 address is written as IPv4-mapped IPv6.
    const isDual = this.#family === 6 && this.local.address.isUnspecified;
    return isDual ? `::ffff:${address}` : undefined;
  }

  #membership(verb: string, group: IpAddress, change: () => void): void {
    try {
      change();
    } catch (thrown) {
      throw fromSystemError(thrown, `${formatSocketAddress(this.local)} cannot ${verb} ${group}`);
    }
  }
}

/** Whether the platform has connected it: the address needs no looking up, so that this is known at once. */
function isConnected(socket: Socket): boolean {
  try {
    return socket.remoteAddress().port > 0;
  } catch {
    return false;
  }
}
