import {
  abortError,
  hostError,
  type Host,
  type IpAddress,
  type NetloomError,
  type ResolveOptions,
} from '../core/index.ts';
import type { DnsTransport } from './exchange.ts';
import { UpstreamExchange } from './upstream.ts';
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
} from './wire/index.ts';

/** Milliseconds that a server has to answer, and how often all of them are asked. */
const PATIENCE = 2000;
const ROUNDS = 2;

/** Whom a {@link StubResolver} asks. */
export interface StubResolverSetup {
  readonly nameServers: readonly IpAddress[];
  /** The zone that names of a single label are of; undefined: they are looked up as they are. */
  readonly zone: string | undefined;
}

/** A question to one server. */
interface Question {
  readonly server: IpAddress;
  readonly name: DnsName;
  readonly family: 4 | 6;
  readonly signal: AbortSignal | undefined;
}

/** Finds addresses of names by asking name servers that look everything up themselves, in their order: a stub resolver (RFC 1034, section 5.3.1). */
export class StubResolver {
  readonly #via: () => Host;
  readonly #setup: () => StubResolverSetup;

  /**
   * Both are asked for when they are needed.
   * @param via by which the servers are reached
   */
  constructor(via: () => Host, setup: () => StubResolverSetup) {
    this.#via = via;
    this.#setup = setup;
  }

  /** The addresses of a name. Rejects with `NAME_NOT_FOUND`, `NAME_RESOLUTION_FAILED` or as aborted. */
  async resolve(asked: string, { family, signal }: ResolveOptions): Promise<readonly IpAddress[]> {
    const { zone } = this.#setup();
    const isShort = zone !== undefined && !asked.includes('.');
    const name = DnsName.parse(isShort ? `${asked}.${zone}` : asked);
    const families = family === undefined ? ([4, 6] as const) : [family];
    const answers = await Promise.all(families.map((one) => this.#lookUp(name, one, signal)));
    const found = answers.flat();
    if (found.length > 0) return found;
    throw hostError('NAME_NOT_FOUND', `'${asked}' has no address`);
  }

  async #lookUp(name: DnsName, family: 4 | 6, signal?: AbortSignal): Promise<IpAddress[]> {
    const { nameServers } = this.#setup();
    for (let round = 0; round < ROUNDS; round++) {
      for (const server of nameServers) {
        const answer = await this.#askServer({ server, name, family, signal });
        if (answer === undefined || !isDecided(answer)) continue;
        return answer.answers.flatMap(({ data }) =>
          data.kind === 'address' && data.address.family === family ? [data.address] : [],
        );
      }
    }
    throw unanswered(name);
  }

  /** By UDP; by TCP what did not fit (RFC 7766, section 5). Undefined: the server does not answer. */
  async #askServer(question: Question): Promise<DnsMessage | undefined> {
    const answer = await this.#exchange(question, 'udp');
    const isCut = answer !== undefined && (answer.flags & DnsFlag.TRUNCATED) !== 0;
    return isCut ? this.#exchange(question, 'tcp') : answer;
  }

  async #exchange(
    { server, name, family, signal }: Question,
    transport: DnsTransport,
  ): Promise<DnsMessage | undefined> {
    const via = this.#via();
    const id = via.random.below(0x1_0000);
    const { promise, resolve, reject } = Promise.withResolvers<DnsMessage | undefined>();
    const abort = (): void => reject(abortError(signal!, `asking for '${name}'`));
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    const timer = via.clock.timer(() => resolve(undefined));
    timer.set(via.clock.now() + PATIENCE);
    const exchange = new UpstreamExchange(
      via,
      {
        server: { address: server, port: DNS_PORT },
        transport,
        message: queryOf(id, name, family),
      },
      {
        answered: (_, bytes) => {
          const message = parseDnsMessage(bytes, 0, bytes.length);
          if (typeof message !== 'string' && isAnswer(message, id, name)) resolve(message);
        },
        failed: () => resolve(undefined),
      },
    );
    try {
      return await promise;
    } finally {
      exchange.end();
      timer.clear();
      signal?.removeEventListener('abort', abort);
    }
  }
}

function queryOf(id: number, name: DnsName, family: 4 | 6): Uint8Array {
  const type = family === 4 ? DnsType.A : DnsType.AAAA;
  return encodeDnsMessage({
    id,
    flags: DnsFlag.RECURSION_DESIRED,
    operation: DnsOperation.QUERY,
    responseCode: DnsResponseCode.NO_ERROR,
    questions: [{ name, type, class: DnsClass.IN }],
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
