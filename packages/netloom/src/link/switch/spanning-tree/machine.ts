/** State machines in the notation of IEEE 802.1D-2004, 17.16: what is done on entering a state, and the conditions that lead out of it. */
import type { TreePort } from './port.ts';

/** A way out of a state: where to, and when. */
type Exit<State extends string> = readonly [to: State, when: (port: TreePort) => boolean];

interface StateRule<State extends string> {
  readonly enter?: (port: TreePort) => void;
  /** Left at once for this one, whatever the conditions (UCT in the standard's figures). */
  readonly next?: State;
  /** Otherwise the first whose condition holds is taken. */
  readonly exits?: readonly Exit<State>[];
}

/** A state machine of a port, as data. Its conditions and actions work on the port's variables. */
export interface Machine<State extends string> {
  /** Entered when the port begins. */
  readonly initial: State;
  /** Holds for every condition as well. */
  readonly gate?: (port: TreePort) => boolean;
  /** Ways out of whatever state the machine is in; they come first. */
  readonly fromAny?: readonly Exit<State>[];
  readonly states: { readonly [S in State]: StateRule<State> };
}

/** One port's run of a {@link Machine}. */
export class MachineRun<State extends string> {
  readonly #machine: Machine<State>;
  readonly #port: TreePort;
  #state: State;

  constructor(machine: Machine<State>, port: TreePort) {
    this.#machine = machine;
    this.#port = port;
    this.#state = machine.initial;
  }

  /** Enters the initial state. */
  begin(): void {
    this.#enter(this.#machine.initial);
  }

  /** Takes one step, if a condition for one holds. Answers whether it has. */
  step(): boolean {
    const { gate, fromAny, states } = this.#machine;
    if (gate?.(this.#port) === false) return false;
    return this.#leaveBy(fromAny) || this.#leaveBy(states[this.#state].exits);
  }

  #leaveBy(exits: readonly Exit<State>[] | undefined): boolean {
    if (exits === undefined) return false;
    for (const [to, when] of exits) {
      if (!when(this.#port)) continue;
      this.#enter(to);
      return true;
    }
    return false;
  }

  #enter(state: State): void {
    for (let entered: State | undefined = state; entered !== undefined;) {
      this.#state = entered;
      const rule: StateRule<State> = this.#machine.states[entered];
      rule.enter?.(this.#port);
      entered = rule.next;
    }
  }
}
