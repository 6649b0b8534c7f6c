import type { IpAddress, SocketAddress } from './address/ip-address.ts';
import type { Clock } from './clock.ts';
import type { NetloomError } from './errors.ts';
import type { Random } from './random.ts';

/**
 * A place with a network: the operating system's, our own stack on a link, or a machine of a simulation.
 * What is built on a Host cannot tell which it is: every sentence of this file is held to by `host/compliance`, on all three.
 *
 * Of everything here: no handler is called before the call that leads to it has returned; a handler may call anything; one that throws
 * ends what it belongs to with `HANDLER_THREW` (the cause is what it threw) and nothing else; `closed` is its last call, made once, and
 * what that throws, harms nobody. No `close()` ever rejects: what went wrong is for the handler's `closed`.
 */
export interface Host extends AsyncDisposable {
  /** What the host is called in logs and errors. */
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Opens a TCP connection; it is settled when the peer has accepted. Rejects with a named error. */
  connect(options: ConnectOptions): Promise<Connection>;
  /** Accepts TCP connections at an address and port. */
  listen(options: ListenOptions): Promise<Listener>;
  /** A UDP socket at an address and port. */
  bind(options?: BindOptions): Promise<DatagramSocket>;
  /** The addresses of a name, best first, at least one. Rejects with `NAME_NOT_FOUND`. */
  resolve(name: string, options?: ResolveOptions): Promise<readonly IpAddress[]>;
  /** Sends one ICMP echo request and waits for the reply. Rejects with `TIMEOUT` or what the network said. */
  ping(target: IpAddress, options?: PingOptions): Promise<EchoReply>;
  /**
   * Closes what the host still has open, and the host; settles when all of it is closed. What it was asked for and has not settled, and
   * whatever it is asked for afterwards, rejects with `HOST_CLOSED`. Idempotent.
   */
  close(): Promise<void>;
}

/** Something that can be given up from outside while it waits. */
export interface Abortable {
  /**
   * Aborted before the promise has settled, it makes that reject with `ABORTED`, its reason as the cause (`TIMEOUT` for
   * `AbortSignal.timeout`), and nothing is left open. Once the promise has settled it does nothing: the connection, listener or
   * socket lives on.
   */
  readonly signal?: AbortSignal;
}

/** Where a TCP connection goes to, and from. */
export interface ConnectOptions extends Abortable {
  /** A name, an address as text, or an address. */
  readonly host: string | IpAddress;
  readonly port: number;
  /** Milliseconds until it is given up with `TIMEOUT`. Default 30,000. */
  readonly timeout?: number;
  /** The local address and port; chosen by the host when absent. */
  readonly local?: Partial<SocketAddress>;
}

/** Where TCP connections are accepted, and who is told of them. */
export interface ListenOptions extends Abortable {
  /** 0 lets the host choose; see {@link Listener.local}. */
  readonly port: number;
  /** Default: every address of the host, IPv4 and IPv6. */
  readonly address?: IpAddress;
  /** Connections that may wait to be accepted. Default 511. */
  readonly backlog?: number;
  /**
   * Called with each connection that has been established. Call its `start` before returning, or later: nothing is lost meanwhile.
   * If it throws, the connection is reset and the listener goes on.
   */
  accept(connection: Connection): void;
}

/** Where a UDP socket receives. */
export interface BindOptions extends Abortable {
  readonly port?: number;
  /** Default: every address of the host, IPv4 and IPv6. */
  readonly address?: IpAddress;
  /** Lets several sockets share a multicast port. */
  readonly reuseAddress?: boolean;
  /** Whether datagrams of one sender that came together may be handed over as one, with {@link Datagram.segmentSize} (see `forEachSegment`), by a host that can. Default false. */
  readonly joinsSegments?: boolean;
}

/** Which of the addresses of a name are wanted. */
export interface ResolveOptions extends Abortable {
  /** Only addresses of this family. */
  readonly family?: 4 | 6;
}

/** What an ICMP echo request is to be like. */
export interface PingOptions extends Abortable {
  /** Milliseconds to wait for the reply. Default 1,000. */
  readonly timeout?: number;
  /** Bytes after the ICMP header. Default 56. */
  readonly size?: number;
  readonly sequence?: number;
  /** Time to live (hop limit) of the request. Default 64. */
  readonly hopLimit?: number;
}

/** The answer to an ICMP echo request. */
export interface EchoReply {
  readonly from: IpAddress;
  readonly sequence: number;
  /** Bytes after the ICMP header. */
  readonly size: number;
  /** Of the reply as it arrived; undefined where the platform does not tell. */
  readonly hopLimit: number | undefined;
  /** Milliseconds from request to reply. */
  readonly roundTrip: number;
}

/** What a {@link Connection} calls. Every method is optional, and each may call anything of the connection's. */
export interface ConnectionHandler {
  /** Bytes from the peer: borrowed, valid until this returns. Copy what you keep. */
  data?(chunk: Uint8Array): void;
  /** The peer sends no more. This side may go on writing. */
  end?(): void;
  /** `write` answered false before; there is room again. */
  drain?(): void;
  /** The last call, made exactly once. No error: both sides ended in good order, and all that came was handed on (or {@link Connection.close} discarded it). */
  closed?(error: NetloomError | undefined): void;
}

