/**
 * A client that is known by its network card alone: by its Ethernet address (hardware type 1 of RFC 826), by an identifier or a DUID made of that
 * (RFC 2132, section 9.14; RFC 8415, sections 11.2 and 11.4).
 */
const OF_NETWORK_CARD = /^(?:hw:1:|id:01|duid:00030001|duid:00010001[0-9a-f]{8})([0-9a-f]{12})$/;

/** Who has a lease, for people: the MAC address where that is known. */
export function describeLeaseClient(client: string): string {
  const [, mac] = OF_NETWORK_CARD.exec(client) ?? [];
  return mac === undefined ? client : mac.replaceAll(/..(?=.)/g, '$&:');
}
