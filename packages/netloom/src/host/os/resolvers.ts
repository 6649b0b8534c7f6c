import { readFile } from 'node:fs/promises';
import { IpAddress, type SocketAddress } from '../../core/index.ts';

/** How many servers are taken: resolvers themselves look at three (`MAXNS` of resolv.conf(5)). */
const MOST_SERVERS = 3;
const DNS_PORT = 53;

/** The name servers that a resolv.conf(5) names, in its order. Lines that are none are passed over. */
export function parseResolvConf(text: string): SocketAddress[] {
  const servers: SocketAddress[] = [];
  for (const line of text.split('\n')) {
    const [, word] = /^\s*nameserver\s+(\S+)/.exec(line) ?? [];
    const address = word === undefined ? undefined : IpAddress.tryParse(word);
    if (address !== undefined) servers.push({ address, port: DNS_PORT });
  }
  return servers.slice(0, MOST_SERVERS);
}

/** The name servers that this machine asks, as its /etc/resolv.conf has them; none where it has no such file. */
export async function systemResolvers(file = '/etc/resolv.conf'): Promise<SocketAddress[]> {
  try {
    return parseResolvConf(await readFile(file, 'utf8'));
  } catch {
    return [];
  }
}
