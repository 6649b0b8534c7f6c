import { parsePort, parseSocketAddress } from '@netloom/edge/text';
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

/** What is published, then the program's port, then the protocol. */
const FORM = /^(.+):(\d+)(?:\/(tcp|udp))?$/;

/** Reads the value of `--publish`, `[ADDRESS:]PORT:PORT[/udp]`, an IPv6 address in brackets. Throws `USAGE`. */
export function readPublication(text: string): PublicationRequest {
  const [, outer = '', inner = '', protocol = 'tcp'] = FORM.exec(text) ?? [];
  // Nobody but this machine, unless asked for.
  const listen = parseSocketAddress(outer, { address: IpAddress.LOOPBACK4 });
  const programPort = parsePort(inner, 1);
  if (listen !== undefined && programPort !== undefined) {
    return { protocol: protocol as 'tcp' | 'udp', ...listen, programPort };
  }
  const forms = '8080:80, 0.0.0.0:8080:80, [::1]:8080:80 or 5353:53/udp';
  throw usageError(
    'run',
    `--publish wants a port of this machine and one of the program's, as ${forms}, not '${text}'`,
  );
}
