import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import type { Dhcpv4LeaseRecord, Dhcpv6LeaseRecord } from '../../ip/index.ts';
import { leaseFileV4, leaseFileV6 } from './lease-file.ts';

/** A folder that goes with the test. */
class Folder implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), 'netloom-leases-'));

  file(name = 'leases.json'): string {
    return join(this.path, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

const V4: Dhcpv4LeaseRecord = {
  address: '10.0.0.9',
  client: 'hw:1:020000000001',
  hostname: 'box',
  remaining: 5000,
};
const V6: Dhcpv6LeaseRecord = {
  kind: 'prefix',
  lease: '2001:db8:1::/48',
  client: 'duid:000102',
  associationId: 0xffff_ffff,
  hostname: undefined,
  remaining: null,
};

test('what is saved is loaded, of both families; before the first time there is nothing', async () => {
  using folder = new Folder();
  const v4 = leaseFileV4(folder.file('v4'));
  const v6 = leaseFileV6(folder.file('v6'));
  assert.equal(await v4.load(), undefined);
  await v4.save({ at: 77, leases: [V4, { ...V4, hostname: undefined }] });
  await v6.save({ at: 78, leases: [V6] });
  assert.deepEqual(await v4.load(), { at: 77, leases: [V4, { ...V4, hostname: undefined }] });
  assert.deepEqual(await v6.load(), { at: 78, leases: [V6] });
  const identified = { ...V4, client: 'id:ff01', hardware: 'hw:1:020000000001' };
  await v4.save({ at: 78, leases: [identified] });
  assert.deepEqual(await v4.load(), { at: 78, leases: [identified] });
  await v4.save({ at: 79, leases: [] });
  assert.deepEqual(await v4.load(), { at: 79, leases: [] });
  assert.deepEqual(readdirSync(folder.path).toSorted(), ['v4', 'v6'], 'no temporary file is left');
});

test('saves at once stand in line: the last one stays', async () => {
  using folder = new Folder();
  const file = leaseFileV4(folder.file());
  await Promise.all(Array.from({ length: 20 }, (_, at) => file.save({ at, leases: [V4] })));
  assert.equal((await file.load())?.at, 19);
});

test('a file that holds no leases is refused by name, with what to do, and left as it is', async () => {
  using folder = new Folder();
  const good = JSON.stringify({ version: 1, at: 1, leases: [V4] });
  const bad = [
    '',
    good.slice(0, -5),
    '[]',
    'null',
    '{"version":2,"at":1,"leases":[]}',
    '{"version":1,"leases":[]}',
    '{"version":1,"at":1,"leases":{}}',
    ...[
      null,
      {},
      { ...V4, address: 5 },
      { ...V4, client: undefined },
      { ...V4, remaining: 'x' },
    ].map((lease) => JSON.stringify({ version: 1, at: 1, leases: [V4, lease] })),
  ];
  const file = leaseFileV4(folder.file());
  for (const text of bad) {
    writeFileSync(file.path, text);
    await assert.rejects(file.load(), { code: 'LEASE_FILE_DAMAGED', remedy: /move the file away/ });
    assert.equal(readFileSync(file.path, 'utf8'), text);
  }
  writeFileSync(file.path, good);
  await assert.rejects(leaseFileV6(file.path).load(), { code: 'LEASE_FILE_DAMAGED' });
});

test('a damaged file can be set aside: never over another that was', async () => {
  using folder = new Folder();
  const aside: string[] = [];
  const setAside = (_error: unknown, path: string): void =>
    void aside.push(readFileSync(path, 'utf8'));
  const file = leaseFileV4(folder.file(), { damaged: 'set-aside', setAside });
  for (const text of ['one', 'two']) {
    writeFileSync(file.path, text);
    assert.equal(await file.load(), undefined);
  }
  assert.deepEqual(aside, ['one', 'two']);
  assert.deepEqual(readdirSync(folder.path).toSorted(), [
    'leases.json.damaged-1',
    'leases.json.damaged-2',
  ]);
});

test('a folder that is not there, or a file that cannot be written: LEASE_FILE_FAILED, and the next save is tried', async () => {
  using folder = new Folder();
  const missing = leaseFileV4(join(folder.path, 'none', 'leases'));
  const code = 'LEASE_FILE_FAILED';
  await assert.rejects(missing.save({ at: 1, leases: [] }), { code });
  mkdirSync(join(folder.path, 'none'));
  await missing.save({ at: 2, leases: [V4] });
  assert.equal((await missing.load())?.at, 2);
  mkdirSync(folder.file());
  await assert.rejects(leaseFileV4(folder.file()).load(), { code });
});

const WRITER = `
  import { LeaseKeeper } from '${new URL('../stack/lease-keeper.ts', import.meta.url).href}';
  import { leaseFileV4 } from '${new URL('lease-file.ts', import.meta.url).href}';
  import { Counters } from '${new URL('../../core/index.ts', import.meta.url).href}';
  import { SystemClock } from '${new URL('clock.ts', import.meta.url).href}';
  const store = leaseFileV4(process.argv[1]);
  const leases = [...((await store.load())?.leases ?? [])];
  const keeper = new LeaseKeeper(new SystemClock(), { store }, () => leases, new Counters());
  const more = () => {
    const number = leases.length;
    leases.push({ address: '10.0.' + (number >> 8) + '.' + (number & 255), client: 'c' + number, remaining: null });
    keeper.changed();
    keeper.whenKept(() => { console.log(number); more(); });
  };
  more();
`;

test('killed in the middle of anything: every lease that a client was told of is there', async () => {
  using folder = new Folder();
  const file = leaseFileV4(folder.file());
  let told = -1;
  for (let round = 0; round < 8; round++) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, file.path], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 30_000,
    });
    const ended = new Promise((resolve) => child.once('close', resolve));
    let lines = 0;
    for await (const line of createInterface(child.stdout)) {
      told = Number(line);
      // Not in step with the writer: each round is killed somewhere else in its work.
      if (++lines === 5 + 7 * round) {
        setTimeout(() => child.kill('SIGKILL'), round / 3);
      }
    }
    await ended;
    const kept = (await file.load())!.leases;
    assert.ok(kept.length > told, `round ${round}: ${told} was told, ${kept.length} are there`);
    assert.ok(kept.every(({ client }, index) => client === `c${index}`));
  }
  assert.ok(told > 50);
});
