import type { Counters, IpAddress } from '../core/index.ts';
import { IpProtocol } from '../wire/index.ts';
import type { IcmpErrorKind } from './icmp/icmp-error.ts';
import { networkErrorOf } from './icmp/icmp-layer.ts';
import type { QuotedPacket } from './icmp/quoted-packet.ts';
import type { PathMtuCache } from './route/path-mtu.ts';
import type { TcpLayer } from './tcp/layer.ts';
import { connectionOf, networkError, pathMtuChanged } from './tcp/network-events.ts';
import type { UdpLayer } from './udp/udp-layer.ts';

/** What telling of errors needs of the stack. */
export interface NetworkErrorEnvironment {
  readonly drops: Counters;
  readonly pathMtus: PathMtuCache;
  readonly tcp: TcpLayer;
  readonly udp: UdpLayer;
  now(): number;
  /** The MTU of a path has changed. */
  pathsChanged(): void;
}

/** Tells whoever sent a packet of ours what the network says of it, once it is sure that it was theirs: anyone can make up an error (RFC 5927). */
export class NetworkErrors {
  readonly #environment: NetworkErrorEnvironment;

  constructor(environment: NetworkErrorEnvironment) {
    this.#environment = environment;
  }

  /** An ICMP error has come; of a quoted echo request the ICMP layer has seen that it waits for its reply. */
  receive(quoted: QuotedPacket, kind: IcmpErrorKind, mtu: number): void {
    if (quoted.protocol === IpProtocol.TCP) this.#aboutSegment(quoted, kind, mtu);
    else if (quoted.protocol === IpProtocol.UDP) this.#aboutDatagram(quoted, kind, mtu);
    else if (kind === 'too-big') this.#pathMtuReduced(quoted, mtu);
    else this.#environment.drops.add('icmp-error-unmatched');
  }

  /** A path's MTU has been forgotten: it is that of the first link again. */
  pathMtuRaised(destination: IpAddress): void {
    this.#environment.pathsChanged();
    pathMtuChanged(this.#environment.tcp, destination);
  }

  #aboutSegment(quoted: QuotedPacket, kind: IcmpErrorKind, mtu: number): void {
    const connection = connectionOf(this.#environment.tcp, quoted);
    if (connection === undefined) this.#environment.drops.add('icmp-error-unmatched');
    else if (kind === 'too-big') this.#pathMtuReduced(quoted, mtu);
    else networkError(connection, kind);
  }

  /**
   * A datagram has no number to know it by: what can be seen is whether a socket of ours has sent to there lately. (Linux passes errors to
   * connected sockets and to those that asked for them by IP_RECVERR. Ours all have a handler that can be told.)
   */
  #aboutDatagram(quoted: QuotedPacket, kind: IcmpErrorKind, mtu: number): void {
    const { drops, udp } = this.#environment;
    const sockets = udp.sendersOf(quoted);
    if (sockets.length === 0) {
      drops.add('icmp-error-unmatched');
      return;
    }
    if (kind === 'too-big') this.#pathMtuReduced(quoted, mtu);
    const error = networkErrorOf(kind, `a datagram to ${quoted.destination}`);
    const remote = { address: quoted.destination, port: quoted.destinationPort };
    for (const socket of sockets) socket.fail(error, remote);
  }

  #pathMtuReduced({ destination, length }: QuotedPacket, mtu: number): void {
    const { pathMtus, tcp, now, pathsChanged } = this.#environment;
    if (pathMtus.reduce(destination, mtu, length, now()) === undefined) return;
    pathsChanged();
    pathMtuChanged(tcp, destination);
  }
}
