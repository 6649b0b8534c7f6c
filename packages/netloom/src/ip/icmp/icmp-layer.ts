import {
  Counters,
  NetloomError,
  readUint16,
  TokenBucket,
  type EchoReply,
  type IpAddress,
  type Random,
} from '../../core/index.ts';
import {
  ICMPV4_HEADER_LENGTH,
  Icmpv4Header,
  Icmpv4Type,
  Icmpv6Header,
  Icmpv6Type,
  IpProtocol,
  emitIcmpv4,
  emitIcmpv6,
  finishIcmpv6,
  foldSum,
  isFault,
  parseIcmpv4,
  parseIcmpv6,
  sumWords,
} from '../../wire/index.ts';
import type { Interceptor } from '../interception/index.ts';
import { isSameAddress } from '../interface/interface.ts';
import type { IpOutput } from '../output.ts';
import type { Packet } from '../packet.ts';
import type { Path } from '../route/path.ts';
import { ICMP_ERRORS, icmpErrorKind, type IcmpErrorKind } from './icmp-error.ts';
import { ForeignEcho } from './foreign-echo.ts';
import { quoteOf, type GonePacket } from './quote.ts';
import { readQuotedPacket, type QuotedPacket } from './quoted-packet.ts';

/** What the ICMP layer needs of the stack around it. */
export interface IcmpEnvironment {
  readonly output: IpOutput;
  readonly random: Random;
  readonly errorsPerSecond: number;
  readonly pings: number;
  now(): number;
  pathBack(packet: Packet): Path | undefined;
  /** The path to an address, from another if that is given, be it one of this host or not. */
  pathTo(destination: IpAddress, source: IpAddress | undefined): Path | undefined;
  /** Who takes a packet that nothing of the stack takes. */
  interceptorOf(packet: Packet): Interceptor | undefined;
  /** The network has said something of a packet we sent. `mtu` comes with 'too-big'. */
  networkError(quoted: QuotedPacket, kind: IcmpErrorKind, mtu: number): void;
  /** A neighbour discovery message (types 133 to 137) or a multicast listener message (130 to 132, 143). */
  discovery(packet: Packet, type: number): void;
}

/** How much of a packet an error quotes: as much as fits into the smallest MTU (RFC 1812, section 4.3.2.3; RFC 4443, section 2.4 c). */
const MAX_QUOTE = { 4: 576 - 28, 6: 1280 - 48 } as const;

/** An echo request of ours that waits for its reply. */
interface PendingPing {
  /** The way it went; a reply comes from its destination, unless that is a group. */
  readonly path: Path;
  readonly sentAt: number;
  readonly settle: (reply: EchoReply | NetloomError) => void;
}

/** ICMP for both families: answers echo requests, reports problems with packets, and hears of problems with ours. */
export class IcmpLayer {
  readonly drops: Counters = new Counters();
  readonly #environment: IcmpEnvironment;
  readonly #v4 = new Icmpv4Header();
  readonly #v6 = new Icmpv6Header();
  readonly #errors: TokenBucket;
  /** By identifier and sequence number. */
  readonly #pings = new Map<number, PendingPing>();
  readonly #identifier: number;
  #sequence = 0;

  constructor(environment: IcmpEnvironment) {
    this.#environment = environment;
    this.#errors = new TokenBucket(environment.errorsPerSecond, environment.errorsPerSecond);
    this.#identifier = environment.random.below(0x10000);
  }

  /** An ICMP or ICMPv6 packet has come for this host. */
  receive(packet: Packet): void {
    if (packet.family === 4) this.#receiveV4(packet);
    else this.#receiveV6(packet);
  }

