import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { concatBytes, fromHex } from '../core/index.ts';
import { program, requires } from '../../test/requires.ts';
import { PcapngWriter } from './pcapng-writer.ts';

/** A broadcast ARP request of 42 bytes (RFC 826). */
const ARP = fromHex(
  'ffffffffffff02000000000108060001080006040001020000000001c0000201000000000000c0000202',
);

/** Runs the tool on a capture of two interfaces in this byte order, and answers what it said. */
function inspect(tool: string, args: string[], byteOrder: 'little' | 'big'): string {
  const folder = mkdtempSync(join(tmpdir(), 'netloom-pcapng-'));
  try {
    const blocks: Uint8Array[] = [];
    const writer = new PcapngWriter((block) => blocks.push(block), { byteOrder });
    writer.addInterface({ name: 'lan0', description: 'the first', snapLength: 64 });
    writer.addInterface({ name: 'lan1', timeUnit: 'microseconds' });
    const time = 1_600_000_000_123_456_789n;
    writer.packet({ interfaceId: 0, time, data: ARP, direction: 'out' });
    writer.packet({ interfaceId: 1, time: time + 1_000_000n, data: ARP, direction: 'in' });
    const comment = 'lost here: loss';
    writer.packet({ interfaceId: 0, time: time + 2_000_000n, data: ARP, comment });
    writer.statistics({ interfaceId: 0, time, received: 2n, dropped: 1n });
    const file = join(folder, 'test.pcapng');
    writeFileSync(file, concatBytes(blocks));
    const run = spawnSync(tool, [...args, file], { encoding: 'utf8' });
    // Tools run by root say so; that is no complaint about the file.
    const complaints = run.stderr.split('\n').filter((line) => line !== '' && !/root/.test(line));
    assert.deepEqual(complaints, []);
    assert.equal(run.status, 0);
    return run.stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('tshark reads what we write', { skip: requires(program('tshark')) }, () => {
  const fields = ['frame.interface_name', 'frame.time_epoch', 'frame.packet_flags_direction'];
  const args = ['-T', 'fields', '-E', 'separator=;', ...fields.flatMap((name) => ['-e', name])];
  for (const byteOrder of ['little', 'big'] as const) {
    const output = inspect(
      'tshark',
      [...args, '-e', 'arp.dst.proto_ipv4', '-e', 'frame.comment', '-r'],
      byteOrder,
    );
    const lines = output.trim().split('\n');
    assert.equal(lines.length, 3);
    assert.match(lines[0]!, /^lan0;1600000000[.]123456789;0x00000002;192[.]0[.]2[.]2;$/);
    assert.match(lines[1]!, /^lan1;1600000000[.]124456000;0x00000001;/);
    assert.match(lines[2]!, /^lan0;1600000000[.]125456789;;192[.]0[.]2[.]2;lost here: loss$/);
    assert.doesNotMatch(output, /Malformed/i);
  }
});

test('capinfos finds the file in order', { skip: requires(program('capinfos')) }, () => {
  for (const byteOrder of ['little', 'big'] as const) {
    const output = inspect('capinfos', ['-M'], byteOrder);
    assert.match(output, /File type: .*pcapng\n/);
    assert.match(output, /Number of packets: +3\n/);
    assert.match(output, /Number of interfaces in file: +2\n/);
    assert.match(output, /Name = lan0\n/);
    assert.match(output, /Number of stat entries = 1\n/);
  }
});
