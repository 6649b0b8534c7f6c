import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, seededRandom } from '../../core/index.ts';
import {
  emitNdp,
  isFault,
  ndpLength,
  parseNdp,
  type NeighbourAdvertisement,
  type NeighbourSolicitation,
} from '../../wire/index.ts';
import { DuplicateDetection, type DuplicateDetectionLimits } from './duplicate-address-v6.ts';

const ADDRESS = IpAddress.parse('2001:db8::1:2');
const OTHER = IpAddress.parse('2001:db8::99');

/** A detection in virtual time, with what it told. */
class Station {
  now = 0;
  readonly told: string[] = [];
  readonly solicitations: NeighbourSolicitation[] = [];
  readonly detection: DuplicateDetection;

  constructor(
    options: { seed?: number; nonce?: boolean; limits?: Partial<DuplicateDetectionLimits> } = {},
  ) {
    this.detection = new DuplicateDetection(
      {
        random: seededRandom(options.seed ?? 1),
        nonce: options.nonce ?? true,
        limits: options.limits ?? {},
      },
      {
        solicit: (message, destination) => {
          this.solicitations.push(message);
          this.told.push(`${this.now} solicit ${message.target} > ${destination}`);
        },
        unique: (address) => this.told.push(`${this.now} unique ${address}`),
        duplicate: (address) => this.told.push(`${this.now} duplicate ${address}`),
      },
    );
  }

  pass(milliseconds: number): void {
    const until = this.now + milliseconds;
    while (this.detection.deadline() <= until) {
      this.now = Math.max(this.now, this.detection.deadline());
      this.detection.advance(this.now);
    }
    this.now = until;
  }

  take(): string[] {
    return this.told.splice(0);
  }

  /** Sends a solicitation through the wire and back to the station, from `::`. */
  loop(message: NeighbourSolicitation): void {
    const bytes = new Uint8Array(ndpLength(message));
    emitNdp(message, bytes, 0);
    const envelope = {
      hopLimit: 255,
      source: IpAddress.ANY6,
      destination: IpAddress.parse('ff02::1:ff01:2'),
    };
    const parsed = parseNdp(bytes, 0, bytes.length, envelope);
    assert.ok(!isFault(parsed) && parsed.kind === 'neighbour-solicitation');
    assert.equal(this.detection.receiveSolicitation(IpAddress.ANY6, parsed, this.now), true);
  }
}

function solicitation(target: IpAddress): NeighbourSolicitation {
  return { kind: 'neighbour-solicitation', target, options: [] };
}

function advertisement(target: IpAddress): NeighbourAdvertisement {
  return {
    kind: 'neighbour-advertisement',
    target,
    router: false,
    solicited: false,
    override: true,
    options: [],
  };
}

test('one solicitation, a second of silence, and the address is free (RFC 4862, section 5.4)', () => {
  const station = new Station();
  station.detection.check(ADDRESS, 0, 0);
  station.pass(10_000);
  assert.deepEqual(station.take(), [
    '0 solicit 2001:db8::1:2 > ff02::1:ff01:2',
    '1000 unique 2001:db8::1:2',
  ]);
  assert.equal(station.detection.isChecking(ADDRESS), false);
  assert.equal(station.detection.deadline(), Infinity);
});

test('as many solicitations as asked for, at the interval that routers ask for', () => {
  const station = new Station({ limits: { transmits: 3 } });
  station.detection.retransmitTime = 200;
  station.detection.check(ADDRESS, 0, 0);
  station.pass(10_000);
  assert.deepEqual(
    station.take().map((line) => line.split(' ').slice(0, 2).join(' ')),
    ['0 solicit', '200 solicit', '400 solicit', '600 unique'],
  );
});

test('no detection at all, if none is asked for', () => {
  const station = new Station({ limits: { transmits: 0 } });
  station.detection.check(ADDRESS, 500, 0);
  assert.deepEqual(station.take(), ['0 unique 2001:db8::1:2']);
});

