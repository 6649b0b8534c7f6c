import { TcpFlag, type TcpHeader } from '../../wire/index.ts';
import type { Packet } from '../packet.ts';
import type { Path } from '../route/path.ts';
import type { TcpConnection } from './connection.ts';
import type { TcpLayer } from './layer.ts';

/** Resets a segment that belongs to no connection, along the path back to its sender (RFC 9293, section 3.10.7.1). */
export function resetStray(layer: TcpLayer, path: Path, packet: Packet, received: TcpHeader): void {
  const { sequence, acknowledgment, flags, sourcePort, destinationPort } = received;
  const text = packet.end - packet.transport - received.headerLength;
  const length = text + (flags & TcpFlag.SYN ? 1 : 0) + (flags & TcpFlag.FIN ? 1 : 0);
  const header = layer.begin(destinationPort, sourcePort);
  if (flags & TcpFlag.ACK) {
    header.flags = TcpFlag.RST;
    header.sequence = acknowledgment;
  } else {
    header.flags = TcpFlag.RST | TcpFlag.ACK;
    header.acknowledgment = (sequence + length) | 0;
  }
  layer.write(path, undefined, 0, 0, 0);
}

/** Resets an acknowledgment of what a half-open connection never sent (RFC 9293, section 3.10.7.4, fifth step). */
export function resetUnexpected(connection: TcpConnection, received: TcpHeader): void {
  const { layer } = connection;
  const header = layer.begin(connection.localPort, connection.remotePort);
  header.flags = TcpFlag.RST;
  header.sequence = received.acknowledgment;
  layer.write(connection.path, undefined, 0, 0, 0);
}
