/**
 * A small world to be attacked, in virtual time: a router between two LANs, with innocents on both who talk through it, and an attacker
 * on each who sees every frame and can send any.
 *
 *     client, guest, attacker -- LAN 0 -- router -- LAN 1 -- server, attacker
 */
import { Cidr, IpAddress, ManualClock, copyBytes, seededRandom, type Random } from 'netloom/core';
import { IpStack, type AllStackLimits, type Interface, type TcpListener } from 'netloom/ip';
import { Hub, NO_OFFLOAD, type FrameOffload, type Link, type LinkPairOptions } from 'netloom/link';
import { ndpFrame } from '../../packages/netloom/test/ip/frames.ts';
import { Conversation, LONGEST_SAYING, Voice } from './conversation.ts';
import { ATTACKERS, STATIONS, type Station } from './stations.ts';

/** A frame as a link carries it. */
export interface SeenFrame {
  readonly lan: 0 | 1;
  readonly bytes: Uint8Array;
  readonly offload: FrameOffload | undefined;
}

/** Ports of the server: for those the attackers leave in peace but for garbage, for those they do not, and for who comes afterwards. */
export const QUIET_PORT = 7001;
export const VICTIM_PORT = 7002;
export const FRESH_PORT = 80;
/** Where the server answers datagrams. */
export const ECHO_PORT = 7;
/** The ports that the client talks to {@link QUIET_PORT} from begin here; those of its other conversations a thousand further. */
const FIRST_CLIENT_PORT = 41_000;

/** Small, so that a hundred frames can reach them. */
export const LIMITS = {
  tcp: { connections: 30, timeWait: 1, halfOpen: 8, outOfOrderRanges: 8 },
  neighbour: { neighbours: 16, waitingFrames: 8 },
  stack: { addressesPerInterface: 16 },
} as const satisfies AllStackLimits;

/** Frames the attackers remember: the first, in which everything occurs once, and the latest, which are of what goes on now. */
const FIRST_SEEN = 104;
const MEMORY = 160;
/** No frame has so much in it: what a cable of this MTU does not carry, no link does. */
const CABLE_MTU = 65_535;
/** The second LAN takes less, so that conversations have to find that out. */
const MTUS = [1500, 1400] as const;
/** Callbacks at one instant: some ten times what has been seen to be needed. */
const CALLBACKS_PER_INSTANT = 100_000;
/** Instants at which something happens: in any case, and for each millisecond that goes by. */
const INSTANTS = 2000;
const INSTANTS_PER_MILLISECOND = 4;

/** See the file's head. */
export class World {
  readonly clock: ManualClock = new ManualClock({
    limits: { callbacksPerInstant: CALLBACKS_PER_INSTANT },
  });
  readonly client: IpStack;
  readonly router: IpStack;
  readonly server: IpStack;
  readonly guest: IpStack;
  /** Known to the attackers, who never hit the window of one: they must not come to harm. */
  readonly quiet: Conversation[] = [];
  /** The attackers do with these what they like. */
  readonly victims: Conversation[] = [];
  readonly listeners: TcpListener[] = [];
  /** What the attackers have seen, the conversations apart that they are to know nothing of. */
  readonly seen: SeenFrame[] = [];
  /** One of those on the way between client and server has once taken somebody for another: see `oracle.ts`. */
  wasMisled = false;
  /** Datagrams that reached a user, and what users heard of those they sent. */
  datagrams = 0;
  readonly #attackers: readonly [Link, Link];
  /** Conversations that the client has begun and the server has not accepted yet. */
  readonly #coming: Conversation[] = [];

  constructor(random: Random) {
    const hubs = [new Hub(this.clock), new Hub(this.clock)] as const;
    const cable = cableOptions(random);
    const port = ({ lan, mac }: Station, name: string): Link =>
      hubs[lan].port({ ...cable, name, mac });
    const stack = (forwarding = false): IpStack =>
      new IpStack({
        clock: this.clock,
        random: seededRandom(random.uint32()),
        forwarding,
        limits: LIMITS,
      });
    this.client = stack();
    this.router = stack(true);
    this.server = stack();
    this.guest = stack();
    const join = (to: IpStack, station: Station, name: string): Interface =>
      to.addInterface(port(station, name), {
        addresses: [`${station.v4}/24`, `${station.v6}/64`, `${station.linkLocal}/64`],
        mtu: MTUS[station.lan],
      });
    const { client, server, routerA, routerB, guest } = STATIONS;
    join(this.router, routerA, 'a0');
    join(this.router, routerB, 'b0');
    leaveBy(this.client, join(this.client, client, 'c0'), routerA);
    leaveBy(this.server, join(this.server, server, 's0'), routerB);
    const guestPort = this.guest.addInterface(port(guest, 'g0'));
    this.guest.autoconfigure(guestPort, { temporaryAddresses: true });
    this.#attackers = [this.#attacker(hubs[0], 0), this.#attacker(hubs[1], 1)];
    this.#open();
    this.#prelude();
  }

