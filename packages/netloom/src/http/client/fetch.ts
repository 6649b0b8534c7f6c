import type { Host } from '../../core/index.ts';
import { createClient, type Client, type ClientFetchOptions } from './client.ts';

/** What {@link fetch} takes beside the URL. */
export interface FetchOptions extends ClientFetchOptions {
  readonly host: Host;
}

/** One client for each host that was ever used; it goes when the host goes. */
const clients = new WeakMap<Host, Client>();

/** The web's `fetch`, on any host; see {@link Client.fetch}. Connections are kept for some seconds, by host. */
export function fetch(input: string | URL | Request, options: FetchOptions): Promise<Response> {
  const { host, ...rest } = options;
  let client = clients.get(host);
  if (client === undefined) clients.set(host, (client = createClient({ host })));
  return client.fetch(input, rest);
}
