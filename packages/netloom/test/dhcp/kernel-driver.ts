/**
 * Drives the DHCP engines over the kernel's UDP sockets, inside a network namespace a test has made. It tells
 * the test what happens by lines of JSON on its output.
 *
 * Time is the kernel's plus what was jumped over: so renewals can be seen without waiting for them.
 */
import { execFileSync } from 'node:child_process';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { Cidr, IpAddress, MacAddress, secureRandom, type Engine } from '../../src/core/index.ts';
import {
  Dhcpv4Client,
  Dhcpv4Server,
  Dhcpv6Client,
  type Dhcpv6ClientOptions,
} from '../../src/ip/dhcp/index.ts';
import {
  DHCPV4_CLIENT_PORT,
  DHCPV4_SERVER_PORT,
  DHCPV6_CLIENT_PORT,
  DHCPV6_SERVER_PORT,
  duidOfMac,
  encodeDhcpv4,
  encodeDhcpv6,
  parseDhcpv4,
  parseDhcpv6,
} from '../../src/wire/index.ts';

/** What is done after the lease has come, each step when the one before has had its effect. */
export type Step = 'renew' | 'rebind' | 'flap' | 'release';

function say(event: string, detail: object = {}): void {
  process.stdout.write(`${JSON.stringify({ event, ...detail })}\n`);
}