/**
 * A byte stream both ways, pushed: chunks come in by callback, {@link write} answers whether to wait.
 * For streams and Duplexes there are adapters (`toWebStreams`, `toDuplex`).
 *
 * Once it is gone (`closed` was called, or would be if there were a handler) every call but {@link write} does nothing.
 */
export interface Connection extends AsyncDisposable {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  /** Bytes written that the transport has not yet taken off our hands. */
  readonly bufferedAmount: number;
  /**
   * Hands over the handler and lets bytes flow, unless it is paused; what came before has been kept. A second call puts another handler
   * in place (an upgrade of protocol). If the connection is gone by then, the handler is told so by `closed`.
   */
  start(handler: ConnectionHandler): void;
  /**
   * Sends bytes; they are given away: do not touch the array again. False asks the caller to wait for `drain`; what was
   * written is taken all the same. After {@link end}, {@link close} or {@link abort} it throws `WRITE_AFTER_END`; when the
   * connection has failed it answers false (the handler is told the reason).
   */
  write(chunk: Uint8Array): boolean;
  /** As {@link write}, for bytes that are only borrowed: kept as they are now, whatever becomes of the array. Where it is missing, write a copy. */
  writeBorrowed?(chunk: Uint8Array): boolean;
  /** Holds small writes back until {@link uncork}, so that they leave together. Writes within one turn always do. */
  cork(): void;
  uncork(): void;
  /**
   * Stops {@link ConnectionHandler.data} and `end`; in the end the peer's window closes. What has come waits, even when both sides have
   * ended. That the peer has reset the connection may be told meanwhile, and is with {@link resume} at the latest; what had come
   * before the reset may be lost then.
   */
  pause(): void;
  resume(): void;
  /** No more from this side; what was written still goes out, also when corked or paused. Reading goes on, or waits if paused. */
  end(): void;
  /**
   * Finishes, then is gone: ends this side and waits for the peer's end, discarding what still comes, paused or not. A peer that neither
   * takes what is left nor ends within 5 s (a limit of the host) is aborted, and `closed` told why. Settles after `closed`; idempotent.
   */
  close(): Promise<void>;
  /** Gone now: the peer sees a reset, what was not sent is dropped, the handler is told the error (`ABORTED` by default). Settles {@link close}. */
  abort(error?: NetloomError): void;
  /** True sends small segments at once (no Nagle). Default true. */
  setNoDelay(on: boolean): void;
  /** Probes an idle peer after so many milliseconds; undefined turns that off. Default off. */
  setKeepAlive(idle: number | undefined): void;
}

/** A place where TCP connections are accepted, from {@link Host.listen}. */
export interface Listener extends AsyncDisposable {
  readonly local: SocketAddress;
  /**
   * Accepts no more: from here on `accept` is not called, and connections that waited for it are reset. Settles when the port is free, and
   * does not wait for connections already accepted: those live on. Idempotent.
   */
  close(): Promise<void>;
}

/** One UDP datagram, coming or going. */
export interface Datagram {
  /** Coming: borrowed until the handler returns. Going: given away. */
  data: Uint8Array;
  /** Whom it is from, or to. */
  remote: SocketAddress;
  /** The address it came to, or is to leave from; undefined lets the host choose. */
  local?: IpAddress;
  /** The ECN bits of the IP header, 0 to 3 (RFC 3168). */
  ecn?: number;
  /**
   * When set, `data` is several datagrams of this length each, the last perhaps shorter (as GSO and GRO have them). Coming: only where that was asked for, by
   * {@link BindOptions.joinsSegments}.
   */
  segmentSize?: number;
  /** Coming, where the host knows: the station of the link that sent it, as `MacAddress.toNumber` has it. Unlike {@link remote} it cannot be anyone's. */
  station?: number;
}

/** What a {@link DatagramSocket} calls. Every method is optional, and each may call anything of the socket's. */
export interface DatagramHandler {
  /** Datagrams that have come, in order: the array and what is in it are borrowed until this returns. */
  receive?(batch: readonly Datagram[]): void;
  /** A datagram could not be sent or was refused on its way (ICMP); the socket lives on. `remote`: whom it was to, where the host knows. */
  error?(error: NetloomError, remote?: SocketAddress): void;
  /** The last call, made exactly once. */
  closed?(error: NetloomError | undefined): void;
}

/** A UDP socket, from {@link Host.bind}. */
export interface DatagramSocket extends AsyncDisposable {
  readonly local: SocketAddress;
  /** Hands over the handler and lets datagrams flow; those that came before have been kept, within the host's limits. */
  start(handler: DatagramHandler): void;
  /**
   * Sends in order. Answers how many were taken; the rest did not fit and are counted as dropped, as datagrams are. After
   * {@link close}, or when a handler that threw has closed the socket, it takes none.
   */
  send(batch: readonly Datagram[]): number;
  /** Joins a multicast group, on the interface with this address or on the default one. */
  joinGroup(group: IpAddress, via?: IpAddress): void;
  leaveGroup(group: IpAddress, via?: IpAddress): void;
  /** Gone, with the groups it has joined; what came and was not handed on is dropped. Settles after `closed`, when the port is free. Idempotent. */
  close(): Promise<void>;
}
