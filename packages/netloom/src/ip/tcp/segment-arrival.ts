import { NetloomError } from '../../core/index.ts';
import { TcpFlag, type TcpHeader } from '../../wire/index.ts';
import type { Packet } from '../packet.ts';
import type { TcpConnection } from './connection.ts';
import { LossRecovery, type Acknowledgment } from './loss-recovery.ts';
import { resetUnexpected } from './resets.ts';
import { after, before } from './sequence.ts';
import { attemptSyn, sendSyn, settleSegmentSize, timestampAt } from './transmit.ts';

/** What a peer that names no maximum segment size takes (RFC 9293, section 3.7.1): IPv4's and IPv6's smallest. */
const DEFAULT_SEGMENT_SIZE = { 4: 536, 6: 1220 } as const;

/** How long a timestamp says anything of the next: 24 days, half of the time it takes to wrap (RFC 7323, section 5.5). */
const TIMESTAMP_LIFETIME = 24 * 86_400_000;

/** The least time between two answers to empty segments that are not acceptable. */
const ANSWER_INTERVAL = 500;

/** Filled for each acknowledgment; loss recovery keeps nothing of it. */
const acknowledgment: Acknowledgment = {
  number: 0,
  sackEdges: new Int32Array(0),
  sackCount: 0,
  duplicate: false,
  timestampRtt: undefined,
  timestampEcho: 0,
};

/**
 * A segment has come for this connection: RFC 9293, section 3.10.7, in the order of its steps. What it changes goes out, and
 * is told to the user, afterwards.
 */
export function segmentArrives(
  connection: TcpConnection,
  header: TcpHeader,
  packet: Packet,
  now: number,
): void {
  connection.layer.schedule(connection);
  if (connection.isOver && !connection.isSynchronized) return;
  if (connection.state === 'syn-sent') {
    arriveInSynSent(connection, header, packet, now);
    return;
  }
  if (connection.state === 'syn-received' && header.flags & TcpFlag.SYN) {
    synInSynReceived(connection, header, now);
    return;
  }
  const from = packet.transport + header.headerLength;
  const length = packet.end - from;
  if (!isWanted(connection, header, length, now)) return;
  hear(connection, now);
  if (connection.state === 'syn-received') {
    if (!completeHandshake(connection, header, scaledWindow(connection, header), now)) return;
  }
  if (!takeAcknowledgment(connection, header, length, now)) return;
  // Sixth, the URG bit: urgent data is read in line (RFC 6093, section 3.2).
  takeText(connection, header, packet.bytes, from, packet.end);
  takeFin(connection, now);
}

/** The peer is there. */
function hear(connection: TcpConnection, now: number): void {
  connection.heardAt = now;
  if (connection.keepAliveProbes === 0) return;
  connection.keepAliveProbes = 0;
  connection.timers.keepAliveAt = now + (connection.keepAliveIdle ?? Infinity);
}

/** First to fourth steps: timestamps (RFC 7323, section 5.3), sequence number, RST and SYN bits (RFC 5961). Answers whether to go on. */
function isWanted(
  connection: TcpConnection,
  header: TcpHeader,
  length: number,
  now: number,
): boolean {
  const { receiver, layer } = connection;
  const { flags } = header;
  const span = length + (flags & TcpFlag.SYN ? 1 : 0) + (flags & TcpFlag.FIN ? 1 : 0);
  if (isOldTimestamp(connection, header, now)) {
    layer.statistics.drops.add('tcp-old-timestamp');
    answerUnacceptable(connection, span, now);
    return false;
  }
  if (!receiver.isAcceptable(header.sequence, span)) {
    notAcceptable(connection, header, span, now);
    return false;
  }
  if (flags & TcpFlag.RST) {
    // Only the exact number resets; another one in the window is asked about (RFC 5961, section 3.2).
    if (header.sequence === receiver.next) reset(connection);
    else layer.challenge(connection);
    return false;
  }
  if (flags & TcpFlag.SYN) {
    layer.challenge(connection);
    return false;
  }
  if (flags & TcpFlag.ACK) return true;
  layer.statistics.drops.add('tcp-no-acknowledgment');
  return false;
}

