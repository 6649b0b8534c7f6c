import { foregroundGroup, setForegroundGroup } from '../../../native/index.ts';

/** Standard input, output and error: one of them is the terminal, if there is one. */
const STANDARD_DESCRIPTORS = [0, 1, 2];

/**
 * The terminal this process was started from. A shell that runs inside takes it for a process group of its own (tcsetpgrp(3)), and cannot give it
 * back: of the group that had it before, the PID namespace has no number.
 */
export class Terminal {
  readonly #descriptor: number;
  readonly #group: number;

  private constructor(descriptor: number, group: number) {
    this.#descriptor = descriptor;
    this.#group = group;
  }

  /** The terminal, if this process has one and is in the group that has it. */
  static find(): Terminal | undefined {
    for (const descriptor of STANDARD_DESCRIPTORS) {
      const group = foregroundGroup(descriptor);
      if (group !== undefined && group > 0) return new Terminal(descriptor, group);
    }
    return undefined;
  }

  /** Answers the group that has it; then gives it back to the one that had it in the beginning. */
  takeBack(): number | undefined {
    const holder = foregroundGroup(this.#descriptor);
    if (holder !== undefined && holder !== this.#group) {
      setForegroundGroup(this.#descriptor, this.#group);
    }
    return holder;
  }

  /** Gives it to another group. Throws a SystemCallError if there is none of that number. */
  giveTo(group: number): void {
    setForegroundGroup(this.#descriptor, group);
  }
}
