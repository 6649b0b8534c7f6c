/** `netloom ping`: ICMP echo, from this machine's sockets or from our own stack. */
import {
  NetloomError,
  toNetloomError,
  type EchoReply,
  type Host,
  type IpAddress,
} from 'netloom/core';
import { readNumber, readOptions, usageError, type Command, type CommandIo } from './command.ts';
import { PingStatistics } from './ping/statistics.ts';
import { chooseHost, readVia, viaHelp, viaOptions, type ViaRequest } from './via.ts';

interface PingRequest {
  readonly target: string;
  readonly count: number;
  /** Milliseconds. */
  readonly interval: number;
  readonly timeout: number;
  readonly size: number;
  readonly via: ViaRequest;
  readonly verbose: boolean;
}

/** Errors of one request (refused is what a firewall on the way may say), after which the next may fare better. All others end the command. */
const PASSING: ReadonlySet<string> = new Set(['TIMEOUT', 'HOST_UNREACHABLE', 'CONNECTION_REFUSED']);

/** Bytes of IPv4's and of IPv6's header and of ICMP's. */
const OVERHEAD = { 4: 28, 6: 48 } as const;

/** See its help. */
export const ping: Command = {
  name: 'ping',
  help: `netloom ping HOST [options]

Sends ICMP echo requests and tells of each reply, until Ctrl-C. Exit code 1 if nothing answered.

  -c N           stop after N requests
  -i SECONDS     between requests (default 1)
  -s BYTES       of data in each (default 56)
  -W SECONDS     to wait for each reply (default 1)
${viaHelp}  --verbose      tell which host was taken, and why
`,
  async run(args, io) {
    const request = readArguments(args);
    await using chosen = await chooseHost(request.via, probe(request), io, request.verbose);
    return await new Pinging(request, chosen.host, io).run();
  },
};

function readArguments(args: readonly string[]): PingRequest {
  const { values, positionals } = readOptions('ping', args, {
    count: { type: 'string', short: 'c' },
    interval: { type: 'string', short: 'i' },
    size: { type: 'string', short: 's' },
    timeout: { type: 'string', short: 'W' },
    verbose: { type: 'boolean' },
    ...viaOptions,
  });
  const [target, ...others] = positionals;
  if (target === undefined || others.length > 0) throw usageError('ping', 'ping wants one host');
  return {
    target,
    count: readNumber('ping', '-c', values.count, { least: 1, most: 1e9, whole: true }) ?? Infinity,
    interval:
      1000 * (readNumber('ping', '-i', values.interval, { least: 0.01, most: 86_400 }) ?? 1),
    timeout: 1000 * (readNumber('ping', '-W', values.timeout, { least: 0.001, most: 3600 }) ?? 1),
    size: readNumber('ping', '-s', values.size, { least: 0, most: 65_507, whole: true }) ?? 56,
    via: readVia('ping', values),
    verbose: values.verbose ?? false,
  };
}

/** Whether a host gets an echo from the target, or can at least ask for one. */
function probe({ target, timeout }: PingRequest) {
  return async (host: Host, signal: AbortSignal | undefined): Promise<string> => {
    const [address] = await host.resolve(target, signal === undefined ? {} : { signal });
    try {
      await host.ping(address!, { timeout, ...(signal === undefined ? {} : { signal }) });
      return `${address} answers`;
    } catch (error) {
      if (error instanceof NetloomError && error.code === 'TIMEOUT') return 'it can ask';
      throw error;
    }
  };
}

/** The requests of one run. */
class Pinging {
  readonly #request: PingRequest;
  readonly #host: Host;
  readonly #io: CommandIo;
  readonly #statistics = new PingStatistics();
  readonly #pending = new Set<Promise<void>>();
  /** Ends the run before its time. */
  readonly #stop = new AbortController();
  #error: unknown;

  constructor(request: PingRequest, host: Host, io: CommandIo) {
    this.#request = request;
    this.#host = host;
    this.#io = io;
  }

  async run(): Promise<number> {
    const { target, size, count, interval } = this.#request;
    const { clock } = this.#host;
    const signal = AbortSignal.any([this.#io.signal, this.#stop.signal]);
    const [address] = await this.#host.resolve(target, { signal });
    const total = size + OVERHEAD[address!.family];
    await this.#io.write(`PING ${target} (${address}) ${size}(${total}) bytes of data.\n`);
    const start = clock.now();
    for (let sequence = 1; sequence <= count && !signal.aborted; sequence++) {
      this.#begin(address!, sequence, signal);
      if (sequence < count) await this.#wait(start + sequence * interval, signal);
    }
    await Promise.all(this.#pending);
    if (this.#error !== undefined) throw this.#error;
    await this.#io.write(this.#statistics.summary(target, clock.now() - start));
    return this.#statistics.received > 0 ? 0 : 1;
  }

  #begin(address: IpAddress, sequence: number, signal: AbortSignal): void {
    const done = this.#once(address, sequence, signal).finally(() => this.#pending.delete(done));
    this.#pending.add(done);
  }

  async #once(address: IpAddress, sequence: number, signal: AbortSignal): Promise<void> {
    const { timeout, size } = this.#request;
    this.#statistics.sent++;
    try {
      // The field has 16 bits (RFC 792).
      const wire = sequence & 0xffff;
      const reply = await this.#host.ping(address, { timeout, size, sequence: wire, signal });
      this.#statistics.add(reply.roundTrip);
      await this.#io.write(replyLine(reply, sequence));
    } catch (thrown) {
      await this.#failed(toNetloomError(thrown, 'NETWORK_FAILED', `pinging ${address}`), sequence);
    }
  }

  async #failed(error: NetloomError, sequence: number): Promise<void> {
    if (error.code === 'ABORTED') {
      // Stopped before its answer could come: it counts neither as sent nor as lost.
      this.#statistics.sent--;
    } else if (PASSING.has(error.code)) {
      const what = error.code === 'TIMEOUT' ? 'no answer' : error.message;
      await this.#io.write(`icmp_seq=${sequence} ${what}\n`);
    } else {
      this.#error ??= error;
      this.#stop.abort();
    }
  }

  /** Settles at that time of the clock, or when the run is ended. */
  #wait(until: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const settle = (): void => {
        timer.clear();
        signal.removeEventListener('abort', settle);
        resolve();
      };
      const timer = this.#host.clock.timer(settle);
      timer.set(until);
      if (signal.aborted) settle();
      else signal.addEventListener('abort', settle);
    });
  }
}

function replyLine({ from, size, hopLimit, roundTrip }: EchoReply, sequence: number): string {
  const ttl = hopLimit === undefined ? '' : ` ttl=${hopLimit}`;
  const time = roundTrip < 100 ? roundTrip.toPrecision(3) : roundTrip.toFixed(0);
  return `${size + 8} bytes from ${from}: icmp_seq=${sequence}${ttl} time=${time} ms\n`;
}