  #receiveV4(packet: Packet): void {
    const header = this.#v4;
    const fault = parseIcmpv4(packet.bytes, packet.transport, packet.end, header);
    if (isFault(fault)) this.drops.add(`icmp-${fault}`);
    else if (header.type === Icmpv4Type.ECHO_REQUEST) this.#echoed(packet, Icmpv4Type.ECHO_REPLY);
    else if (header.type === Icmpv4Type.ECHO_REPLY) this.#takeReply(packet, header.rest);
    else if (header.isError) this.#takeError(packet, header.type, header.code, header.mtu);
    else this.drops.add('icmp-unknown-type');
  }

  #receiveV6(packet: Packet): void {
    const header = this.#v6;
    const { bytes, transport, end } = packet;
    const fault = parseIcmpv6(bytes, transport, end, header);
    const { output } = this.#environment;
    const pseudo = output.pseudoHeaderSumOf(packet, IpProtocol.ICMPV6, end - transport);
    if (isFault(fault)) this.drops.add(`icmp-${fault}`);
    else if (foldSum(sumWords(bytes, transport, end, pseudo)) !== 0xffff)
      this.drops.add('icmp-bad-checksum');
    else if (header.type === Icmpv6Type.ECHO_REQUEST) this.#echoed(packet, Icmpv6Type.ECHO_REPLY);
    else if (header.type === Icmpv6Type.ECHO_REPLY) this.#takeReply(packet, header.rest);
    else if (header.isError) this.#takeError(packet, header.type, header.code, header.mtu);
    else if (isDiscovery(header.type) && !packet.isForeign)
      this.#environment.discovery(packet, header.type);
    else this.drops.add('icmp-unknown-type');
  }

  /** An echo request has come: for this host, or for one in whose name it is taken up. */
  #echoed(packet: Packet, replyType: number): void {
    if (!packet.isForeign) {
      this.#reply(packet, replyType);
      return;
    }
    const path = this.#environment.pathBack(packet);
    if (path === undefined) return;
    const rest = packet.family === 4 ? this.#v4.rest : this.#v6.rest;
    this.#environment.interceptorOf(packet)?.echo(new ForeignEcho(this, path, packet, rest));
  }

  /** Sends the data of an echo request back (RFC 1122, section 3.2.2.6; to a group: RFC 4443, section 4.2 allows it). */
  #reply(packet: Packet, type: number): void {
    // An echo request to an IPv4 group may be passed over, and is: one packet must not raise an answer from everybody.
    if (packet.isGroup && packet.family === 4) {
      this.drops.add('icmp-echo-to-group');
      return;
    }
    const path = this.#environment.pathBack(packet);
    if (path === undefined) return;
    const rest = packet.family === 4 ? this.#v4.rest : this.#v6.rest;
    const data = packet.bytes.subarray(packet.transport + ICMPV4_HEADER_LENGTH, packet.end);
    this.send(path, type, 0, rest, data);
  }

  /** Sends a message with `data` behind its header. */
  send(
    path: Path,
    type: number,
    code: number,
    rest: number,
    data: Uint8Array,
    hopLimit?: number,
  ): boolean {
    const { output } = this.#environment;
    const isV4 = path.source.family === 4;
    const length = ICMPV4_HEADER_LENGTH + data.length;
    const protocol = isV4 ? IpProtocol.ICMP : IpProtocol.ICMPV6;
    const options =
      hopLimit === undefined ? { mayFragment: true } : { mayFragment: true, hopLimit };
    if (!output.open(path, protocol, length, false, options)) return false;
    const { bytes, at } = output;
    bytes.set(data, at + ICMPV4_HEADER_LENGTH);
    const header = isV4 ? this.#v4 : this.#v6;
    header.type = type;
    header.code = code;
    header.rest = rest;
    if (isV4) emitIcmpv4(this.#v4, bytes, at, at + length);
    else {
      emitIcmpv6(this.#v6, bytes, at);
      finishIcmpv6(bytes, at, at + length, output.pseudoHeaderSum(protocol, length));
    }
    return output.send(undefined);
  }

  /** Tells the sender of a packet what is wrong with it, unless the RFCs forbid it (RFC 1122, section 3.2.2; RFC 4443, section 2.4 e). `rest`: the MTU or pointer. */
  sendError(packet: Packet, kind: IcmpErrorKind, rest = 0): void {
    if (this.#isUnanswerable(packet, kind) || !this.#errors.take(this.#environment.now())) {
      this.drops.add('icmp-error-withheld');
      return;
    }
    const path = this.#environment.pathBack(packet);
    if (path === undefined) return;
    const end = Math.min(packet.end, packet.start + MAX_QUOTE[packet.family]);
    const word = kind === 'bad-header' && packet.family === 4 ? rest << 24 : rest;
    this.#sendErrorAlong(path, kind, word, packet.bytes.subarray(packet.start, end));
  }

  /**
   * Tells the sender of an intercepted packet that is gone by now what became of it. That a port is closed is for the host to say that has it; the rest comes
   * from this host, as from any router.
   */
  sendErrorAbout(gone: GonePacket, kind: IcmpErrorKind): void {
    if (!this.#errors.take(this.#environment.now())) {
      this.drops.add('icmp-error-withheld');
      return;
    }
    const speaker = kind === 'port-unreachable' ? gone.destination : undefined;
    const path = this.#environment.pathTo(gone.source, speaker);
    if (path !== undefined) this.#sendErrorAlong(path, kind, 0, quoteOf(gone));
  }

  #sendErrorAlong(path: Path, kind: IcmpErrorKind, rest: number, quote: Uint8Array): void {
    const [type, code] = ICMP_ERRORS[kind][path.source.family === 4 ? 'v4' : 'v6'];
    this.send(path, type, code, rest, quote);
  }

  #isUnanswerable(packet: Packet, kind: IcmpErrorKind): boolean {
    const { bytes, transport, end, protocol } = packet;
    // Only the first fragment of a datagram may raise an error (RFC 1122, section 3.2.2).
    if (packet.family === 4 && (readUint16(bytes, packet.start + 6) & 0x1fff) !== 0) return true;
    // A packet too big for the next link is reported although it was sent to a group, so that path MTU discovery works there.
    if (packet.isGroup && !(packet.family === 6 && kind === 'too-big')) return true;
    const { source3, source0 } = packet;
    const sourceIsNoHost =
      packet.family === 4
        ? source3 === 0 || source3 >>> 28 === 0xe || source3 === -1
        : packet.source.isUnspecified || source0 >>> 24 === 0xff;
    if (sourceIsNoHost) return true;
    if (protocol === IpProtocol.ICMP && packet.family === 4) {
      return transport >= end || bytes[transport]! !== Icmpv4Type.ECHO_REQUEST;
    }
    return protocol === IpProtocol.ICMPV6 && (transport >= end || bytes[transport]! < 128);
  }

  #takeError(packet: Packet, type: number, code: number, mtu: number): void {
    const kind = icmpErrorKind(packet.family, type, code);
    const quoted = readQuotedPacket(packet, packet.transport + ICMPV4_HEADER_LENGTH);
    if (kind === undefined || quoted === undefined) {
      this.drops.add('icmp-error-unusable');
      return;
    }
    const echo = packet.family === 4 ? IpProtocol.ICMP : IpProtocol.ICMPV6;
    if (quoted.protocol === echo && !this.#failPing(quoted, kind)) {
      this.drops.add('icmp-error-unmatched');
      return;
    }
    this.#environment.networkError(quoted, kind, mtu);
  }

  /**
   * Sends an echo request; `settle` is called once, with the reply, or with what the network said: of a group's members the first to
   * reply is heard. The answer gives up waiting.
   */
  ping(
    path: Path,
    options: { size: number; sequence?: number | undefined; hopLimit: number },
    settle: (reply: EchoReply | NetloomError) => void,
  ): () => void {
    if (this.#pings.size >= this.#environment.pings) {
      throw new NetloomError('TOO_MANY_OPEN', 'too many echo requests wait for their replies', {
        remedy: 'Wait for some, or raise the limit `pings`.',
      });
    }
    const sequence = options.sequence ?? this.#sequence++ & 0xffff;
    const key = this.#freeKey(sequence & 0xffff);
    const sentAt = this.#environment.now();
    this.#pings.set(key, { path, sentAt, settle });
    const data = new Uint8Array(options.size);
    for (let i = 0; i < data.length; i++) data[i] = i;
    const type = path.source.family === 4 ? Icmpv4Type.ECHO_REQUEST : Icmpv6Type.ECHO_REQUEST;
    this.send(path, type, 0, key, data, options.hopLimit);
    return () => this.#pings.delete(key);
  }

  /** Identifier and sequence number as one word. Several users may count from the same number: then they differ by the identifier. */
  #freeKey(sequence: number): number {
    let identifier = this.#identifier;
    while (this.#pings.has((identifier << 16) | sequence)) identifier = (identifier + 1) & 0xffff;
    return (identifier << 16) | sequence;
  }

  #takeReply(packet: Packet, key: number): void {
    const pending = this.#pings.get(key);
    if (pending === undefined) {
      this.drops.add('icmp-unexpected-reply');
      return;
    }
    const from = packet.source;
    // The identifier is easily guessed: a reply from elsewhere would let anyone answer for a host that is not there.
    if (!mayReply(pending.path, packet, from)) {
      this.drops.add('icmp-reply-from-elsewhere');
      return;
    }
    this.#pings.delete(key);
    pending.settle({
      from,
      sequence: key & 0xffff,
      size: packet.end - packet.transport - ICMPV4_HEADER_LENGTH,
      hopLimit: packet.hopLimit,
      roundTrip: this.#environment.now() - pending.sentAt,
    });
  }

  /** Answers whether the quoted packet was an echo request of ours that waits for its reply. */
  #failPing(quoted: QuotedPacket, kind: IcmpErrorKind): boolean {
    // Of a quoted echo message the ports are type, code and checksum, and the second word is identifier and sequence number.
    const type = quoted.sourcePort >>> 8;
    const key = quoted.sequence;
    const pending = this.#pings.get(key);
    if (pending === undefined || !isEchoRequest(type)) return false;
    if (!isSameAddress(quoted.destination, pending.path.destination)) return false;
    this.#pings.delete(key);
    pending.settle(networkErrorOf(kind, 'the echo request'));
    return true;
  }
}

