import { hostError, type EchoReply, type IpAddress, type PingOptions } from '../../core/index.ts';
import { nativeAvailable } from '../../native/index.ts';
import { nativePing } from '../../native/ping/index.ts';
import type { OsContext } from './context.ts';
import { fromSystemError } from './errors.ts';

/** Sends one ICMP echo request from a socket of the platform, which Node itself has none for. */
export async function ping(
  context: OsContext,
  target: IpAddress,
  options: PingOptions,
): Promise<EchoReply> {
  const what = `pinging ${target}`;
  const obstacle = nativeAvailable();
  if (obstacle !== undefined) {
    throw hostError('PING_UNAVAILABLE', `${context.name}, ${what}: ${obstacle}`, {
      remedy:
        'Use Node 26.6 or newer on 64-bit Linux, in the main thread, or a host on our own stack.',
    });
  }
  try {
    return await nativePing(target, {
      clock: context.clock,
      timeout: options.timeout ?? 1_000,
      size: options.size ?? 56,
      sequence: options.sequence ?? 0,
      hopLimit: options.hopLimit ?? 64,
      signal: options.signal,
    });
  } catch (error) {
    throw fromSystemError(error, what);
  }
}
