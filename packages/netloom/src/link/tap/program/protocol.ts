/** What the two processes of a program with a network of its own say to each other: this one, and the one inside. */

/** How the place of the program is to be; the argument of `inside.ts`. */
export interface Setup {
  /** The number of the descriptor by which the two talk. */
  readonly control: number;
  /** Where Node keeps what it makes of the sources, if this process has it do so. */
  readonly compileCache: string | undefined;
  /** Whether the program is in a user namespace of its own. */
  readonly userNamespace: boolean;
  readonly interface: InterfaceSetup;
  readonly nameServers: readonly string[];
  /** Environment variables of the program that are not as this process's own; null: not set. */
  readonly variables: Readonly<Record<string, string | null>>;
  /** How many files the program may have open; null: as many as this process. */
  readonly openFiles: number | null;
}

/** The kernel's interface there. Addresses are text, as they cross between processes. */
export interface InterfaceSetup {
  readonly name: string;
  readonly mtu: number;
  readonly offload: boolean;
  /** Null: one that the kernel draws. */
  readonly mac: string | null;
  /** With the lengths of their prefixes. */
  readonly addresses: readonly string[];
  readonly gateways: readonly string[];
}

/** What is said to the process inside. */
export type Order = { readonly do: 'start' } | { readonly do: 'signal'; readonly name: string };

/** What the process inside says. */
export type Report =
  /** The place is ready; the TAP's descriptor comes along. */
  | {
      readonly is: 'ready';
      readonly name: string;
      readonly mtu: number;
      readonly mac: string;
      /** What could not be set up, and can be done without. */
      readonly notes: readonly string[];
    }
  | {
      readonly is: 'failed';
      readonly code: string;
      readonly message: string;
      readonly remedy: string | undefined;
    }
  | { readonly is: 'started' }
  | { readonly is: 'stopped' }
  | { readonly is: 'ended'; readonly code: number | null; readonly signal: string | null };

/**
 * Signals that a program is sent when the process that has started it gets them. Those that a terminal sends besides, to stop (SIGTSTP, SIGTTIN,
 * SIGTTOU), reach the program by itself: it is in the same process group.
 */
export const PASSED_SIGNALS: readonly NodeJS.Signals[] = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGWINCH',
  'SIGALRM',
];
