import {
  NetloomError,
  abortError,
  formatSocketAddress,
  toNetloomError,
  type Abortable,
  type Host,
  type IpAddress,
} from '../core/index.ts';
import { osHost } from './os/os-host.ts';

/** A host that {@link selectHost} may choose. */
export interface HostCandidate {
  /** What it is called in reasons, as `os`. */
  readonly name: string;
  /** Makes the host. Rejects with a named error where it cannot be had at all. */
  open(signal: AbortSignal | undefined): Promise<Host>;
}

/** Tries a host out. Settles with the reason why it is good enough, in a few words; rejects with the reason why it is not. */
export type HostProbe = (host: Host, signal: AbortSignal | undefined) => Promise<string>;

/** What became of one candidate. */
export interface HostAttempt {
  readonly candidate: string;
  readonly taken: boolean;
  /** Why it was taken or not. */
  readonly reason: string;
  /** Why it was not taken. */
  readonly error: NetloomError | undefined;
}

/** What {@link selectHost} takes. */
export interface SelectHostOptions extends Abortable {
  /** In the order in which they are tried. Default: the operating system's sockets only. */
  readonly candidates?: readonly HostCandidate[];
  /** Default: a host that can be opened is good enough. A candidate that is the only one is not tried out: there is no choice to make. */
  readonly probe?: HostProbe;
  /** Called with each attempt as it is made. */
  readonly attempted?: (attempt: HostAttempt) => void;
}

/** What {@link selectHost} has chosen. The host is the caller's to close. */
export interface SelectedHost {
  readonly host: Host;
  /** Every attempt, the last being the one that was taken. */
  readonly attempts: readonly HostAttempt[];
}

/**
 * Chooses the first host of several that works, and tells why each was taken or not. Rejects with the one candidate's own error, or with
 * `HOST_NOT_FOUND` and the reasons of all.
 */
export async function selectHost(options: SelectHostOptions = {}): Promise<SelectedHost> {
  const { candidates = [osCandidate()], signal } = options;
  const attempts: HostAttempt[] = [];
  for (const candidate of candidates) {
    if (signal?.aborted) throw abortError(signal, 'the choice of a host');
    const outcome = await tryCandidate(candidate, candidates.length > 1, options);
    attempts.push(outcome.attempt);
    options.attempted?.(outcome.attempt);
    if (outcome.host !== undefined) return { host: outcome.host, attempts };
  }
  throw noneError(attempts);
}

/** The host of this machine, as a candidate. */
export function osCandidate(): HostCandidate {
  return { name: 'os', open: () => Promise.resolve(osHost()) };
}

/** What {@link reaches} asks for. */
export interface ReachTarget {
  readonly host: string | IpAddress;
  readonly port: number;
  /** Milliseconds. Default 5,000. */
  readonly timeout?: number;
}

/** Errors with which the target itself has answered: the way there is good, whatever it leads to. */
const ANSWERED: ReadonlySet<string> = new Set(['CONNECTION_REFUSED', 'CONNECTION_RESET']);

/** A probe: the host gets an answer from this address and port, if only that nothing listens there. Makes one connection and resets it. */
export function reaches({ host: name, port, timeout = 5_000 }: ReachTarget): HostProbe {
  return async (host, signal) => {
    try {
      const connection = await host.connect({
        host: name,
        port,
        timeout,
        ...(signal === undefined ? {} : { signal }),
      });
      const where = formatSocketAddress(connection.remote);
      connection.abort();
      return `it connects to ${where}`;
    } catch (thrown) {
      const error = toNetloomError(thrown, 'NETWORK_FAILED', `connecting to ${name}`);
      if (ANSWERED.has(error.code)) return `the target answers (${error.code})`;
      throw error;
    }
  };
}

async function tryCandidate(
  candidate: HostCandidate,
  hasChoice: boolean,
  { probe, signal }: SelectHostOptions,
): Promise<{ attempt: HostAttempt; host?: Host }> {
  let host: Host | undefined;
  const isProbed = hasChoice && probe !== undefined;
  try {
    host = await candidate.open(signal);
    const reason = isProbed ? await probe(host, signal) : 'it is there';
    return { attempt: attemptOf(candidate, reason, undefined), host };
  } catch (thrown) {
    await host?.close();
    if (signal?.aborted) throw abortError(signal, 'the choice of a host');
    const error = toNetloomError(thrown, 'NETWORK_FAILED', candidate.name);
    return { attempt: attemptOf(candidate, `${error.message} (${error.code})`, error) };
  }
}

function attemptOf(
  { name }: HostCandidate,
  reason: string,
  error: NetloomError | undefined,
): HostAttempt {
  return { candidate: name, taken: error === undefined, reason, error };
}

function noneError(attempts: readonly HostAttempt[]): NetloomError {
  const [first, ...others] = attempts;
  if (first?.error !== undefined && others.length === 0) return first.error;
  const reasons = attempts.map(({ candidate, reason }) => `${candidate}: ${reason}`).join('; ');
  return new NetloomError('HOST_NOT_FOUND', `no host works: ${reasons || 'there are none'}`, {
    remedy: 'Mend what one of the reasons names.',
    cause: new AggregateError(attempts.map(({ error }) => error)),
  });
}
