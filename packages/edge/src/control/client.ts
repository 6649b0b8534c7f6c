import { lstat } from 'node:fs/promises';
import { NetloomError, type Abortable } from 'netloom/core';
import { localSocketHost, type LocalSocketHost } from 'netloom/host';
import { createClient, type Client, type ClientFetchOptions } from 'netloom/http';
import type { Mistake } from '../file/index.ts';
import type { LinkChange, NodeModel } from '../model/index.ts';
import { DEFAULT_NODE_NAME, foreignFolder, type StateFolder } from '../node/state-folder.ts';
import type { Plan, PlanReport } from '../plan/index.ts';
import type {
  ErrorStatus,
  FlowStatus,
  LeaseStatus,
  LinkStatus,
  NetworkStatus,
  NodeStatus,
  PortStatus,
} from '../status/index.ts';
import { VERSION_FIELD } from './answer.ts';
import { NETLOOM_VERSION } from '../node/version.ts';

/** Which network is asked about; without one, all are. */
export interface OfNetwork extends Abortable {
  readonly network?: string;
}

/** Which frames a capture has. */
export interface CaptureOptions extends Abortable {
  /** Both ways at this port; of all ports, each frame once. */
  readonly port?: string;
  /** As tcpdump has it, as `tcp port 80`. */
  readonly filter?: string;
}

/** A file for a node to follow, as its user sees it. */
export interface NodeFileText {
  /** Its absolute path: those in it count from its folder. */
  readonly file: string;
  readonly text: string;
}

/** A file's text cannot be followed. */
export interface FileRefused {
  readonly mistakes: readonly Mistake[];
}

/** What a {@link ControlClient} is made with. */
export interface ControlClientOptions {
  /** Told once if the node is of another version than this client. */
  readonly notice?: (text: string) => void;
}

const ASK_AS_THEY = 'Run this as the user who started the node.';

/** Codes of errors of a connection whose other end has gone away. */
const CUT_OFF: ReadonlySet<string> = new Set([
  'CONNECTION_RESET',
  'HTTP_NO_RESPONSE',
  'HTTP_TRUNCATED',
]);

/** Talks to the node whose folder this is. Nothing is asked before a method is called. */
export function controlClient(
  folder: StateFolder,
  options: ControlClientOptions = {},
): ControlClient {
  return new ControlClient(folder, options);
}

/**
 * See {@link controlClient}. What the node refuses rejects with the node's own error; a node that does not run with `NODE_NOT_RUNNING`, one that
 * ends meanwhile with `NODE_GONE`.
 */
export class ControlClient implements AsyncDisposable {
  readonly #folder: StateFolder;
  readonly #host: LocalSocketHost;
  readonly #client: Client;
  #notice: ((text: string) => void) | undefined;

  constructor(folder: StateFolder, { notice }: ControlClientOptions) {
    this.#folder = folder;
    this.#host = localSocketHost(folder.controlSocket);
    this.#client = createClient({ host: this.#host });
    this.#notice = notice;
  }

  status(options: Abortable = {}): Promise<NodeStatus> {
    return this.#get('status', options);
  }

  model(options: Abortable = {}): Promise<NodeModel> {
    return this.#get('model', options);
  }

  networks(of: OfNetwork = {}): Promise<readonly NetworkStatus[]> {
    return this.#get('networks', of);
  }

  interfaces(of: OfNetwork = {}): Promise<readonly PortStatus[]> {
    return this.#get('interfaces', of);
  }

  leases(of: OfNetwork = {}): Promise<readonly LeaseStatus[]> {
    return this.#get('leases', of);
  }

  flows(of: OfNetwork = {}): Promise<readonly FlowStatus[]> {
    return this.#get('flows', of);
  }

  /** What the node would do to follow a file's text; without one, to be what it was last told. */
  plan(file?: NodeFileText, options: Abortable = {}): Promise<{ plan: Plan } | FileRefused> {
    return this.#send('POST', 'plan', file ?? {}, options);
  }

  /** Makes the node follow a file's text; without one, what it was last told: what has failed is started again. */
  apply(file?: NodeFileText, options: Abortable = {}): Promise<PlanReport | FileRefused> {
    return this.#send('POST', 'apply', file ?? {}, options);
  }

  /** Changes the line of a station; answers it as it is then. */
  impair(
    network: string,
    port: string,
    change: LinkChange,
    options: Abortable = {},
  ): Promise<LinkStatus> {
    const path = `networks/${encodeURIComponent(network)}/ports/${encodeURIComponent(port)}/link`;
    return this.#send('PATCH', path, change, options);
  }

  async suspend(network: string, options: Abortable = {}): Promise<void> {
    await this.#send('POST', `networks/${encodeURIComponent(network)}/suspend`, {}, options);
  }

  async resume(network: string, options: Abortable = {}): Promise<void> {
    await this.#send('POST', `networks/${encodeURIComponent(network)}/resume`, {}, options);
  }

