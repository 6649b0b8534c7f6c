/** What was selected is what is seen: a prober that tells a NAT's behaviour from inside, by the idea of RFC 5780 (sections 4.3 and 4.4). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, formatSocketAddress, type SocketAddress } from 'netloom/core';
import type { SimHost } from 'netloom/host';
import type { NatBehaviour, NatDependence } from 'netloom/ip';
import { NatLan, UdpPeer, addressOf } from './lan.ts';

const DEPENDENCES: readonly NatDependence[] = [
  'endpoint-independent',
  'address-dependent',
  'address-and-port-dependent',
];

/** What a probe has found. */
type Found = Pick<NatBehaviour, 'mapping' | 'filtering' | 'hairpinning'>;

/** Answers each question with where it came from, from the address and port that the question names. */
class ProbeServer {
  readonly ends: readonly (readonly [UdpPeer, UdpPeer])[];
  readonly addresses: readonly (readonly [SocketAddress, SocketAddress])[];

  private constructor(ends: ProbeServer['ends'], addresses: ProbeServer['addresses']) {
    this.ends = ends;
    this.addresses = addresses;
  }

  static async open(hosts: readonly SimHost[], family: 4 | 6): Promise<ProbeServer> {
    const ends: [UdpPeer, UdpPeer][] = [];
    const addresses: [SocketAddress, SocketAddress][] = [];
    for (const host of hosts) {
      const address = addressOf(host, family);
      ends.push([await UdpPeer.open(host, 3478, address), await UdpPeer.open(host, 3479, address)]);
      addresses.push([
        { address, port: 3478 },
        { address, port: 3479 },
      ]);
    }
    const server = new ProbeServer(ends, addresses);
    for (const peer of ends.flat()) {
      peer.onReceive = (from, text) => {
        const [which, port] = text.split(' ').map(Number);
        ends[which!]![port!]!.send(from, formatSocketAddress(from));
      };
    }
    return server;
  }
}

async function probe(lan: NatLan, family: 4 | 6): Promise<Found> {
  const { world, a } = lan;
  const other = world.machine('other', { on: lan.outside });
  const server = await ProbeServer.open([lan.server, other], family);
  const peer = await UdpPeer.open(a, 5000, addressOf(a, family));
  /** Asks an end of the server to have another answer: what it says, if that arrives. */
  const ask = async (from: UdpPeer, at: SocketAddress, which: number, port: number) => {
    from.received.length = 0;
    from.send(at, `${which} ${port}`);
    await world.sleep(1000);
    return from.received[0]?.text;
  };
  const [[first], [second, secondOther]] = server.addresses as [
    [SocketAddress, SocketAddress],
    [SocketAddress, SocketAddress],
  ];
  const seen = await ask(peer, first, 0, 0);
  assert.ok(
    seen !== undefined &&
      seen !== formatSocketAddress({ address: addressOf(a, family), port: 5000 }),
  );
  // Filtering, from a socket that has sent to the first end only.
  const strict = await UdpPeer.open(a, 5001, addressOf(a, family));
  const fromElsewhere = await ask(strict, first, 1, 1);
  const fromOtherPort = await ask(strict, first, 0, 1);
  const filtering = dependence(fromElsewhere !== undefined, fromOtherPort !== undefined);
  const bySecond = await ask(peer, second, 1, 0);
  const bySecondPort = await ask(peer, secondOther, 1, 1);
  const mapping = dependence(seen === bySecond, bySecond === bySecondPort);
  // Hairpin: to where another of one's own sockets is seen, having sent there first from it, so that the filter lets it in.
  const target = await UdpPeer.open(a, 5002, addressOf(a, family));
  const asker = await UdpPeer.open(lan.b, 5003, addressOf(lan.b, family));
  const targetSeen = parse((await ask(target, first, 0, 0))!);
  const askerSeen = parse((await ask(asker, first, 0, 0))!);
  target.received.length = asker.received.length = 0;
  target.send(askerSeen, 'knock');
  await world.sleep(100);
  asker.send(targetSeen, 'hairpin');
  await world.sleep(100);
  target.send(askerSeen, 'again');
  await world.sleep(100);
  const hairpinning = target.received.length + asker.received.length > 0;
  return { mapping, filtering, hairpinning };
}

function dependence(independent: boolean, byAddress: boolean): NatDependence {
  return independent ? DEPENDENCES[0]! : byAddress ? DEPENDENCES[1]! : DEPENDENCES[2]!;
}

function parse(text: string): SocketAddress {
  const at = text.lastIndexOf(':');
  return {
    address: IpAddress.parse(text.slice(0, at).replace(/^\[|\]$/g, '')),
    port: Number(text.slice(at + 1)),
  };
}

for (const family of [4, 6] as const) {
  for (const mapping of DEPENDENCES) {
    for (const filtering of DEPENDENCES) {
      test(`mapping ${mapping}, filtering ${filtering} are seen as such (IPv${family})`, async () => {
        for (const hairpinning of [true, false]) {
          const lan = new NatLan({ behaviour: { mapping, filtering, hairpinning } });
          const found = await lan.world.run(probe(lan, family));
          assert.deepEqual([found.mapping, found.filtering], [mapping, filtering]);
          // With other mappings for each remote end, nobody can be told where one is seen by a third.
          if (mapping === 'endpoint-independent') assert.equal(found.hairpinning, hairpinning);
        }
      });
    }
  }
}
