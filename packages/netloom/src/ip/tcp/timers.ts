import { NetloomError } from '../../core/index.ts';
import type { TcpConnection } from './connection.ts';
import { sendProbe, sendReset, sendSyn } from './transmit.ts';

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
      new NetloomError('CLOSE_TIMEOUT', `the peer of ${connection} did not end its side in time`),
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
  sendSyn(connection, now);
}

/** The retransmission timer, the reordering timer or the probe timer has gone off. */
function recover(connection: TcpConnection, now: number): void {
  const { sender, layer } = connection;
  const { recovery } = sender;
  const due = recovery.advance(sender.next, now);
  if (recovery.phase === 'loss' && now - connection.progressAt > layer.limits.userTimeout) {
    sendReset(connection);
    connection.fail(silent(connection));
  } else if (due === 'probe') {
    recovery.probed(sender.probe(), sender.next);
  }
  // What is lost goes out with the connection's next output, which follows every timer.
}

/** Asks the peer for its window, which it had closed (RFC 9293, section 3.8.6.1). It may stay closed for as long as the peer answers. */
function probeWindow(connection: TcpConnection, now: number): void {
  const { sender, layer } = connection;
  if (now - Math.max(connection.heardAt, connection.progressAt) > layer.limits.userTimeout) {
    sendReset(connection);
    connection.fail(silent(connection));
    return;
  }
  sendProbe(connection);
  sender.persistCount++;
  sender.schedulePersist(now);
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
    sendReset(connection);
    connection.fail(silent(connection));
    return;
  }
  connection.keepAliveProbes++;
  timers.keepAliveAt = now + layer.limits.keepAliveInterval;
  if (connection.isSynchronized) sendProbe(connection);
}

function silent(connection: TcpConnection): NetloomError {
  return new NetloomError('TIMEOUT', `${connection}: the peer no longer answers`, {
    remedy: 'Check that the peer is up and the network between is whole; then connect again.',
  });
}
