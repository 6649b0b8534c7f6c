import { NetloomError } from 'netloom/core';

/** A port was asked for that is not there. */
export function portUnknown(network: string, port: string): NetloomError {
  return new NetloomError('NETWORK_PORT_UNKNOWN', `the network ${network} has no port '${port}'`, {
    remedy: "See 'netloom list interfaces' for those it has.",
  });
}

/** Two stations of one network have one name. */
export function portTaken(network: string, port: string): NetloomError {
  return new NetloomError(
    'NETWORK_PORT_TAKEN',
    `the network ${network} has a port '${port}' already`,
    { remedy: 'Give each station of a network a name of its own.' },
  );
}

/** What is asked for needs a gateway. */
export function gatewayMissing(network: string, what: string): NetloomError {
  return new NetloomError(
    'NETWORK_GATEWAY_MISSING',
    `${what} is not possible: the network ${network} has no gateway`,
    { remedy: 'Give the network a gateway with an address.' },
  );
}

/** What is asked for is not for a network of this kind, or in this state. */
export function networkUnfit(network: string, why: string, remedy: string): NetloomError {
  return new NetloomError('NETWORK_UNFIT', `the network ${network} ${why}`, { remedy });
}
