/** The limits of a connection, on either side. Times are milliseconds, sizes bytes. */
export interface Http2Limits {
  /** Of the fields of a message's head, or its trailers: each counts its name, its value and 32 (RFC 9113, section 6.5.2). */
  readonly headerBytes: number;
  /** Number of fields. */
  readonly headerCount: number;
  /** Of a header block as it comes, compressed. */
  readonly headerBlockBytes: number;
  /** CONTINUATION frames of one header block. */
  readonly continuations: number;
  /** Of the table that the peer may compress its fields with. */
  readonly headerTableSize: number;
  /** Of a message's body. */
  readonly body: number;
  /** Received on one stream ahead of what its reader has taken. */
  readonly streamWindow: number;
  /** The same of all streams together. */
  readonly connectionWindow: number;
  /** Of a payload that the peer may send. */
  readonly maxFrameSize: number;
  /** Kept for a stream until they may be sent; then `write` asks to wait. */
  readonly sendBuffer: number;
  /** Closed streams of which it is remembered how they ended. */
  readonly closedStreams: number;
  /** Of answers to control frames that the peer does not take. */
  readonly controlBacklog: number;
  /** Without a byte of a body that somebody wants to read. */
  readonly bodyTimeout: number;
  /** For which the rest of a request that was answered early is taken, and dropped; then its stream is reset. */
  readonly lingerTimeout: number;
  /** Without the peer's taking what it is sent. */
  readonly writeTimeout: number;
  /** Until our settings are acknowledged (RFC 9113, section 6.5.3). */
  readonly settingsTimeout: number;
  /** Within which a peer that makes us wait for its windows takes `slowReadBytes` of what it has asked for. */
  readonly slowReadTimeout: number;
  readonly slowReadBytes: number;
  /** Without input on a connection that is in use, until a PING is sent. */
  readonly pingInterval: number;
  /** Until that is answered. */
  readonly pingTimeout: number;
  /** Streams that the peer may reset, at once and for each second (CVE-2023-44487). */
  readonly resets: number;
  readonly resetsPerSecond: number;
  /** Streams that the peer may make us reset (CVE-2025-8671). */
  readonly provokedResets: number;
  readonly provokedResetsPerSecond: number;
  /** SETTINGS frames. */
  readonly settings: number;
  readonly settingsPerSecond: number;
  /** PING frames. */
  readonly pings: number;
  readonly pingsPerSecond: number;
  /** DATA, HEADERS and CONTINUATION frames that carry nothing. */
  readonly emptyFrames: number;
  readonly emptyFramesPerSecond: number;
  /** PRIORITY and PRIORITY_UPDATE frames. */
  readonly priorities: number;
  readonly prioritiesPerSecond: number;
  /** WINDOW_UPDATE frames, beyond those that answer data that was sent. */
  readonly windowUpdates: number;
  readonly windowUpdatesPerSecond: number;
  /** Frames of types that are not known here. */
  readonly unknownFrames: number;
  readonly unknownFramesPerSecond: number;
}

/** The defaults. */
export const HTTP2_LIMITS: Http2Limits = {
  headerBytes: 32 * 1024,
  headerCount: 128,
  headerBlockBytes: 64 * 1024,
  continuations: 16,
  headerTableSize: 4096,
  body: Infinity,
  streamWindow: 256 * 1024,
  connectionWindow: 1024 * 1024,
  maxFrameSize: 16_384,
  sendBuffer: 64 * 1024,
  closedStreams: 256,
  controlBacklog: 64 * 1024,
  bodyTimeout: 30_000,
  lingerTimeout: 1000,
  writeTimeout: 60_000,
  settingsTimeout: 10_000,
  slowReadTimeout: 60_000,
  slowReadBytes: 1024,
  pingInterval: Infinity,
  pingTimeout: 15_000,
  resets: 1000,
  resetsPerSecond: 33,
  provokedResets: 200,
  provokedResetsPerSecond: 10,
  settings: 32,
  settingsPerSecond: 2,
  pings: 64,
  pingsPerSecond: 10,
  emptyFrames: 64,
  emptyFramesPerSecond: 10,
  priorities: 512,
  prioritiesPerSecond: 50,
  windowUpdates: 512,
  windowUpdatesPerSecond: 100,
  unknownFrames: 256,
  unknownFramesPerSecond: 50,
};

/** The limits of a server's connection. */
export interface Http2ServerLimits extends Http2Limits {
  /** Requests at once: SETTINGS_MAX_CONCURRENT_STREAMS. */
  readonly concurrentStreams: number;
  /** Without a request, until the connection is closed. */
  readonly idleTimeout: number;
  /** For the first bytes of a header block (of a connection: the preface and the first settings) to the last. */
  readonly headTimeout: number;
  /** From the announcement of the end to the moment after which no new request is taken, if the client does not answer sooner. */
  readonly goawayGrace: number;
}

/** The defaults. */
export const HTTP2_SERVER_LIMITS: Http2ServerLimits = {
  ...HTTP2_LIMITS,
  concurrentStreams: 128,
  idleTimeout: 60_000,
  headTimeout: 30_000,
  goawayGrace: 1000,
};

/** The limits of a client's connection. */
export interface Http2ClientLimits extends Http2Limits {
  /** Requests at once, whatever the server allows. */
  readonly concurrentStreams: number;
  /** Requests at once until the server has said how many it allows. */
  readonly assumedStreams: number;
  /** Requests that wait for others to end. */
  readonly waiting: number;
  /** From the end of the request to the response's head. */
  readonly responseTimeout: number;
  /** Number of interim responses before the final one. */
  readonly informational: number;
}

/** The defaults. */
export const HTTP2_CLIENT_LIMITS: Http2ClientLimits = {
  ...HTTP2_LIMITS,
  headerBytes: 64 * 1024,
  bodyTimeout: 60_000,
  streamWindow: 1024 * 1024,
  connectionWindow: 4 * 1024 * 1024,
  concurrentStreams: 1024,
  assumedStreams: 100,
  waiting: 1024,
  responseTimeout: 60_000,
  informational: 16,
};
