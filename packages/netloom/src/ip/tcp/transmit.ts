import {
  IPV4_HEADER_LENGTH,
  TCP_HEADER_LENGTH,
  TcpFlag,
  type TcpHeader,
} from '../../wire/index.ts';
import type { Path } from '../route/path.ts';
import type { TcpConnection } from './connection.ts';
import type { SentSegment } from './scoreboard.ts';

/**
 * A peer's word for less is not taken. Every host takes datagrams of 576 bytes (RFC 1122, section 3.3.2), and one that asks for a few
 * bytes at a time wants to keep us busy. With all options there is still room for text.
 */
const LEAST_SEGMENT_SIZE = 88;

/** Bytes of the timestamps option with its padding (RFC 7323, appendix A). */
const TIMESTAMPS_LENGTH = 12;

/** The largest segment a path takes, its TCP header without options: what our MSS option says (RFC 6691, section 2). */
export function maximumSegmentSize(path: Path): number {
  return path.mtu - (path.source.family === 4 ? IPV4_HEADER_LENGTH : 40) - TCP_HEADER_LENGTH;
}

/** Settles how much goes into one segment and one frame, once path, peer and options are known (RFC 9293, section 3.7.1). */
export function settleSegmentSize(connection: TcpConnection, peerMaximum: number): void {
  const { sender, path } = connection;
  connection.peerSegmentSize = Math.max(LEAST_SEGMENT_SIZE, peerMaximum);
  const options = connection.timestamps ? TIMESTAMPS_LENGTH : 0;
  const largest = Math.min(connection.peerSegmentSize, maximumSegmentSize(path));
  const size = Math.max(1, largest - options);
  sender.segmentSize = size;
  sender.frameRoom = size;
  const { segmentation } = path.interface.link.offload;
  if (segmentation > 0) {
    // A frame's IP length has 16 bits; headers with all options take at most 40 + 60.
    sender.frameRoom = Math.max(size, Math.min(segmentation, 65_535) - 114);
  }
}

/** The connection goes along another path from here on. What is outstanding in segments that are too large for it goes out again. */
export function usePath(connection: TcpConnection, path: Path): void {
  const { sender, path: former } = connection;
  connection.path = path;
  if (path.mtu === former.mtu || sender.recovery === undefined) return;
  settleSegmentSize(connection, connection.peerSegmentSize);
  sender.recovery.segmentSizeChanged(sender.segmentSize);
}

/** Sends our SYN, or SYN with ACK after the peer's, and sets the time for the next attempt (RFC 6298, sections 2.1 and 5.5). */
export function attemptSyn(connection: TcpConnection, now: number): void {
  const { layer, timers } = connection;
  timers.synAt = now + layer.synTimeout * 2 ** connection.synAttempts;
  if (connection.synAttempts++ === 0) connection.synSentAt = now;
  sendSyn(connection, now);
}

/** Sends our SYN, or SYN with ACK, as it is. */
export function sendSyn(connection: TcpConnection, now: number): void {
  const { layer, sender, receiver } = connection;
  const header = begin(connection, sender.unacknowledged);
  header.flags = TcpFlag.SYN;
  header.maximumSegmentSize = maximumSegmentSize(connection.path);
  const answering = connection.state === 'syn-received';
  if (answering) header.flags |= TcpFlag.ACK;
  // In the answer an option may stand only if the peer sent it (RFC 7323, sections 2.2 and 3.2; RFC 2018, section 2).
  if (!answering || connection.windowScaling) header.windowScale = receiver.scale;
  header.sackPermitted = !answering || connection.sackPermitted;
  if (!answering || connection.timestamps) setTimestamps(connection, header, now);
  if (answering) {
    header.acknowledgment = receiver.next;
    connection.lastAcknowledgmentSent = receiver.next;
  }
  // A SYN's window is never scaled (RFC 7323, section 2.2).
  header.window = receiver.initialWindow;
  sender.next = (connection.initialSequence + 1) | 0;
  const again = connection.synAttempts > 1 || connection.synRepeated;
  layer.write(connection.path, undefined, 0, 0, sender.segmentSize, again);
}

/** Bytes of an option with so many SACK blocks, its padding included (RFC 2018, section 3). */
function sackLength(blocks: number): number {
  return blocks === 0 ? 0 : 4 + 8 * blocks;
}

function blocksIn(length: number): number {
  return (length - 4) >> 3;
}

/**
 * Sets room aside for SACK blocks in the segments about to be sent: every acknowledgment reports while anything is missing, those that carry
 * text too (RFC 2018, section 4), or a lost report would be missed for as long as text flows.
 */
export function reserveForReport(connection: TcpConnection): void {
  const { sender, receiver, sackPermitted } = connection;
  const wanted = sackPermitted && receiver.hasReport ? receiver.reportSize : 0;
  // Text has at least half of the segment.
  const room = Math.max(0, blocksIn(sender.segmentSize >> 1));
  sender.reserved = sackLength(Math.min(wanted, connection.timestamps ? 3 : 4, room));
}

