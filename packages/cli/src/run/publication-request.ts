import { IpAddress } from 'netloom/core';
import { usageError } from '../command.ts';

/** A port of this machine that leads to one of the program's. */
export interface PublicationRequest {
  readonly protocol: 'tcp' | 'udp';
  /** Of this machine. */
  readonly address: IpAddress;
  /** 0: any that is free. */
  readonly port: number;
  /** The program's. */
  readonly programPort: number;
}

/** `[ADDRESS:]PORT:PORT[/udp]`, an IPv6 address in brackets. */
const FORM = /^(?:(\[[^\]]+\]|[^:[\]]+):)?(\d{1,5}):(\d{1,5})(?:\/(tcp|udp))?$/;
const HIGHEST_PORT = 65_535;

/** Reads the value of `--publish`. Throws `USAGE`. */
export function readPublication(text: string): PublicationRequest {
  const [, host, outer, inner, protocol = 'tcp'] = FORM.exec(text) ?? [];
  // Nobody but this machine, unless asked for.
  const addressText = host === undefined ? '127.0.0.1' : host.replace(/^\[(.*)\]$/, '$1');
  const address = IpAddress.tryParse(addressText);
  const port = Number(outer);
  const programPort = Number(inner);
  if (address !== undefined && port <= HIGHEST_PORT && isPort(programPort)) {
    return { protocol: protocol as 'tcp' | 'udp', address, port, programPort };
  }
  const forms = '8080:80, 0.0.0.0:8080:80, [::1]:8080:80 or 5353:53/udp';
  throw usageError(
    'run',
    `--publish wants a port of this machine and one of the program's, as ${forms}, not '${text}'`,
  );
}

function isPort(port: number): boolean {
  return port >= 1 && port <= HIGHEST_PORT;
}
