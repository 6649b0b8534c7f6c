/** A sender of datagrams on a kernel that answers what the test says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, type Datagram, type SocketAddress } from '../../core/index.ts';
import { Failure, nativeAvailable, type OutgoingDatagrams } from '../../native/index.ts';
import { requires } from '../../../test/requires.ts';
import { DatagramSender, type DatagramOutput } from './datagram-sender.ts';
import { fromSystemError } from './errors.ts';

const options = { skip: requires(nativeAvailable() ?? false) };
const LOCAL = { address: IpAddress.LOOPBACK4, port: 1000 };

/** What is to happen to messages: `sent` of a call go, or the first fails. */
type Answer = number | 'all';

/** A socket and the handler of its sender, with what both have been told, in order. */
class FakeKernel implements DatagramOutput {
  readonly family = 4;
  readonly local = LOCAL;
  readonly log: string[] = [];
  readonly #answers: Answer[];
  readonly #errors: number[];

  /** @param errors how many errors are in the queue each time that is emptied */
  constructor(answers: Answer[], errors: number[] = []) {
    this.#answers = answers;
    this.#errors = errors;
  }

  reaches(family: 4 | 6): boolean {
    return family === 4;
  }

  send(batch: OutgoingDatagrams, first: number): number {
    const answer = this.#answers.shift() ?? 'all';
    if (answer !== 'all' && answer < 0) {
      this.log.push(`${describe(batch, first)} -> ${answer}`);
      return answer;
    }
    const count = answer === 'all' ? batch.count - first : answer;
    for (let i = first; i < first + count; i++) this.log.push(describe(batch, i));
    return count;
  }

  failed(error: unknown, { port }: SocketAddress): void {
    this.log.push(`${fromSystemError(error, 'it').code} to ${port}`);
  }

  takeErrors(): number {
    return this.#errors.shift() ?? 0;
  }

  lost(): void {
    this.log.push('lost');
  }

  blocked(isBlocked: boolean): void {
    this.log.push(isBlocked ? 'blocked' : 'free');
  }

  takeLog(): string[] {
    return this.log.splice(0);
  }
}

/** A message by what of its datagram it is: `1+0:100`, and the length of its segments. */
function describe(batch: OutgoingDatagrams, i: number): string {
  const segment = batch.segmentOf(i);
  const part = `${batch.indexOf(i)}+${batch.offsetOf(i)}:${batch.lengthOf(i)}`;
  return segment === 0 ? part : `${part}/${segment}`;
}

function datagram(length: number, port: number, segmentSize?: number): Datagram {
  const remote = { address: IpAddress.LOOPBACK4, port };
  const data = new Uint8Array(length);
  return segmentSize === undefined ? { data, remote } : { data, remote, segmentSize };
}

function sender(kernel: FakeKernel, limit = 1_000_000): DatagramSender {
  return new DatagramSender(kernel, limit, kernel);
}

test('a batch goes in one call; what the kernel leaves of it goes in the next', options, () => {
  const kernel = new FakeKernel([2, 'all']);
  assert.equal(sender(kernel).send([datagram(1, 1), datagram(2, 2), datagram(0, 3)]), 3);
  assert.deepEqual(kernel.log, ['0+0:1', '1+0:2', '2+0:0']);
});

test('more than fit into one call go in several', options, () => {
  const kernel = new FakeKernel([]);
  const batch = Array.from({ length: 150 }, (_, i) => datagram(3_000, i));
  assert.equal(sender(kernel).send(batch), 150);
  assert.deepEqual(
    kernel.log,
    batch.map((_, i) => `${i}+0:3000`),
  );
});

test(
  'what the kernel does not take waits, up to the limit, and goes on when it can',
  options,
  () => {
    const kernel = new FakeKernel([1, Failure.WOULD_BLOCK, 1, Failure.WOULD_BLOCK]);
    // Of 1,000 bytes, and 256 for each beside: two reach the limit.
    const sending = sender(kernel, 2_000);
    const batch = [1, 2, 3, 4, 5].map((port) => datagram(1_000, port));
    assert.equal(sending.send(batch), 3);
    assert.deepEqual(kernel.takeLog(), ['0+0:1000', '1+0:1000 -> -11', 'blocked']);
    assert.equal(sending.send([datagram(1, 6)]), 0, 'full');
    sending.resume();
    assert.deepEqual(kernel.takeLog(), ['0+0:1000', '1+0:1000 -> -11']);
    assert.equal(sending.send([datagram(7, 7)]), 1, 'behind what waits');
    assert.deepEqual(kernel.takeLog(), []);
    sending.resume();
    assert.deepEqual(kernel.takeLog(), ['0+0:1000', '1+0:7', 'free']);
    sending.resume();
    assert.deepEqual(kernel.takeLog(), []);
  },
);

