import {
  IpAddress,
  copyBytes,
  formatSocketAddress,
  type BindOptions,
  type Datagram,
  type DatagramHandler,
  type DatagramSocket,
  type NetloomError,
  type SocketAddress,
} from '../../core/index.ts';
import {
  DescriptorPoll,
  Failure,
  Readiness,
  ReceivedDatagrams,
  RememberedEnds,
  SystemCallError,
  UdpSocket,
  type PollEntry,
  type PollTarget,
  type QueuedError,
} from '../../native/index.ts';
import { type OpenThing, type OsContext } from './context.ts';
import { DatagramSender, type DatagramSenderHandler } from './datagram-sender.ts';
import { fromSystemError } from './errors.ts';
import { GuardedHandler } from './guarded-handler.ts';

/** Calls in which one socket receives in a turn of the loop, before others have their turn. */
const RECEPTIONS_IN_TURN = 4;

/** Errors taken off the kernel's queue at a time. */
const ERRORS_AT_ONCE = 64;

/** Opens a UDP socket by system calls: for both families, or for that of the address given. Throws a named error. */
export function bindNativeDatagram(context: OsContext, options: BindOptions): NativeDatagramSocket {
  if (options.address !== undefined) return bindAddress(context, options, options.address);
  try {
    return bindAddress(context, options, IpAddress.ANY6);
  } catch (error) {
    // A machine without IPv6.
    const { code } = error as NetloomError;
    if (code !== 'NETWORK_UNREACHABLE' && code !== 'ADDRESS_NOT_AVAILABLE') throw error;
    return bindAddress(context, options, IpAddress.ANY4);
  }
}

function bindAddress(
  context: OsContext,
  { port = 0, reuseAddress: reuse = false, joinsSegments = false }: BindOptions,
  address: IpAddress,
): NativeDatagramSocket {
  const local = { address, port };
  try {
    return new NativeDatagramSocket(context, UdpSocket.bind(local, { reuse, joinsSegments }));
  } catch (thrown) {
    throw fromSystemError(thrown, `cannot bind UDP ${formatSocketAddress(local)}`);
  }
}

/**
 * A UDP socket that is driven by system calls: many datagrams in each, with their ECN bits, the address they came to, and segments that the kernel cuts and
 * joins (GSO and GRO). Although it is not connected it hears when a datagram of its is refused.
 */