  get stacks(): readonly IpStack[] {
    return [this.client, this.router, this.server, this.guest];
  }

  /** Those at one of the LANs. */
  stacksOn(lan: 0 | 1): readonly IpStack[] {
    return lan === 0 ? [this.client, this.router, this.guest] : [this.router, this.server];
  }

  /** Puts a frame on a LAN, and lets everything happen that it brings about at once. */
  inject(frame: SeenFrame): void {
    this.queue(frame);
    this.settle();
  }

  /** Puts a frame on a LAN, to be found together with those that follow. */
  queue({ lan, bytes, offload }: SeenFrame): void {
    const frame = this.#attackers[lan].allocate(bytes.length);
    frame.set(bytes);
    this.#attackers[lan].transmit(frame, offload);
  }

  /** Lets what is due at this instant happen. */
  settle(): void {
    this.clock.advance(this.clock.now());
  }

  /** Lets time go by; answers at how many instants something happened. Throws if that is more than any work can ask for. */
  pass(milliseconds: number): number {
    const { clock } = this;
    const end = clock.now() + milliseconds;
    const most = INSTANTS + milliseconds * INSTANTS_PER_MILLISECOND;
    let instants = 0;
    for (let next = clock.deadline(); next <= end; next = clock.deadline()) {
      clock.advance(next);
      if (++instants > most) {
        throw new Error(`within ${milliseconds} ms the world is not at rest for ${most} instants`);
      }
    }
    clock.advance(end);
    return instants;
  }

  /** The innocents say something. */
  talk(random: Random): void {
    for (const conversation of [...this.quiet, ...this.victims]) {
      for (const voice of conversation.voices) {
        const what = random.below(8);
        if (what < 3) voice.say(1 + random.below(4000));
        else if (what === 3) voice.listen(random.below(3) > 0);
      }
    }
  }

  /** Begins a conversation between client and server; from port 0 it is from one that nobody knows. */
  converse(family: 4 | 6, clientPort: number, serverPort: number): Conversation {
    const { server } = STATIONS;
    const path = this.client.paths.find(family === 4 ? server.v4 : server.v6, undefined);
    const { localPort } = this.client.tcp.connect(path, clientPort, serverPort, (made, error) => {
      conversation.error = error;
      if (error === undefined) conversation.client = new Voice(made, true);
    });
    const conversation = new Conversation(family, localPort, serverPort);
    this.#coming.push(conversation);
    return conversation;
  }

