import { NetloomError, type IpAddress, type Random } from '../../core/index.ts';
import type { TcpHeader } from '../../wire/index.ts';
import type { Packet } from '../packet.ts';
import { choosePort } from '../ports.ts';
import type { TcpConnection } from './connection.ts';
import { TcpListener } from './listener.ts';

/** The listeners of a stack, by port. */
export class TcpListeners {
  readonly #byPort = new Map<number, TcpListener[]>();
  readonly #random: Random;
  /** The most half-open connections of one listener. */
  readonly #halfOpen: number;

  constructor(random: Random, halfOpen: number) {
    this.#random = random;
    this.#halfOpen = halfOpen;
  }

  /** Whether anything listens at the port. */
  has(port: number): boolean {
    return this.#byPort.has(port);
  }

  /** A listener at a port, and at one address if that is given; port 0 is given one. */
  add(
    port: number,
    address: IpAddress | undefined,
    backlog: number | undefined,
    accept: (connection: TcpConnection) => void,
  ): TcpListener {
    const chosen = port === 0 ? choosePort(this.#random, (taken) => this.has(taken)) : port;
    const others = this.#byPort.get(chosen) ?? [];
    if (others.some((other) => overlaps(other.address, address))) {
      throw new NetloomError('ADDRESS_IN_USE', `something listens at port ${chosen} already`, {
        remedy: 'Choose another port, or 0 to be given a free one.',
      });
    }
    const limit = Math.min(backlog ?? this.#halfOpen, this.#halfOpen);
    const listener = new TcpListener(chosen, address, Math.max(1, limit), accept);
    this.#byPort.set(chosen, [...others, listener]);
    return listener;
  }

  remove(listener: TcpListener): void {
    const others = this.#byPort.get(listener.port) ?? [];
    const left = others.filter((other) => other !== listener);
    if (left.length > 0) this.#byPort.set(listener.port, left);
    else this.#byPort.delete(listener.port);
  }

  /** The listener for a segment. */
  find(packet: Packet, header: TcpHeader): TcpListener | undefined {
    const listeners = this.#byPort.get(header.destinationPort);
    if (listeners === undefined) return undefined;
    const { destination } = packet;
    return listeners.find(
      ({ address }) => address === undefined || isListeningAt(address, destination),
    );
  }
}

/** Whether two listeners would both take a connection. */
function overlaps(a: IpAddress | undefined, b: IpAddress | undefined): boolean {
  if (a === undefined || b === undefined) return true;
  if (a.family !== b.family) return false;
  return a.isUnspecified || b.isUnspecified || a.equals(b);
}

function isListeningAt(address: IpAddress, destination: IpAddress): boolean {
  if (address.family !== destination.family) return false;
  return address.isUnspecified || address.equals(destination);
}
