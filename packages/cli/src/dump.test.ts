import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { concatBytes, fromHex, ManualClock } from 'netloom/core';
import { linkPair } from 'netloom/link';
import { PcapngWriter } from 'netloom/wire';
import { dump, type DumpContext } from './dump.ts';

/** A broadcast ARP request of 42 bytes (RFC 826). */
const ARP = fromHex(
  'ffffffffffff02000000000108060001080006040001020000000001c0000201000000000000c0000202',
);
const LINE = 'ARP who has 192.0.2.2? tell 192.0.2.1 at 02:00:00:00:00:01';
const START = 1_600_000_000_000_000_000n;

function capture(count = 3, linkType = 1, data = ARP): Uint8Array {
  const blocks: Uint8Array[] = [];
  const writer = new PcapngWriter((block) => blocks.push(block));
  writer.addInterface({ name: 'lan0', linkType });
  for (let i = 0; i < count; i++) {
    const time = START + BigInt(i) * 1_500_000_000n;
    writer.packet({ interfaceId: 0, time, data, direction: i % 2 === 0 ? 'out' : 'in' });
  }
  return concatBytes(blocks);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Runs the command with this standard input, and answers its output. */
async function run(
  args: string[],
  stdin = capture(),
  more: Partial<DumpContext> = {},
): Promise<string> {
  let output = '';
  await dump(args, {
    write: (text) => void (output += text),
    stdin: once(stdin),
    writeError: () => undefined,
    openLink: () => Promise.reject(new Error('no links here')),
    openNetwork: () => Promise.reject(new Error('no networks here')),
    grown: () => Promise.reject(new Error('nothing grows here')),
    signal: new AbortController().signal,
    ...more,
  });
  return output;
}

test('a line for each frame: number, time, interface, direction, length, description', async () => {
  assert.equal(
    await run(['-']),
    `    1     0.000000  lan0  out     42  ${LINE}\n` +
      `    2     1.500000  lan0  in      42  ${LINE}\n` +
      `    3     3.000000  lan0  out     42  ${LINE}\n`,
  );
});

test('a file is read from disk; a missing one is a named error', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'netloom-dump-'));
  try {
    const file = join(folder, 'a.pcapng');
    writeFileSync(file, capture(1));
    assert.equal(await run([file]), await run(['-'], capture(1)));
    await assert.rejects(run([join(folder, 'none')]), { code: 'FILE_UNREADABLE', message: /none/ });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('--count, --time and --ethernet', async () => {
  const mac = '02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff ';
  assert.equal(
    await run(['-', '--count', '1', '--time', 'none', '--ethernet']),
    `    1  lan0  out     42  ${mac}${LINE}\n`,
  );
  assert.match(await run(['-', '--time', 'wall']), /^ +1 {2}2020-09-13T12:26:40[.]000000Z {2}lan0/);
});

test('--hex shows the bytes', async () => {
  const lines = (await run(['-', '--count=1', '--hex'])).split('\n');
  assert.equal(
    lines[1],
    '       0000  ff ff ff ff ff ff 02 00 00 00 00 01 08 06 00 01  ................',
  );
  assert.equal(
    lines[3],
    '       0020  00 00 00 00 00 00 c0 00 02 02                    ..........',
  );
});

test('packets without a frame, and link types that are not read', async () => {
  assert.match(await run(['-'], capture(1, 101)), /packet of 42 bytes \(bad-version\)\n$/);
  assert.match(await run(['-'], capture(1, 105)), /link type 105\n$/);
});

test('a damaged file prints what could be read, then is a named error', async () => {
  let output = '';
  const write = (text: string): void => void (output += text);
  const damaged = concatBytes([capture(2), new Uint8Array(12)]);
  await assert.rejects(run(['-'], damaged, { write }), {
    code: 'CAPTURE_INVALID',
    message: /after frame 2: bad-length/,
  });
  assert.equal(output.split('\n').length, 3);
  await assert.rejects(run(['-'], new Uint8Array(100)), { message: /neither a pcapng nor a pcap/ });
});

test('wrong arguments are named', async () => {
  for (const args of [
    [],
    ['-', '--port', 'web'],
    ['-', '--name', 'node'],
    ['-', '--flow', '0'],
    ['-', '--flow', '1', '--flows'],
    ['-', '--time', 'x'],
    ['-', '--count', '0'],
    ['-', '--what'],
  ]) {
    await assert.rejects(run(args), { code: 'USAGE' });
  }
});

test('a live link is dumped until it is told to stop, or has shown enough', async () => {
  for (const stopByCount of [true, false]) {
    const clock = new ManualClock();
    const [link, far] = linkPair(clock, { names: ['tap0', 'far'] });
    const controller = new AbortController();
    const args = ['tap:tap0', ...(stopByCount ? ['--count', '2'] : [])];
    const output = run(args, capture(), {
      openLink: (name) => {
        assert.equal(name, 'tap:tap0');
        return Promise.resolve({ link, clock });
      },
      signal: controller.signal,
    });
    await Promise.resolve();
    await Promise.resolve();
    for (let i = 0; i < (stopByCount ? 5 : 2); i++) far.transmit(ARP.slice());
    clock.advance(1);
    if (!stopByCount) controller.abort();
    clock.advance(2);
    assert.equal((await output).match(/tap0 {2}in/g)?.length, 2);
  }
});

test('a link that is lost ends the dump with its error', async () => {
  const clock = new ManualClock();
  const [link, far] = linkPair(clock);
  const output = run(['tap:x'], capture(), { openLink: () => Promise.resolve({ link, clock }) });
  const rejected = assert.rejects(output, { code: 'LINK_PEER_CLOSED' });
  await Promise.resolve();
  await Promise.resolve();
  void far.close();
  clock.advance(1);
  await rejected;
});
