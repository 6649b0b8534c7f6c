import { NetloomError } from '../../core/index.ts';
import type { TcpHeader } from '../../wire/index.ts';
import { choosePort } from '../ports.ts';
import type { Path } from '../route/path.ts';
import { TcpConnection, type TcpOpened } from './connection.ts';
import { InitialSequence } from './initial-sequence.ts';
import type { TcpEnvironment, TcpLayer } from './layer.ts';
import { windowScaleFor } from './receiver.ts';
import { takeSynOptions } from './segment-arrival.ts';
import { after } from './sequence.ts';
import { attemptSyn } from './transmit.ts';

/** Opens connections: actively, with a SYN of ours, and passively, with an answer to the peer's (RFC 9293, section 3.5). */
export class TcpOpening {
  readonly #layer: TcpLayer;
  readonly #environment: TcpEnvironment;
  readonly #sequences: InitialSequence;

  constructor(layer: TcpLayer, environment: TcpEnvironment) {
    this.#layer = layer;
    this.#environment = environment;
    this.#sequences = new InitialSequence(environment.random);
  }

  /** See {@link TcpLayer.connect}. */
  active(path: Path, localPort: number, remotePort: number, opened: TcpOpened): TcpConnection {
    const layer = this.#layer;
    this.#checkRoom();
    const port = localPort === 0 ? this.#freePort(path, remotePort) : localPort;
    if (layer.flows.get(path.source, port, path.destination, remotePort) !== undefined) {
      throw new NetloomError('ADDRESS_IN_USE', `port ${port} is already connected to that peer`, {
        remedy: 'Choose another local port, or 0 to be given one.',
      });
    }
    const connection = this.#make(path, port, remotePort, opened);
    layer.statistics.opened++;
    connection.machine.take('connect', layer.now());
    attemptSyn(connection, layer.now());
    layer.schedule(connection);
    return connection;
  }

  /** See {@link TcpLayer.accept}. */
  passive(
    path: Path,
    header: TcpHeader,
    now: number,
    used: number | undefined,
    opened: TcpOpened,
  ): TcpConnection {
    const { destinationPort, sourcePort } = header;
    const count: TcpOpened = (made, error) => {
      if (error === undefined) this.#layer.statistics.accepted++;
      opened(made, error);
    };
    const connection = this.#make(path, destinationPort, sourcePort, count, used);
    connection.isPassive = true;
    connection.machine.take('accept', now);
    connection.receiver.synchronize((header.sequence + 1) | 0);
    takeSynOptions(connection, header, now);
    connection.sender.setWindow(header.sequence, 0, header.window);
    attemptSyn(connection, now);
    this.#layer.schedule(connection);
    return connection;
  }

  #make(
    path: Path,
    localPort: number,
    remotePort: number,
    opened: TcpOpened,
    used?: number,
  ): TcpConnection {
    const layer = this.#layer;
    const { source, destination } = path;
    const now = layer.now();
    const number = this.#sequences.number(source, localPort, destination, remotePort, now);
    const connection = new TcpConnection({
      layer,
      path,
      localPort,
      remotePort,
      initialSequence: used === undefined || after(number, used) ? number : (used + 1) | 0,
      timestampOffset: this.#sequences.timestampOffset(source, destination),
      opened,
    });
    connection.receiver.scale = windowScaleFor(layer.limits.maximumReceiveBuffer);
    layer.flows.add(connection);
    return connection;
  }

  #freePort({ source, destination }: Path, remotePort: number): number {
    const { flows } = this.#layer;
    return choosePort(
      this.#environment.random,
      (port) =>
        this.#layer.isListening(port) ||
        flows.get(source, port, destination, remotePort) !== undefined,
    );
  }

  #checkRoom(): void {
    const { connections, limits } = this.#layer;
    if (connections < limits.connections) return;
    throw new NetloomError('TOO_MANY_OPEN', `${limits.connections} connections are open already`, {
      remedy: 'Close some, or raise the limit `connections`.',
    });
  }
}
