import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cidr, IpAddress, ManualClock, NetloomError, seededRandom } from '../core/index.ts';
import { linkPair } from '../link/index.ts';
import type { RouterAdvertisement } from '../wire/index.ts';
import type { Interface } from './interface/interface.ts';
import { IpStack } from './stack.ts';

const ALL_NODES = IpAddress.parse('ff02::1');
const PREFIX = Cidr.parse('2001:db8:1::/64');

/** A router that has static addresses, and a host that has none yet, on one cable. */
function scene(secret: Uint8Array = new Uint8Array(16).fill(7)): {
  clock: ManualClock;
  router: IpStack;
  routerSide: Interface;
  host: IpStack;
  hostSide: Interface;
  advertise: (change?: Partial<RouterAdvertisement>) => void;
} {
  const clock = new ManualClock();
  const [near, far] = linkPair(clock, { strict: true });
  const router = new IpStack({ clock, random: seededRandom(1) });
  const host = new IpStack({ clock, random: seededRandom(2) });
  const routerSide = router.addInterface(near, { addresses: ['fe80::1/64', '2001:db8:1::1/64'] });
  const hostSide = host.addInterface(far);
  host.autoconfigure(hostSide, { secret });
  const advertise = (change: Partial<RouterAdvertisement> = {}): void => {
    router.ndp.send(routerSide, IpAddress.parse('fe80::1'), ALL_NODES, {
      kind: 'router-advertisement',
      hopLimit: 63,
      managed: false,
      otherConfiguration: false,
      preference: 'medium',
      routerLifetime: 1800,
      reachableTime: 0,
      retransmitTime: 0,
      options: [
        { kind: 'source-link-address', mac: routerSide.mac },
        { kind: 'mtu', mtu: 1400 },
        {
          kind: 'prefix',
          prefix: PREFIX,
          onLink: true,
          autonomous: true,
          validLifetime: 7200,
          preferredLifetime: 3600,
        },
      ],
      ...change,
    });
  };
  return { clock, router, routerSide, host, hostSide, advertise };
}

/** The addresses that are in use, as text. */
function inUse(via: Interface): string[] {
  return via.usable(6).map(({ cidr }) => cidr.address.toString());
}

/** The link-local address that a secret leads to. */
function addressWith(secret: Uint8Array): string {
  const { clock, hostSide } = scene(secret);
  clock.advance(3000);
  return hostSide.linkLocal!.toString();
}

test('RFC 4862, 5.3 and 5.4: the link-local address is checked for duplicates, then used', () => {
  const { clock, hostSide } = scene();
  assert.deepEqual(inUse(hostSide), []);
  clock.advance(3000);
  assert.equal(inUse(hostSide).length, 1);
  assert.ok(hostSide.linkLocal?.isLinkLocal);
});

test('RFC 4862, 5.5: an advertised prefix becomes an address, the router a default route, the link gets its parameters', () => {
  const { clock, host, hostSide, advertise } = scene();
  clock.advance(3000);
  advertise();
  clock.advance(6000);
  const global = hostSide.usable(6).find(({ cidr }) => PREFIX.contains(cidr.address));
  assert.ok(global, 'there is an address of the prefix');
  assert.equal(hostSide.mtu, 1400);
  assert.equal(hostSide.hopLimit, 63);
  assert.equal(host.paths.find(IpAddress.parse('2001:db8:ffff::1'), undefined).mtu, 1400);
  let answer: unknown;
  host.ping(IpAddress.parse('2001:db8:1::1'), { size: 8, hopLimit: 64 }, (reply) => {
    answer = reply;
  });
  clock.advance(7000);
  assert.ok(!(answer instanceof NetloomError) && answer !== undefined, 'the router answers');
});

test('RFC 4861, 6.3.4: a router that ceases to be one takes its default route along', () => {
  const { clock, host, advertise } = scene();
  clock.advance(3000);
  advertise();
  clock.advance(6000);
  const elsewhere = IpAddress.parse('2001:db8:ffff::1');
  host.paths.find(elsewhere, undefined);
  advertise({ routerLifetime: 0 });
  clock.advance(6100);
  assert.throws(() => host.paths.find(elsewhere, undefined), { code: 'NETWORK_UNREACHABLE' });
});

test('RFC 4862, 5.4.3: an address that another node has is not taken', () => {
  const known = scene();
  known.clock.advance(3000);
  const taken = known.hostSide.linkLocal!;
  // The same secret and link address would make the same address again; the router has it now.
  const { clock, router, routerSide, hostSide } = scene();
  const plain = IpAddress.v6(taken.word0, taken.word1, taken.word2, taken.word3);
  router.addAddress(routerSide, new Cidr(plain, 64));
  clock.advance(10_000);
  assert.ok(!inUse(hostSide).includes(plain.toString()));
  assert.equal(inUse(hostSide).length, 1, 'another one is taken instead');
});

test('a secret makes the same addresses again, another secret makes others', () => {
  const secret = new Uint8Array(16).fill(9);
  assert.equal(addressWith(secret), addressWith(secret));
  assert.notEqual(addressWith(secret), addressWith(new Uint8Array(16).fill(8)));
});
