import { formatSocketAddress, type IpAddress } from 'netloom/core';
import type { PublicationModel } from '../model/index.ts';
import { parseBracketed, parsePort } from '../text/index.ts';
import { text, type Shape } from './shape.ts';

const HOST = String.raw`(\[[^\]]+\]|[^:[\]]+)`;
/** `[ADDRESS:]PORT:STATION:PORT[/udp]`, IPv6 addresses in brackets. */
const FORM = new RegExp(String.raw`^(?:${HOST}:)?(\d{1,5}):${HOST}:(\d{1,5})(?:\/(tcp|udp))?$`);

/** A port of this machine that leads to a station's, as `8080:web:80` or `127.0.0.1:5353:dns:53/udp`. */
export const PUBLICATION: Shape<PublicationModel> = text(
  'a publication',
  'Write [ADDRESS:]PORT:STATION:PORT[/udp], as 8080:web:80 or 0.0.0.0:5353:dns:53/udp, with IPv6 addresses in brackets.',
  (written) => {
    // Nobody but this machine comes in, unless asked for.
    const [, host = '127.0.0.1', outer = '', station = '', inner = '', protocol = 'tcp'] =
      FORM.exec(written) ?? [];
    const address = parseHost(host);
    const outerPort = parsePort(outer, 0);
    const innerPort = parsePort(inner, 1);
    const target = /^[a-z][a-z0-9-]*$/.test(station) ? station : parseHost(station)?.toString();
    if (address === undefined || outerPort === undefined) return undefined;
    if (target === undefined || innerPort === undefined) return undefined;
    return {
      protocol: protocol as 'tcp' | 'udp',
      listen: formatSocketAddress({ address, port: outerPort }),
      station: target,
      port: innerPort,
    };
  },
  {
    type: 'string',
    pattern: '^.+:.+$',
    examples: ['8080:web:80', '127.0.0.1:5353:dns:53/udp'],
  },
);

function parseHost(written: string): IpAddress | undefined {
  const address = parseBracketed(written);
  return address?.zone === '' ? address : undefined;
}
