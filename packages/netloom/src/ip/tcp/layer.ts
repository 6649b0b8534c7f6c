import {
  channel,
  Counters,
  NetloomError,
  TimerQueue,
  TokenBucket,
  type IpAddress,
  type Random,
} from '../../core/index.ts';
import { TcpFlag, TcpHeader, isFault, parseTcp } from '../../wire/index.ts';
import { TCP_DROP } from '../diagnostics.ts';
import type { IpOutput } from '../output.ts';
import type { Packet } from '../packet.ts';
import type { Path } from '../route/path.ts';
import { TcpAttempt } from './attempt.ts';
import { TcpAttempts, type AttemptEnvironment } from './attempts.ts';
import { Cubic, type CongestionControl, type CongestionOptions } from './congestion/index.ts';
import { TcpConnection, type TcpOpened } from './connection.ts';
import { FlowTable } from './flow-table.ts';
import type { TcpLimits } from './limits.ts';
import type { TcpListener } from './listener.ts';
import { TcpListeners } from './listeners.ts';
import { TcpOpening } from './opening.ts';
import { resetStray } from './resets.ts';
import { isChecksumRight } from './segment-checksum.ts';
import { SegmentWriter } from './segment-writer.ts';
import type { SendQueue } from './send-queue.ts';
import { TcpStatistics } from './statistics.ts';
import { TimeWait } from './time-wait.ts';
import { TimeWaits } from './time-waits.ts';
import { connectionDeadline } from './timers.ts';
import { acknowledgeIfDue, reserveForReport, sendAcknowledgment, usePath } from './transmit.ts';

/** The timers of all connections and of what is left of them. */
export type TcpTimers = TimerQueue<TcpConnection | TimeWait | TcpAttempt>;

/** Makes the congestion control of one connection. */
export type CongestionFactory = (options: CongestionOptions) => CongestionControl;

/** What the TCP layer needs of the stack around it. */
export interface TcpEnvironment extends AttemptEnvironment {
  readonly output: IpOutput;
  readonly random: Random;
  readonly limits: TcpLimits;
  readonly congestion: CongestionFactory | undefined;
  /** The time of what is being done now. */
  now(): number;
  /** Asks for {@link TcpLayer.flush}, soon. */
  requestFlush(): void;
  /** The path of an answer to this packet; undefined if there is none. */
  pathBack(packet: Packet): Path | undefined;
  /** The path between two addresses; throws a named error if there is none. */
  path(destination: IpAddress, source: IpAddress, mayBeForeign: boolean): Path;
  /** Paths of another generation are out of date. */
  generation(): number;
}

const handlerErrors = channel<NetloomError>('netloom:tcp:handler-threw');

/** The time to the first repetition of a SYN (RFC 6298, section 2.1). */
const SYN_TIMEOUT = 1000;

/**
 * TCP: demultiplexes segments to connections, keeps listeners and TIME-WAIT, and sends what connections have to send once the
 * input at hand has been taken.
 */
export class TcpLayer {
  readonly limits: TcpLimits;
  readonly statistics: TcpStatistics = new TcpStatistics(new Counters(TCP_DROP, this));
  readonly synTimeout: number = SYN_TIMEOUT;
  readonly #environment: TcpEnvironment;
  readonly #flows: FlowTable;
  readonly #listeners: TcpListeners;
  readonly #timers: TcpTimers = new TimerQueue();
  readonly timeWaits: TimeWaits;
  /** Connections that guests want, and an interceptor has yet to answer. */
  readonly attempts: TcpAttempts;
  readonly #opening: TcpOpening;
  readonly #writer: SegmentWriter;
  readonly #header = new TcpHeader();
  readonly #challenges: TokenBucket;
  #scheduled: TcpConnection[] = [];

