import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, ManualClock, seededRandom } from '../../core/index.ts';
import { linkPair, type FrameOffload, type Link } from '../../link/index.ts';
import { IpStack } from '../index.ts';

/** Has a link send from one buffer only, as a TAP does: what is allocated next overwrites what was allocated before. */
function withOneBuffer(link: Link): Link {
  const memory = new Uint8Array(2048);
  const take = link.allocate.bind(link);
  const send = link.transmit.bind(link);
  return Object.assign(link, {
    allocate: (length: number) => memory.subarray(0, length),
    transmit(frame: Uint8Array, offload?: FrameOffload) {
      const copy = take(frame.length);
      copy.set(frame);
      return send(copy, offload);
    },
  });
}

for (const family of [4, 6] as const) {
  test(`a frame that waits for its neighbour outlives the question, over IPv${family}`, () => {
    const addresses = family === 4 ? ['10.0.0.1', '10.0.0.2'] : ['fd00::1', 'fd00::2'];
    const clock = new ManualClock();
    const random = seededRandom(1);
    const links = linkPair(clock);
    const [ours, theirs] = links.map((link, index) => {
      const stack = new IpStack({ clock, random });
      const length = family === 4 ? 24 : 64;
      stack.addInterface(withOneBuffer(link), { addresses: [`${addresses[index]}/${length}`] });
      return stack;
    });
    const received: string[] = [];
    const any = family === 4 ? IpAddress.ANY4 : IpAddress.ANY6;
    theirs!.udp.bind(any, 7, false).start({
      receive: (batch) => {
        for (const { data } of batch) received.push(new TextDecoder().decode(data));
      },
    });
    const socket = ours!.udp.bind(any, 0, false);
    const remote = { address: IpAddress.parse(addresses[1]!), port: 7 };
    for (const text of ['first', 'other']) {
      socket.send([{ data: new TextEncoder().encode(text), remote }]);
    }
    clock.advance(100);
    assert.deepEqual(received, ['first', 'other']);
  });
}
