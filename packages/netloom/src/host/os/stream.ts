import { formatSocketAddress, type ListenOptions, type SocketAddress } from '../../core/index.ts';

/** Who is told what happens at an {@link OsStream}. It must not throw. */
export interface OsStreamHandler {
  /** Borrowed until it returns. */
  data(chunk: Uint8Array): void;
  /** The peer sends no more. */
  end(): void;
  /** The kernel has taken something that waited. */
  sent(): void;
  /** What went wrong, as the platform says it; {@link closed} follows. */
  failed(error: unknown): void;
  /** The socket is gone, and nothing follows: both ends have ended, it has failed, or it was reset. */
  closed(): void;
}

/** A stream socket of the operating system as an OsConnection drives it, by whatever means. It is made paused. */
export interface OsStream {
  /** It has failed or was reset, or both ends have ended. */
  readonly isDestroyed: boolean;
  /** Bytes that the kernel has not taken yet. */
  readonly bufferedAmount: number;
  setHandler(handler: OsStreamHandler): void;
  pause(): void;
  /** Lets bytes flow; never calls the handler before it returns. */
  resume(): void;
  /** Sends with what else is written in this turn of the loop. The chunk is given away. */
  write(chunk: Uint8Array): void;
  /** As {@link write}, of what is only borrowed. */
  writeBorrowed(chunk: Uint8Array): void;
  /** What is written waits for as many calls of {@link uncork}. */
  cork(): void;
  uncork(): void;
  /** Hands the kernel what it takes of what was written. */
  flush(): void;
  /** Drops what the kernel was not handed yet. */
  discard(): void;
  /** Sends our end. To be called once, with nothing left to be sent. */
  end(): void;
  /** Cuts the connection off: TCP's is reset. */
  reset(): void;
  setNoDelay(on: boolean): void;
  /** Probes an idle connection after so many seconds; undefined: not at all. */
  setKeepAlive(seconds: number | undefined): void;
}

/** A socket that is connected, and between which ends. */
export interface ConnectedStream {
  readonly stream: OsStream;
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  /** What the other end is called in errors, where that is not its address. */
  readonly peer?: string;
}

/** What a connection is between. */
export type Ends = Omit<ConnectedStream, 'stream'>;

/** A connection that somebody has made to a listening socket: one of the two is to be called. */
export interface Arrival {
  /** Undefined when the peer has gone already. */
  accept(): ConnectedStream | undefined;
  /** Cuts it off. */
  refuse(): void;
}

/** A listening socket of the operating system, by whatever means. */
export interface Acceptor {
  readonly local: SocketAddress;
  /** What it listens at, in errors. */
  readonly where: string;
  /** Begins to tell of connections. `failed`: one could not be accepted; it goes on. */
  start(arrived: (arrival: Arrival) => void, failed: () => void): void;
  close(): Promise<void>;
}

/** The default of {@link ListenOptions.backlog}. */
export const BACKLOG = 511;

/** What is to be listened at, in errors. */
export function whereOf({ address, port }: ListenOptions): string {
  return address === undefined ? `port ${port}` : formatSocketAddress({ address, port });
}