/** The timestamp to be echoed is that of the segment the next acknowledgment answers (RFC 7323, section 4.3). */
function takeTimestamp(connection: TcpConnection, header: TcpHeader, now: number): void {
  if (!connection.timestamps || !header.hasTimestamps) return;
  if (after(header.sequence, connection.lastAcknowledgmentSent)) return;
  connection.recentTimestamp = header.timestampValue;
  connection.recentTimestampAt = now;
}

/** Protection against wrapped sequence numbers (RFC 7323, section 5.3, R1). */
function isOldTimestamp(connection: TcpConnection, header: TcpHeader, now: number): boolean {
  return (
    connection.timestamps &&
    header.hasTimestamps &&
    before(header.timestampValue, connection.recentTimestamp) &&
    now - connection.recentTimestampAt < TIMESTAMP_LIFETIME &&
    (header.flags & TcpFlag.RST) === 0
  );
}

/** A segment outside the window is answered with where we are, unless it is a reset. */
function notAcceptable(
  connection: TcpConnection,
  header: TcpHeader,
  span: number,
  now: number,
): void {
  connection.layer.statistics.drops.add('tcp-outside-window');
  if (header.flags & TcpFlag.RST) return;
  connection.receiver.noteUnacceptable(header.sequence, span);
  answerUnacceptable(connection, span, now);
}

/**
 * Tells the peer where we are. Not for each empty segment, though: two ends that disagree, as after somebody has slipped in a
 * segment, would answer each other's answers for ever (RFC 5961, section 7, has acknowledgments throttled for such reasons).
 */
function answerUnacceptable(connection: TcpConnection, span: number, now: number): void {
  if (span === 0) {
    if (now - connection.answeredAt < ANSWER_INTERVAL) return;
    connection.answeredAt = now;
  }
  connection.acknowledgeNow = true;
}

function reset(connection: TcpConnection): void {
  const refused = connection.state === 'syn-received';
  connection.fail(
    refused
      ? new NetloomError('CONNECTION_REFUSED', `${connection} was refused`)
      : new NetloomError('CONNECTION_RESET', `${connection} was reset by the peer`, {
          remedy: 'The peer gave the connection up; connect again if that makes sense.',
        }),
  );
}

/** RFC 9293, section 3.10.7.3. */
function arriveInSynSent(
  connection: TcpConnection,
  header: TcpHeader,
  packet: Packet,
  now: number,
): void {
  const { sender, receiver, layer } = connection;
  const { flags } = header;
  const hasAck = (flags & TcpFlag.ACK) !== 0;
  if (hasAck && header.acknowledgment !== sender.next) {
    if (!(flags & TcpFlag.RST)) layer.sendResetTo(packet, header);
    return;
  }
  if (flags & TcpFlag.RST) {
    if (!hasAck) return;
    connection.fail(
      new NetloomError('CONNECTION_REFUSED', `${connection} was refused`, {
        remedy: 'Check that something listens at that address and port.',
      }),
    );
    return;
  }
  if (!(flags & TcpFlag.SYN)) return;
  receiver.synchronize((header.sequence + 1) | 0);
  takeSynOptions(connection, header, now);
  if (!hasAck) {
    // Both opened at once: answer the SYN, wait for the acknowledgment of ours.
    connection.machine.take('syn', now);
    connection.synAttempts = 0;
    attemptSyn(connection, now);
    return;
  }
  connection.acknowledgeNow = true;
  sender.setWindow(header.sequence, header.acknowledgment, header.window);
  openSender(connection, header, now);
}

