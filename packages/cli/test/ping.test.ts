import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress } from 'netloom/core';
import { osHost } from 'netloom/host';
import { PingStatistics } from '../src/ping/statistics.ts';
import { requires, type Obstacle } from '../../netloom/test/requires.ts';
import { runInProcess, runNetloom, startNetloom } from './netloom-process.ts';

async function pingObstacle(): Promise<Obstacle> {
  await using host = osHost();
  return await host.ping(IpAddress.LOOPBACK4).then(
    () => false as const,
    (error: Error) => error.message,
  );
}

const skip = requires(await pingObstacle());

test('each reply is told of, then all of them are summed up', { skip }, async () => {
  const words = ['ping', '127.0.0.1', '-c', '3', '-i', '0.01', '-s', '100'];
  const { code, stdout, stderr } = await runNetloom(words);
  assert.deepEqual([code, stderr], [0, '']);
  const lines = stdout.split('\n');
  assert.equal(lines[0], 'PING 127.0.0.1 (127.0.0.1) 100(128) bytes of data.');
  const replies = lines.filter((line) =>
    /^108 bytes from 127\.0\.0\.1: icmp_seq=[123] ttl=64 time=[\d.]+ ms$/.test(line),
  );
  assert.equal(new Set(replies).size, 3);
  assert.match(
    stdout,
    /\n\n--- 127\.0\.0\.1 ping statistics ---\n3 packets transmitted, 3 received, 0% packet loss, time \d+ms\nrtt min\/avg\/max\/mdev = (?:[\d.]+\/){3}[\d.]+ ms\n$/,
  );
});

test('names are looked up, and IPv6 is spoken', { skip }, async () => {
  const { code, stdout } = await runInProcess(['ping', '::1', '-c', '1']);
  assert.equal(code, 0);
  assert.match(
    stdout,
    /^PING ::1 \(::1\) 56\(104\) bytes of data\.\n64 bytes from ::1: icmp_seq=1 /,
  );
  const unknown = await runInProcess(['ping', 'nobody.invalid']);
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /\(NAME_NOT_FOUND\)\n$/);
});

test('of a name with several addresses the first is asked, and named', { skip }, async () => {
  await using host = osHost();
  const [first] = await host.resolve('localhost');
  const { code, stdout } = await runInProcess(['ping', 'localhost', '-c', '2', '-i', '0.01']);
  assert.equal(code, 0);
  assert.ok(stdout.startsWith(`PING localhost (${first}) 56(`), stdout);
  assert.equal(stdout.split(`64 bytes from ${first}: icmp_seq=`).length, 3);
  assert.match(stdout, /^--- localhost ping statistics ---$/m);
});

test('Ctrl-C ends it with the sum', { skip }, async () => {
  const run = startNetloom(['ping', '127.0.0.1', '-i', '60']);
  await run.until(/icmp_seq=1 .*ms\n/);
  run.signal('SIGINT');
  const { code, stdout } = await run.outcome();
  assert.equal(code, 0);
  assert.match(stdout, /\n1 packets transmitted, 1 received, 0% packet loss/);
});

test('what is asked for has to make sense', async () => {
  for (const [args, pattern] of [
    [['ping'], /wants one host/],
    [['ping', 'x', '-c', '0'], /-c wants a whole number from 1/],
    [['ping', 'x', '-c', '1.5'], /-c wants a whole number/],
    [['ping', 'x', '-i', '0'], /-i wants a number from 0\.01/],
    [['ping', 'x', '-s', '65508'], /-s wants a whole number from 0 to 65507/],
    [['ping', 'x', '-W', ''], /-W wants a number/],
  ] as const) {
    const { code, stderr } = await runInProcess(args);
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, pattern);
  }
});

test('the sum: loss, least, mean, most, and deviation', () => {
  const statistics = new PingStatistics();
  statistics.sent = 3;
  assert.match(statistics.summary('a', 1), /3 packets transmitted, 0 received, 100% packet loss/);
  assert.doesNotMatch(statistics.summary('a', 1), /rtt/);
  for (const time of [1, 4]) statistics.add(time);
  assert.equal(
    statistics.summary('a', 2003.4),
    '\n--- a ping statistics ---\n' +
      '3 packets transmitted, 2 received, 33.3% packet loss, time 2003ms\n' +
      'rtt min/avg/max/mdev = 1.000/2.500/4.000/1.500 ms\n',
  );
});