/** What a user is told when the network answers with this kind of error. */
export function networkErrorOf(kind: IcmpErrorKind, what: string): NetloomError {
  switch (kind) {
    case 'port-unreachable':
    case 'protocol-unreachable':
      return new NetloomError('CONNECTION_REFUSED', `${what} was refused: nothing listens there`, {
        remedy: 'Check the address and port, and that the server runs.',
      });
    case 'network-unreachable':
      return new NetloomError('NETWORK_UNREACHABLE', `${what}: no route leads to its network`, {
        remedy: 'Check the routes of this host and of its gateway.',
      });
    case 'too-big':
      return new NetloomError('DATAGRAM_TOO_LARGE', `${what} is larger than the path takes`, {
        remedy: 'Send less at once.',
      });
    default:
      return new NetloomError('HOST_UNREACHABLE', `${what}: ${kind.replaceAll('-', ' ')}`, {
        remedy: 'Check that the host is up and the path to it whole.',
      });
  }
}

/** Whether a reply may come from here: from the destination itself, or from any member of a group that was asked. */
function mayReply({ destination, interface: via }: Path, packet: Packet, from: IpAddress): boolean {
  if (destination.isMulticast) return true;
  if (destination.family === 4 && via.isBroadcastV4(destination.word3)) return true;
  // Link-local addresses are told apart by the interface (RFC 4007).
  return isSameAddress(from, destination) && (!from.isLinkLocal || packet.interface === via);
}

function isEchoRequest(type: number): boolean {
  return type === Icmpv4Type.ECHO_REQUEST || type === Icmpv6Type.ECHO_REQUEST;
}

/** Neighbour discovery (RFC 4861) and multicast listener discovery (RFC 3810). */
function isDiscovery(type: number): boolean {
  return (
    (type >= Icmpv6Type.MULTICAST_LISTENER_QUERY && type <= Icmpv6Type.REDIRECT) ||
    type === Icmpv6Type.MULTICAST_LISTENER_REPORT_V2
  );
}