/** A SYN where the peer's has been answered and ours is yet to be acknowledged (RFC 9293, section 3.10.7.4). */
function synInSynReceived(connection: TcpConnection, header: TcpHeader, now: number): void {
  const { receiver } = connection;
  const { sequence, flags } = header;
  const isSame = sequence === ((receiver.next - 1) | 0);
  if (flags & TcpFlag.RST) {
    if (sequence === receiver.next) reset(connection);
  } else if (isSame && flags & TcpFlag.ACK) {
    // Both have opened at once: the peer's SYN again, with its acknowledgment of ours (RFC 9293, section 3.5, figure 7).
    if (completeHandshake(connection, header, header.window, now)) connection.acknowledgeNow = true;
  } else if (isSame) {
    // Our answer was lost.
    connection.synRepeated = true;
    sendSyn(connection, now);
  } else if (!receiver.isAcceptable(sequence, 1)) {
    notAcceptable(connection, header, 1, now);
  } else if (connection.isPassive) {
    // The peer has started anew: back to listening (fourth step). Its SYN will come again.
    connection.fail(new NetloomError('CONNECTION_RESET', `${connection} was opened anew`));
  } else {
    connection.layer.challenge(connection);
  }
}

/** What the peer's SYN says: which options both sides use, and how large its segments may be. */
export function takeSynOptions(connection: TcpConnection, header: TcpHeader, now: number): void {
  const { receiver, path } = connection;
  connection.sackPermitted = header.sackPermitted;
  connection.timestamps = header.hasTimestamps;
  connection.windowScaling = header.windowScale >= 0;
  if (connection.windowScaling) connection.peerWindowScale = Math.min(14, header.windowScale);
  else receiver.scale = 0;
  if (header.hasTimestamps) {
    connection.recentTimestamp = header.timestampValue;
    connection.recentTimestampAt = now;
  }
  settleSegmentSize(
    connection,
    header.maximumSegmentSize > 0
      ? header.maximumSegmentSize
      : DEFAULT_SEGMENT_SIZE[path.source.family],
  );
}

/** Our SYN is acknowledged: the sender may send. */
function openSender(connection: TcpConnection, header: TcpHeader, now: number): void {
  const { sender, layer, timers } = connection;
  sender.unacknowledged = header.acknowledgment;
  sender.next = header.acknowledgment;
  timers.synAt = Infinity;
  sender.recovery = new LossRecovery({
    initialSequence: sender.next,
    sack: connection.sackPermitted,
    segmentSize: sender.segmentSize,
    congestion: layer.congestion(sender.segmentSize),
  });
  if (connection.synAttempts === 1 && !connection.synRepeated) {
    sender.recovery.rtt.sample(now - connection.synSentAt, now);
  } else if (connection.timestamps && header.hasTimestamps) {
    sender.recovery.rtt.sample(echoedRoundTrip(connection, header, now), now);
  } else if (connection.synAttempts > 1) {
    sender.recovery.rtt.handshakeRetransmitted();
  }
  connection.established(now);
}

/** Fifth step in SYN-RECEIVED: the acknowledgment of our SYN, with the window it offers. Answers whether to go on. */
function completeHandshake(
  connection: TcpConnection,
  header: TcpHeader,
  window: number,
  now: number,
): boolean {
  const { sender } = connection;
  if (header.acknowledgment !== ((connection.initialSequence + 1) | 0)) {
    resetUnexpected(connection, header);
    return false;
  }
  sender.setWindow(header.sequence, header.acknowledgment, window);
  openSender(connection, header, now);
  return !connection.isOver;
}

function scaledWindow(connection: TcpConnection, header: TcpHeader): number {
  return header.window * 2 ** connection.peerWindowScale;
}

/** The round-trip time by the timestamp echoed. */
function echoedRoundTrip(connection: TcpConnection, header: TcpHeader, now: number): number {
  return Math.max(0, (timestampAt(connection, now) - header.timestampEcho) | 0);
}

