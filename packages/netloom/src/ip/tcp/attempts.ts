import { FairShares } from '../../core/index.ts';
import { IpProtocol, TcpFlag, type TcpHeader } from '../../wire/index.ts';
import type { IcmpErrorKind } from '../icmp/icmp-error.ts';
import type { GonePacket } from '../icmp/quote.ts';
import type { AttemptEnd, Interceptor, Refusal } from '../interception/index.ts';
import type { Packet } from '../packet.ts';
import type { Path } from '../route/path.ts';
import { TcpAttempt } from './attempt.ts';
import type { TcpOpened } from './connection.ts';
import type { TcpLayer, TcpTimers } from './layer.ts';

/** What attempts need of the stack around them. */
export interface AttemptEnvironment {
  pathBack(packet: Packet): Path | undefined;
  /** Who takes a packet that nothing of the stack takes. */
  interceptorOf(packet: Packet): Interceptor | undefined;
  /** Sends an ICMP error about a packet that is gone. */
  sendErrorAbout(gone: GonePacket, kind: IcmpErrorKind): void;
}

/**
 * Connections that guests want and an interceptor has yet to answer, and those it has accepted until their handshake is done. They are what a flood of
 * SYNs makes, so their number is bounded: for each guest, and over all, where the oldest gives way of the guest who has most. Guests are told apart by
 * their stations: a flood in the names of others is one guest's all the same.
 */
export class TcpAttempts {
  readonly #layer: TcpLayer;
  readonly #timers: TcpTimers;
  readonly #environment: AttemptEnvironment;
  /** By the guest's station. */
  readonly #shares = new FairShares<number, TcpAttempt>();

  constructor(layer: TcpLayer, timers: TcpTimers, environment: AttemptEnvironment) {
    this.#layer = layer;
    this.#timers = timers;
    this.#environment = environment;
  }

  /** How many there are. */
  get size(): number {
    return this.#shares.size;
  }

  /** A SYN of no connection and no listener has come. Answers whether it is an interceptor's affair. */
  open(packet: Packet, syn: TcpHeader, now: number, used: number | undefined): boolean {
    const interceptor = this.#environment.interceptorOf(packet);
    if (interceptor === undefined) return false;
    const path = this.#environment.pathBack(packet);
    const { limits, statistics } = this.#layer;
    if (path === undefined) {
      statistics.drops.add('tcp-no-path-back');
      return true;
    }
    if (this.#shares.of(packet.station) >= limits.attemptsPerGuest) {
      statistics.drops.add('tcp-attempts-of-guest-limit');
      return true;
    }
    if (this.size >= limits.attempts) this.#displaceOne();
    if (this.#layer.connections >= limits.connections) {
      statistics.drops.add('tcp-connection-limit');
      return true;
    }
    const attempt = new TcpAttempt(this, path, packet, syn, interceptor, used);
    this.#shares.add(attempt.station, attempt);
    this.#layer.flows.add(attempt);
    this.heard(attempt, now);
    interceptor.connection(attempt);
    return true;
  }

  /** The guest still wants it. */
  heard(attempt: TcpAttempt, now: number): void {
    this.#timers.set(attempt, now + this.#layer.limits.attemptTimeout);
  }

  /** See {@link TcpAttempt.accept}. */
  accept(attempt: TcpAttempt, opened: TcpOpened): void {
    this.#leaveFlows(attempt);
    const { path, syn, used } = attempt;
    const now = this.#layer.now();
    attempt.connection = this.#layer.accept(path, syn, now, used, (connection, error) => {
      this.#shares.remove(attempt.station, attempt);
      opened(connection, error);
    });
  }

  /** See {@link TcpAttempt.refuse}. */
  refuse(attempt: TcpAttempt, how: Refusal): void {
    this.remove(attempt);
    if (how === 'reset') this.#reset(attempt);
    else if (how !== 'silently') {
      const { syn } = attempt;
      const gone = {
        source: attempt.remoteAddress,
        destination: attempt.localAddress,
        protocol: IpProtocol.TCP,
        sourcePort: syn.sourcePort,
        destinationPort: syn.destinationPort,
        word: syn.sequence,
      };
      this.#environment.sendErrorAbout(gone, how);
    }
  }

  /** It is over. */
  remove(attempt: TcpAttempt): void {
    this.#leaveFlows(attempt);
    this.#shares.remove(attempt.station, attempt);
  }

  /** A segment that belongs to nothing here. */
  resetStray(packet: Packet, header: TcpHeader): void {
    this.#layer.sendResetTo(packet, header);
  }

  /** Gives up those that are meant and have not been answered yet. */
  cancel(why: AttemptEnd, isMeant: (attempt: TcpAttempt) => boolean): void {
    for (const attempt of this.#shares.items()) {
      if (attempt.connection === undefined && isMeant(attempt)) attempt.cancel(why);
    }
  }

  #displaceOne(): void {
    this.#layer.statistics.drops.add('tcp-attempt-limit');
    this.#shares.oldestOfLargest()!.giveWay();
  }

  #leaveFlows(attempt: TcpAttempt): void {
    this.#layer.flows.remove(attempt);
    this.#timers.clear(attempt);
  }

  /** As a closed port answers a SYN (RFC 9293, section 3.10.7.1). */
  #reset({ path, syn }: TcpAttempt): void {
    const header = this.#layer.begin(syn.destinationPort, syn.sourcePort);
    header.flags = TcpFlag.RST | TcpFlag.ACK;
    header.acknowledgment = (syn.sequence + 1) | 0;
    this.#layer.write(path, undefined, 0, 0, 0);
  }
}
