/** The limits of a WebSocket. Times are milliseconds; Infinity turns one off. */
export interface WebSocketLimits {
  /** Bytes of a frame's payload. */
  readonly frameBytes: number;
  /** Bytes of a message, as it comes and, if it is compressed, as it was before. */
  readonly messageBytes: number;
  /** Fragments of a message: without payload they cost the peer nothing, so that bytes alone do not bound them. */
  readonly fragments: number;
  /** Pings and Pongs from the peer in a second, over time. */
  readonly controlRate: number;
  /** The same at once. */
  readonly controlBurst: number;
  /** How many times larger than its compressed form a message may be, once it is beyond {@link decompressionFloor}. */
  readonly decompressionRatio: number;
  /** Bytes of a message that its {@link decompressionRatio} does not matter for. */
  readonly decompressionFloor: number;
  /** Without a byte from the peer, until it is sent a Ping. */
  readonly pingInterval: number;
  /** From that Ping to a byte from the peer. */
  readonly pongTimeout: number;
  /** From this side's Close to the peer's, and from there to the end of the transport. */
  readonly closeTimeout: number;
  /** Without the peer's taking what it is sent. */
  readonly writeTimeout: number;
}

/** The defaults. */
export const WEBSOCKET_LIMITS: WebSocketLimits = {
  frameBytes: 16 * 1024 * 1024,
  messageBytes: 16 * 1024 * 1024,
  fragments: 128 * 1024,
  controlRate: 100,
  controlBurst: 200,
  decompressionRatio: 200,
  decompressionFloor: 1024 * 1024,
  pingInterval: 30_000,
  pongTimeout: 20_000,
  closeTimeout: 5_000,
  writeTimeout: 60_000,
};
