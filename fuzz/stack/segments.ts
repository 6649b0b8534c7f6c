/** Attacks on TCP: segments made by one who knows the numbers of a connection, or all but one of them. */
import { IpAddress, type Random } from 'netloom/core';
import type { TcpConnection } from 'netloom/ip';
import { TcpFlag, TcpHeader } from 'netloom/wire';
import { tcpFrame, type Ends } from '../../packages/netloom/test/ip/frames.ts';
import type { Conversation } from './conversation.ts';
import { oneOf, once, randomBytes, randomFamily, type HostileFrame } from './hostile.ts';
import { ATTACKERS, STATIONS } from './stations.ts';
import { FRESH_PORT, VICTIM_PORT, type World } from './world.ts';

const { SYN, FIN, RST, PSH, ACK, URG, ECE, CWR } = TcpFlag;

/** The flags of a segment that may bring bytes. */
const TEXT_FLAGS: readonly number[] = [ACK, ACK | PSH, ACK | FIN, ACK | URG, ACK | ECE | CWR];
const ANY_FLAGS: readonly number[] = [
  ...TEXT_FLAGS,
  0,
  SYN,
  SYN | ACK,
  SYN | FIN,
  RST,
  RST | ACK,
  FIN,
  SYN | RST | FIN,
  0xff,
];

/** Further than any window. */
const FAR = 0x1000_0000;
const LONGEST_TEXT = 1300;

/** Where an attack is aimed at: a connection, and the way to it. */
export interface Aim {
  readonly lan: 0 | 1;
  readonly ends: Ends;
  readonly connection: TcpConnection;
}

/** Chooses one side of a conversation and a way to it; undefined if neither side is there. */
export function aimAt(conversation: Conversation, random: Random): Aim | undefined {
  const voice = oneOf(random, conversation.voices);
  if (voice === undefined) return undefined;
  const { connection } = voice;
  const { client, server, routerA, routerB } = STATIONS;
  const isClient = voice === conversation.client;
  const target = isClient ? client : server;
  // From the far side it goes through the router.
  const isFar = once(random, 3);
  const lan = isFar ? ((1 - target.lan) as 0 | 1) : target.lan;
  const router = lan === 0 ? routerA : routerB;
  const ends = {
    source: connection.remoteAddress,
    destination: connection.localAddress,
    sourceMac: ATTACKERS[lan].mac,
    destinationMac: isFar ? router.mac : target.mac,
  };
  return { lan, ends, connection };
}

/** A header as the connection expects it next. */
function expectedHeader(connection: TcpConnection): TcpHeader {
  const { sender, receiver } = connection;
  const header = new TcpHeader();
  header.sourcePort = connection.remotePort;
  header.destinationPort = connection.localPort;
  header.sequence = receiver.next;
  header.acknowledgment = sender.next;
  header.flags = ACK;
  header.window = 1024;
  if (connection.timestamps) {
    header.hasTimestamps = true;
    header.timestampValue = connection.recentTimestamp;
  }
  return header;
}

/** Options that lie. */
function spoilOptions(header: TcpHeader, connection: TcpConnection, random: Random): void {
  const { unacknowledged, next } = connection.sender;
  if (once(random, 2)) header.window = oneOf(random, [0, 1, 0xffff, random.below(0x10000)]);
  if (once(random, 3)) {
    header.hasTimestamps = !once(random, 4);
    const lie = oneOf(random, [-1, 1, 1000, 0x7fff_ffff, -0x8000_0000, random.uint32() | 0]);
    header.timestampValue = (connection.recentTimestamp + lie) | 0;
    header.timestampEcho = random.uint32() | 0;
  }
  if (once(random, 3)) {
    header.sackCount = 1 + random.below(header.hasTimestamps ? 3 : 4);
    for (let i = 0; i < 2 * header.sackCount; i++) {
      const inFlight = Math.max(1, (next - unacknowledged) | 0);
      const near = (unacknowledged + random.below(inFlight + 3000) - 1500) | 0;
      header.sackEdges[i] = once(random, 4) ? random.uint32() | 0 : near;
    }
  }
  if (once(random, 8)) header.maximumSegmentSize = oneOf(random, [1, 8, 536, 0xffff]);
  if (once(random, 8)) header.windowScale = random.below(256);
  if (once(random, 8)) header.sackPermitted = true;
  // What does not fit is left out.
  if (header.sackCount > 1) header.maximumSegmentSize = 0;
  if (header.sackCount > 1) header.windowScale = -1;
  if (header.sackCount > 1) header.sackPermitted = false;
  header.urgentPointer = once(random, 4) ? random.below(0x10000) : 0;
}

