/**
 * A network address and port translator (RFC 3022): inside hosts are seen outside by the addresses of the router.
 *
 * Read first: RFC 4787 (behaviour, UDP), RFC 5382 (TCP), RFC 5508 (ICMP), RFC 7857 (corrections to these), RFC 6888 (limits, where many share one), RFC 1624 (checksums).
 */
import {
  Counters,
  readInt32,
  withLimits,
  type IpAddress,
  type Random,
  type SocketAddress,
} from '../../core/index.ts';
import { IpProtocol, TcpFlag } from '../../wire/index.ts';
import { NAT_DROP } from '../diagnostics.ts';
import type { IcmpErrorKind } from '../icmp/icmp-error.ts';
import type { GonePacket } from '../icmp/quote.ts';
import type { Interface } from '../interface/interface.ts';
import type { Packet } from '../packet.ts';
import { translateError, untranslate } from './error-translator.ts';
import { isInboundOf, isOutboundOf, type NatFlow } from './flow.ts';
import { HeldSyns } from './held-syns.ts';
import type { NatMapping } from './mapping.ts';
import {
  NAT_BEHAVIOUR,
  NAT_LIMITS,
  NAT_TIMEOUTS,
  type NatBehaviour,
  type NatLimits,
  type NatOptions,
  type NatPublicationOptions,
  type NatTimeouts,
} from './options.ts';
import type { NatPublication } from './publication.ts';
import { NatPublications } from './publications.ts';
import { rewriteEnds } from './rewrite.ts';
import { NatScope } from './scope.ts';
import { NatTable } from './table.ts';
import { tcpEvent } from './tcp-session.ts';
import { EndsTranslation, type Translation } from './translation.ts';
import { TransportEnds, isPassedError, queryKind } from './transport-ends.ts';
import type { Translator } from './translators.ts';

/** What a {@link Nat} needs of the stack around it. */
export interface NatEnvironment {
  readonly random: Random;
  now(): number;
  /** Changes whenever routes or addresses do. */
  generation(): number;
  /** The interface by which the packet's destination is reached. */
  interfaceTowards(packet: Packet): Interface | undefined;
  /** The stack itself uses the port. */
  isPortTaken(protocol: number, port: number): boolean;
  /** The packet belongs to a connection of the stack's own. */
  isOwn(packet: Packet, sourcePort: number, destinationPort: number): boolean;
  /** Passes a packet on, as something else if a translation is given. */
  forward(packet: Packet, translation?: Translation): void;
  sendError(packet: Packet, kind: IcmpErrorKind): void;
  sendErrorAbout(gone: GonePacket, kind: IcmpErrorKind): void;
  /** The deadline may have become earlier. */
  timersChanged(): void;
  /** It is closed: no packet is its to look at any more. */
  closed(nat: Nat): void;
}

/** Translates between inside interfaces and an outside one. Made by `openNat`. */
export class Nat implements Translator {
  /** Packets dropped, by reason. */
  readonly drops: Counters = new Counters(NAT_DROP, this);
  readonly behaviour: NatBehaviour;
  readonly #timeouts: NatTimeouts;
  readonly #limits: NatLimits;
  readonly #environment: NatEnvironment;
  readonly #scope: NatScope;
  readonly #table: NatTable;
  readonly #held: HeldSyns;
  readonly #publications: NatPublications;
  readonly #ends = new TransportEnds();
  readonly #translation = new EndsTranslation();
  /** The flows found last, for packets come in trains. */
  #lastOutbound: NatFlow | undefined;
  #lastInbound: NatFlow | undefined;
  #isClosed = false;

