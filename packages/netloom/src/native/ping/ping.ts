import {
  abortError,
  hostError,
  type Clock,
  type EchoReply,
  type IpAddress,
} from '../../core/index.ts';
import { EchoSocket } from './echo-socket.ts';
import { ReadinessWatcher } from '../index.ts';

/** What {@link nativePing} takes: what `Host.ping` does, nothing left out, and a clock. */
export interface NativePingOptions {
  readonly clock: Clock;
  /** Milliseconds to wait for the reply. */
  readonly timeout: number;
  /** Bytes after the ICMP header. */
  readonly size: number;
  readonly sequence: number;
  readonly hopLimit: number;
  readonly signal: AbortSignal | undefined;
}

/** The largest IPv4 packet less its header and that of ICMP; what IPv6 has more is not worth a second number. */
const LARGEST_SIZE = 65_535 - 20 - 8;

/**
 * Sends one ICMP echo request from a socket of the operating system and waits for the reply. The socket is opened before this returns: so
 * it may be called in `inNetworkNamespace`.
 *
 * Rejects with `TIMEOUT`, `ABORTED`, `PING_UNAVAILABLE` (which says how to be allowed), `NATIVE_UNAVAILABLE`, `DATAGRAM_TOO_LARGE`, or a
 * SystemCallError with what the network or the kernel said.
 */
export async function nativePing(
  target: IpAddress,
  options: NativePingOptions,
): Promise<EchoReply> {
  const { clock, signal, sequence, size, hopLimit } = options;
  const what = `pinging ${target}`;
  if (signal?.aborted) throw abortError(signal, what);
  if (!(size >= 0 && size <= LARGEST_SIZE)) {
    throw hostError('DATAGRAM_TOO_LARGE', `${what} with ${size} bytes: at most ${LARGEST_SIZE}`);
  }
  using socket = new EchoSocket(target, sequence, size, hopLimit);
  const { promise, resolve, reject } = Promise.withResolvers<EchoReply>();
  const sent = clock.now();
  const watcher = new ReadinessWatcher(socket.descriptor, () => {
    try {
      const echo = socket.receive();
      if (echo === undefined) watcher.start();
      else resolve({ from: target, sequence, ...echo, roundTrip: clock.now() - sent });
    } catch (error) {
      reject(error);
    }
  });
  const timer = clock.timer(() => {
    reject(hostError('TIMEOUT', `${what}: no reply in ${options.timeout} ms`));
  });
  const onAbort = (): void => reject(abortError(signal!, what));
  try {
    signal?.addEventListener('abort', onAbort, { once: true });
    timer.set(sent + options.timeout);
    watcher.start();
    socket.send(size);
    return await promise;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    timer.clear();
    watcher.close();
  }
}