/** Segments at and near what the connection expects. */
export function hitVictim(world: World, random: Random): HostileFrame[] {
  const conversation = oneOf(random, world.victims);
  const aim = aimAt(conversation, random);
  if (aim === undefined) return [];
  const { lan, ends, connection } = aim;
  const { receiver, sender } = connection;
  const header = expectedHeader(connection);
  const window = Math.max(receiver.window, 0);
  const near = [0, 0, 0, 1, -1, -1000, window - 1, window, window + 1, random.below(window + 1)];
  header.sequence = (header.sequence + oneOf(random, near)) | 0;
  const inFlight = (sender.next - sender.unacknowledged) | 0;
  const heard = [0, 0, 1, -inFlight, -inFlight - 1, -random.below(inFlight + 1), random.uint32()];
  header.acknowledgment = (header.acknowledgment + oneOf(random, heard)) | 0;
  header.flags = once(random, 2) ? ACK : oneOf(random, ANY_FLAGS);
  spoilOptions(header, connection, random);
  const text = once(random, 3) ? randomBytes(random, LONGEST_TEXT) : new Uint8Array();
  return [
    { lan, bytes: tcpFrame(ends, header, text), offload: undefined, isForgery: text.length > 0 },
  ];
}

/** Text beyond what is expected, in pieces with gaps between them and over one another. */
export function scatter(world: World, random: Random): HostileFrame[] {
  const aim = aimAt(oneOf(random, world.victims), random);
  if (aim === undefined) return [];
  const { lan, ends, connection } = aim;
  const room = Math.max(1, connection.receiver.window);
  return Array.from({ length: 1 + random.below(24) }, () => {
    const header = expectedHeader(connection);
    const ahead = once(random, 4) ? random.below(room) : 1 + random.below(4000);
    header.sequence = (header.sequence + ahead) | 0;
    if (once(random, 16)) header.flags |= FIN;
    const text = randomBytes(random, once(random, 4) ? LONGEST_TEXT : 60);
    return { lan, bytes: tcpFrame(ends, header, text), offload: undefined, isForgery: true };
  });
}

/** Segments that a connection must not heed, whatever is in them (RFC 9293, section 3.10.7.4; RFC 5961; RFC 7323, section 5.3). */
export function missQuiet(world: World, random: Random): HostileFrame[] {
  const aim = aimAt(oneOf(random, world.quiet), random);
  if (aim === undefined) return [];
  const { lan, ends, connection } = aim;
  const header = expectedHeader(connection);
  spoilOptions(header, connection, random);
  const text = once(random, 2) ? randomBytes(random, LONGEST_TEXT) : new Uint8Array();
  const miss = oneOf(random, MISSES);
  miss(header, text.length, connection, random);
  return [{ lan, bytes: tcpFrame(ends, header, text), offload: undefined }];
}

/** Makes a segment one that must not be heeded. */
type Miss = (header: TcpHeader, length: number, connection: TcpConnection, random: Random) => void;

const MISSES: readonly Miss[] = [
  beyondWindow,
  beyondWindow,
  beforeWindow,
  beforeWindow,
  resetInWindow,
  openAgain,
  acknowledgeWhatWasNotSent,
  withoutAcknowledgment,
];

function beyondWindow(
  header: TcpHeader,
  _length: number,
  { receiver }: TcpConnection,
  random: Random,
): void {
  const beyond = once(random, 2) ? 1 : random.below(FAR);
  header.sequence = (receiver.next + Math.max(receiver.window, 0) + beyond) | 0;
  header.flags = oneOf(random, ANY_FLAGS);
}

