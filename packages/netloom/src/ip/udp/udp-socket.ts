import {
  NetloomError,
  copyBytes,
  type Datagram,
  type DatagramHandler,
  type DatagramSocket,
  type IpAddress,
  type SocketAddress,
} from '../../core/index.ts';
import type { Interface } from '../interface/interface.ts';
import { RecentRemotes } from './recent-remotes.ts';
import type { UdpLayer } from './udp-layer.ts';

/** An allowance for what a datagram takes beside its bytes, so that empty ones are not free. */
const DATAGRAM_CHARGE = 256;

/** A UDP socket of the stack. */
export class UdpSocket implements DatagramSocket {
  readonly local: SocketAddress;
  /** Shares its port with others that share it too. */
  readonly reuseAddress: boolean;
  /** The interface it is bound to: it receives from there only, and sends its groups and broadcasts there. */
  readonly device: Interface | undefined;
  /** Whom it has sent to: for telling errors about its datagrams from those somebody made up. */
  readonly recentRemotes: RecentRemotes = new RecentRemotes();
  readonly #layer: UdpLayer;
  #handler: DatagramHandler | undefined;
  #closed = false;
  #closing: Promise<void> | undefined;
  /** Datagrams that came before {@link start}, copied; bounded by the layer's limit. */
  #early: Datagram[] = [];
  #earlyBytes = 0;
  /** Reused for each datagram: what a handler gets is borrowed. */
  readonly #batch: Datagram[] = [];

  constructor(
    layer: UdpLayer,
    local: SocketAddress,
    reuseAddress: boolean,
    device: Interface | undefined,
  ) {
    this.#layer = layer;
    this.local = local;
    this.reuseAddress = reuseAddress;
    this.device = device;
  }

  start(handler: DatagramHandler): void {
    this.#handler = handler;
    const early = this.#early;
    this.#early = [];
    this.#earlyBytes = 0;
    if (early.length === 0) return;
    this.#layer.defer(() => {
      if (!this.#closed) this.#call(() => this.#handler?.receive?.(early));
    });
  }

  send(batch: readonly Datagram[]): number {
    if (this.#closed) return 0;
    let taken = 0;
    for (const datagram of batch) if (this.#layer.send(this, datagram)) taken++;
    return taken;
  }

  joinGroup(group: IpAddress, via?: IpAddress): void {
    this.#layer.joinGroup(this, group, via);
  }

  leaveGroup(group: IpAddress, via?: IpAddress): void {
    this.#layer.leaveGroup(this, group, via);
  }

  close(): Promise<void> {
    this.#closing ??= this.#finish(undefined);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A datagram has come; it is borrowed from its frame. */
  deliver(datagram: Datagram): void {
    if (this.#closed) return;
    if (this.#handler === undefined) {
      this.#keep(datagram);
      return;
    }
    this.#batch[0] = datagram;
    this.#call(() => this.#handler!.receive?.(this.#batch));
  }

  /** The network has said something of a datagram of ours, which was to `remote` if that is known. */
  fail(error: NetloomError, remote?: SocketAddress): void {
    if (!this.#closed) this.#call(() => this.#handler?.error?.(error, remote));
  }

  #keep(datagram: Datagram): void {
    const charge = datagram.data.length + DATAGRAM_CHARGE;
    if (this.#earlyBytes + charge > this.#layer.receiveBuffer) {
      this.#layer.drops.add('udp-receive-buffer-full');
      return;
    }
    this.#earlyBytes += charge;
    this.#early.push({ ...datagram, data: copyBytes(datagram.data) });
  }

  /** A handler that throws closes its socket; the others go on. */
  #call(handler: () => void): void {
    try {
      handler();
    } catch (thrown) {
      this.#closing ??= this.#finish(handlerThrew(thrown));
    }
  }

  #finish(error: NetloomError | undefined): Promise<void> {
    this.#closed = true;
    this.#layer.remove(this);
    return new Promise((resolve) => {
      this.#layer.defer(() => {
        this.#tellClosed(error);
        resolve();
      });
    });
  }

  /** The last call. What it throws, nobody can be told any more. */
  #tellClosed(error: NetloomError | undefined): void {
    try {
      this.#handler?.closed?.(error);
    } catch (thrown) {
      this.#layer.handlerThrew(handlerThrew(thrown));
    }
  }
}

function handlerThrew(thrown: unknown): NetloomError {
  return new NetloomError('HANDLER_THREW', 'the handler of a UDP socket threw', {
    cause: thrown,
    remedy: 'Catch the error inside the handler; the cause says where it came from.',
  });
}