/** One engine on one socket. */
class Driver {
  readonly socket: Socket;
  #engine: Engine | undefined;
  #jumped = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(family: 'udp4' | 'udp6') {
    this.socket = createSocket(family);
  }

  get now(): number {
    return performance.now() + this.#jumped;
  }

  /** Has the clock go on to this instant at once. */
  jumpTo(instant: number): void {
    this.#jumped += Math.max(instant - this.now, 0);
    this.pump();
  }

  /** Binds the socket and feeds the engine; resolves when it is bound. */
  async run(
    engine: Engine & { receive(bytes: Uint8Array, from: IpAddress, now: number): void },
    port: number,
  ): Promise<void> {
    this.#engine = engine;
    this.socket.on('message', (bytes: Uint8Array, from: RemoteInfo) => {
      engine.receive(bytes, IpAddress.parse(from.address), this.now);
      this.pump();
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.socket.bind(port, resolve);
    await promise;
  }

  /** Sets the timer to the engine's deadline. */
  pump(): void {
    clearTimeout(this.#timer);
    const wait = (this.#engine?.deadline() ?? Infinity) - this.now;
    if (wait < 1e9) {
      this.#timer = setTimeout(
        () => {
          this.#engine?.advance(this.now);
          this.pump();
        },
        Math.max(wait, 0),
      );
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#engine = undefined;
    this.socket.close();
  }
}

/** A DHCPv4 client that takes its address for the interface `device`, and then goes through the steps. */
export async function runClient4(
  device: string,
  mac: string,
  steps: readonly Step[],
  options: { previous?: string; inUse?: number } = {},
): Promise<void> {
  const driver = new Driver('udp4');
  let left = options.inUse ?? 0;
  const rest = [...steps];
  const next = (): void => {
    const step = rest.shift();
    const { lease } = client;
    if (lease === undefined || step === undefined) return;
    if (step === 'renew') driver.jumpTo(lease.renewAt);
    else if (step === 'rebind') driver.jumpTo(lease.rebindAt);
    else if (step === 'release') client.release(driver.now);
    else {
      client.linkChanged(false, driver.now);
      client.linkChanged(true, driver.now);
    }
    driver.pump();
  };
  const client = new Dhcpv4Client(
    {
      mac: MacAddress.parse(mac),
      random: secureRandom(),
      hostname: 'netloom',
      // A kernel's UDP socket gets no unicast to an address that the host does not have yet.
      broadcast: true,
      ...(options.previous !== undefined && {
        previous: { address: IpAddress.parse(options.previous), expiresAt: Infinity },
      }),
    },
    {
      send: (bytes, destination) =>
        driver.socket.send(bytes, DHCPV4_SERVER_PORT, destination.toString()),
      probe: (address) => {
        const inUse = left-- > 0;
        say('probe', { address });
        client.probed(inUse, driver.now);
        // The ten seconds after a DECLINE.
        if (inUse) driver.jumpTo(client.deadline());
      },
      bound: (lease) => {
        execFileSync('ip', [
          'addr',
          'add',
          `${lease.address}/${lease.prefixLength}`,
          'dev',
          device,
        ]);
        say('bound', { lease });
        setImmediate(next);
      },
      renewed: (lease) => {
        say('renewed', { lease });
        setImmediate(next);
      },
      lost: (reason) => {
        say('lost', { reason, drops: client.drops.snapshot() });
        if (reason === 'released') setTimeout(() => driver.close(), 50);
      },
    },
  );
  driver.socket.on('message', (bytes: Uint8Array) => {
    const message = parseDhcpv4(bytes, 0, bytes.length);
    if (typeof message === 'string') return say('fault', { fault: message });
    if (!Buffer.from(encodeDhcpv4(message, 0)).equals(bytes)) say('not-re-encoded');
  });
  await driver.run(client, DHCPV4_CLIENT_PORT);
  driver.socket.setBroadcast(true);
  client.start(driver.now);
  driver.pump();
}

/** A DHCPv4 server on the interface whose address this is; it tells of leases until it is killed. */
export async function runServer4(address: string, first: string, last: string): Promise<void> {
  const driver = new Driver('udp4');
  const server = new Dhcpv4Server(
    {
      interface: Cidr.parse(address),
      pool: { first: IpAddress.parse(first), last: IpAddress.parse(last) },
      parameters: { routers: [Cidr.parse(address).address], domain: 'lan', mtu: 1400 },
    },
    {
      // Without ARP for stations that have no address yet, a socket can only broadcast to them.
      send: (bytes, { address: to, port, mac }) =>
        driver.socket.send(bytes, port, mac === undefined ? to.toString() : '255.255.255.255'),
      leased: (leased) => say('leased', { address: leased }),
      freed: (freed, _client, reason) => say('freed', { address: freed, reason }),
    },
  );
  await driver.run(server, DHCPV4_SERVER_PORT);
  driver.socket.setBroadcast(true);
  say('ready');
}

/** A DHCPv6 client on the interface `device`, which then goes through the steps. */
export async function runClient6(
  device: string,
  mac: string,
  steps: readonly Step[],
  options: Partial<Dhcpv6ClientOptions> & { inUse?: number } = {},
): Promise<void> {
  const driver = new Driver('udp6');
  const { inUse: left = 0, ...rest } = options;
  const todo = [...steps];
  let inUse = left;
  const next = (): void => {
    const step = todo.shift();
    const { lease } = client;
    if (lease === undefined || step === undefined) return;
    if (step === 'renew') driver.jumpTo(lease.renewAt);
    else if (step === 'rebind') driver.jumpTo(lease.rebindAt);
    else if (step === 'release') client.release(driver.now);
    else {
      client.linkChanged(false, driver.now);
      client.linkChanged(true, driver.now);
    }
    driver.pump();
  };
  const client = new Dhcpv6Client(
    {
      duid: duidOfMac(MacAddress.parse(mac)),
      associationId: 1,
      random: secureRandom(),
      ...rest,
    },
    {
      send: (bytes, destination) =>
        driver.socket.send(bytes, DHCPV6_SERVER_PORT, `${destination}%${device}`),
      probe: (address) => {
        say('probe', { address });
        client.probed(address, inUse-- > 0, driver.now);
      },
      bound: (lease) => {
        say('bound', { lease, path: client.history().map(({ to }) => to) });
        setImmediate(next);
      },
      renewed: (lease) => {
        say('renewed', { lease, path: client.history().map(({ to }) => to) });
        setImmediate(next);
      },
      lost: (reason) => {
        say('lost', { reason, drops: client.drops.snapshot() });
      },
      configured: (parameters) => {
        say('configured', { parameters });
        driver.close();
      },
    },
  );
  await driver.run(client, DHCPV6_CLIENT_PORT);
  // After the engine, which has been handed the same bytes by then.
  driver.socket.on('message', (bytes: Uint8Array) => {
    const message = parseDhcpv6(bytes, 0, bytes.length);
    if (typeof message === 'string') return say('fault', { fault: message });
    if (!Buffer.from(encodeDhcpv6(message)).equals(bytes)) say('not-re-encoded');
    if (client.state === 'stopped') {
      say('stopped');
      driver.close();
    }
  });
  client.start(driver.now);
  driver.pump();
}
