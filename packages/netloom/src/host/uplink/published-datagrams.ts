import {
  IpAddress,
  copyBytes,
  type Datagram,
  type DatagramSocket,
  type NetloomError,
  type SocketAddress,
} from '../../core/index.ts';
import type { UplinkEnvironment } from './environment.ts';
import type { FlowEnd } from './flow.ts';
import type { Mapping } from './mapping.ts';
import { Mappings } from './mappings.ts';
import type { Publication, PublicationOptions } from './publication.ts';
import { holderOf } from './shares.ts';

/** A guest's UDP port, published: each client outside has a socket of the gateway's, so that the guest tells them apart. */
export class PublishedDatagrams implements Publication {
  readonly protocol = 'udp';
  readonly to: SocketAddress;
  readonly #environment: UplinkEnvironment;
  readonly #onClosed: () => void;
  readonly #mappings: Mappings;
  #socket!: DatagramSocket;
  #closed: Promise<void> | undefined;

  private constructor(environment: UplinkEnvironment, to: SocketAddress, onClosed: () => void) {
    const { clock, limits, drops, clients } = environment;
    this.#environment = environment;
    this.to = to;
    this.#onClosed = onClosed;
    this.#mappings = new Mappings({
      clock,
      limits,
      drops,
      shares: clients.mappings,
      gone: (mapping, why) => this.#remove(mapping, why),
    });
  }

  /** Binds the port. Rejects with the outside host's error. */
  static async open(
    environment: UplinkEnvironment,
    { address, port, to }: PublicationOptions,
    onClosed: () => void,
  ): Promise<PublishedDatagrams> {
    const made = new PublishedDatagrams(environment, to, onClosed);
    const socket = await environment.outside.bind({
      port,
      ...(address === undefined ? {} : { address }),
    });
    made.#socket = socket;
    socket.start({
      receive: (batch) => {
        for (const datagram of batch) made.#send(datagram);
      },
      closed: () => void made.close(),
    });
    return made;
  }

  get local(): SocketAddress {
    return this.#socket.local;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#onClosed();
    for (const mapping of this.#mappings.list()) this.#remove(mapping, 'closed');
    await this.#socket.close();
  }

  /** A client's datagram goes to the guest. */
  #send({ data, remote, segmentSize }: Datagram): void {
    if (this.#closed !== undefined) return;
    const client: SocketAddress = remote;
    const mapping = this.#mappings.find(client) ?? this.#open(client);
    this.#mappings.use(mapping);
    const { limits, drops } = this.#environment;
    if (mapping.waiting.length >= limits.waitingDatagrams) {
      drops.add('udp-waiting-limit');
      return;
    }
    mapping.last!.flow.received(data.length);
    const datagram: Datagram = { data: copyBytes(data), remote: this.to };
    if (segmentSize !== undefined) datagram.segmentSize = segmentSize;
    if (mapping.socket === undefined) mapping.waiting.push(datagram);
    else mapping.socket.send([datagram]);
  }

  #open(client: SocketAddress): Mapping {
    const { flows, limits } = this.#environment;
    const mapping = this.#mappings.add(client, holderOf(client.address));
    const flow = flows.begin({
      protocol: 'udp',
      direction: 'inbound',
      guest: this.to,
      destination: client,
      labels: [],
    });
    const { to } = this;
    mapping.add({ mapping, destination: to, target: to, flow }, limits.destinationsPerMapping);
    void this.#bind(mapping);
    return mapping;
  }

  async #bind(mapping: Mapping): Promise<void> {
    const { inside, drops } = this.#environment;
    const isV4 = this.to.address.family === 4;
    try {
      const socket = await inside.bind({ address: isV4 ? IpAddress.ANY4 : IpAddress.ANY6 });
      if (mapping.isGone) void socket.close();
      else this.#bound(mapping, socket);
    } catch (error) {
      drops.add('udp-no-socket', mapping.waiting.length);
      const { code } = error as NetloomError;
      this.#remove(mapping, code === 'TOO_MANY_OPEN' ? 'limit' : 'failed');
    }
  }

  #bound(mapping: Mapping, socket: DatagramSocket): void {
    mapping.socket = socket;
    mapping.last!.flow.carried();
    socket.start({
      receive: (batch) => {
        for (const datagram of batch) this.#answer(mapping, datagram);
      },
      closed: () => this.#remove(mapping, 'failed'),
    });
    socket.send(mapping.waiting);
    mapping.waiting = [];
  }

  /** The guest's datagram goes back to the client; nobody else's does. */
  #answer(mapping: Mapping, { data, remote, segmentSize }: Datagram): void {
    if (mapping.isGone) return;
    if (mapping.from(remote) === undefined || remote.port !== this.to.port) {
      this.#environment.drops.add('udp-unasked');
      return;
    }
    this.#mappings.use(mapping);
    mapping.last!.flow.sent(data.length);
    const datagram: Datagram = { data: copyBytes(data), remote: mapping.guest };
    if (segmentSize !== undefined) datagram.segmentSize = segmentSize;
    if (this.#socket.send([datagram]) === 0) this.#environment.drops.add('udp-send-buffer-full');
  }

  #remove(mapping: Mapping, why: FlowEnd): void {
    if (mapping.isGone) return;
    this.#mappings.remove(mapping);
    for (const { flow } of mapping.destinations) this.#environment.flows.end(flow, why);
    mapping.waiting = [];
    void mapping.socket?.close();
  }
}
