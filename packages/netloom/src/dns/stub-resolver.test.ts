import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, type NetloomError } from '../core/index.ts';
import { simWorld, type SimHost } from '../host/index.ts';
import {
  DnsClass,
  DnsFlag,
  DnsResponseCode,
  DnsType,
  StubResolver,
  encodeDnsMessage,
  parseDnsMessage,
  type DnsMessage,
} from './index.ts';
import { framed } from './upstream.ts';

const FOUND = IpAddress.parse('192.0.2.7');

function scene() {
  const world = simWorld({ seed: 1 });
  const lan = world.network('lan', { subnets: ['10.1.0.0/24'], delay: 1 });
  const [client, first, second] = ['client', 'first', 'second'].map((name) =>
    world.machine(name, { on: lan }),
  ) as [SimHost, SimHost, SimHost];
  const nameServers = [first.address, second.address];
  const resolver = new StubResolver(
    () => client,
    () => ({ nameServers, zone: 'lan' }),
  );
  return { world, client, first, second, resolver };
}

/** The answer to a question: our address, unless `change` says otherwise. */
function answerTo(asked: Uint8Array, change: Partial<DnsMessage> = {}): Uint8Array {
  const question = parseDnsMessage(asked, 0, asked.length);
  if (typeof question === 'string') throw new Error(question);
  const [{ name }] = question.questions as [DnsMessage['questions'][number]];
  const data = { kind: 'address', address: FOUND } as const;
  const record = { name, type: DnsType.A, class: DnsClass.IN, timeToLive: 60, data };
  return encodeDnsMessage({
    ...question,
    flags: question.flags | DnsFlag.RESPONSE,
    answers: [record],
    ...change,
  });
}

/** Has a machine answer by UDP; counts the questions. */
async function answering(
  { world }: ReturnType<typeof scene>,
  host: SimHost,
  answer: (asked: Uint8Array) => Uint8Array | undefined,
): Promise<{ count: number }> {
  const questions = { count: 0 };
  const socket = await world.run(host.bind({ port: 53 }));
  socket.start({
    receive: (batch) => {
      for (const { data, remote } of batch) {
        questions.count++;
        const answered = answer(data);
        if (answered !== undefined) socket.send([{ data: answered, remote }]);
      }
    },
  });
  return questions;
}

test('what does not fit into a datagram is asked for by TCP', async () => {
  const at = scene();
  const { world, first, resolver } = at;
  await answering(at, first, (asked) =>
    answerTo(asked, { answers: [], flags: DnsFlag.RESPONSE | DnsFlag.TRUNCATED }),
  );
  await world.run(
    first.listen({
      port: 53,
      accept: (connection) =>
        connection.start({ data: (chunk) => connection.write(framed(answerTo(chunk.slice(2)))) }),
    }),
  );
  const found = await world.run(resolver.resolve('db', { family: 4 }));
  assert.deepEqual(found.map(String), ['192.0.2.7']);
});

test('who is silent, or cannot say, is passed over; then all are asked once more', async () => {
  const at = scene();
  const { world, client, first, second, resolver } = at;
  const silent = await answering(at, first, () => undefined);
  const failing = await answering(at, second, (asked) =>
    failing.count === 1
      ? answerTo(asked, { answers: [], responseCode: DnsResponseCode.SERVER_FAILURE })
      : answerTo(asked),
  );
  const found = await world.run(resolver.resolve('db.example', { family: 4 }));
  assert.deepEqual(found.map(String), ['192.0.2.7']);
  assert.deepEqual([silent.count, failing.count], [2, 2]);
  assert.deepEqual(client.stack.udp.sockets(), [], 'no socket is left');
});

test('it ends with what nobody says, with what there is not, and when it is not wanted any more', async () => {
  const at = scene();
  const { world, client, first, resolver } = at;
  const code = (work: Promise<unknown>): Promise<string> =>
    world.run(
      work.then(
        () => 'found',
        (error: NetloomError) => error.code,
      ),
    );
  assert.equal(await code(resolver.resolve('db', {})), 'NAME_RESOLUTION_FAILED');
  const aborter = new AbortController();
  const asking = resolver.resolve('db', { signal: aborter.signal });
  aborter.abort();
  assert.equal(await code(asking), 'ABORTED');
  await answering(at, first, (asked) =>
    answerTo(asked, { answers: [], responseCode: DnsResponseCode.NAME_ERROR }),
  );
  assert.equal(await code(resolver.resolve('db', {})), 'NAME_NOT_FOUND');
  await world.run(world.now() + 1000);
  assert.deepEqual(client.stack.udp.sockets(), []);
});