  constructor(options: NatOptions, environment: NatEnvironment) {
    const { random } = environment;
    this.behaviour = { ...NAT_BEHAVIOUR, ...options.behaviour };
    this.#timeouts = withLimits(NAT_TIMEOUTS, options.timeouts);
    this.#limits = withLimits(NAT_LIMITS, options.limits);
    this.#environment = environment;
    this.#scope = new NatScope(options, environment, (externals) => {
      // What was seen as another address is over.
      this.#table.dropOthers(externals);
      this.#publications.readdress(externals);
    });
    this.#table = new NatTable({
      random,
      behaviour: this.behaviour,
      timeouts: this.#timeouts,
      limits: this.#limits,
      drops: this.drops,
      externals: (family) => this.#scope.externals(family),
      isPortTaken: (protocol, port) => environment.isPortTaken(protocol, port),
      timersChanged: () => environment.timersChanged(),
    });
    this.#publications = new NatPublications({
      limit: this.#limits.publications,
      table: this.#table,
      externals: (family) => this.#scope.externals(family),
      isPortTaken: (protocol, port) => environment.isPortTaken(protocol, port),
    });
    this.#held = new HeldSyns(this.#limits.heldSyns, ({ remote, external, sequence }) => {
      const gone = {
        source: remote.address,
        destination: external.address,
        protocol: IpProtocol.TCP,
        sourcePort: remote.port,
        destinationPort: external.port,
        word: sequence,
      };
      environment.sendErrorAbout(gone, 'port-unreachable');
    });
  }

  /** What goes through, for tables and statistics: live entries, in no order. */
  flows(): Iterable<NatFlow> {
    return this.#table.flows.values();
  }

  /** How many flows there are. */
  get flowCount(): number {
    return this.#table.flows.size;
  }

  /** How many mappings there are, published ones included. */
  get mappingCount(): number {
    return this.#table.mappings.size;
  }

  /** What inside hosts of a family are seen as. */
  externals(family: 4 | 6): readonly IpAddress[] {
    return this.#scope.externals(family);
  }

  /** Has a port outside lead to a port inside, for anybody, until the answer is closed. Throws `ADDRESS_IN_USE` or `TOO_MANY_OPEN`. */
  publish(options: NatPublicationOptions): NatPublication {
    return this.#publications.open(options);
  }

  concerns(packet: Packet): boolean {
    return this.#scope.concerns(packet);
  }

  translate(packet: Packet): boolean {
    const isExternal = this.#scope.isExternal(packet);
    if (this.#scope.isInside(packet.interface)) return this.#fromInside(packet, isExternal);
    if (isExternal) return this.#fromOutside(packet);
    // It knows an inside address and the way to it; what answers would come from elsewhere.
    return this.#drop('nat-untranslated');
  }

  restore(packet: Packet): void {
    const before = untranslate(this.#table, packet.bytes, packet);
    if (before !== undefined) rewriteEnds(packet.bytes, packet, before);
  }

  deadline(): number {
    return Math.min(this.#table.deadline(), this.#held.deadline());
  }

  advance(now: number): void {
    this.#table.advance(now);
    this.#held.advance(now);
  }

  /** Translates nothing any more. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#environment.closed(this);
  }

  #fromInside(packet: Packet, toExternal: boolean): boolean {
    if (!this.#ends.read(packet.bytes, packet)) return this.#otherFromInside(packet, toExternal);
    if (!toExternal) return this.#outbound(packet);
    // Between two inside hosts, by what they are seen as outside (RFC 4787, REQ-9).
    const mapping = this.behaviour.hairpinning ? this.#mappingOf(packet) : undefined;
    return mapping === undefined ? false : this.#hairpin(packet, mapping);
  }

  #outbound(packet: Packet): boolean {
    if (isOnLastHop(packet)) return this.#forward(packet);
    const flow = this.#outboundFlow(packet);
    if (flow === undefined) return true;
    return this.#pass(packet, flow.external, undefined);
  }

  #hairpin(packet: Packet, mapping: NatMapping): boolean {
    if (isOnLastHop(packet)) return this.#forward(packet);
    const from = this.#outboundFlow(packet);
    if (from === undefined) return true;
    const known = this.#table.flows.find(mapping, from.external);
    const to = this.#inboundFlow(packet, mapping, from.external, known);
    if (to === undefined) return true;
    return this.#pass(packet, from.external, to.inside);
  }

  #fromOutside(packet: Packet): boolean {
    const ends = this.#ends;
    if (!ends.read(packet.bytes, packet)) return this.#errorFromOutside(packet);
    const known = this.#lastInbound;
    if (known?.isOpen === true && isInboundOf(known, packet, ends)) {
      return this.#inbound(packet, known.mapping, known);
    }
    if (this.#environment.isOwn(packet, ends.sourcePort, ends.destinationPort)) return false;
    const mapping = this.#mappingOf(packet);
    if (mapping === undefined) return this.#isHeld(packet);
    const remote = { address: packet.source, port: ends.sourcePort };
    this.#lastInbound = this.#table.flows.find(mapping, remote);
    // A reply that answers no query of an inside host may be for the stack's own.
    if (isQuery(packet) && this.#lastInbound === undefined) return false;
    return this.#inbound(packet, mapping, this.#lastInbound);
  }

  #inbound(packet: Packet, mapping: NatMapping, known: NatFlow | undefined): boolean {
    if (isOnLastHop(packet)) return this.#forward(packet);
    const remote = known?.remote ?? { address: packet.source, port: this.#ends.sourcePort };
    const flow = this.#inboundFlow(packet, mapping, remote, known);
    return flow === undefined ? true : this.#pass(packet, undefined, flow.inside);
  }

  /** The flow of a packet from inside, which it may open; undefined: it is dropped. */
  #outboundFlow(packet: Packet): NatFlow | undefined {
    const { sourcePort, destinationPort, flags } = this.#ends;
    const now = this.#environment.now();
    let flow = this.#lastOutbound;
    if (flow?.isOpen !== true || !isOutboundOf(flow, packet, this.#ends)) {
      const inside = { address: packet.source, port: sourcePort };
      const remote = { address: packet.destination, port: destinationPort };
      const { protocol } = packet;
      flow = this.#table.find(protocol, inside, remote);
      if (flow === undefined && !mayOpen(packet, flags)) {
        this.#drop('nat-no-flow');
        return undefined;
      }
      flow ??= this.#table.open(protocol, inside, remote, now);
      if (flow === undefined) {
        // RFC 5508, REQ-8.
        this.#environment.sendError(packet, 'prohibited');
        return undefined;
      }
      this.#lastOutbound = flow;
    }
    if ((flags & TcpFlag.SYN) !== 0) this.#held.cancel(flow.external, flow.remote);
    this.#use(packet, flow, true, now);
    return flow;
  }

  /** The flow of a packet to a mapping, which it may open; undefined: it is dropped, or held. */
  #inboundFlow(
    packet: Packet,
    mapping: NatMapping,
    remote: SocketAddress,
    known: NatFlow | undefined,
  ): NatFlow | undefined {
    const { flags } = this.#ends;
    const now = this.#environment.now();
    let flow = known;
    if (flow === undefined) {
      if (!mayOpen(packet, flags)) {
        this.#drop('nat-no-flow');
        return undefined;
      }
      flow = this.#table.openInbound(mapping, remote, now);
      if (flow === undefined) {
        this.#isHeld(packet);
        return undefined;
      }
    }
    this.#use(packet, flow, false, now);
    return flow;
  }

  #use(packet: Packet, flow: NatFlow, isOutbound: boolean, now: number): void {
    const refreshes =
      packet.protocol === IpProtocol.TCP
        ? flow.segment(tcpEvent(this.#ends.flags, isOutbound), now)
        : isOutbound || flow.mapping.isPublished || this.behaviour.refresh === 'both';
    this.#table.use(flow, isOutbound, packet.end - packet.start, refreshes, now);
  }

  #mappingOf(packet: Packet): NatMapping | undefined {
    const { destinationPort } = this.#ends;
    return this.#table.mappings.findExternal(packet.protocol, packet.destination, destinationPort);
  }

  /** Takes a SYN that nobody inside has asked for, to be refused later. False: it is none, or the stack itself listens there. */
  #isHeld(packet: Packet): boolean {
    const { flags, sourcePort, destinationPort } = this.#ends;
    const isSyn = packet.protocol === IpProtocol.TCP && mayOpen(packet, flags);
    const { now, isPortTaken, timersChanged } = this.#environment;
    if (!isSyn || isPortTaken(IpProtocol.TCP, destinationPort)) return false;
    const syn = {
      remote: { address: packet.source, port: sourcePort },
      external: { address: packet.destination, port: destinationPort },
      sequence: readInt32(packet.bytes, packet.transport + 4),
    };
    if (!this.#held.add(syn, now() + this.#timeouts.unsolicitedSyn))
      this.#drop('nat-held-syns-limit');
    timersChanged();
    return true;
  }

  /** What has no ports: an ICMP error, or nothing that can be translated. */
  #otherFromInside(packet: Packet, toExternal: boolean): boolean {
    const translation = isError(packet) ? translateError(this.#table, packet, true) : undefined;
    if (translation !== undefined) return this.#forward(packet, translation);
    return toExternal ? false : this.#drop('nat-untranslatable');
  }

  #errorFromOutside(packet: Packet): boolean {
    const translation = isError(packet) ? translateError(this.#table, packet, false) : undefined;
    // Otherwise it is about something of the stack's own.
    return translation === undefined ? false : this.#forward(packet, translation);
  }

  #pass(
    packet: Packet,
    source: SocketAddress | undefined,
    destination: SocketAddress | undefined,
  ): boolean {
    this.#translation.source = source;
    this.#translation.destination = destination;
    return this.#forward(packet, this.#translation);
  }

  #forward(packet: Packet, translation?: Translation): boolean {
    this.#environment.forward(packet, translation);
    return true;
  }

  #drop(reason: string): boolean {
    this.drops.add(reason);
    return true;
  }
}

/** The router is to say so, and nothing is to be kept of it. */
function isOnLastHop({ hopLimit }: Packet): boolean {
  return hopLimit <= 1;
}

/** Whether a packet may begin a flow: of TCP only a SYN may, of queries only the request. */
function mayOpen(packet: Packet, flags: number): boolean {
  if (packet.protocol === IpProtocol.TCP) {
    return (flags & (TcpFlag.SYN | TcpFlag.ACK | TcpFlag.RST)) === TcpFlag.SYN;
  }
  return !isQuery(packet) || queryKind(packet, packet.bytes[packet.transport]!) === 'request';
}

function isQuery({ protocol }: Packet): boolean {
  return protocol === IpProtocol.ICMP || protocol === IpProtocol.ICMPV6;
}

function isError(packet: Packet): boolean {
  const { family, protocol, bytes, transport, end } = packet;
  const isIcmp = protocol === (family === 4 ? IpProtocol.ICMP : IpProtocol.ICMPV6);
  return isIcmp && transport < end && isPassedError(family, bytes[transport]!);
}