function beforeWindow(
  header: TcpHeader,
  length: number,
  { receiver }: TcpConnection,
  random: Random,
): void {
  header.flags = oneOf(random, ANY_FLAGS);
  const { flags } = header;
  const span = length + (flags & SYN ? 1 : 0) + (flags & FIN ? 1 : 0);
  const before = once(random, 2) ? 0 : random.below(FAR);
  // Its last number is the one before the next at most; an empty one stands there itself.
  header.sequence = (receiver.next - Math.max(span, 1) - before) | 0;
}

/** RFC 5961, section 3.2: only the next number resets. */
function resetInWindow(
  header: TcpHeader,
  _length: number,
  { receiver }: TcpConnection,
  random: Random,
): void {
  const window = Math.max(receiver.window, 0);
  header.sequence = (receiver.next + 1 + random.below(window + 10)) | 0;
  header.flags = oneOf(random, [RST, RST | ACK]);
}

/** RFC 5961, section 4.2: a SYN is asked about, wherever it stands. */
function openAgain(
  header: TcpHeader,
  _length: number,
  _connection: TcpConnection,
  random: Random,
): void {
  if (once(random, 2)) header.sequence = random.uint32() | 0;
  header.flags = oneOf(random, [SYN, SYN | ACK, SYN | FIN | ACK | PSH]);
}

/** RFC 5961, section 5.2: text counts only with an acknowledgment that can be. */
function acknowledgeWhatWasNotSent(
  header: TcpHeader,
  _length: number,
  { sender }: TcpConnection,
  random: Random,
): void {
  const ahead = 1 + random.below(FAR);
  const behind = sender.unacknowledged - sender.maximumWindow - ahead;
  header.acknowledgment = once(random, 2) ? (sender.next + ahead) | 0 : behind | 0;
  header.flags = oneOf(random, TEXT_FLAGS);
}

/** RFC 9293, section 3.10.7.4, fifth step: without ACK a segment is dropped. */
function withoutAcknowledgment(
  header: TcpHeader,
  _length: number,
  _connection: TcpConnection,
  random: Random,
): void {
  header.flags = oneOf(random, [0, PSH, FIN, URG, FIN | PSH | URG]);
}

/** Connections begun and left, from one who is many. */
export function floodWithSyns(_world: World, random: Random): HostileFrame[] {
  const family = randomFamily(random);
  const { server } = STATIONS;
  const destination = family === 4 ? server.v4 : server.v6;
  return Array.from({ length: 1 + random.below(40) }, () => {
    const source =
      family === 4
        ? IpAddress.v4(0x0a00_0200 | random.below(256))
        : IpAddress.v6(0x2001_0db8, random.below(4) << 16, 0, random.below(0x10000));
    const header = new TcpHeader();
    header.sourcePort = random.below(0x10000);
    header.destinationPort = oneOf(random, [FRESH_PORT, VICTIM_PORT, random.below(0x10000)]);
    header.sequence = random.uint32() | 0;
    header.flags = oneOf(random, [SYN, SYN, SYN, SYN | ECE | CWR, SYN | FIN, ACK, RST, 0]);
    header.window = random.below(0x10000);
    if (once(random, 2)) header.maximumSegmentSize = oneOf(random, [1, 536, 1460, 0xffff]);
    if (once(random, 2)) header.windowScale = random.below(20);
    const ends = {
      source,
      destination,
      sourceMac: ATTACKERS[1].mac,
      destinationMac: server.mac,
    };
    const text = once(random, 8) ? randomBytes(random, 100) : new Uint8Array();
    return { lan: 1, bytes: tcpFrame(ends, header, text), offload: undefined };
  });
}

/** A SYN that claims to come from whom it goes to (LAND). */
export function land(_world: World, random: Random): HostileFrame[] {
  const family = randomFamily(random);
  const { client, server, routerA } = STATIONS;
  const target = oneOf(random, [client, server, routerA]);
  const address = family === 4 ? target.v4 : target.v6;
  const header = new TcpHeader();
  header.sourcePort = header.destinationPort = oneOf(random, [FRESH_PORT, VICTIM_PORT, 9]);
  header.flags = SYN;
  header.sequence = random.uint32() | 0;
  const ends = {
    source: address,
    destination: address,
    sourceMac: once(random, 2) ? target.mac : ATTACKERS[target.lan].mac,
    destinationMac: target.mac,
  };
  return [{ lan: target.lan, bytes: tcpFrame(ends, header, new Uint8Array()), offload: undefined }];
}