export class NativeDatagramSocket
  implements DatagramSocket, OpenThing, PollTarget, DatagramSenderHandler
{
  readonly local: SocketAddress;
  readonly #context: OsContext;
  readonly #socket: UdpSocket;
  readonly #entry: PollEntry;
  readonly #sender: DatagramSender;
  readonly #ends: RememberedEnds;
  readonly #handler: GuardedHandler;
  /** Copies of what came before there was a handler, and how many datagrams those are. */
  #kept: Datagram[] = [];
  #keptCount = 0;
  #closed: Promise<void> | undefined;

  constructor(context: OsContext, socket: UdpSocket) {
    this.local = socket.local;
    this.#context = context;
    this.#socket = socket;
    this.#handler = new GuardedHandler(context, this.local, () => void this.close());
    this.#ends = new RememberedEnds(socket.local.address);
    this.#sender = new DatagramSender(socket, context.limits.datagramSendBuffer, this);
    this.#entry = DescriptorPoll.shared.add(socket.descriptor, this, Readiness.READABLE);
    context.open.add(this);
  }

  start(handler: DatagramHandler): void {
    this.#handler.set(handler);
    if (this.#kept.length > 0) this.#context.clock.defer(() => this.#deliverKept());
  }

  send(batch: readonly Datagram[]): number {
    if (this.#closed !== undefined) return 0;
    const taken = this.#sender.send(batch);
    if (taken < batch.length) this.#context.drops.add('send-buffer-full', batch.length - taken);
    return taken;
  }

  joinGroup(group: IpAddress, via?: IpAddress): void {
    this.#changeMembership('join', group, via);
  }

  leaveGroup(group: IpAddress, via?: IpAddress): void {
    this.#changeMembership('leave', group, via);
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      const { open, clock, drops } = this.#context;
      open.delete(this);
      this.#handler.over();
      DescriptorPoll.shared.remove(this.#entry);
      this.#socket.close();
      this.#kept = [];
      const unsent = this.#sender.clear();
      if (unsent > 0) drops.add('closed-before-sent', unsent);
      clock.defer(() => {
        this.#handler.closed();
        resolve();
      });
    });
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The poll says so. */
  ready(events: number): void {
    if (events & Readiness.ERROR) this.takeErrors();
    if (events & Readiness.WRITABLE) this.#sender.resume();
    if (events & Readiness.READABLE) this.#receive();
  }

  /** See {@link DatagramSenderHandler}, as the methods that follow. */
  failed(thrown: unknown, remote: SocketAddress): void {
    this.#handler.error(thrown, remote);
  }

  takeErrors(): number {
    for (let taken = 0; taken < ERRORS_AT_ONCE; taken++) {
      const error = this.#socket.takeError();
      if (error === undefined) return taken;
      if (!error.isLocal) this.#handler.error(systemErrorOf(error), error.remote);
    }
    // No other event tells of what is left.
    setImmediate(() => {
      if (this.#closed === undefined) this.takeErrors();
    });
    return ERRORS_AT_ONCE;
  }

  lost(): void {
    this.#context.drops.add('interface-queue-full');
  }

  blocked(isBlocked: boolean): void {
    const events = Readiness.READABLE | (isBlocked ? Readiness.WRITABLE : 0);
    DescriptorPoll.shared.watch(this.#entry, events);
  }

  readonly #receive = (): void => {
    for (let left = RECEPTIONS_IN_TURN; left > 0; left--) {
      if (this.#closed !== undefined) return;
      const batch = ReceivedDatagrams.shared;
      const count = this.#socket.receive(batch);
      if (count === Failure.WOULD_BLOCK) return;
      if (count > 0) this.#received(batch, count);
      // The kernel had no more. What has come since is told of (epoll(7), question 9).
      if (count > 0 && count < batch.capacity) return;
      if (count < 0 && count !== Failure.INTERRUPTED) this.takeErrors();
    }
    setImmediate(this.#receive);
  };

  #received(batch: ReceivedDatagrams, count: number): void {
    const datagrams: Datagram[] = [];
    for (let i = 0; i < count; i++) datagrams.push(batch.read(i, this.#ends));
    if (!this.#handler.isSet) {
      for (const datagram of datagrams) this.#keep(datagram);
      return;
    }
    this.#deliverKept();
    if (this.#closed === undefined) this.#handler.receive(datagrams);
  }

  #keep(datagram: Datagram): void {
    const { data, segmentSize } = datagram;
    const count = segmentSize === undefined ? 1 : Math.ceil(data.length / segmentSize);
    if (this.#keptCount + count > this.#context.limits.receiveQueue) {
      this.#context.drops.add('receive-queue-full', count);
      return;
    }
    this.#keptCount += count;
    this.#kept.push({ ...datagram, data: copyBytes(data) });
  }

  #deliverKept(): void {
    const kept = this.#kept;
    if (kept.length === 0) return;
    this.#kept = [];
    this.#keptCount = 0;
    this.#handler.receive(kept);
  }

  #changeMembership(verb: 'join' | 'leave', group: IpAddress, via: IpAddress | undefined): void {
    try {
      this.#socket.changeMembership(verb === 'join', group, via);
    } catch (thrown) {
      throw fromSystemError(thrown, `${formatSocketAddress(this.local)} cannot ${verb} ${group}`);
    }
  }
}

/** What the network has answered, as an error of the system. */
function systemErrorOf({ errno, offender }: QueuedError): SystemCallError {
  return new SystemCallError(errno, offender === undefined ? 'refused' : `says ${offender}`);
}
