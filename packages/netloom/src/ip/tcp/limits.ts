/** Limits and constants of TCP. Bytes and milliseconds unless said otherwise. */
export interface TcpLimits {
  /** Connections in all states but TIME-WAIT. */
  readonly connections: number;
  /** Connections in TIME-WAIT; past it the oldest goes. */
  readonly timeWait: number;
  /** How long a connection stays in TIME-WAIT: twice the maximum segment lifetime, which is taken as 30 s. */
  readonly timeWaitDuration: number;
  /** Half-open connections of one listener; past it the oldest gives way of the station that has most, so that a SYN flood does not lock others out. */
  readonly halfOpen: number;
  /** Connections that an interceptor has yet to answer, and those it has answered until their handshake is done; past it the oldest gives way of the guest who has most. */
  readonly attempts: number;
  /** Of those, the most of one guest: its next SYNs are not taken. */
  readonly attemptsPerGuest: number;
  /** How long an attempt lasts after the guest's last SYN: longer than the longest time between two (RFC 6298, section 5.5; Linux comes to 64 s). */
  readonly attemptTimeout: number;
  /** Receive buffer of a new connection; it grows with the bandwidth-delay product. */
  readonly receiveBuffer: number;
  /** The largest a receive buffer grows to; it decides the window scale. */
  readonly maximumReceiveBuffer: number;
  /** Separate ranges of out-of-order data a connection keeps. */
  readonly outOfOrderRanges: number;
  /** Bytes written and not acknowledged past which `write` answers false; it grows with the congestion window. */
  readonly sendBuffer: number;
  /** The largest {@link sendBuffer} grows to. */
  readonly maximumSendBuffer: number;
  /** Retransmissions of one SYN before the attempt is given up (RFC 9293, section 3.8.3). */
  readonly synRetries: number;
  /** How long data may stay unacknowledged before the connection is given up: R2 (RFC 9293, section 3.8.3, at least 100 s). */
  readonly userTimeout: number;
  /** How long an acknowledgment may wait for company (RFC 9293, section 3.8.6.3: below 500). */
  readonly delayedAcknowledgment: number;
  /** How long `close` waits for the peer's end. */
  readonly closeTimeout: number;
  /** Keep-alive probes sent, and the time between them, before a silent peer counts as gone. */
  readonly keepAliveProbes: number;
  readonly keepAliveInterval: number;
  /** Challenge ACKs a second over all connections (RFC 5961, section 7). */
  readonly challengeAcknowledgments: number;
}

/** The defaults; sizes follow what Linux ships. */
export const TCP_LIMITS: TcpLimits = {
  connections: 65_536,
  timeWait: 16_384,
  timeWaitDuration: 60_000,
  halfOpen: 1024,
  attempts: 1024,
  attemptsPerGuest: 256,
  attemptTimeout: 75_000,
  receiveBuffer: 131_072,
  maximumReceiveBuffer: 6_291_456,
  outOfOrderRanges: 512,
  sendBuffer: 262_144,
  maximumSendBuffer: 4_194_304,
  synRetries: 6,
  userTimeout: 120_000,
  delayedAcknowledgment: 40,
  closeTimeout: 5000,
  keepAliveProbes: 9,
  keepAliveInterval: 75_000,
  challengeAcknowledgments: 100,
};