/** Sends text of the send queue, or our FIN, and records it; `resent` is the record it had before, if it goes out again. */
export function sendData(
  connection: TcpConnection,
  sequence: number,
  offset: number,
  length: number,
  fin: boolean,
  push: boolean,
  resent: SentSegment | undefined,
): void {
  const { layer, sender, receiver } = connection;
  const now = layer.now();
  const header = begin(connection, sequence);
  header.flags = TcpFlag.ACK | (fin ? TcpFlag.FIN : 0) | (push && length > 0 ? TcpFlag.PSH : 0);
  if (sender.reserved > 0)
    header.sackCount = receiver.report(header.sackEdges, blocksIn(sender.reserved));
  acknowledge(connection, header, now);
  // The wait for progress begins when there is something to wait for.
  if (sender.recovery.board.isEmpty) connection.progressAt = now;
  if (resent !== undefined) sender.recovery.resent(resent, header.timestampValue, now);
  else sender.recovery.sent(sequence, (sequence + length + (fin ? 1 : 0)) | 0, now);
  const { payloadSize } = sender;
  layer.write(connection.path, sender.queue, offset, length, payloadSize, resent !== undefined);
}

/** Sends an acknowledgment with no text. */
export function sendAcknowledgment(connection: TcpConnection): void {
  const { layer, sender, receiver } = connection;
  const header = begin(connection, sender.next);
  header.flags = TcpFlag.ACK;
  if (connection.sackPermitted && receiver.hasReport) {
    header.sackCount = receiver.report(header.sackEdges, connection.timestamps ? 3 : 4);
  }
  acknowledge(connection, header, layer.now());
  layer.write(connection.path, undefined, 0, 0, sender.segmentSize);
}

/**
 * Sends a segment the peer must answer: with a number it has already acknowledged and no text. It serves keep-alive
 * (RFC 9293, section 3.8.4) and the closed window alike; it puts no octet into a window that has no room for it.
 */
export function sendProbe(connection: TcpConnection): void {
  const { layer, sender } = connection;
  // The peer does not look at the acknowledgment of a segment that is before its window: what is owed is paid apart.
  if (connection.unacknowledgedBytes > 0) sendAcknowledgment(connection);
  const header = begin(connection, (sender.unacknowledged - 1) | 0);
  header.flags = TcpFlag.ACK;
  acknowledge(connection, header, layer.now());
  layer.write(connection.path, undefined, 0, 0, sender.segmentSize);
}

/** Tells the peer that the connection is gone (RFC 9293, section 3.10.5). */
export function sendReset(connection: TcpConnection): void {
  const { layer, sender, receiver } = connection;
  const header = begin(connection, sender.next);
  header.flags = TcpFlag.RST | TcpFlag.ACK;
  header.acknowledgment = receiver.next;
  layer.write(connection.path, undefined, 0, 0, sender.segmentSize);
}

/** Whether it is time to acknowledge without text, and does so (RFC 9293, section 3.8.6.3: at least every second full segment). */
export function acknowledgeIfDue(connection: TcpConnection, now: number): void {
  const { sender, receiver, timers } = connection;
  const size = sender.segmentSize;
  if (
    connection.acknowledgeNow ||
    connection.unacknowledgedBytes >= 2 * size ||
    receiver.wantsWindowUpdate(size)
  ) {
    sendAcknowledgment(connection);
  } else if (connection.unacknowledgedBytes > 0 && timers.acknowledgeAt === Infinity) {
    timers.acknowledgeAt = now + connection.layer.limits.delayedAcknowledgment;
  }
}

/** A cleared header with ports and sequence number. */
function begin(connection: TcpConnection, sequence: number): TcpHeader {
  const header = connection.layer.begin(connection.localPort, connection.remotePort);
  header.sequence = sequence;
  return header;
}

/** Fills in what every segment of a synchronized connection carries; what was owed is thereby paid. */
function acknowledge(connection: TcpConnection, header: TcpHeader, now: number): void {
  const { receiver, timers } = connection;
  header.acknowledgment = receiver.next;
  header.window = receiver.advertise(connection.sender.segmentSize);
  if (connection.timestamps) setTimestamps(connection, header, now);
  connection.lastAcknowledgmentSent = receiver.next;
  connection.acknowledgeNow = false;
  connection.unacknowledgedBytes = 0;
  timers.acknowledgeAt = Infinity;
}

function setTimestamps(connection: TcpConnection, header: TcpHeader, now: number): void {
  header.hasTimestamps = true;
  header.timestampValue = timestampAt(connection, now);
  header.timestampEcho = connection.recentTimestamp;
}

/** The timestamp of this connection at `now`: its clock ticks once a millisecond. */
export function timestampAt(connection: TcpConnection, now: number): number {
  return (Math.floor(now) + connection.timestampOffset) | 0;
}
