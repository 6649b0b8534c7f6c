import type { LinkChange, NodeModel } from '@netloom/edge/model';
import type {
  ErrorStatus,
  FlowStatus,
  LeaseStatus,
  LinkStatus,
  NodeStatus,
  PortStatus,
} from '@netloom/edge/status';

/** Everything there is to see of a node, at one moment. */
export interface NodeView {
  /** Milliseconds since 1970: when it was asked for. */
  readonly time: number;
  readonly status: NodeStatus;
  readonly model: NodeModel;
  readonly ports: readonly PortStatus[];
  readonly leases: readonly LeaseStatus[];
  readonly flows: readonly FlowStatus[];
}

/** What the node refuses, in its words. */
export class RefusedError extends Error {
  readonly status: number;

  constructor(status: number, error: ErrorStatus) {
    super(error.remedy === null ? error.message : `${error.message}. ${error.remedy}`);
    this.status = status;
  }
}

/** Milliseconds that an answer is waited for. */
const PATIENCE = 5000;

/** Asks for everything. */
export async function viewNode(): Promise<NodeView> {
  const time = performance.timeOrigin + performance.now();
  // By itself first: a node that does not know us, or is not there, is asked one thing and not five.
  const status = await ask<NodeStatus>('/v1/status');
  const [model, ports, leases, flows] = await Promise.all([
    ask<NodeModel>('/v1/model'),
    ask<PortStatus[]>('/v1/interfaces'),
    ask<LeaseStatus[]>('/v1/leases'),
    ask<FlowStatus[]>('/v1/flows'),
  ]);
  return { time, status, model, ports, leases, flows };
}

/** Changes what is wrong with a line; answers how it is then. */
export function changeLine(network: string, port: string, change: LinkChange): Promise<LinkStatus> {
  const path = `${networkPath(network)}/ports/${encodeURIComponent(port)}/link`;
  return ask(path, { ...postOf(change), method: 'PATCH' });
}

/** Has a network's frames stop, or go on. */
export async function setSuspended(network: string, isSuspended: boolean): Promise<void> {
  const verb = isSuspended ? 'suspend' : 'resume';
  await ask(`${networkPath(network)}/${verb}`, { method: 'POST' });
}

/** Has the node be what it was last told to be: what has failed is started again. */
export async function applyAgain(): Promise<void> {
  type Report = { readonly failed: { readonly error: ErrorStatus } | null };
  const { failed } = await ask<Report>('/v1/apply', postOf({}));
  if (failed !== null) throw new RefusedError(200, failed.error);
}

/** Frames as pcapng, until the signal says that it is enough. */
export async function openCapture(
  network: string,
  options: { readonly port: string | null; readonly filter: string; readonly signal: AbortSignal },
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const { port, filter, signal } = options;
  const query = new URLSearchParams();
  if (port !== null) query.set('port', port);
  if (filter !== '') query.set('filter', filter);
  const response = await fetch(`${networkPath(network)}/capture?${query}`, { signal });
  if (!response.ok || response.body === null) throw await refusal(response);
  return response.body;
}

function networkPath(network: string): string {
  return `/v1/networks/${encodeURIComponent(network)}`;
}

function postOf(value: unknown): RequestInit {
  const headers = { 'content-type': 'application/json' };
  return { method: 'POST', headers, body: JSON.stringify(value) };
}

async function ask<T>(path: string, options: RequestInit = {}): Promise<T> {
  const response = await fetch(path, { ...options, signal: AbortSignal.timeout(PATIENCE) });
  if (!response.ok) throw await refusal(response);
  return (await response.json()) as T;
}

async function refusal(response: Response): Promise<RefusedError> {
  const { error } = (await response.json()) as { error: ErrorStatus };
  return new RefusedError(response.status, error);
}
