/**
 * An uplink on the operating system's sockets, inside a network namespace that a test has made, with guests in another: what it is told is in its first argument,
 * and it says on its output where it has published what, then that it is ready.
 */
import { IpAddress, type Clock, type SocketAddress } from 'netloom/core';
import {
  FLOW_CLOSED,
  SystemClock,
  osHost,
  stackHost,
  uplink,
  type HostAccess,
  type Uplink,
} from 'netloom/host';
import { openTap } from 'netloom/link/tap';

/** What the program is told, as JSON. */
export interface DriverOptions {
  /** The namespace that the TAP appears in. */
  readonly guests: string;
  readonly mtu?: number;
  readonly hostAccess?: HostAccess;
  readonly publish?: readonly { readonly protocol: 'tcp' | 'udp'; readonly to: string }[];
}

/** The gateway's addresses; the guests' networks are those. */
export const GATEWAY = { 4: '10.0.2.2', 6: 'fd00:2::2' } as const;
export const GUEST = { 4: '10.0.2.100', 6: 'fd00:2::100' } as const;
export const TAP = 'tap0';

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function socketAddress(text: string): SocketAddress {
  const at = text.lastIndexOf(' ');
  return { address: IpAddress.parse(text.slice(0, at)), port: Number(text.slice(at + 1)) };
}

async function main({
  guests,
  mtu = 1500,
  hostAccess = 'gateway',
  publish = [],
}: DriverOptions): Promise<void> {
  const clock = new SystemClock();
  const gateway = stackHost({ clock, name: 'gateway' });
  const tap = openTap({ name: TAP, namespace: guests, mtu });
  const inside = gateway.addInterface(tap, {
    addresses: [`${GATEWAY[4]}/24`, `${GATEWAY[6]}/64`],
  });
  const outside = osHost({ clock });
  const made = uplink({ inside: gateway, interfaces: [inside], outside, hostAccess });
  for (const { protocol, to } of publish) {
    const { local } = await made.publish({ protocol, port: 0, to: socketAddress(to) });
    say(String(local.port));
  }
  say('ready');
  process.once('SIGINT', async () => {
    await connectionsEnd(made, clock);
    say(JSON.stringify({ open: made.flows.size, ended: made.flows.endedCount }));
    await made.close();
    await Promise.all([gateway.close(), outside.close()]);
  });
}

/** Settles when no connection is carried any more, or after so long a time that they cannot be about to end. */
async function connectionsEnd({ flows }: Uplink, clock: Clock): Promise<void> {
  const isCarrying = (): boolean => flows.list().some(({ protocol }) => protocol === 'tcp');
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.timer(resolve);
  timer.set(clock.now() + 2000);
  const stop = FLOW_CLOSED.subscribe(() => {
    if (!isCarrying()) resolve();
  });
  if (isCarrying()) await promise;
  stop();
  timer.clear();
}

const [given] = process.argv.slice(2);
if (given !== undefined) await main(JSON.parse(given) as DriverOptions);
