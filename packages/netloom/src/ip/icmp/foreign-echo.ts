import { copyBytes, type IpAddress } from '../../core/index.ts';
import { ICMPV4_HEADER_LENGTH, Icmpv4Type, Icmpv6Type, IpProtocol } from '../../wire/index.ts';
import type { InterceptedEcho } from '../interception/index.ts';
import type { Interface } from '../interface/interface.ts';
import type { Packet } from '../packet.ts';
import type { Path } from '../route/path.ts';
import type { IcmpErrorKind } from './icmp-error.ts';
import type { IcmpLayer } from './icmp-layer.ts';

/** A guest's echo request, for whoever intercepts it. */
export class ForeignEcho implements InterceptedEcho {
  readonly interface: Interface;
  readonly station: number;
  readonly #layer: IcmpLayer;
  /** Back to the guest, in the name of the target. */
  readonly #path: Path;
  /** Identifier and sequence number. */
  readonly #rest: number;
  readonly #data: Uint8Array;

  constructor(layer: IcmpLayer, path: Path, packet: Packet, rest: number) {
    this.interface = packet.interface;
    this.station = packet.station;
    this.#layer = layer;
    this.#path = path;
    this.#rest = rest;
    this.#data = copyBytes(packet.bytes, packet.transport + ICMPV4_HEADER_LENGTH, packet.end);
  }

  get source(): IpAddress {
    return this.#path.destination;
  }

  get target(): IpAddress {
    return this.#path.source;
  }

  get sequence(): number {
    return this.#rest & 0xffff;
  }

  get size(): number {
    return this.#data.length;
  }

  reply(): void {
    const isV4 = this.target.family === 4;
    const type = isV4 ? Icmpv4Type.ECHO_REPLY : Icmpv6Type.ECHO_REPLY;
    this.#layer.send(this.#path, type, 0, this.#rest, this.#data);
  }

  unreachable(kind: IcmpErrorKind): void {
    const isV4 = this.target.family === 4;
    const type = isV4 ? Icmpv4Type.ECHO_REQUEST : Icmpv6Type.ECHO_REQUEST;
    const gone = {
      source: this.source,
      destination: this.target,
      protocol: isV4 ? IpProtocol.ICMP : IpProtocol.ICMPV6,
      // Where others have ports, an echo message has type, code and checksum.
      sourcePort: type << 8,
      destinationPort: 0,
      word: this.#rest,
    };
    this.#layer.sendErrorAbout(gone, kind);
  }
}
