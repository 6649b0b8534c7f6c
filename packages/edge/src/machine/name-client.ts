import {
  abortError,
  hostError,
  type DatagramSocket,
  type IpAddress,
  type NetloomError,
  type ResolveOptions,
} from 'netloom/core';
import {
  DNS_PORT,
  DnsClass,
  DnsFlag,
  DnsName,
  DnsOperation,
  DnsResponseCode,
  DnsType,
  encodeDnsMessage,
  parseDnsMessage,
  type DnsMessage,
} from 'netloom/dns';
import type { StackHost } from 'netloom/host';

/** Milliseconds that a server has to answer, and how often all of them are asked. */
const PATIENCE = 2000;
const ROUNDS = 2;

/** What a {@link NameClient} knows of its network. */
export interface NameClientSetup {
  readonly nameServers: readonly IpAddress[];
  readonly zone: string | undefined;
}

/** Finds addresses of names by asking name servers that look everything up themselves: a stub resolver (RFC 1034, section 5.3.1). */
export class NameClient {
  readonly #host: () => StackHost;
  readonly #setup: () => NameClientSetup;

  /** Both are asked for when they are needed. */
  constructor(host: () => StackHost, setup: () => NameClientSetup) {
    this.#host = host;
    this.#setup = setup;
  }

  /** The addresses of a name; one of a single label is of the network's zone. Rejects with `NAME_NOT_FOUND`, `NAME_RESOLUTION_FAILED` or as aborted. */
  async resolve(asked: string, { family, signal }: ResolveOptions): Promise<readonly IpAddress[]> {
    const { zone } = this.#setup();
    const isShort = zone !== undefined && !asked.includes('.');
    const name = DnsName.parse(isShort ? `${asked}.${zone}` : asked);
    const families = family === undefined ? ([4, 6] as const) : [family];
    const answers = await Promise.all(families.map((one) => this.#ask(name, one, signal)));
    const found = answers.flat();
    if (found.length > 0) return found;
    throw hostError('NAME_NOT_FOUND', `'${asked}' has no address`);
  }

  async #ask(name: DnsName, family: 4 | 6, signal?: AbortSignal): Promise<IpAddress[]> {
    const { nameServers } = this.#setup();
    for (let round = 0; round < ROUNDS; round++) {
      for (const server of nameServers) {
        const answer = await this.#askServer(server, name, family, signal);
        if (answer === undefined) continue;
        return answer.answers.flatMap(({ data }) =>
          data.kind === 'address' && data.address.family === family ? [data.address] : [],
        );
      }
    }
    throw unanswered(name);
  }

  /** Answers undefined if the server does not, or cannot say. */
  async #askServer(
    server: IpAddress,
    name: DnsName,
    family: 4 | 6,
    signal?: AbortSignal,
  ): Promise<DnsMessage | undefined> {
    const host = this.#host();
    const question = { name, type: family === 4 ? DnsType.A : DnsType.AAAA, class: DnsClass.IN };
    const id = host.random.below(0x1_0000);
    // A port of its own for each question, so that who is to forge an answer has to guess that too (RFC 5452, section 9.2).
    const socket = await host.bind(signal === undefined ? {} : { signal });
    const { promise, resolve, reject } = Promise.withResolvers<DnsMessage | undefined>();
    const timer = host.clock.timer(() => resolve(undefined));
    timer.set(host.clock.now() + PATIENCE);
    const abort = (): void => reject(abortError(signal!, `asking for '${name}'`));
    signal?.addEventListener('abort', abort, { once: true });
    this.#listen(socket, { server, id, name }, resolve);
    socket.send([{ data: queryOf(id, question), remote: { address: server, port: DNS_PORT } }]);
    try {
      return await promise;
    } finally {
      timer.clear();
      signal?.removeEventListener('abort', abort);
      await socket.close();
    }
  }

  #listen(
    socket: DatagramSocket,
    { server, id, name }: { server: IpAddress; id: number; name: DnsName },
    settle: (answer: DnsMessage | undefined) => void,
  ): void {
    socket.start({
      receive: (batch) => {
        for (const { data, remote } of batch) {
          if (remote.port !== DNS_PORT || !remote.address.equals(server)) continue;
          const message = parseDnsMessage(data, 0, data.length);
          if (typeof message === 'string' || !isAnswer(message, id, name)) continue;
          settle(isDecided(message) ? message : undefined);
        }
      },
      error: () => settle(undefined),
      closed: () => settle(undefined),
    });
  }
}

function queryOf(id: number, question: DnsMessage['questions'][number]): Uint8Array {
  return encodeDnsMessage({
    id,
    flags: DnsFlag.RECURSION_DESIRED,
    operation: DnsOperation.QUERY,
    responseCode: DnsResponseCode.NO_ERROR,
    questions: [question],
    answers: [],
    authorities: [],
    additionals: [],
  });
}

function isAnswer(message: DnsMessage, id: number, name: DnsName): boolean {
  const isResponse = (message.flags & DnsFlag.RESPONSE) !== 0;
  return isResponse && message.id === id && message.questions[0]?.name.equals(name) === true;
}

/** Whether it says that there are addresses, or that there are none. */
function isDecided({ responseCode }: DnsMessage): boolean {
  return responseCode === DnsResponseCode.NO_ERROR || responseCode === DnsResponseCode.NAME_ERROR;
}

function unanswered(name: DnsName): NetloomError {
  return hostError('NAME_RESOLUTION_FAILED', `no name server says whether '${name}' exists`);
}
