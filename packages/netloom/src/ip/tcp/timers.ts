import { NetloomError } from '../../core/index.ts';
import type { TcpConnection } from './connection.ts';
import { attemptSyn, sendProbe, sendReset } from './transmit.ts';

/** When each of a connection's timers goes off, in milliseconds; Infinity: it does not. Loss recovery and the closed window keep their own. */
export interface ConnectionTimers {
  /** A SYN or SYN-ACK is sent again. */
  synAt: number;
  /** A delayed acknowledgment goes out. */
  acknowledgeAt: number;
  keepAliveAt: number;
  /** `close` has waited long enough. */
  closeAt: number;
}

/** No timer set. */
export function newTimers(): ConnectionTimers {
  return { synAt: Infinity, acknowledgeAt: Infinity, keepAliveAt: Infinity, closeAt: Infinity };
}

/** When the connection next wants {@link advanceTimers}. */
export function connectionDeadline(connection: TcpConnection): number {
  const { timers, sender } = connection;
  return Math.min(
    timers.synAt,
    timers.acknowledgeAt,
    timers.keepAliveAt,
    timers.closeAt,
    sender.persistAt,
    sender.recovery?.deadline ?? Infinity,
  );
}

/** Does what is due at `now`. */
export function advanceTimers(connection: TcpConnection, now: number): void {
  const { timers, sender } = connection;
  if (timers.synAt <= now) retrySyn(connection, now);
  if (timers.acknowledgeAt <= now) {
    timers.acknowledgeAt = Infinity;
    connection.acknowledgeNow = true;
  }
  if (sender.recovery !== undefined && sender.recovery.deadline <= now) recover(connection, now);
  if (sender.persistAt <= now) probeWindow(connection, now);
  if (timers.keepAliveAt <= now) keepAlive(connection, now);
  if (timers.closeAt <= now) {
    connection.abort(
      new NetloomError('TIMEOUT', `the peer of ${connection} did not end its side in time`),
    );
  }
}

/** Sends the SYN again, with twice the time until the next (RFC 6298, section 5.5), or gives up. */
function retrySyn(connection: TcpConnection, now: number): void {
  if (connection.synAttempts > connection.layer.limits.synRetries) {
    connection.fail(
      new NetloomError('TIMEOUT', `${connection}: the peer did not answer the handshake`, {
        remedy: 'Check the address and that nothing on the way drops the packets.',
      }),
    );
    return;
  }
  attemptSyn(connection, now);
}

/** The retransmission timer, the reordering timer or the probe timer has gone off. */
function recover(connection: TcpConnection, now: number): void {
  const { sender } = connection;
  const { recovery } = sender;
  const { timeouts } = recovery;
  const due = recovery.advance(sender.next, now);
  if (recovery.timeouts > timeouts && isUnanswered(connection, now)) giveUp(connection);
  else if (due === 'probe') recovery.probed(sender.probe(), sender.next);
  // What is lost goes out with the connection's next output, which follows every timer.
}

/**
 * Nothing has gone out for a while for want of a window. A small one is now used all the same (RFC 9293, section 3.8.6.2.1: the
 * override timeout); about a closed one the peer is asked (section 3.8.6.1).
 */
function probeWindow(connection: TcpConnection, now: number): void {
  const { sender } = connection;
  if (sender.useSmallWindow()) return;
  if (isUnanswered(connection, now)) {
    giveUp(connection);
    return;
  }
  sendProbe(connection);
  sender.persistCount++;
  sender.schedulePersist(now);
}

/**
 * The peer is about to be asked once more. Whether it has left us waiting for too long: without progress, or, where its window
 * is closed, without a word. It may stay closed for as long as the peer answers (RFC 9293, section 3.8.6.1, MUST-37).
 */
function isUnanswered(connection: TcpConnection, now: number): boolean {
  const hasAnswered = connection.heardAt >= connection.askedAt;
  if (connection.sender.window === 0 && hasAnswered) connection.progressAt = now;
  connection.askedAt = now;
  return now - connection.progressAt > connection.layer.limits.userTimeout;
}

/** Probes an idle peer (RFC 9293, section 3.8.4). */
function keepAlive(connection: TcpConnection, now: number): void {
  const { timers, layer, keepAliveIdle } = connection;
  if (keepAliveIdle === undefined) {
    timers.keepAliveAt = Infinity;
    return;
  }
  const quiet = now - connection.heardAt;
  if (quiet < keepAliveIdle) {
    connection.keepAliveProbes = 0;
    timers.keepAliveAt = connection.heardAt + keepAliveIdle;
    return;
  }
  if (connection.keepAliveProbes >= layer.limits.keepAliveProbes) {
    giveUp(connection);
    return;
  }
  connection.keepAliveProbes++;
  timers.keepAliveAt = now + layer.limits.keepAliveInterval;
  if (connection.isSynchronized) sendProbe(connection);
}

function giveUp(connection: TcpConnection): void {
  sendReset(connection);
  connection.fail(
    new NetloomError('TIMEOUT', `${connection}: the peer no longer answers`, {
      remedy: 'Check that the peer is up and the network between is whole; then connect again.',
    }),
  );
}
