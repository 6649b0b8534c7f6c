import type { NetloomError } from '../../core/index.ts';
import type { InterceptedEcho } from '../../ip/index.ts';
import type { UplinkEnvironment } from './environment.ts';
import type { Flow, FlowEnd } from './flow.ts';
import { RefusingShares } from './shares.ts';

/** A guest that asks one target, and how many of its requests wait. */
interface EchoFlow {
  readonly flow: Flow;
  waiting: number;
}

/** What a request that failed comes to. */
const ENDS: Readonly<Record<string, FlowEnd>> = {
  TIMEOUT: 'timeout',
  HOST_UNREACHABLE: 'unreachable',
  NETWORK_UNREACHABLE: 'unreachable',
  ADDRESS_NOT_AVAILABLE: 'unreachable',
  CONNECTION_REFUSED: 'unreachable',
};

/** Carries guests' echo requests: each is one of the outside host's own, and is answered when that is. */
export class EchoCarrier {
  readonly #environment: UplinkEnvironment;
  /** By the guest's station. */
  readonly #shares: RefusingShares<number, InterceptedEcho>;
  /** By guest and target. */
  readonly #open = new Map<string, EchoFlow>();
  readonly #closing = new AbortController();

  constructor(environment: UplinkEnvironment) {
    this.#environment = environment;
    const { limits, drops } = environment;
    this.#shares = new RefusingShares({
      all: limits.echoRequests,
      each: limits.echoRequestsPerGuest,
      drops,
      full: 'icmp-echo-limit',
      exhausted: 'icmp-echoes-of-guest-limit',
    });
  }

  /** A guest asks. */
  ask(request: InterceptedEcho): void {
    const { policy, flows, drops } = this.#environment;
    const { source, target, size } = request;
    const ends = {
      protocol: 'icmp',
      guest: { address: source, port: 0 },
      destination: { address: target, port: 0 },
    } as const;
    const key = `${source}|${target}`;
    const known = this.#open.get(key);
    // Each flow is asked about once, and ends when none of its requests waits any more.
    const verdict = known === undefined ? policy.decide(ends, false) : undefined;
    if (!this.#shares.hasRoom(request.station)) return;
    const flow =
      known?.flow ?? flows.begin({ ...ends, direction: 'outbound', labels: verdict?.labels ?? [] });
    flow.sent(size);
    if (verdict !== undefined && 'denied' in verdict) {
      drops.add(`icmp-${verdict.denied}`);
      request.unreachable('prohibited');
      flows.end(flow, 'denied');
      return;
    }
    const echo = known ?? { flow, waiting: 0 };
    this.#open.set(key, echo);
    flow.carried();
    void this.#carry(request, key, echo);
  }

  /** Gives up what waits. */
  close(): void {
    this.#closing.abort();
  }

  async #carry(request: InterceptedEcho, key: string, echo: EchoFlow): Promise<void> {
    const { outside, limits } = this.#environment;
    const { signal } = this.#closing;
    let end: FlowEnd = 'finished';
    echo.waiting++;
    this.#shares.add(request.station, request);
    try {
      const { target, size } = request;
      await outside.ping(target, { timeout: limits.echoTimeout, size, signal });
      echo.flow.received(size);
      request.reply();
    } catch (error) {
      const { code } = error as NetloomError;
      end = signal.aborted ? 'closed' : (ENDS[code] ?? 'failed');
      this.#tell(request, code, end);
    }
    this.#shares.remove(request.station, request);
    if (--echo.waiting > 0) return;
    this.#open.delete(key);
    this.#environment.flows.end(echo.flow, end);
  }

  /** Says what can be said; that no reply came in time, the guest sees for itself. */
  #tell(request: InterceptedEcho, code: string, end: FlowEnd): void {
    if (end === 'unreachable') {
      const isHost = code === 'HOST_UNREACHABLE' || code === 'CONNECTION_REFUSED';
      request.unreachable(isHost ? 'host-unreachable' : 'network-unreachable');
    } else if (end === 'failed') {
      // The platform lets this process send no echo requests: the guest is not left to wait.
      this.#environment.drops.add('icmp-not-available');
      request.unreachable('prohibited');
    }
  }
}