test('a limit of 0 takes none', options, () => {
  const kernel = new FakeKernel([]);
  assert.equal(sender(kernel, 0).send([datagram(1, 1)]), 0);
  assert.deepEqual(kernel.log, []);
});

test('what waits is dropped when it is cleared', options, () => {
  const kernel = new FakeKernel([Failure.WOULD_BLOCK]);
  const sending = sender(kernel);
  assert.equal(sending.send([datagram(1, 1), datagram(1, 2)]), 2);
  assert.equal(sending.clear(), 2);
  kernel.takeLog();
  sending.resume();
  assert.deepEqual(kernel.log, []);
});

test(
  'segments go together, as many as the kernel cuts, and of what is left nothing is sent twice',
  options,
  () => {
    const kernel = new FakeKernel([1, Failure.WOULD_BLOCK]);
    const sending = sender(kernel);
    assert.equal(sending.send([datagram(200_500, 1, 1_000)]), 1);
    const [first, ...others] = kernel.takeLog();
    assert.equal(first, '0+0:64000/1000');
    assert.deepEqual(others, ['0+64000:64000/1000 -> -11', 'blocked']);
    sending.resume();
    assert.deepEqual(kernel.takeLog(), [
      '0+0:64000/1000',
      '0+64000:64000/1000',
      '0+128000:8500/1000',
      'free',
    ]);
  },
);

test('a length that no segment has is sent as it is, the last segment too', options, () => {
  const kernel = new FakeKernel([]);
  sender(kernel).send([datagram(50, 1, 0), datagram(50, 2, 50), datagram(50, 3, 60)]);
  assert.deepEqual(kernel.log, ['0+0:50', '1+0:50', '2+0:50']);
});

test(
  'segments that the kernel cannot cut are sent one by one, shorter ones together still',
  options,
  () => {
    const kernel = new FakeKernel([Failure.INVALID]);
    const sending = sender(kernel);
    assert.equal(sending.send([datagram(5_000, 1, 2_000), datagram(3_000, 1, 1_000)]), 2);
    assert.deepEqual(kernel.log, [
      '0+0:5000/2000 -> -22',
      '0+0:2000',
      '0+2000:2000',
      '0+4000:1000',
      '1+0:3000/1000',
    ]);
  },
);

test('a datagram that fails is told of, and those after it go', options, () => {
  const kernel = new FakeKernel([1, Failure.MESSAGE_TOO_LONG]);
  assert.equal(sender(kernel).send([1, 2, 3].map((port) => datagram(1, port))), 3);
  assert.deepEqual(kernel.log, ['0+0:1', '1+0:1 -> -90', 'DATAGRAM_TOO_LARGE to 2', '2+0:1']);
});

test('of a datagram that fails in the middle nothing more is sent', options, () => {
  const kernel = new FakeKernel([1, Failure.NETWORK_DOWN]);
  sender(kernel).send([datagram(200_000, 1, 1_000), datagram(1, 2)]);
  assert.deepEqual(kernel.log, [
    '0+0:64000/1000',
    '0+64000:64000/1000 -> -100',
    'NETWORK_UNREACHABLE to 1',
    '1+0:1',
  ]);
});

test('an error of an earlier datagram does not cost the next its turn', options, () => {
  const refused = -111;
  const kernel = new FakeKernel([refused, refused, 'all'], [1, 2]);
  sender(kernel).send([datagram(1, 1)]);
  assert.deepEqual(kernel.log, ['0+0:1 -> -111', '0+0:1 -> -111', '0+0:1']);
});

test('errors that do not end are told in the end', options, () => {
  const refused = -111;
  const kernel = new FakeKernel(Array<number>(4).fill(refused), Array<number>(9).fill(1));
  sender(kernel).send([datagram(1, 1), datagram(1, 2)]);
  assert.deepEqual(kernel.log.slice(3), ['0+0:1 -> -111', 'CONNECTION_REFUSED to 1', '1+0:1']);
});

test('a datagram that the interface has no room for is lost', options, () => {
  const kernel = new FakeKernel([Failure.INTERRUPTED, Failure.NO_BUFFERS]);
  sender(kernel).send([datagram(1, 1), datagram(1, 2)]);
  assert.deepEqual(kernel.log, ['0+0:1 -> -4', '0+0:1 -> -105', 'lost', '1+0:1']);
});

test('one that cannot be written is told of, in its place', options, () => {
  const kernel = new FakeKernel([]);
  const other = { data: new Uint8Array(1), remote: { address: IpAddress.LOOPBACK6, port: 6 } };
  const sending = sender(kernel);
  assert.equal(sending.send([datagram(1, 1), other, datagram(1, 2), other]), 4);
  assert.deepEqual(kernel.log, [
    '0+0:1',
    'NETWORK_UNREACHABLE to 6',
    '2+0:1',
    'NETWORK_UNREACHABLE to 6',
  ]);
});
