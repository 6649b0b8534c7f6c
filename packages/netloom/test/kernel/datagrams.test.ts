/** ICMP and UDP between the Linux kernel and our stack over a TAP, whole and in fragments. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { DatagramSocket } from 'netloom/core';
import { tapObstacle } from '../kernel-namespace.ts';
import { privilege, program, requires } from '../requires.ts';
import { FAMILIES, KernelLan } from './kernel-lan.ts';
import { pattern } from './pattern.ts';

const needed = [privilege(), tapObstacle];
const timeout = 30_000;

/** Bytes after the ICMP or UDP header: the usual ping, a full frame, and one that needs seven fragments. */
const SIZES = [56, 1400, 9000];

test(
  'the kernel pings our stack, and our stack the kernel',
  { skip: requires(...needed, program('ping')), timeout },
  async () => {
    await using lan = new KernelLan('ping');
    for (const { family, ours, kernel } of FAMILIES) {
      for (const size of SIZES) {
        const words = `-${family} -n -c 3 -i 0.02 -W 5 -s ${size} ${ours}`.split(' ');
        const said = await lan.namespace.run('ping', ...words);
        assert.match(said, /3 packets transmitted, 3 received, 0% packet loss/);
        assert.match(said, new RegExp(`^${size + 8} bytes from ${ours}: icmp_seq=3 ttl=64 `, 'm'));
        assert.doesNotMatch(said, /wrong data|truncated|DUP/);
        const reply = await lan.host.ping(kernel, { size, sequence: 7, timeout: 5000 });
        assert.ok(reply.from.equals(kernel));
        assert.equal(reply.size, size);
        assert.equal(reply.sequence, 7);
        assert.equal(reply.hopLimit, 64);
      }
    }
  },
);

/** Answers every question with one address (RFC 1035, section 4). */
function answerQueries(socket: DatagramSocket): void {
  socket.start({
    receive: (batch) => {
      for (const { data, remote, local } of batch) {
        socket.send([{ data: answerTo(data), remote, ...(local === undefined ? {} : { local }) }]);
      }
    },
  });
}

function answerTo(query: Uint8Array): Uint8Array {
  // The name ends with an empty label; type and class follow.
  const end = query.indexOf(0, 12) + 5;
  const header = [0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0];
  const address = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7];
  return Uint8Array.of(query[0]!, query[1]!, ...header, ...query.subarray(12, end), ...address);
}

test(
  'dig in the kernel asks a UDP socket of our stack',
  { skip: requires(...needed, program('dig')), timeout },
  async () => {
    await using lan = new KernelLan('dig');
    await using socket = await lan.host.bind({ port: 53 });
    answerQueries(socket);
    for (const { ours } of FAMILIES) {
      const words = `+noedns +norecurse +short +tries=1 +time=10 @${ours} netloom.test A`.split(
        ' ',
      );
      assert.equal(await lan.namespace.run('dig', ...words), '192.0.2.7\n');
    }
  },
);

test(
  'a UDP socket of our stack has its datagrams echoed by one of the kernel’s',
  { skip: requires(...needed, program('socat')), timeout },
  async () => {
    await using lan = new KernelLan('socat');
    for (const { family, kernel } of FAMILIES) {
      const port = 7000 + family;
      // One for each peer: what socat forks would outlive it.
      const command = `exec socat -d -d -b 65536 UDP${family}-LISTEN:${port} PIPE 2>&1`;
      const echo = lan.namespace.startProgram('sh', '-c', command);
      while (!(await echo.line()).includes('listening on'));
      await using socket = await lan.host.bind();
      for (const size of SIZES) {
        const [data] = pattern(size);
        const expected = digest(data!);
        const echoed = Promise.withResolvers<string>();
        socket.start({
          receive: (batch) => echoed.resolve(batch.map(({ data: bytes }) => digest(bytes)).join()),
          error: (error) => echoed.reject(error),
        });
        assert.equal(socket.send([{ data: data!, remote: { address: kernel, port } }]), 1);
        assert.equal(await echoed.promise, expected, `IPv${family}, ${size} bytes`);
      }
    }
  },
);

test(
  'a port of the kernel’s where nobody listens is reported by name, over UDP and TCP',
  { skip: requires(...needed), timeout },
  async () => {
    await using lan = new KernelLan('refused');
    for (const { kernel } of FAMILIES) {
      await using socket = await lan.host.bind();
      const refused = Promise.withResolvers<string>();
      socket.start({ error: ({ code }) => refused.resolve(code) });
      socket.send([{ data: new Uint8Array(8), remote: { address: kernel, port: 9 } }]);
      assert.equal(await refused.promise, 'CONNECTION_REFUSED');
      const connecting = lan.host.connect({ host: kernel, port: 9 });
      await assert.rejects(connecting, { code: 'CONNECTION_REFUSED' });
    }
  },
);

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
