import {
  hostError,
  type Abortable,
  type DatagramSocket,
  type Engine,
  type IpAddress,
  type NetloomError,
  type Timer,
} from '../../core/index.ts';
import type { Interface } from '../../ip/index.ts';
import type { StackHost } from './stack-host.ts';

/** How long a client's `lease()` waits. */
export interface LeaseOptions extends Abortable {
  /** Milliseconds. Default 60,000: a server that is there has answered by then, messages lost included. */
  readonly timeout?: number;
}

/** The default of {@link LeaseOptions.timeout}. */
export const LEASE_PATIENCE = 60_000;

/** The state machine of a DHCP client or server, of either family, with what belongs to it and has deadlines too. */
export interface DhcpEngine extends Engine {
  /** A message has come from a station, if that is known, to the address `to`; its bytes are borrowed. */
  receive(
    bytes: Uint8Array,
    from: IpAddress,
    now: number,
    station: number | undefined,
    to: IpAddress | undefined,
  ): void;
}

/** Where a {@link DhcpDriver} has its engine listen. */
export interface DhcpDriverOptions {
  readonly via: Interface;
  /** The unspecified address of the engine's family, and the port of its kind. */
  readonly address: IpAddress;
  readonly port: number;
  /** The socket is closed: by {@link DhcpDriver.close}, or with the host. */
  closed(): void;
}

/** Runs a DHCP engine on a UDP socket of one interface and a timer of the host's clock. */
export class DhcpDriver {
  readonly #host: StackHost;
  readonly #engine: DhcpEngine;
  readonly #socket: DatagramSocket;
  readonly #timer: Timer;

  /** Throws `ADDRESS_IN_USE` if the interface has one of its kind already. */
  constructor(host: StackHost, engine: DhcpEngine, options: DhcpDriverOptions) {
    const { via, address, port } = options;
    this.#host = host;
    this.#engine = engine;
    this.#timer = host.clock.timer(() => {
      engine.advance(this.now());
      this.schedule();
    });
    this.#socket = host.stack.udp.bind(address, port, false, via);
    this.#socket.start({
      receive: (batch) => {
        for (const { data, remote, local, station } of batch) {
          engine.receive(data, remote.address, this.now(), station, local);
        }
        this.schedule();
      },
      closed: () => {
        options.closed();
        this.#timer.clear();
      },
    });
  }

  now(): number {
    return this.#host.clock.now();
  }

  /** Sets the timer to the engine's deadline: to be called after anything that was asked of it. */
  schedule(): void {
    const deadline = this.#engine.deadline();
    if (deadline !== this.#timer.deadline) this.#timer.set(deadline);
  }

  /** Sends a message, which is given away, from this address of the interface; undefined: from the one that suits. */
  send(
    message: Uint8Array,
    destination: IpAddress,
    port: number,
    source: IpAddress | undefined,
  ): void {
    const local = source === undefined ? {} : { local: source };
    this.#socket.send([{ data: message, remote: { address: destination, port }, ...local }]);
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#socket.close();
  }
}

/** What those are told who wait for what a client will not bring any more. */
export function clientClosed(family: 4 | 6, via: Interface): NetloomError {
  return hostError('HOST_CLOSED', `the DHCPv${family} client of ${via.name} was closed`);
}
