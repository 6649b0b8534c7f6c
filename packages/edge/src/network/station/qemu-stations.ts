import {
  NetloomError,
  hostError,
  type Connection,
  type HostErrorCode,
  type Listener,
  type Timer,
} from 'netloom/core';
import { QemuDatagramLink, QemuStreamLink, type Link } from 'netloom/link';
import { socketAddressOf } from '../addresses.ts';
import type { StationContext } from './context.ts';
import { Jack } from './jack.ts';
import type { Station } from './station.ts';

/** Milliseconds after which a QEMU that listens is tried again. */
const RETRY = 1000;

/** A virtual machine that speaks to us over a byte stream. It may go and come back: the port stays. */
abstract class QemuStreamStation implements Station {
  readonly link: Jack;
  readonly mac = null;
  readonly addresses: readonly string[] = [];
  protected readonly context: StationContext;
  readonly #name: string;

  constructor(name: string, context: StationContext) {
    this.#name = name;
    this.context = context;
    this.link = new Jack(name, context.mtu);
  }

  get isConnected(): boolean {
    return this.link.isPlugged;
  }

  gatewayChanged(): boolean {
    return true;
  }

  abstract close(): Promise<void>;

  protected plug(connection: Connection, unplugged: () => void): void {
    const { mtu } = this.context;
    const mac = this.context.macOf(this.#name);
    this.link.plug(new QemuStreamLink(connection, { name: this.#name, mac, mtu }), unplugged);
  }
}

/** One that connects to us. */
class ListeningStation extends QemuStreamStation {
  #listener: Listener | undefined;

  async listen(text: string): Promise<void> {
    const { outside } = this.context.environment;
    try {
      this.#listener = await outside.listen({
        ...socketAddressOf(text),
        accept: (connection) => this.#accept(connection),
      });
    } catch (error) {
      throw taken(error, text);
    }
  }

  async close(): Promise<void> {
    await this.#listener?.close();
    await this.link.close();
  }

  /** There is room for one: who comes second is turned away. */
  #accept(connection: Connection): void {
    if (this.link.isPlugged) {
      connection.abort(hostError('TOO_MANY_OPEN', `${this.link.name} is connected already`));
    } else {
      this.plug(connection, () => undefined);
    }
  }
}

/** One that listens for us: it is tried until it is there, and again when it has gone. */
class ConnectingStation extends QemuStreamStation {
  readonly #remote: string;
  readonly #aborter = new AbortController();
  readonly #timer: Timer;

  constructor(name: string, remote: string, context: StationContext) {
    super(name, context);
    this.#remote = remote;
    this.#timer = context.environment.clock.timer(() => void this.#connect());
    void this.#connect();
  }

  async close(): Promise<void> {
    this.#aborter.abort();
    this.#timer.clear();
    await this.link.close();
  }

  async #connect(): Promise<void> {
    const { outside } = this.context.environment;
    const { address: host, port } = socketAddressOf(this.#remote);
    const { signal } = this.#aborter;
    try {
      const connection = await outside.connect({ host, port, signal });
      if (signal.aborted) connection.abort();
      else this.plug(connection, () => this.#tryLater());
    } catch {
      // It need not run yet.
      this.#tryLater();
    }
  }

  #tryLater(): void {
    const { clock } = this.context.environment;
    if (!this.#aborter.signal.aborted) this.#timer.set(clock.now() + RETRY);
  }
}

/** A virtual machine that speaks to us by datagrams. Whether it is there, nobody knows. */
class QemuDatagramStation implements Station {
  readonly link: Link;
  readonly isConnected = true;
  readonly mac = null;
  readonly addresses: readonly string[] = [];

  constructor(link: Link) {
    this.link = link;
  }

  gatewayChanged(): boolean {
    return true;
  }

  close(): Promise<void> {
    return this.link.close();
  }
}

/** Waits for a QEMU to connect. Rejects with `ADDRESS_IN_USE`, or what else the outside says. */
export async function listenForQemu(
  name: string,
  listen: string,
  context: StationContext,
): Promise<Station> {
  const station = new ListeningStation(name, context);
  await station.listen(listen);
  return station;
}

/** Connects to a QEMU, now or when it is there. */
export function connectToQemu(name: string, remote: string, context: StationContext): Station {
  return new ConnectingStation(name, remote, context);
}

/** Exchanges datagrams with a QEMU. Rejects with `ADDRESS_IN_USE`, or what else the outside says. */
export async function exchangeWithQemu(
  name: string,
  model: { readonly local: string; readonly remote: string },
  context: StationContext,
): Promise<Station> {
  const { mtu, environment } = context;
  const { outside, clock } = environment;
  try {
    const socket = await outside.bind(socketAddressOf(model.local));
    const link = new QemuDatagramLink(socket, {
      name,
      mac: context.macOf(name),
      mtu,
      clock,
      remote: socketAddressOf(model.remote),
    });
    return new QemuDatagramStation(link);
  } catch (error) {
    throw taken(error, model.local);
  }
}

function taken(error: unknown, local: string): unknown {
  const code: HostErrorCode = 'ADDRESS_IN_USE';
  if (!(error instanceof NetloomError) || error.code !== code) return error;
  return new NetloomError(code, `${local} of this machine is taken, where a QEMU is to be heard`, {
    cause: error,
    remedy: 'Stop what has it, or choose another port, here and at QEMU.',
  });
}
