/** Who lives in the small world: stations, their addresses, and addresses that mean something to them. */
import { IpAddress, MacAddress } from 'netloom/core';

/** One station's end of a cable. */
export interface Station {
  readonly lan: 0 | 1;
  readonly mac: MacAddress;
  readonly v4: IpAddress;
  readonly v6: IpAddress;
  readonly linkLocal: IpAddress;
}

function station(lan: 0 | 1, host: number): Station {
  const net = lan + 1;
  return {
    lan,
    mac: MacAddress.parse(`02:00:00:00:0${net}:0${host}`),
    v4: IpAddress.parse(`10.0.${net}.${host}`),
    v6: IpAddress.parse(`2001:db8:${net}::${host}`),
    linkLocal: IpAddress.parse(`fe80::${net}:${host}`),
  };
}

/** The router's two ends, the client and the guest on the first LAN, the server on the second. */
export const STATIONS = {
  routerA: station(0, 1),
  client: station(0, 2),
  /** Configures its IPv6 addresses by itself; has none of IPv4. */
  guest: station(0, 3),
  routerB: station(1, 1),
  server: station(1, 2),
} as const;

/** The attackers' own addresses, one on each LAN. */
export const ATTACKERS: readonly [Station, Station] = [station(0, 9), station(1, 9)];

/** The stations on each LAN that frames can be sent to. */
export const TARGETS: readonly [readonly Station[], readonly Station[]] = [
  [STATIONS.routerA, STATIONS.client, STATIONS.guest],
  [STATIONS.routerB, STATIONS.server],
];

/** Addresses of IPv4 that are nobody's, everybody's, or not to be seen on a wire. */
export const ODD_ADDRESSES_V4: readonly IpAddress[] = [
  '0.0.0.0',
  '255.255.255.255',
  '127.0.0.1',
  '10.0.1.255',
  '10.0.2.255',
  '224.0.0.1',
  '224.0.0.22',
  '239.1.2.3',
  '240.0.0.1',
  '169.254.1.1',
  '10.0.2.99',
  '192.0.2.1',
].map((text) => IpAddress.parse(text));

/** The same of IPv6. */
export const ODD_ADDRESSES_V6: readonly IpAddress[] = [
  '::',
  '::1',
  'ff02::1',
  'ff02::2',
  'ff02::16',
  'ff02::1:ff00:2',
  'ff05::1234',
  'ff01::1',
  'fe80::1234',
  '::ffff:10.0.1.2',
  '::10.0.1.2',
  '2001:db8:1::',
  '2001:db8:2::99',
  '2001:db8:9::1',
].map((text) => IpAddress.parse(text));

/** Groups and all stations, as link addresses. */
export const GROUP_MACS: readonly MacAddress[] = [
  'ff:ff:ff:ff:ff:ff',
  '01:00:5e:00:00:01',
  '33:33:00:00:00:01',
  '33:33:ff:00:00:02',
].map((text) => MacAddress.parse(text));