  constructor(environment: TcpEnvironment) {
    this.#environment = environment;
    this.limits = environment.limits;
    this.#listeners = new TcpListeners(environment.random, this.limits.halfOpen);
    this.#flows = new FlowTable(environment.random.fill(new Uint8Array(8)));
    this.attempts = new TcpAttempts(this, this.#timers, environment);
    this.timeWaits = new TimeWaits(this.limits, this.#flows, this.#timers, this.statistics.drops);
    this.#opening = new TcpOpening(this, environment);
    this.#writer = new SegmentWriter(environment.output);
    this.#challenges = new TokenBucket(
      this.limits.challengeAcknowledgments,
      this.limits.challengeAcknowledgments,
    );
  }

  /** Connections and what is left of them in TIME-WAIT. */
  get flows(): FlowTable {
    return this.#flows;
  }

  /** Connections, TIME-WAIT not counted. */
  get connections(): number {
    return this.#flows.size - this.timeWaits.size;
  }

  now(): number {
    return this.#environment.now();
  }

  /** Opens a connection along `path`, from a port that is free if `localPort` is 0; `opened` is told how that went. */
  connect(path: Path, localPort: number, remotePort: number, opened: TcpOpened): TcpConnection {
    return this.#opening.active(path, localPort, remotePort, opened);
  }

  /** Accepts connections at a port; port 0 is given one. */
  listen(
    port: number,
    address: IpAddress | undefined,
    backlog: number | undefined,
    accept: (connection: TcpConnection) => void,
  ): TcpListener {
    return this.#listeners.add(port, address, backlog, accept);
  }

  /** Whether anything listens at the port, at any address. */
  isListening(port: number): boolean {
    return this.#listeners.has(port);
  }

  /** The listener accepts no more; what is half-open is reset. */
  unlisten(listener: TcpListener): void {
    this.#listeners.remove(listener);
    for (const connection of listener.takeHalfOpen()) connection.abort();
  }

  /** A TCP packet has come for this host. */
  receive(packet: Packet): void {
    const header = this.#header;
    const { statistics } = this;
    const fault = parseTcp(packet.bytes, packet.transport, packet.end, header);
    if (isFault(fault)) {
      statistics.inError(`tcp-${fault}`);
      return;
    }
    if (!isChecksumRight(packet, this.#environment.output)) {
      statistics.inError('tcp-bad-checksum');
      return;
    }
    statistics.received(packet, header);
    // Connections are between two hosts (RFC 9293, section 3.9.2.3).
    if (packet.isGroup) {
      statistics.drops.add('tcp-to-group');
      return;
    }
    const flow = this.#flows.find(packet, header);
    if (flow !== undefined) flow.segmentArrives(header, packet, this.now());
    else this.receiveUnknown(packet, header, this.now());
    if (flow instanceof TcpConnection) flow.deliver(this.now());
  }

  /**
   * A segment of no connection: it opens one, or is answered with a reset (RFC 9293, sections 3.10.7.1 and 3.10.7.2). `used`: where the
   * numbers of a former connection between the same ends stopped, if there was one just now.
   */
  receiveUnknown(packet: Packet, header: TcpHeader, now: number, used?: number): void {
    const { flags } = header;
    if (flags & TcpFlag.RST) {
      this.statistics.drops.add('tcp-stray-reset');
      return;
    }
    const listener = packet.isForeign ? undefined : this.#listeners.find(packet, header);
    const isSyn = (flags & (TcpFlag.SYN | TcpFlag.ACK | TcpFlag.FIN)) === TcpFlag.SYN;
    if (listener === undefined && isSyn && this.attempts.open(packet, header, now, used)) return;
    if (listener === undefined || !isSyn) {
      this.sendResetTo(packet, header);
      return;
    }
    const path = this.#environment.pathBack(packet);
    if (path === undefined) {
      this.statistics.drops.add('tcp-no-path-back');
      return;
    }
    const displaced = listener.makeRoom();
    if (displaced !== undefined) {
      this.statistics.drops.add('tcp-half-open-limit');
      displaced.fail(new NetloomError('TOO_MANY_OPEN', 'too many half-open connections'));
    }
    if (this.connections >= this.limits.connections) {
      this.statistics.drops.add('tcp-connection-limit');
      return;
    }
    const opened: TcpOpened = (made, error) => listener.opened(made, error);
    listener.add(this.accept(path, header, now, used, opened), packet.station);
  }

  /** Answers a SYN; `opened` is told how the handshake went. `used`: see {@link receiveUnknown}. */
  accept(
    path: Path,
    header: TcpHeader,
    now: number,
    used: number | undefined,
    opened: TcpOpened,
  ): TcpConnection {
    return this.#opening.passive(path, header, now, used, opened);
  }

  /** Puts the connection among those that {@link flush} looks after. */
  schedule(connection: TcpConnection): void {
    if (connection.isScheduled) return;
    connection.isScheduled = true;
    if (this.#scheduled.push(connection) === 1) this.#environment.requestFlush();
  }

  /** Tells users what is new and sends what can be sent. */
  flush(now: number): void {
    while (this.#scheduled.length > 0) {
      const batch = this.#scheduled;
      this.#scheduled = [];
      for (const connection of batch) {
        connection.isScheduled = false;
        connection.deliver(now);
        this.#send(connection, now);
      }
    }
  }

  /** When {@link advance} is wanted. */
  deadline(): number {
    return this.#timers.deadline();
  }

  /** Fires the timers that are due. A connection's deadline is kept early rather than moved at every segment. */
  advance(now: number): void {
    for (;;) {
      const due = this.#timers.takeDue(now);
      if (due === undefined) return;
      if (due instanceof TimeWait) {
        this.timeWaits.remove(due);
      } else if (due instanceof TcpAttempt) {
        due.cancel('timeout');
      } else {
        due.advance(now);
        this.schedule(due);
      }
    }
  }

  /** The connections there are, in all states but TIME-WAIT. */
  openConnections(): TcpConnection[] {
    return [...this.#flows.values()].filter((flow) => flow instanceof TcpConnection);
  }

  /** Resets every connection: the stack is being closed. */
  abortAll(): void {
    this.attempts.cancel('closed', () => true);
    for (const connection of this.openConnections()) {
      connection.abort(new NetloomError('HOST_CLOSED', `${connection}: the host was closed`));
    }
    this.timeWaits.clear();
    this.flush(this.now());
  }

  /** The connection is gone. */
  forget(connection: TcpConnection): void {
    if (connection.machine.can('gone')) connection.machine.take('gone', this.now());
    this.#flows.remove(connection);
    this.#timers.clear(connection);
  }

  /** Puts a small record in the connection's place, for twice the maximum segment lifetime. */
  timeWait(connection: TcpConnection, now: number): void {
    // The peer's FIN is acknowledged before the connection goes.
    acknowledgeIfDue(connection, now);
    this.#flows.remove(connection);
    this.#timers.clear(connection);
    this.timeWaits.add(connection, now);
  }

  /** Asks the peer whether it meant it, within the limit for all connections (RFC 5961, section 7). */
  challenge(connection: TcpConnection): void {
    this.statistics.drops.add('tcp-challenged');
    if (this.#challenges.take(this.now())) connection.acknowledgeNow = true;
  }

  /** Resets a segment that belongs to no connection. */
  sendResetTo(packet: Packet, received: TcpHeader): void {
    if (received.flags & TcpFlag.RST) return;
    const path = this.#environment.pathBack(packet);
    if (path !== undefined) resetStray(this, path, packet, received);
  }

  /** A cleared header, to be filled and sent with {@link write}. */
  begin(sourcePort: number, destinationPort: number): TcpHeader {
    return this.#writer.begin(sourcePort, destinationPort);
  }

  /** Sends the header and `length` bytes of `queue` from `offset` on; see {@link SegmentWriter.send}. `again`: it has been sent before. */
  write(
    path: Path,
    queue: SendQueue | undefined,
    offset: number,
    length: number,
    segmentSize: number,
    again = false,
  ): boolean {
    this.statistics.sent(this.#writer.header.flags, length, segmentSize, again);
    return this.#writer.send(path, queue, offset, length, segmentSize);
  }

  congestion(maximumSegmentSize: number): CongestionControl {
    const options = { maximumSegmentSize, acknowledgmentLimit: Infinity };
    return this.#environment.congestion?.(options) ?? new Cubic(options);
  }

  /** A handler threw from its last call, when there was nothing left to abort. */
  handlerThrew(error: NetloomError): void {
    handlerErrors.publish(error);
  }

  #send(connection: TcpConnection, now: number): void {
    if (connection.state === 'closed' || connection.state === 'time-wait') return;
    if (connection.path.generation !== this.#environment.generation()) this.refreshPath(connection);
    if (connection.isSynchronized) {
      reserveForReport(connection);
      connection.sender.output(now);
      acknowledgeIfDue(connection, now);
    } else if (connection.state === 'syn-received' && connection.acknowledgeNow) {
      sendAcknowledgment(connection);
    }
    const deadline = connectionDeadline(connection);
    if (deadline < connection.deadline) this.#timers.set(connection, deadline);
  }

  /** Finds the connection's path anew: routes, addresses or path MTUs have changed. False: there is none now; it keeps the one it had. */
  refreshPath(connection: TcpConnection): boolean {
    const { localAddress, remoteAddress } = connection;
    const { isForeign } = connection.path;
    try {
      usePath(connection, this.#environment.path(remoteAddress, localAddress, isForeign));
      return true;
    } catch {
      this.statistics.drops.add('tcp-no-path');
      return false;
    }
  }
}
