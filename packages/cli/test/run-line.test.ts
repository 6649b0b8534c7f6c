/** `netloom run`: what is wrong with the line when asked for, as programs see it that were not written here. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { seededRandom } from 'netloom/core';
import { program, requires } from '../../netloom/test/requires.ts';
import { startNetloom } from './netloom-process.ts';
import { bytesOf, sha256 } from './file-server.ts';
import { runObstacle, runOptions, runScript } from './run-place.ts';

const withPing = { ...runOptions, skip: requires(runObstacle, program('ping')) };
const withPython = { ...runOptions, skip: requires(runObstacle, program('python3')) };
const withCurl = { ...runOptions, skip: requires(runObstacle, program('curl')) };

/** Makes the gateway known to the kernel: while it asks for it, what is sent would wait. */
const NEIGHBOUR = 'ip neighbour replace 10.0.2.2 lladdr 02:00:00:00:00:02 dev tap0';
/** Until one is answered: then the program is known to the gateway too. */
const FIRST_PING = 'ping -n -q -c 1 -w 50 -i 0.1 10.0.2.2';

/** The numbers of the echo requests that were answered, in the order the answers came in. */
function answered(stdout: string): number[] {
  return [...stdout.matchAll(/icmp_seq=(\d+) ttl=/g)].map(([, number]) => Number(number));
}

/** The same of ping with these words, on a line on which both ends are known. */
async function ping(words: string, ...options: readonly string[]): Promise<number[]> {
  const script = `${NEIGHBOUR}; ${FIRST_PING}; ping -n ${words} 10.0.2.2`;
  return answered((await runScript(script, 'root', ...options)).stdout);
}

test('the delay asked for is that of the way there and back', withPing, async () => {
  const { stdout } = await runScript(
    'ping -n -q -i 0.05 -c 10 10.0.2.2',
    'root',
    '--delay',
    '80ms',
  );
  const [, least] = /= ([\d.]+)\//.exec(stdout)!;
  assert.ok(Number(least) >= 80 && Number(least) < 120, stdout);
});

// The bounds below are five standard deviations away from what is to be expected, or more.

test('what is lost is lost each way', withPing, async () => {
  const numbers = await ping('-i 0.002 -c 400 -W 1', '--loss', '30%', '--seed', '5');
  // 0.7 of the requests, and 0.7 of their answers: 196 of 400.
  assert.ok(numbers.length > 146 && numbers.length < 246, String(numbers.length));
});

test('what is reordered is overtaken, and nothing is lost', withPing, async () => {
  // All at once: for one that is late ping would wait, if it is to send one after the other.
  const straight = await ping('-l 200 -c 200 -W 2');
  assert.deepEqual(
    straight,
    Array.from({ length: 200 }, (_, index) => index + 1),
  );
  const numbers = await ping('-l 200 -c 200 -W 2', '--reorder', '10%', '--seed', '5');
  assert.deepEqual(
    numbers.toSorted((a, b) => a - b),
    straight,
  );
  const late = numbers.filter((number, index) => number < Math.max(...numbers.slice(0, index + 1)));
  // 0.1 of the requests, and 0.1 of the answers of the others: 38 of 200, less those with nobody behind them.
  assert.ok(late.length > 5 && late.length < 66, String(late.length));
});

test('what is duplicated comes twice, and in full', withPing, async () => {
  // The last is answered only once all copies of those before are in.
  const numbers = await ping('-i 0.002 -c 200 -W 2', '--duplicate', '20%', '--seed', '5');
  assert.equal(new Set(numbers).size, 200);
  // Requests and answers, each 1.2 times: 288 for 200.
  assert.ok(numbers.length > 240 && numbers.length < 336, String(numbers.length));
});

test(
  'what is corrupted is thrown away, and no byte of a download is wrong',
  withCurl,
  async (context) => {
    const content = bytesOf(1_000_000);
    const server = createServer((_, response) => void response.end(content)).listen(0, '127.0.0.1');
    context.after(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { code, stdout, stderr } = await runScript(
      `curl -sS --max-time 50 http://10.0.2.2:${port}/ | sha256sum
     ping -n -q -i 0.002 -c 400 -W 1 10.0.2.2 | grep -o '[0-9]* received'`,
      'root',
      '--host-access',
      '--corrupt',
      '5%',
      '--seed',
      '5',
    );
    assert.deepEqual([code, stderr], [0, '']);
    const [hash, received] = stdout.split('\n');
    assert.equal(hash!.split(' ')[0], sha256(content));
    // 0.95 of the requests, and 0.95 of the answers: 361 of 400. One bit in eight or so is one that nothing depends on.
    assert.ok(parseInt(received!, 10) > 330 && parseInt(received!, 10) < 396, received!);
  },
);

test(
  'nothing passes while the line is partitioned, and everything afterwards',
  withPing,
  async () => {
    // Until three have been answered, however long that takes.
    const script = `${NEIGHBOUR}; ping -n -i 0.02 -c 3 -w 50 10.0.2.2`;
    const { stdout } = await runScript(script, 'root', '--partition', '0s..1s');
    const numbers = answered(stdout);
    const [first = 0] = numbers;
    assert.ok(first > 1, `the first answer was to number ${first}`);
    assert.deepEqual(numbers.slice(0, 3), [first, first + 1, first + 2]);
  },
);

/** How many numbered datagrams are sent, and how many more that say it is over. */
const COUNT = 200;
const ENDS = 30;
/**
 * Asks at the port given until it is answered, so that the way there is known to all; then sends the datagrams, and nothing else meanwhile: it speaks no IPv6, and
 * knows its neighbour.
 */
const SENDER = `
import signal, socket, sys
open('/proc/sys/net/ipv6/conf/tap0/disable_ipv6', 'w').write('1')
sent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sent.connect(('10.0.2.2', int(sys.argv[1])))
sent.settimeout(0.2)
while True:
    try:
        sent.send(b'?')
        sent.recv(10)
        break
    except TimeoutError:
        pass
for number in range(${COUNT + ENDS}):
    sent.send(str(number).encode())
signal.pause()
`;

/** The numbers that arrive at this machine of what the sender sends. */
async function arrivals(...options: readonly string[]): Promise<number[]> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const numbers: number[] = [];
  const over = Promise.withResolvers<void>();
  socket.on('message', (data, { port, address }) => {
    const text = data.toString();
    if (text === '?') socket.send('!', port, address);
    else if (Number(text) < COUNT) numbers.push(Number(text));
    else over.resolve();
  });
  const sender = `python3 -c "$0" ${socket.address().port}`;
  const words = ['run', '--host-access', ...options, '--', 'sh', '-c', `${NEIGHBOUR} && ${sender}`];
  const run = startNetloom([...words, SENDER]);
  try {
    await Promise.race([over.promise, run.outcome().then(({ stderr }) => assert.fail(stderr))]);
    return numbers;
  } finally {
    run.signal('SIGKILL');
    await run.outcome();
    socket.close();
  }
}

test('the seed decides which datagrams are lost, and nothing else does', withPython, async () => {
  const arrived = new Set(await arrivals('--loss', '30%', '--seed', '5'));
  const draws = seededRandom(5);
  const fates = Array.from({ length: COUNT + 100 }, () => draws.float() >= 0.3);
  // How many frames the kernel has sent before is its own affair.
  const found = fates
    .slice(0, 100)
    .findIndex((_, before) =>
      fates
        .slice(before, before + COUNT)
        .every((arrives, number) => arrives === arrived.has(number)),
    );
  assert.ok(found >= 0, [...arrived].join(' '));
});
