import type { Channel } from './diagnostics.ts';
import { NetloomError } from './errors.ts';

/**
 * The transitions of a state machine, as data: for each state, the events it takes and the state each
 * leads to. Diagrams in the documentation are drawn from these tables ({@link mermaid}).
 */
export type Transitions<State extends string, Event extends string> = {
  readonly [S in State]: { readonly [E in Event]?: State };
};

/** One step a machine has taken. */
export interface Transition<State extends string, Event extends string> {
  readonly from: State;
  readonly event: Event;
  readonly to: State;
  /** Milliseconds of the clock the owner uses. */
  readonly at: number;
}

/** A step as it is published: whose it is, and what. */
export interface PublishedStep<Subject, State extends string, Event extends string> {
  /** What the machine is of: the connection, the entry. Live, so look at it and keep what you need. */
  readonly subject: Subject;
  readonly step: Transition<State, Event>;
}

/** How many steps a machine remembers. */
const HISTORY_LENGTH = 16;

/**
 * A state machine that follows a {@link Transitions} table: a step that the table does not have throws
 * `STATE_ILLEGAL` and changes nothing. It remembers its last 16 steps, and publishes each where it was told to.
 */
export class StateMachine<State extends string, Event extends string> {
  /** What the machine is called in errors, as `tcp`. */
  readonly name: string;
  readonly #table: Transitions<State, Event>;
  #state: State;
  #history: Transition<State, Event>[] | undefined;
  #taken = 0;
  #listeners: Set<(step: Transition<State, Event>) => void> | undefined;

  readonly #channel: Channel<PublishedStep<unknown, State, Event>> | undefined;
  readonly #subject: unknown;

  /** With a channel each step is published there, as one of `subject`. */
  constructor(
    name: string,
    table: Transitions<State, Event>,
    initial: State,
    channel?: Channel<PublishedStep<unknown, State, Event>>,
    subject?: unknown,
  ) {
    this.name = name;
    this.#table = table;
    this.#state = initial;
    this.#channel = channel;
    this.#subject = subject;
  }

  get state(): State {
    return this.#state;
  }

  /** Whether the table has a step for this event from the present state. */
  can(event: Event): boolean {
    return this.#table[this.#state][event] !== undefined;
  }

  /** Takes the step for `event`, tells the subscribers, and answers the new state. */
  take(event: Event, now: number): State {
    const from = this.#state;
    const to = this.#table[from][event];
    if (to === undefined) {
      throw new NetloomError('STATE_ILLEGAL', `${this.name}: no '${event}' in state '${from}'`, {
        remedy: `From '${from}' it takes: ${Object.keys(this.#table[from]).join(', ') || 'nothing'}.`,
      });
    }
    this.#state = to;
    const step = { from, event, to, at: now };
    // The history is a ring, made with the first step: most machines of a busy node live briefly.
    this.#history ??= [];
    this.#history[this.#taken++ % HISTORY_LENGTH] = step;
    if (this.#listeners !== undefined) for (const listener of this.#listeners) listener(step);
    if (this.#channel?.hasSubscribers) this.#channel.publish({ subject: this.#subject, step });
    return to;
  }

  /** The last steps, oldest first. */
  history(): readonly Transition<State, Event>[] {
    const ring = this.#history ?? [];
    const oldest = this.#taken > HISTORY_LENGTH ? this.#taken % HISTORY_LENGTH : 0;
    return [...ring.slice(oldest), ...ring.slice(0, oldest)];
  }

  /** Calls `listener` after each step; the answer ends that. A listener must not take a step itself. */
  subscribe(listener: (step: Transition<State, Event>) => void): () => void {
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
    return () => this.#listeners?.delete(listener);
  }
}

/** The table as a Mermaid state diagram, for the documentation. */
export function mermaid<State extends string, Event extends string>(
  table: Transitions<State, Event>,
  initial: State,
): string {
  const lines = ['stateDiagram-v2', `  [*] --> ${identifier(initial)}`];
  for (const [from, events] of Object.entries(table) as [State, { [E in Event]?: State }][]) {
    for (const [event, to] of Object.entries(events) as [Event, State][]) {
      lines.push(`  ${identifier(from)} --> ${identifier(to)}: ${event}`);
    }
  }
  return lines.join('\n') + '\n';
}

/** Mermaid takes no hyphens in a state's name. */
function identifier(state: string): string {
  return state.replaceAll(/[^A-Za-z0-9]/g, '_');
}
