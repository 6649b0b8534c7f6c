import {
  hostError,
  type Connection,
  type NetloomError,
  type SocketAddress,
} from '../../core/index.ts';
import type { InterceptedConnection, Refusal, TcpConnection } from '../../ip/index.ts';
import { relay, type Relay } from '../relay.ts';
import type { UplinkEnvironment } from './environment.ts';
import type { Flow, FlowEnd } from './flow.ts';
import { RefusingShares } from './shares.ts';

/** How a guest hears of an error outside, and what its flow's end is called. */
const OUTCOMES: Readonly<Record<string, readonly [Refusal, FlowEnd]>> = {
  CONNECTION_REFUSED: ['reset', 'refused'],
  CONNECTION_RESET: ['reset', 'refused'],
  HOST_UNREACHABLE: ['host-unreachable', 'unreachable'],
  NETWORK_UNREACHABLE: ['network-unreachable', 'unreachable'],
  // What Linux says of IPv6 where that is turned off.
  ADDRESS_NOT_AVAILABLE: ['network-unreachable', 'unreachable'],
  PERMISSION_DENIED: ['prohibited', 'unreachable'],
  TIMEOUT: ['silently', 'timeout'],
  // The guest's SYN will come again, and there may be room by then.
  TOO_MANY_OPEN: ['silently', 'limit'],
};

/** A flow that is not over. */
interface ActiveFlow {
  readonly station: number;
  /** Ends it. */
  end: (error: NetloomError) => void;
}

/**
 * Carries guests' TCP connections over connections of the outside host. A guest's SYN is answered when the outside connection is there, so that what
 * becomes of it outside is what the guest sees.
 */
export class ConnectionCarrier {
  readonly #environment: UplinkEnvironment;
  /** By the guest's station. */
  readonly #shares: RefusingShares<number, Flow>;
  readonly #active = new Map<Flow, ActiveFlow>();

  constructor(environment: UplinkEnvironment) {
    this.#environment = environment;
    const { limits, drops } = environment;
    this.#shares = new RefusingShares({
      all: limits.connections,
      each: limits.connectionsPerGuest,
      drops,
      full: 'tcp-connection-limit',
      exhausted: 'tcp-connections-of-guest-limit',
    });
  }

  /** A guest wants a connection. */
  open(attempt: InterceptedConnection): void {
    const { flows, policy, drops } = this.#environment;
    const { remote: guest, local: destination } = attempt;
    const ends = { protocol: 'tcp', guest, destination } as const;
    const verdict = policy.decide(ends, attempt.isOwn);
    const flow = flows.begin({ ...ends, direction: 'outbound', labels: verdict.labels });
    if ('denied' in verdict) {
      drops.add(`tcp-${verdict.denied}`);
      attempt.refuse('reset');
      flows.end(flow, 'denied');
    } else if (!this.#shares.hasRoom(attempt.station)) {
      attempt.refuse('silently');
      flows.end(flow, 'limit');
    } else {
      this.#ask(attempt, flow, { address: verdict.target, port: destination.port });
    }
  }

  /** Resets what is carried, and gives up what is asked for. */
  close(): void {
    const error = hostError('HOST_CLOSED', 'the uplink was closed');
    for (const { end } of this.#active.values()) end(error);
  }

  /** Has it connected outside when it is the guest's turn. */
  #ask(attempt: InterceptedConnection, flow: Flow, target: SocketAddress): void {
    const giveUp = new AbortController();
    attempt.cancelled = (why) => {
      this.#end(
        flow,
        why === 'closed' ? 'closed' : why === 'displaced' ? 'limit' : 'reset-by-guest',
      );
      giveUp.abort();
    };
    const end = (): void => {
      attempt.refuse('reset');
      this.#end(flow, 'closed');
      giveUp.abort();
    };
    const { station } = attempt;
    this.#begin(flow, { station, end });
    this.#environment.starts.run(station, () => {
      if (flow.state === 'ended') return false;
      void this.#connect(attempt, flow, target, giveUp.signal);
      return true;
    });
  }

  async #connect(
    attempt: InterceptedConnection,
    flow: Flow,
    { address, port }: SocketAddress,
    signal: AbortSignal,
  ): Promise<void> {
    const { outside, limits } = this.#environment;
    try {
      const connection = await outside.connect({
        host: address,
        port,
        timeout: limits.connectTimeout,
        signal,
      });
      // It may have been given up in the very turn it was made in.
      if (flow.state === 'ended') connection.abort();
      else this.#answer(attempt, flow, connection);
    } catch (error) {
      const outcome = OUTCOMES[(error as NetloomError).code] ?? ['reset', 'failed'];
      attempt.refuse(outcome[0]);
      this.#end(flow, outcome[1]);
    }
  }

  #answer(attempt: InterceptedConnection, flow: Flow, outside: Connection): void {
    this.#active.get(flow)!.end = (error) => {
      outside.abort(error);
      attempt.refuse('reset');
      this.#end(flow, 'closed');
    };
    attempt.accept((inside, error) => {
      if (error === undefined && flow.state !== 'ended') {
        this.#carry(flow, inside, outside);
        return;
      }
      inside.abort();
      outside.abort(error);
      this.#end(flow, 'reset-by-guest');
    });
  }

  #carry(flow: Flow, inside: TcpConnection, outside: Connection): void {
    const { keepAlive } = this.#environment.limits;
    inside.setKeepAlive(keepAlive);
    outside.setKeepAlive(keepAlive);
    const carried = relay(inside, outside);
    flow.carried(carried);
    let wasClosed = false;
    this.#active.get(flow)!.end = (error) => {
      wasClosed = true;
      carried.abort(error);
    };
    void carried.closed.then((error) =>
      this.#end(flow, wasClosed ? 'closed' : endOf(carried, error)),
    );
  }

  #begin(flow: Flow, active: ActiveFlow): void {
    this.#active.set(flow, active);
    this.#shares.add(active.station, flow);
  }

  #end(flow: Flow, why: FlowEnd): void {
    const active = this.#active.get(flow);
    if (active === undefined) return;
    this.#active.delete(flow);
    this.#shares.remove(active.station, flow);
    this.#environment.flows.end(flow, why);
  }
}

/** Why a relay from a guest is over. */
function endOf({ failed }: Relay, error: NetloomError | undefined): FlowEnd {
  if (error === undefined) return 'finished';
  if (error.code === 'TIMEOUT') return 'timeout';
  return failed === 'first' ? 'reset-by-guest' : 'reset-by-destination';
}