/** Fifth step: the ACK field. Answers whether to go on. */
function takeAcknowledgment(
  connection: TcpConnection,
  header: TcpHeader,
  length: number,
  now: number,
): boolean {
  const { sender, layer } = connection;
  const previous = sender.unacknowledged;
  const number = header.acknowledgment;
  // RFC 5961, section 5.2: neither of what was never sent nor far back.
  if (after(number, sender.next) || before(number, (previous - sender.maximumWindow) | 0)) {
    layer.challenge(connection);
    return false;
  }
  // Not before it is known that the segment can be the peer's: a forged one would have all that follow taken for old.
  takeTimestamp(connection, header, now);
  const window = scaledWindow(connection, header);
  const isOld = before(number, previous);
  // RFC 5681, section 2.
  const duplicate =
    number === previous &&
    length === 0 &&
    (header.flags & TcpFlag.FIN) === 0 &&
    window === sender.window &&
    sender.hasOutstanding;
  if (!isOld) sender.updateWindow(header.sequence, number, window);
  // A duplicate may be reported when everything has been acknowledged (RFC 2883, section 4).
  const tells = sender.hasOutstanding || (connection.sackPermitted && header.sackCount > 0);
  if (tells && !isOld) {
    acknowledgment.number = number;
    acknowledgment.sackEdges = header.sackEdges;
    acknowledgment.sackCount = connection.sackPermitted ? header.sackCount : 0;
    acknowledgment.duplicate = duplicate;
    const echoes = connection.timestamps && header.hasTimestamps;
    acknowledgment.timestampRtt = echoes ? echoedRoundTrip(connection, header, now) : undefined;
    acknowledgment.timestampEcho = header.timestampEcho;
    sender.acknowledge(number);
    if (sender.recovery.acknowledge(acknowledgment, previous, sender.next, now)) {
      madeProgress(connection, now);
    }
  }
  if (sender.finAcknowledged && connection.machine.can('end-acknowledged')) {
    connection.machine.take('end-acknowledged', now);
    if (connection.state === 'closed') leave(connection);
    else if (connection.state === 'time-wait') enterTimeWait(connection, now);
  }
  return true;
}

/** The peer takes what we send: the path works, and whoever waits has reason to go on waiting. */
function madeProgress(connection: TcpConnection, now: number): void {
  connection.progressAt = now;
  connection.path.neighbour?.confirm();
  const { timers, layer } = connection;
  if (timers.closeAt !== Infinity) timers.closeAt = now + layer.limits.closeTimeout;
}

/** Seventh step: the segment text. */
function takeText(
  connection: TcpConnection,
  header: TcpHeader,
  bytes: Uint8Array,
  from: number,
  to: number,
): void {
  const { receiver } = connection;
  const fin = (header.flags & TcpFlag.FIN) !== 0;
  if (to === from && !fin) return;
  // Past the peer's FIN there is nothing to take, and nothing to answer: if the FIN was forged, each answer would have the peer
  // send its text again at once.
  if (receiver.finished) {
    connection.layer.statistics.drops.add('tcp-text-after-end');
    return;
  }
  const { refusals } = receiver;
  const inOrder = receiver.take(header.sequence, bytes, from, to, fin);
  if (receiver.refusals > refusals) {
    connection.layer.statistics.drops.add('tcp-out-of-order-limit');
  }
  connection.unacknowledgedBytes += to - from;
  // What leaves or fills a gap is acknowledged at once (RFC 5681, section 4.2).
  if (!inOrder || fin) connection.acknowledgeNow = true;
}

/** Eighth step: the FIN bit, once everything before it has come. */
function takeFin(connection: TcpConnection, now: number): void {
  if (!connection.receiver.finished || !connection.machine.can('peer-end')) return;
  connection.machine.take('peer-end', now);
  if (connection.state === 'time-wait') enterTimeWait(connection, now);
}

/** Both sides have ended; what remains is to answer the peer's FIN should it come again. */
function enterTimeWait(connection: TcpConnection, now: number): void {
  connection.finished();
  connection.layer.timeWait(connection, now);
}

/** Our FIN was the last to be acknowledged. */
function leave(connection: TcpConnection): void {
  connection.finished();
  connection.layer.forget(connection);
}
