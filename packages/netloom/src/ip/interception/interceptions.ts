import type { Interface } from '../interface/interface.ts';
import type { Packet } from '../packet.ts';
import type { Paths } from '../route/paths.ts';
import { Interception, type InterceptionOptions } from './interception.ts';
import type { AttemptEnd, Interceptor } from './interceptor.ts';

/** What the interceptions need of the stack around them. */
export interface InterceptionsEnvironment {
  readonly paths: Paths;
  /** An interception is over: what its interceptor has not answered yet is given up. */
  closed(interceptor: Interceptor, why: AttemptEnd): void;
}

/** The interceptions of a stack: the first that takes a packet has it. */
export class Interceptions {
  readonly #environment: InterceptionsEnvironment;
  /** A copy is made when it changes, so that one may close while a packet is looked at. */
  #all: readonly Interception[] = [];

  constructor(environment: InterceptionsEnvironment) {
    this.#environment = environment;
  }

  /** Adds one; it lasts until it is closed. */
  add(options: InterceptionOptions, interceptor: Interceptor): Interception {
    const { paths, closed } = this.#environment;
    const made = new Interception(options, interceptor, {
      generation: () => paths.generation,
      hasRoute: (packet) => interfaceTowards(paths, packet, 'destination') !== undefined,
      interfaceOfSource: (packet) => interfaceTowards(paths, packet, 'source'),
      closed: (ended, why) => {
        this.#all = this.#all.filter((other) => other !== made);
        closed(ended, why);
      },
    });
    this.#all = [...this.#all, made];
    return made;
  }

  /** Whether a packet that is not for this stack is taken up all the same. */
  takes(packet: Packet): boolean {
    return this.#all.length > 0 && this.#all.some((one) => one.takes(packet));
  }

  /** Who takes a packet that nothing of the stack takes. */
  interceptorOf(packet: Packet): Interceptor | undefined {
    if (this.#all.length === 0) return undefined;
    const taker = this.#all.find((one) =>
      packet.isForeign ? one.takes(packet) : one.takesOwn(packet),
    );
    return taker?.interceptor;
  }
}

function interfaceTowards(
  paths: Paths,
  packet: Packet,
  end: 'source' | 'destination',
): Interface | undefined {
  try {
    return paths.cached(packet[end], undefined).interface;
  } catch {
    return undefined;
  }
}
