import {
  Counters,
  NetloomError,
  channel,
  formatSocketAddress,
  withLimits,
  type Channel,
  type Clock,
  type Datagram,
  type DatagramSocket,
  type PublishedCount,
  type Random,
  type SocketAddress,
} from '../../core/index.ts';
import { VXLAN_HEADER_LENGTH, VxlanHeader, isFault, parseVxlan } from '../../wire/index.ts';
import { VxlanLink, type Tunnel } from './link.ts';
import {
  ENDPOINT_LIMITS,
  checkIdentifier,
  type VxlanEndpointLimits,
  type VxlanOptions,
} from './settings.ts';

/** What a {@link VxlanEndpoint} is made from beside its socket. */
export interface VxlanEndpointOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits?: Partial<VxlanEndpointLimits>;
}

/** Datagrams that were for no network of an endpoint, or that its socket could not send, by reason. */
export const VXLAN_DROP: Channel<PublishedCount<VxlanEndpoint>> = channel('netloom:vxlan:drop');

/**
 * A tunnel end of VXLAN (RFC 7348) on a UDP socket of any host, which several networks share. The socket becomes the endpoint's.
 *
 * All datagrams leave from the socket's own port. RFC 7348, section 5, recommends one by the hash of the flow inside, so that routers with
 * several ways, and network cards with several queues, spread the flows; a socket of a Host has one port, so it would take as many
 * sockets as there are to be ports. Nobody depends on it: a peer is known by its address.
 */
export class VxlanEndpoint implements AsyncDisposable {
  /** Datagrams that were for no network, or that could not be sent, by reason. */
  readonly drops: Counters = new Counters(VXLAN_DROP, this);
  readonly #socket: DatagramSocket;
  readonly #clock: Clock;
  readonly #limits: VxlanEndpointLimits;
  readonly #tunnel: Tunnel;
  readonly #networks = new Map<number, VxlanLink>();
  readonly #received = new VxlanHeader();
  readonly #flush = (): void => this.#sendBatch();
  #batch: Datagram[] = [];
  /** Whose each datagram of the batch is. */
  #senders: VxlanLink[] = [];
  #batchBytes = 0;
  #up = true;

  constructor(socket: DatagramSocket, { clock, random, limits }: VxlanEndpointOptions) {
    this.#socket = socket;
    this.#clock = clock;
    this.#limits = withLimits(ENDPOINT_LIMITS, limits);
    this.#tunnel = {
      clock,
      random,
      local: socket.local,
      send: (data, remote, link) => this.#send(data, remote, link),
      leave: (link) => void this.#networks.delete(link.identifier),
    };
    socket.start({
      receive: (batch) => this.#receiveBatch(batch),
      // A peer may not be there yet, or no more: what is for it is lost, as on a cable without a far end.
      error: (error) => this.drops.add(error.code),
      closed: (error) => this.#end(error),
    });
  }

  /** Where the endpoint listens. */
  get local(): SocketAddress {
    return this.#socket.local;
  }

  /** The networks there are. */
  networks(): VxlanLink[] {
    return [...this.#networks.values()];
  }

  /**
   * Joins a network. Throws `VXLAN_IDENTIFIER_INVALID`, `VXLAN_IDENTIFIER_TAKEN`, `VXLAN_MTU_INVALID`, `VXLAN_PEER_INVALID`, `VXLAN_FULL` or
   * `VXLAN_CLOSED`.
   */
  network(identifier: number, options: VxlanOptions = {}): VxlanLink {
    this.#check(identifier);
    const header = new VxlanHeader();
    header.identifier = identifier;
    const link = new VxlanLink(this.#tunnel, header, options);
    this.#networks.set(identifier, link);
    return link;
  }

  #check(identifier: number): void {
    const here = formatSocketAddress(this.local);
    checkIdentifier(identifier);
    if (!this.#up) {
      throw new NetloomError('VXLAN_CLOSED', `the VXLAN endpoint at ${here} was closed`, {
        remedy: 'Make another on a socket of its own.',
      });
    }
    if (this.#networks.has(identifier)) {
      throw new NetloomError(
        'VXLAN_IDENTIFIER_TAKEN',
        `network ${identifier} is at ${here} already`,
        {
          remedy: 'Give another identifier, or close the link that has it.',
        },
      );
    }
    if (this.#networks.size >= this.#limits.networks) {
      throw new NetloomError(
        'VXLAN_FULL',
        `${here} is in ${this.#networks.size} networks, no more`,
        {
          remedy: "Give the endpoint a larger limit 'networks'.",
        },
      );
    }
  }

  #send(data: Uint8Array, remote: SocketAddress, link: VxlanLink): boolean {
    if (this.#batchBytes + data.length > this.#limits.queueBytes) return false;
    if (this.#batch.length === 0) this.#clock.defer(this.#flush);
    this.#batch.push({ data, remote });
    this.#senders.push(link);
    this.#batchBytes += data.length;
    link.statistics.queueDepth++;
    return true;
  }

  #sendBatch(): void {
    const batch = this.#batch;
    if (batch.length === 0) return;
    const senders = this.#senders;
    this.#batch = [];
    this.#senders = [];
    this.#batchBytes = 0;
    const taken = this.#up ? this.#socket.send(batch) : 0;
    for (let at = 0; at < senders.length; at++) {
      const { statistics } = senders[at]!;
      statistics.queueDepth--;
      if (at >= taken) statistics.drops.add(this.#up ? 'queue-full' : 'link-down');
    }
  }

  #receiveBatch(batch: readonly Datagram[]): void {
    const now = this.#clock.now();
    const receivers = new Set<VxlanLink>();
    for (const { data, remote, segmentSize } of batch) {
      const size = segmentSize ?? data.length;
      let at = 0;
      do {
        const link = this.#receive(data, at, Math.min(at + size, data.length), remote, now);
        if (link !== undefined) receivers.add(link);
        at += size;
      } while (at < data.length);
    }
    for (const link of receivers) link.batchEnd();
  }

  /** Hands a datagram's frame to the network it is of; answers that, if it was taken. */
  #receive(
    data: Uint8Array,
    start: number,
    end: number,
    remote: SocketAddress,
    now: number,
  ): VxlanLink | undefined {
    const header = parseVxlan(data, start, end, this.#received);
    if (isFault(header)) {
      this.drops.add(header);
      return undefined;
    }
    const link = this.#networks.get(header.identifier);
    if (link === undefined) {
      this.drops.add('unknown-network');
      return undefined;
    }
    const frame = data.subarray(start + VXLAN_HEADER_LENGTH, end);
    return link.receive(frame, remote, now) ? link : undefined;
  }

  #end(error: NetloomError | undefined): void {
    this.#up = false;
    for (const link of this.networks()) link.end(error);
  }

  /** Sends what waits, then closes the socket, and with it the link of every network. Idempotent. */
  async close(): Promise<void> {
    if (this.#up) this.#sendBatch();
    const links = this.networks();
    this.#end(undefined);
    await Promise.all([...links.map((link) => link.close()), this.#socket.close()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