test('the first solicitation waits if it is to', () => {
  const station = new Station();
  station.detection.check(ADDRESS, 300, 0);
  assert.deepEqual(station.take(), []);
  station.pass(10_000);
  assert.deepEqual(station.take(), [
    '300 solicit 2001:db8::1:2 > ff02::1:ff01:2',
    '1300 unique 2001:db8::1:2',
  ]);
});

test('an advertisement of the address, or another’s solicitation for it, is a conflict, before the first of ours too', () => {
  for (const delay of [500, 0]) {
    for (const isAdvertised of [true, false]) {
      const station = new Station();
      station.detection.check(ADDRESS, delay, 0);
      station.take();
      const { detection } = station;
      const wasTaken = isAdvertised
        ? detection.receiveAdvertisement(advertisement(ADDRESS), 0)
        : detection.receiveSolicitation(IpAddress.ANY6, solicitation(ADDRESS), 0);
      assert.equal(wasTaken, true);
      station.pass(10_000);
      assert.deepEqual(station.take(), ['0 duplicate 2001:db8::1:2']);
    }
  }
});

test('what is no conflict: other targets, and somebody who resolves the address', () => {
  const station = new Station();
  const { detection } = station;
  detection.check(ADDRESS, 0, 0);
  assert.equal(detection.receiveAdvertisement(advertisement(OTHER), 0), false);
  assert.equal(detection.receiveSolicitation(IpAddress.ANY6, solicitation(OTHER), 0), false);
  assert.equal(detection.receiveSolicitation(OTHER, solicitation(ADDRESS), 0), true);
  station.pass(1000);
  assert.equal(station.take().at(-1), '1000 unique 2001:db8::1:2');
  assert.deepEqual(detection.drops.snapshot(), { 'resolution-of-tentative': 1 });
});

test('a solicitation of our own that comes back is no conflict, and the link is tried until it is quiet (RFC 7527)', () => {
  const station = new Station();
  station.detection.check(ADDRESS, 0, 0);
  station.loop(station.solicitations[0]!);
  station.pass(3500);
  assert.equal(station.solicitations.length, 4, 'three more');
  station.loop(station.solicitations[3]!);
  station.pass(3000);
  assert.equal(station.solicitations.length, 7, 'and again');
  station.pass(10_000);
  assert.equal(station.take().at(-1), '7000 unique 2001:db8::1:2');
  assert.equal(station.detection.drops.get('looped-back'), 2);
});

test('with another nonce, with none, or without nonces at all, it is a conflict', () => {
  const other = new Station({ seed: 2 });
  other.detection.check(ADDRESS, 0, 0);
  for (const [station, message] of [
    [new Station(), other.solicitations[0]!],
    [new Station(), solicitation(ADDRESS)],
    [new Station({ nonce: false }), solicitation(ADDRESS)],
  ] as const) {
    station.detection.check(ADDRESS, 0, 0);
    station.loop(message);
    assert.equal(station.take().at(-1), '0 duplicate 2001:db8::1:2');
  }
});

test('addresses are checked beside each other, up to the limit', () => {
  const station = new Station({ limits: { addresses: 2 } });
  const { detection } = station;
  detection.check(ADDRESS, 0, 0);
  detection.check(ADDRESS, 0, 0);
  detection.check(OTHER, 0, 0);
  assert.throws(() => detection.check(IpAddress.parse('2001:db8::3'), 0, 0), {
    code: 'DUPLICATE_DETECTION_FULL',
  });
  detection.receiveAdvertisement(advertisement(ADDRESS), 0);
  station.pass(1000);
  assert.deepEqual(station.take().slice(2), [
    '0 duplicate 2001:db8::1:2',
    '1000 unique 2001:db8::99',
  ]);
});

test('a check that is cancelled says no more', () => {
  const station = new Station();
  station.detection.check(ADDRESS, 0, 0);
  station.detection.cancel(ADDRESS);
  station.detection.cancel(ADDRESS);
  station.take();
  station.pass(10_000);
  assert.deepEqual(station.take(), []);
});