  /** What passes in a network, as a pcapng file that goes on until it is cancelled or the node ends. */
  async capture(
    network: string,
    { signal, ...wanted }: CaptureOptions = {},
  ): Promise<ReadableStream<Uint8Array>> {
    const path = `networks/${encodeURIComponent(network)}/capture${queryOf(wanted)}`;
    // A network may be silent for as long as it likes.
    const timeouts = { body: Infinity };
    const response = await this.#fetch(path, { timeouts, ...(signal && { signal }) });
    if (response.body === null) throw unexpected(`the answer to ${path} has no body`);
    return withErrors(response.body, (error) => this.#asMeant(error));
  }

  /** Cuts off what is under way. Idempotent. */
  async close(): Promise<void> {
    await this.#client.close();
    await this.#host.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #get<T>(what: string, { signal, ...wanted }: OfNetwork): Promise<T> {
    const response = await this.#fetch(`${what}${queryOf(wanted)}`, signal ? { signal } : {});
    return this.#read(response);
  }

  async #send<T>(
    method: 'POST' | 'PATCH',
    path: string,
    value: unknown,
    { signal }: Abortable,
  ): Promise<T> {
    const response = await this.#fetch(path, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(value),
      // What a node is told to do takes its time.
      timeouts: { response: Infinity },
      ...(signal && { signal }),
    });
    return this.#read(response);
  }

  async #read<T>(response: Response): Promise<T> {
    try {
      return (await response.json()) as T;
    } catch (error) {
      throw this.#asMeant(error);
    }
  }

  /** The answer, unless it is an error: then it is thrown. */
  async #fetch(path: string, options: ClientFetchOptions): Promise<Response> {
    await this.#checkOwner();
    let response: Response;
    try {
      response = await this.#client.fetch(`http://localhost/v1/${path}`, options);
    } catch (error) {
      throw this.#asMeant(error);
    }
    this.#compareVersions(response.headers.get(VERSION_FIELD));
    if (response.ok || response.status === 422) return response;
    throw await errorOf(response, path);
  }

  /**
   * Nobody else may have put a socket where ours should be: what a client is told to send, and what it believes, is for the node of its own
   * user.
   */
  async #checkOwner(): Promise<void> {
    const { path, controlSocket } = this.#folder;
    for (const each of [path, controlSocket]) {
      let owner: number;
      try {
        owner = (await lstat(each)).uid;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EACCES')
          throw foreignFolder(each, ASK_AS_THEY, error);
        throw this.#notRunning(error);
      }
      if (owner !== process.geteuid!()) throw foreignFolder(each, ASK_AS_THEY);
    }
  }

  #notRunning(cause: unknown): NetloomError {
    const { nodeName, path } = this.#folder;
    const isDefault = nodeName === DEFAULT_NODE_NAME;
    const what = isDefault ? 'no node is running' : `no node '${nodeName}' is running`;
    const how = isDefault ? "'netloom up'" : `'netloom up --name ${nodeName}'`;
    return new NetloomError('NODE_NOT_RUNNING', `${what} (its folder is ${path})`, {
      cause,
      remedy: `Start it by ${how}, or name another by --name.`,
    });
  }

  /** What an error of the connection says of the node. */
  #asMeant(error: unknown): unknown {
    const { code } = error as Partial<NetloomError>;
    if (code === 'CONNECTION_REFUSED') return this.#notRunning(error);
    if (code === undefined || !CUT_OFF.has(code)) return error;
    const { nodeName } = this.#folder;
    return new NetloomError('NODE_GONE', `the node '${nodeName}' has ended before all was said`, {
      cause: error,
      remedy: "See what it said at its end, and start it again by 'netloom up'.",
    });
  }

  #compareVersions(theirs: string | null): void {
    if (theirs === null) throw unexpected('what answers at the socket is no node of Netloom');
    if (theirs === NETLOOM_VERSION) return;
    this.#notice?.(`the node is Netloom ${theirs}, this command is ${NETLOOM_VERSION}`);
    this.#notice = undefined;
  }
}

/** The same chunks; what goes wrong is another error. */
function withErrors(
  body: ReadableStream<Uint8Array>,
  meant: (error: unknown) => unknown,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          controller.error(meant(error));
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

function queryOf(wanted: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(wanted)) {
    if (value !== undefined) query.set(name, value);
  }
  return query.size === 0 ? '' : `?${query}`;
}

/** The error that an answer tells of. */
async function errorOf(response: Response, path: string): Promise<NetloomError> {
  const { error } = (await response.json().catch(() => ({}))) as { error?: ErrorStatus };
  if (error === undefined) return unexpected(`${path} was answered with ${response.status}`);
  const { code, message, remedy } = error;
  return new NetloomError(code, message, remedy === null ? {} : { remedy });
}

function unexpected(message: string): NetloomError {
  return new NetloomError('NODE_ANSWER_INVALID', message, {
    remedy: 'See which program has the socket, and end it.',
  });
}
