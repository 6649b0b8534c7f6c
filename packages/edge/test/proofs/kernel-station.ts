/** What stations of the kernel's do with the programs of the world: ask for addresses, and fetch what `bytes-module.ts` serves. */
import assert from 'node:assert/strict';
import type { KernelNamespace, NamespaceProgram } from '../../../netloom/test/kernel-namespace.ts';
import { temporaryFile } from './running-node.ts';

/** What the clients call when they are given an address: it tells why, and which, on a line of output. */
const SCRIPT = temporaryFile(
  'udhcpc-script',
  `#!/bin/sh
case "$1" in
  bound|renew)
    ip addr replace "$ip/$mask" dev "$interface"
    ip route replace default via "$router"
    echo "$1 $ip" ;;
esac
`,
  0o755,
);

/** Options of udhcpc: it stays, asks often, and has that script. */
export const UDHCPC: readonly string[] = ['-f', '-t', '10', '-T', '1', '-s', SCRIPT];

/** Starts a program of which only what it prints counts; what it says on standard error is not shown. */
export function startQuietly(
  station: KernelNamespace,
  ...words: readonly string[]
): NamespaceProgram {
  return station.startProgram('sh', '-c', 'exec "$@" 2>/dev/null', 'sh', ...words);
}

/** Has udhcpc get the station an address, and stay; answers the address. */
export async function lease(
  station: KernelNamespace,
  device: string,
  hostname: string,
): Promise<string> {
  const words = [...UDHCPC, '-i', device, '-x', `hostname:${hostname}`];
  const client = startQuietly(station, 'udhcpc', ...words);
  const [reason, address] = (await client.line()).split(' ');
  assert.equal(reason, 'bound');
  return address!;
}

/** Has curl fetch so many bytes; answers their SHA-256. */
export async function fetchSum(
  station: KernelNamespace,
  address: string,
  size: number,
): Promise<string> {
  const curl = `curl -sS --max-time 60 http://${address}/${size} | sha256sum`;
  const said = await station.run('sh', '-c', curl);
  return said.split(' ')[0]!;
}
