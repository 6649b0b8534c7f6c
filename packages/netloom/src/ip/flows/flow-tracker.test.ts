import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { fromHex } from '../../core/index.ts';
import { LinkType, TcpFlag } from '../../wire/index.ts';
import { connection, udpFrame } from '../../../test/flows/frames.ts';
import type { Flow } from './flow.ts';
import { FlowTracker, type FlowSink } from './flow-tracker.ts';
import type { FlowTrackerLimits } from './limits.ts';

const { SYN, ACK, FIN, RST } = TcpFlag;

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** A tracker, and what it has told. */
class Watched {
  readonly events: string[] = [];
  readonly tracker: FlowTracker;
  #time = 0n;

  constructor(
    limits: Partial<FlowTrackerLimits> = {},
    wanted: (flow: Flow) => boolean = () => true,
  ) {
    const sink: FlowSink = {
      begins: (flow) => {
        this.events.push(`${flow.id} begins`);
        return wanted(flow);
      },
      data: (flow, direction, bytes) => {
        this.events.push(`${flow.id} ${direction} ${textOf(bytes)}`);
      },
      gap: (flow, direction, length) => this.events.push(`${flow.id} ${direction} -${length}`),
      ends: (flow, end) => this.events.push(`${flow.id} ${end}`),
    };
    this.tracker = new FlowTracker(sink, limits);
  }

  frames(...frames: Uint8Array[]): this {
    for (const data of frames) {
      this.tracker.frame({ data, linkType: LinkType.ETHERNET, time: this.#time });
      this.#time += 1_000_000n;
    }
    return this;
  }
}

test('a connection: who began it, what went each way, in order, and how it ended', () => {
  const { client, server } = connection();
  const watched = new Watched().frames(
    client({ flags: SYN, sequence: -3 }),
    server({ flags: SYN | ACK, sequence: 100, acknowledgment: -2 }),
    client({ flags: ACK, sequence: -2, acknowledgment: 101, text: 'GET' }),
    client({ flags: ACK, sequence: 5, acknowledgment: 101, text: 'end' }),
    client({ flags: ACK, sequence: 1, acknowledgment: 101, text: ' me ' }),
    server({ flags: ACK | FIN, sequence: 101, acknowledgment: 8, text: 'yes' }),
    client({ flags: ACK | FIN, sequence: 8, acknowledgment: 105 }),
  );
  assert.deepEqual(watched.events, [
    '1 begins',
    '1 forward GET',
    '1 forward  me ',
    '1 forward end',
    '1 backward yes',
    '1 finished',
  ]);
  const [flow] = watched.tracker.flows;
  assert.equal(`${flow!.from.address} ${flow!.from.port}`, '192.0.2.1 4000');
  assert.equal(`${flow!.to.address} ${flow!.to.port}`, '192.0.2.2 80');
  assert.deepEqual({ ...flow!.forward }, { frames: 5, bytes: 10 });
  assert.deepEqual({ ...flow!.backward }, { frames: 2, bytes: 3 });
  assert.deepEqual([flow!.first, flow!.last, flow!.isWhole], [0n, 6_000_000n, true]);
});

test('over IPv6, with VLAN tags and without a frame it is the same', () => {
  for (const family of [4, 6] as const) {
    for (const tags of [[], [5], [7, 9]]) {
      const { client } = connection({ family, tags });
      assert.deepEqual(new Watched().frames(client({ flags: ACK, text: 'a' })).events, [
        '1 begins',
        '1 forward a',
      ]);
    }
    const watched = new Watched();
    const data = connection({ family }).client({ flags: ACK, text: 'b' }).subarray(14);
    watched.tracker.frame({ data, linkType: 101, time: undefined });
    assert.deepEqual(watched.events, ['1 begins', '1 forward b']);
  }
});

test('of an answer to a SYN that was not seen the other side has begun, and the flow is not whole', () => {
  const { client, server } = connection();
  const watched = new Watched().frames(
    server({ flags: SYN | ACK, sequence: 7 }),
    client({ flags: ACK, text: 'x' }),
  );
  const [flow] = watched.tracker.flows;
  assert.deepEqual([flow!.from.port, flow!.isWhole], [4000, false]);
  assert.deepEqual(watched.events, ['1 begins', '1 forward x']);
});

test('a SYN that is sent again is of the same flow; another SYN between the same ports begins another', () => {
  const { client, server } = connection();
  const watched = new Watched().frames(
    client({ flags: SYN, sequence: 5 }),
    client({ flags: SYN, sequence: 5 }),
    server({ flags: RST | ACK, acknowledgment: 6 }),
    client({ flags: SYN, sequence: 9 }),
    client({ flags: ACK, sequence: 10, text: 'new' }),
  );
  assert.deepEqual(watched.events, ['1 begins', '1 reset', '2 begins', '2 forward new']);
  assert.equal(watched.tracker.flows.length, 2);
});

test('what the other side has acknowledged and nobody saw is a gap; at the end the rest of the gaps is told', () => {
  const { client, server } = connection();
  const watched = new Watched().frames(
    client({ flags: SYN, sequence: 0 }),
    client({ flags: ACK, sequence: 11, text: 'later' }),
    server({ flags: ACK, sequence: 50, acknowledgment: 16 }),
    client({ flags: ACK, sequence: 20, text: 'last' }),
  );
  assert.deepEqual(watched.events, ['1 begins', '1 forward -10', '1 forward later']);
  watched.tracker.end();
  assert.deepEqual(watched.events.slice(3), ['1 forward -4', '1 forward last']);
});

test('UDP datagrams come as they are, an empty one too', () => {
  const watched = new Watched().frames(
    udpFrame('a'),
    udpFrame(''),
    udpFrame('b', { isBack: true }),
  );
  assert.deepEqual(watched.events, ['1 begins', '1 forward a', '1 forward ', '1 backward b']);
  assert.equal(watched.tracker.flows[0]!.end, undefined);
});

test('of a flow whose bytes are not wanted only the counts are kept', () => {
  const { client } = connection();
  const watched = new Watched({}, () => false).frames(
    client({ flags: ACK, text: 'abc' }),
    udpFrame('a'),
  );
  assert.deepEqual(watched.events, ['1 begins', '2 begins']);
  assert.equal(watched.tracker.flows[0]!.forward.bytes, 3);
});

test('what is of no flow, or of one too many, is counted by reason', () => {
  const { client } = connection();
  const whole = client({ flags: ACK, text: 'abc' });
  const fragment = udpFrame('fragment', { fragment: 0x2000 });
  const broken = client({ flags: ACK });
  broken[14 + 8]!++;
  const watched = new Watched({ flows: 1 }).frames(
    whole,
    whole.subarray(0, whole.length - 1),
    fragment,
    broken,
    fromHex('ffffffffffff0200000000010806'),
    udpFrame('a'),
    new Uint8Array(3),
    client({ flags: ACK, sequence: -(2 ** 31), text: 'far' }),
  );
  assert.deepEqual(watched.tracker.passedOver.snapshot(), {
    'bad-checksum': 1,
    fragment: 1,
    'other-protocol': 1,
    'out-of-window': 1,
    'too-many-flows': 1,
    truncated: 2,
  });
});

test('any bytes are a frame that can be shown', () => {
  const watched = new Watched();
  const { client } = connection();
  const segment = client({ flags: ACK, text: 'some text' });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(80), (bytes, at) => {
      const frame = Uint8Array.from(segment);
      frame.set(bytes.subarray(0, Math.max(0, frame.length - at)), Math.min(at, frame.length));
      watched.frames(frame, bytes);
    }),
    { numRuns: 500 },
  );
});
