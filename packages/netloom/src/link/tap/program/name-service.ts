import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { bindMount } from '../../../native/index.ts';
import { withWorkshop } from './file-systems.ts';

/** Where the C library reads which server it is to ask (resolv.conf(5)). A symbolic link is followed, to a file of systemd-resolved, say. */
const RESOLVER_CONFIGURATION = '/etc/resolv.conf';
/**
 * Sockets by which the C library asks this machine's own services for names (nsswitch.conf(5)): systemd-resolved's, nscd's, Avahi's. They are files, and so are
 * reached from any network namespace: the program would see names of another network than its own.
 */
const NAME_SERVICES = [
  '/run/systemd/resolve/io.systemd.Resolve',
  '/run/nscd/socket',
  '/run/avahi-daemon/socket',
];
/**
 * Lets programs of this mount namespace ask these servers for names, and nobody else. No file is written: what they see is in memory, and
 * goes with the namespace. Answers what could not be done. Throws a SystemCallError.
 */
export function useNameServers(servers: readonly string[]): string[] {
  if (!existsSync(RESOLVER_CONFIGURATION)) {
    return [
      `${RESOLVER_CONFIGURATION} is missing, so programs will ask a name server at 127.0.0.1; an empty file of that name is enough`,
    ];
  }
  const content = configurationOf(servers, readFileSync(RESOLVER_CONFIGURATION, 'utf8'));
  withWorkshop('tmpfs', (workshop) => {
    writeFileSync(`${workshop}/resolv.conf`, content);
    bindMount(`${workshop}/resolv.conf`, RESOLVER_CONFIGURATION);
    writeFileSync(`${workshop}/nobody`, '');
    for (const service of NAME_SERVICES) {
      if (existsSync(service)) bindMount(`${workshop}/nobody`, service);
    }
  });
  return [];
}

/** Other servers, and everything else as it is: the domains to search, above all. */
function configurationOf(servers: readonly string[], present: string): string {
  const rest = present.split('\n').filter((line) => line !== '' && !/^\s*nameserver\b/.test(line));
  return [...servers.map((server) => `nameserver ${server}`), ...rest, ''].join('\n');
}