  #open(): void {
    for (const port of [QUIET_PORT, VICTIM_PORT, FRESH_PORT]) {
      const listener = this.server.tcp.listen(port, undefined, undefined, (connection) => {
        const at = this.#coming.findIndex(
          ({ clientPort, serverPort, family }) =>
            clientPort === connection.remotePort &&
            serverPort === port &&
            family === connection.remoteAddress.family,
        );
        // A stranger is listened to as well; what he says is nobody's.
        const voice = new Voice(connection, false);
        if (at >= 0) this.#coming.splice(at, 1)[0]!.server = voice;
      });
      this.listeners.push(listener);
    }
  }

  /** All that goes on in a network in peace, so that the attackers have something to begin with. */
  #prelude(): void {
    const advertisement: SeenFrame = { lan: 0, bytes: routerAdvertisement(), offload: undefined };
    this.seen.push(advertisement);
    this.queue(advertisement);
    this.pass(4000);
    this.#datagrams();
    for (const [i, family] of ([4, 6, 4, 6] as const).entries()) {
      this.quiet.push(this.converse(family, FIRST_CLIENT_PORT + i, QUIET_PORT));
      this.victims.push(this.converse(family, FIRST_CLIENT_PORT + 1000 + i, VICTIM_PORT));
    }
    this.pass(100);
    for (const { client, server } of [...this.quiet.slice(0, 3), ...this.victims]) {
      client!.say(3000);
      server!.say(LONGEST_SAYING);
    }
    this.pass(300);
    const [, halfClosed, gone, left] = this.victims;
    halfClosed!.client!.finish();
    gone!.server!.finish();
    gone!.client!.finish();
    left!.server!.finish();
    this.pass(300);
    // Somebody who is not there is called in vain.
    const nobody = this.client.paths.find(IpAddress.parse('10.0.2.99'), undefined);
    this.client.tcp.connect(nobody, FIRST_CLIENT_PORT + 2000, FRESH_PORT, () => undefined);
    this.settle();
  }

  /** Questions and answers without a connection: echo requests, and datagrams both small and in fragments. */
  #datagrams(): void {
    const server = this.server.udp.bind(IpAddress.ANY6, ECHO_PORT, false);
    server.start({
      receive: (batch) => {
        this.datagrams++;
        // What a handler gets is borrowed.
        server.send(batch.map(({ data, remote }) => ({ data: copyBytes(data), remote })));
      },
      error: () => this.datagrams++,
    });
    const client = this.client.udp.bind(IpAddress.ANY6, FIRST_CLIENT_PORT, false);
    client.start({ receive: () => this.datagrams++, error: () => this.datagrams++ });
    client.joinGroup(IpAddress.parse('239.1.2.3'), STATIONS.client.v4);
    client.joinGroup(IpAddress.parse('ff05::1234'), STATIONS.client.v6);
    for (const address of [STATIONS.server.v4, STATIONS.server.v6]) {
      for (const length of [40, 4000]) {
        const data = new Uint8Array(length);
        client.send([{ data, remote: { address, port: ECHO_PORT } }]);
      }
      this.client.ping(address, { size: 56, hopLimit: 64 }, () => undefined);
    }
    this.settle();
  }

  #attacker(hub: Hub, lan: 0 | 1): Link {
    const link = hub.port({
      name: `x${lan}`,
      mac: ATTACKERS[lan].mac,
      mtu: CABLE_MTU,
    });
    link.attach({
      receive: (frame, offload) => this.#see(lan, frame, offload),
      batchEnd() {},
    });
    return link;
  }

  #see(lan: 0 | 1, frame: Uint8Array, offload: FrameOffload | undefined): void {
    if (containsPort(frame, QUIET_PORT) || containsPort(frame, FRESH_PORT)) return;
    if (this.seen.length >= MEMORY) this.seen.splice(FIRST_SEEN, 1);
    this.seen.push({ lan, bytes: copyBytes(frame), offload: offload && { ...offload } });
  }
}

/** What the innocents are plugged in with: with offload or without, and half of the time lending memory no longer than promised, which takes longer. */
function cableOptions(random: Random): LinkPairOptions {
  const offload = random.below(2) === 0 ? { offload: NO_OFFLOAD } : {};
  return { mtu: CABLE_MTU, strict: random.below(2) === 0, ...offload };
}

/** Everything that is not on its own LAN is reached through the router. */
function leaveBy(stack: IpStack, via: Interface, router: Station): void {
  stack.addRoute(Cidr.parse('0.0.0.0/0'), via, router.v4);
  stack.addRoute(Cidr.parse('::/0'), via, router.v6);
}

/** The router's word to hosts that configure themselves, which its stack does not send of itself. */
function routerAdvertisement(): Uint8Array {
  const { routerA } = STATIONS;
  const ends = {
    source: routerA.linkLocal,
    destination: IpAddress.parse('ff02::1'),
    sourceMac: routerA.mac,
    destinationMac: STATIONS.guest.mac,
  };
  return ndpFrame(ends, {
    kind: 'router-advertisement',
    hopLimit: 64,
    managed: false,
    otherConfiguration: false,
    preference: 'medium',
    routerLifetime: 1800,
    reachableTime: 0,
    retransmitTime: 0,
    options: [
      {
        kind: 'prefix',
        prefix: Cidr.parse('2001:db8:1::/64'),
        onLink: true,
        autonomous: true,
        validLifetime: 86_400,
        preferredLifetime: 14_400,
      },
    ],
  });
}

/** Whether a plain TCP or UDP packet in the frame is from or to the port; where headers are of other lengths, it may answer anything. */
function containsPort(frame: Uint8Array, port: number): boolean {
  const at = frame[12] === 0x86 ? 54 : 34;
  const [high, low] = [port >>> 8, port & 0xff];
  return (
    (frame[at] === high && frame[at + 1] === low) ||
    (frame[at + 2] === high && frame[at + 3] === low)
  );
}
