import { networkInterfaces } from 'node:os';
import { IpAddress, type Host } from '../../core/index.ts';
import { OsHost } from '../os/os-host.ts';
import { StackHost } from '../stack/stack-host.ts';

/** The addresses of a host, of those kinds that are known. */
export function ownAddresses(host: Host): readonly IpAddress[] {
  if (host instanceof StackHost) {
    return host.stack.interfaces.flatMap(({ addresses }) =>
      addresses.map(({ cidr }) => cidr.address),
    );
  }
  if (!(host instanceof OsHost)) return [];
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.flatMap(({ address }) => IpAddress.tryParse(address) ?? []);
}
