/** What TCP hears from below: ICMP errors, neighbours that do not answer, path MTUs, links that are gone. */
import { NetloomError, type IpAddress } from '../../core/index.ts';
import type { IcmpErrorKind } from '../icmp/icmp-error.ts';
import { networkErrorOf } from '../icmp/icmp-layer.ts';
import type { QuotedPacket } from '../icmp/quoted-packet.ts';
import { isSameAddress, type Interface } from '../interface/interface.ts';
import type { Neighbour } from '../neighbour/neighbour.ts';
import { TcpConnection } from './connection.ts';
import type { TcpLayer } from './layer.ts';
import { between } from './sequence.ts';

/**
 * The connection that a segment quoted in an ICMP error is of; undefined if there is none, or if the quoted number is not in flight: then
 * somebody has guessed (RFC 5927, section 4.1).
 */
export function connectionOf(layer: TcpLayer, quoted: QuotedPacket): TcpConnection | undefined {
  const { source, destination, sourcePort, destinationPort, sequence } = quoted;
  const flow = layer.flows.get(source, sourcePort, destination, destinationPort);
  if (!(flow instanceof TcpConnection)) return undefined;
  const { unacknowledged, next } = flow.sender;
  return between(unacknowledged, sequence, next) ? flow : undefined;
}

/**
 * The network has said something of a connection's segment. An established connection goes on trying (RFC 9293, section 3.9.2.2). An attempt to
 * connect fails, although such errors may pass: a user who waits for minutes is served worse, and may try again (RFC 5461, section 4.1).
 */
export function networkError(connection: TcpConnection, kind: IcmpErrorKind): void {
  connection.layer.statistics.drops.add(`tcp-${kind}`);
  if (!connection.isSynchronized) connection.fail(networkErrorOf(kind, `${connection}`));
}

/** A neighbour does not answer: attempts to connect through it have failed. */
export function neighbourUnreachable(layer: TcpLayer, neighbour: Neighbour): void {
  for (const connection of layer.openConnections()) {
    if (!connection.isSynchronized && connection.path.neighbour === neighbour) {
      connection.fail(networkErrorOf('host-unreachable', `${connection}`));
    }
  }
}

/** The paths to an address take less than before, or more: what is outstanding in segments that are too large now goes out again. */
export function pathMtuChanged(layer: TcpLayer, destination: IpAddress): void {
  for (const connection of layer.openConnections()) {
    if (connection.remoteAddress.equals(destination)) layer.schedule(connection);
  }
}

/** A link is gone for good, and with it the connections that have no other path, and what guests on it wanted. */
export function linkGone(layer: TcpLayer, via: Interface, cause: NetloomError | undefined): void {
  layer.attempts.cancel('closed', (attempt) => attempt.interface === via);
  for (const connection of layer.openConnections()) {
    if (connection.path.interface !== via || layer.refreshPath(connection)) continue;
    connection.fail(
      new NetloomError('NETWORK_UNREACHABLE', `${connection}: its link ${via.name} is gone`, {
        cause,
        remedy: 'Bring the link up again, then connect again.',
      }),
    );
  }
}

/** The host has this address no more, nor can what is sent to it come here: connections from it have ended. */
export function addressGone(layer: TcpLayer, address: IpAddress): void {
  for (const connection of connectionsFrom(layer, address)) {
    connection.fail(lostAddress(connection, 'is no address of this host any more'));
  }
}

/** Another station has an address of ours, which is given up: peers hear that by a reset, while it can be sent (RFC 5227, section 2.4). */
export function resetConnectionsOf(layer: TcpLayer, address: IpAddress): void {
  for (const connection of connectionsFrom(layer, address)) {
    connection.abort(lostAddress(connection, 'is another station’s address too'));
  }
}

function connectionsFrom(layer: TcpLayer, address: IpAddress): TcpConnection[] {
  return layer.openConnections().filter(({ localAddress }) => isSameAddress(localAddress, address));
}

function lostAddress(connection: TcpConnection, what: string): NetloomError {
  const { localAddress } = connection;
  return new NetloomError('ADDRESS_NOT_AVAILABLE', `${connection}: ${localAddress} ${what}`, {
    remedy: 'Connect again, from an address that this host has.',
  });
}
