import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { privilege, requires } from '../../netloom/test/requires.ts';
import { bytesOf, file, FileServer, sha256 } from './file-server.ts';
import { runInProcess, runNetloom, startNetloom, type Outcome } from './netloom-process.ts';

const content = bytesOf(3_000_000);
const other = bytesOf(2_000_000, 2);
const HALF = 1_500_000;

const folder = mkdtempSync(join(tmpdir(), 'netloom-get-'));
// The test of a folder that may not be written to runs as somebody else, who has to reach it.
chmodSync(folder, 0o755);
after(() => rmSync(folder, { recursive: true }));
let folders = 0;

/** A new folder, and the path of a file to be in it. */
function place(): { folder: string; path: string } {
  const made = join(folder, String(++folders));
  mkdirSync(made);
  return { folder: made, path: join(made, 'file') };
}

function get(server: FileServer, path: string, ...options: string[]) {
  return runInProcess(['get', `${server.url}/a/file`, '-o', path, ...options]);
}

function read(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}

/** The file is there, whole, and nothing else is. */
function assertWhole(where: { folder: string; path: string }, expected: Uint8Array): void {
  assert.deepEqual(readdirSync(where.folder), ['file']);
  assert.equal(sha256(read(where.path)), sha256(expected));
}

test('the program downloads a file, and says nothing when it is not on a terminal', async () => {
  await using server = await FileServer.start(file(content));
  const where = place();
  assert.deepEqual(await runNetloom(['get', `${server.url}/a/file`], { cwd: where.folder }), {
    code: 0,
    stdout: '',
    stderr: '',
  });
  assertWhole(where, content);
});

test('redirects are followed, chunks put together, an empty file is a file', async () => {
  await using server = await FileServer.start(
    (_, response) => response.writeHead(302, { location: '/elsewhere?x=1' }).end('over there'),
    (_, response) => {
      response.writeHead(200);
      for (let at = 0; at < content.length; at += 100_000) {
        response.write(content.subarray(at, at + 100_000));
      }
      response.end();
    },
    (_, response) => response.end(),
  );
  const where = place();
  assert.equal((await get(server, where.path)).code, 0);
  assertWhole(where, content);
  assert.deepEqual(
    server.requests.map(({ path }) => path),
    ['/a/file', '/elsewhere?x=1'],
  );
  assert.equal((await get(server, where.path)).code, 0);
  assertWhole(where, new Uint8Array(0));
});

test('a download cut off leaves a part; the next run fetches only the rest', async () => {
  await using server = await FileServer.start(file(content, { cutAfter: HALF }), file(content));
  const where = place();
  const cut = await get(server, where.path, '--retries', '0');
  assert.equal(cut.code, 1);
  assert.match(cut.stderr, /^netloom: .* kept in \S+\.part: the same command goes on from there\./);
  assert.deepEqual(readdirSync(where.folder), ['file.part', 'file.part.json']);
  const kept = statSync(`${where.path}.part`).size;
  assert.ok(kept > 0 && kept <= HALF);
  assert.deepEqual(await get(server, where.path), {
    code: 0,
    stdout: '',
    stderr: '',
    bytes: new Uint8Array(0),
  });
  assert.deepEqual(server.requests.at(-1), {
    path: '/a/file',
    range: `bytes=${kept}-`,
    ifRange: '"one"',
  });
  assertWhole(where, content);
});

test('it goes on by itself after a connection that broke', async () => {
  await using server = await FileServer.start(
    file(content, { cutAfter: HALF }),
    file(content, { cutAfter: 500_000 }),
    file(content),
  );
  const where = place();
  const sum = `sha256:${sha256(content)}`;
  assert.equal((await get(server, where.path, '--checksum', sum)).code, 0);
  assert.equal(server.requests.length, 3);
  assert.ok(server.requests.slice(1).every(({ range }) => range !== undefined));
  assertWhole(where, content);
});

test('a server that ignores ranges, or has another version by now, gives all of it', async () => {
  for (const second of [
    file(other, { etag: '"two"' }),
    file(other, { ignoresRanges: true, etag: '"two"' }),
  ]) {
    await using server = await FileServer.start(file(content, { cutAfter: HALF }), second);
    const where = place();
    assert.equal((await get(server, where.path, '--retries', '0')).code, 1);
    const sum = `sha256:${sha256(other)}`;
    assert.equal((await get(server, where.path, '--checksum', sum)).code, 0);
    assert.notEqual(server.requests[1]!.range, undefined);
    assertWhole(where, other);
  }
});

test('a part without its record, of another URL, or with a record that is damaged is not used', async () => {
  await using server = await FileServer.start(file(content));
  const { url } = server;
  for (const record of [
    undefined,
    '{',
    JSON.stringify({ url: `${url}/another`, validators: { etag: '"one"' } }),
    JSON.stringify({ url: `${url}/a/file`, validators: { etag: 7 } }),
    'null',
  ]) {
    const where = place();
    writeFileSync(`${where.path}.part`, new Uint8Array(1000));
    if (record !== undefined) writeFileSync(`${where.path}.part.json`, record);
    assert.equal((await get(server, where.path)).code, 0);
    assertWhole(where, content);
  }
  assert.ok(server.requests.every(({ range }) => range === undefined));
});

test('without a validator a part is of no use, and is not kept', async () => {
  const headers = { etag: 'W/"weak"' };
  await using server = await FileServer.start(file(content, { cutAfter: HALF, headers }));
  const where = place();
  const { code, stderr } = await get(server, where.path, '--retries', '0');
  assert.equal(code, 1);
  assert.doesNotMatch(stderr, /kept in/);
  assert.deepEqual(readdirSync(where.folder), []);
});

test('a server that announces more than it sends, or contradicts itself, is found out', async () => {
  await using server = await FileServer.start((_, response) => {
    response.writeHead(200, { 'content-length': content.length + 1, connection: 'close' });
    response.write(content, () => response.destroy());
  });
  const where = place();
  const short = await get(server, where.path, '--retries', '0');
  assert.equal(short.code, 1);
  assert.match(short.stderr, /\(HTTP_TRUNCATED\)\n$/);
  assert.equal(existsSync(where.path), false);

  await using liar = await FileServer.start(file(content, { cutAfter: HALF }), (_, response) => {
    response.writeHead(206, { 'content-range': 'bytes 1500000-2999999/3000000', etag: '"one"' });
    response.end(new Uint8Array(7));
  });
  assert.equal((await get(liar, where.path, '--retries', '0')).code, 1);
  const second = await get(liar, where.path, '--retries', '0');
  assert.equal(second.code, 1);
  assert.equal(existsSync(where.path), false);
});

test('a server that stalls is given up', async () => {
  await using server = await FileServer.start(file(content, { stallAfter: HALF }));
  const where = place();
  const { code, stderr } = await get(server, where.path, '--retries', '0', '--timeout', '0.2');
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^netloom: the server sent nothing for 200 ms\. .*kept in.*\(HTTP_STALLED\)\n$/,
  );
  assert.equal(existsSync(where.path), false);
});

test('a file that is not there leaves nothing; one from before stays as it was', async () => {
  await using server = await FileServer.start((_, response) => response.writeHead(404).end('no'));
  const where = place();
  const nothing = await get(server, where.path);
  assert.equal(nothing.code, 1);
  assert.match(nothing.stderr, /404 Not Found\. Check the URL\. \(HTTP_STATUS\)\n$/);
  assert.deepEqual(readdirSync(where.folder), []);
  writeFileSync(where.path, other);
  assert.equal((await get(server, where.path)).code, 1);
  assertWhole(where, other);
});

test('a file is replaced at once, at the end; its permissions, and a link to it, stay', async () => {
  await using server = await FileServer.start(
    file(content, { cutAfter: HALF }),
    file(content, { headers: { etag: '"one"' } }),
  );
  const where = place();
  writeFileSync(where.path, other);
  chmodSync(where.path, 0o640);
  const link = join(folder, 'link');
  symlinkSync(where.path, link);
  assert.equal((await get(server, link, '--retries', '0')).code, 1);
  assert.equal(sha256(read(where.path)), sha256(other));
  assert.equal((await get(server, link)).code, 0);
  assertWhole(where, content);
  assert.equal(statSync(where.path).mode & 0o777, 0o640);
});

test('a checksum is checked over all of it, resumed or not; a wrong one keeps nothing', async () => {
  await using server = await FileServer.start(file(content, { cutAfter: HALF }), file(content));
  const where = place();
  writeFileSync(where.path, other);
  const right = sha256(content);
  const wrong = sha256(other);
  await get(server, where.path, '--retries', '0', '--checksum', `sha256:${wrong}`);
  const refused = await get(server, where.path, '--checksum', `sha256:${wrong}`);
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    new RegExp(`SHA-256 is ${right}, not ${wrong}\\..*\\(CHECKSUM_MISMATCH\\)`),
  );
  assertWhole(where, other);
  const taken = await get(server, where.path, '--checksum', `sha256:${right.toUpperCase()}`);
  assert.equal(taken.code, 0);
  assertWhole(where, content);
  const { code, stderr } = await get(server, where.path, '--checksum', 'md5:00');
  assert.equal(code, 2);
  assert.match(stderr, /--checksum wants sha256:/);
});

test('to standard output, and to a device', async () => {
  await using server = await FileServer.start(file(content));
  const { code, bytes, stderr } = await get(server, '-', '--checksum', `sha256:${sha256(content)}`);
  assert.deepEqual([code, stderr], [0, '']);
  assert.equal(sha256(bytes), sha256(content));
  assert.equal((await get(server, '/dev/null')).code, 0);
  assert.ok(statSync('/dev/null').isCharacterDevice(), 'it was not replaced');
  const full = await get(server, '/dev/full');
  assert.equal(full.code, 1);
  assert.match(full.stderr, /disk is full.*\(DISK_FULL\)\n$/);
});

test('what has gone out cannot be called back when the file changes on the server', async () => {
  await using server = await FileServer.start(
    file(content, { cutAfter: HALF }),
    file(other, { etag: '"two"' }),
  );
  const { code, stderr } = await get(server, '-');
  assert.equal(code, 1);
  assert.match(stderr, /\(OUTPUT_NOT_REWINDABLE\)\n$/);
});

/** Downloads in this folder, without a name given, from a server that suggests one. */
async function getNamed(disposition: string, cwd: string, path = '/a/file'): Promise<Outcome> {
  const headers = { 'content-disposition': disposition };
  await using server = await FileServer.start(file(content, { headers }));
  const before = process.cwd();
  process.chdir(cwd);
  try {
    return await runInProcess(['get', server.url + path]);
  } finally {
    process.chdir(before);
  }
}

test('the server may name the file, but not lead elsewhere nor replace anything', async () => {
  const where = place();
  assert.equal((await getNamed('attachment; filename="the other.bin"', where.folder)).code, 0);
  assert.deepEqual(readdirSync(where.folder), ['the other.bin']);
  const again = await getNamed('attachment; filename="the other.bin"', where.folder);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /\(FILE_EXISTS\)\n$/);
  const outside = await getNamed('attachment; filename="../evil"', where.folder);
  assert.equal(outside.code, 1);
  assert.match(outside.stderr, /\(NAME_REFUSED\)\n$/);
  assert.deepEqual(readdirSync(where.folder), ['the other.bin']);
  const nameless = await getNamed('inline', where.folder, '/');
  assert.equal(nameless.code, 1);
  assert.match(nameless.stderr, /\(NAME_MISSING\)\n$/);
  assert.equal((await getNamed('attachment; filename=from-server', where.folder, '/')).code, 0);
  assert.deepEqual(readdirSync(where.folder), ['from-server', 'the other.bin']);
});

test('a folder that may not be written to, that is missing, or that is what was named', async () => {
  await using server = await FileServer.start(file(content));
  const where = place();
  chmodSync(where.folder, 0o555);
  // Root may write everywhere, so root tries as somebody else.
  const asNobody = process.getuid!() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const denied = await runNetloom(['get', `${server.url}/a/file`, '-o', where.path], asNobody);
  assert.equal(denied.code, 1);
  assert.match(denied.stderr, /^netloom: cannot write .*\(FILE_DENIED\)\n$/);
  const missing = await get(server, join(where.folder, 'no/file'));
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /\(FOLDER_MISSING\)\n$/);
  const isFolder = await get(server, where.folder);
  assert.equal(isFolder.code, 1);
  assert.match(isFolder.stderr, /\(FILE_IS_FOLDER\)\n$/);
});

test('a full disk is told, and what fits is kept', { skip: requires(privilege()) }, async () => {
  await using server = await FileServer.start(file(content));
  const where = place();
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', where.folder]);
  assert.equal(mounted.status, 0, String(mounted.stderr));
  try {
    const { code, stderr } = await get(server, where.path);
    assert.equal(code, 1);
    assert.match(stderr, /the disk is full.* kept in .*\(DISK_FULL\)\n$/);
    assert.equal(existsSync(where.path), false);
    assert.equal(spawnSync('mount', ['-o', 'remount,size=8m', where.folder]).status, 0);
    assert.equal((await get(server, where.path)).code, 0);
    assert.notEqual(server.requests[1]!.range, undefined);
    assertWhole(where, content);
  } finally {
    spawnSync('umount', [where.folder]);
  }
});

/** Settles when something of the part has been written. */
function partWritten(where: { folder: string; path: string }): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(where.folder, (_, name) => {
      if (name !== 'file.part' || statSync(`${where.path}.part`).size === 0) return;
      watcher.close();
      resolve();
    });
    after(() => watcher.close());
  });
}

test('two runs to one file: the second says so, and leaves the first alone', async () => {
  const stalled = Promise.withResolvers<() => void>();
  await using server = await FileServer.start((_, response) => {
    response.writeHead(200, { etag: '"one"', 'content-length': content.length });
    response.write(content.subarray(0, HALF));
    stalled.resolve(() => response.end(content.subarray(HALF)));
  }, file(content));
  const where = place();
  const first = get(server, where.path);
  const goOn = await stalled.promise;
  // In this process, and in another one.
  for (const run of [
    get(server, where.path),
    runNetloom(['get', `${server.url}/a/file`, '-o', where.path]),
  ]) {
    const { code, stderr } = await run;
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^netloom: another run is writing \S+file\.part\. Wait .*\(DOWNLOAD_RUNNING\)\n$/,
    );
  }
  assert.equal(server.requests.length, 1);
  goOn();
  assert.equal((await first).code, 0);
  assertWhole(where, content);
});

test('of many runs to one file at once all end well or are told of the other; the file is whole', async () => {
  await using server = await FileServer.start(file(content));
  const where = place();
  const runs = await Promise.all(Array.from({ length: 8 }, () => get(server, where.path)));
  assert.ok(runs.some(({ code }) => code === 0));
  for (const { code, stderr } of runs) {
    assert.match(stderr, code === 0 ? /^$/ : /\(DOWNLOAD_RUNNING\)\n$/);
  }
  assertWhole(where, content);
});

test('a run that was killed holds up nobody: the next goes on from its part', async () => {
  await using server = await FileServer.start(file(content, { stallAfter: HALF }), file(content));
  const where = place();
  const written = partWritten(where);
  const run = startNetloom(['get', `${server.url}/a/file`, '-o', where.path]);
  await Promise.race([written, run.outcome()]);
  run.signal('SIGKILL');
  assert.equal((await run.outcome()).code, null);
  assert.ok(existsSync(`${where.path}.part.lock`), 'it could not take its lock file away');
  assert.deepEqual((await get(server, where.path)).stderr, '');
  assert.notEqual(server.requests[1]!.range, undefined);
  assertWhole(where, content);
});

test('a lock that is no file of ours is told, and left as it is', async () => {
  await using server = await FileServer.start(file(content));
  const where = place();
  writeFileSync(`${where.path}.part.lock`, 'x'.repeat(200));
  const { code, stderr } = await get(server, where.path);
  assert.equal(code, 1);
  assert.match(stderr, /^netloom: cannot lock \S+file\.part\.lock: .*\(FILE_FAILED\)\n$/);
  assert.deepEqual(readdirSync(where.folder), ['file.part.lock']);
});

test('--remote-time gives the file the time of its last change, resumed or not', async () => {
  const headers = { 'last-modified': 'Sun, 06 Nov 1994 08:49:37 GMT' };
  const time = Date.UTC(1994, 10, 6, 8, 49, 37);
  await using server = await FileServer.start(
    file(content, { headers, cutAfter: HALF }),
    file(content, { headers }),
    file(content),
  );
  const where = place();
  assert.equal((await get(server, where.path, '--remote-time')).code, 0);
  assert.equal(statSync(where.path).mtimeMs, time);
  assertWhole(where, content);
  // A server that tells no time, and a run that was not asked to care.
  assert.equal((await get(server, where.path, '--remote-time')).code, 0);
  assert.notEqual(statSync(where.path).mtimeMs, time);
});

test('Ctrl-C leaves a part that can be gone on from, and says so', async () => {
  await using server = await FileServer.start(file(content, { stallAfter: HALF }), file(content));
  const where = place();
  const written = partWritten(where);
  const run = startNetloom(['get', `${server.url}/a/file`, '-o', where.path]);
  const early = run.outcome().then(({ stderr }) => assert.fail(`it ended by itself: ${stderr}`));
  await Promise.race([written, early]);
  early.catch(() => undefined);
  run.signal('SIGINT');
  const { code, stderr } = await run.outcome();
  assert.equal(code, 130);
  assert.match(
    stderr,
    /^netloom: the download was stopped\. .* kept in \S+: the same command goes on/,
  );
  assert.equal((await get(server, where.path)).code, 0);
  assert.notEqual(server.requests[1]!.range, undefined);
  assertWhole(where, content);
});

test('on a terminal a line shows how far it is, and a last one what was done', async () => {
  await using server = await FileServer.start(file(content));
  const { stderr } = await runInProcess(['get', `${server.url}/a/file`, '-o', place().path], {
    terminalWidth: 200,
  });
  const pictures = stderr.split('\r\u001b[K');
  assert.match(
    pictures[1]!,
    /^ +\d+% \[=* *\] [\d.]+ [KM]iB of 2\.9 MiB {2}[\d.]+ \w+\/s(?: {2}\d+ s left)?$/,
  );
  assert.match(pictures.at(-1)!, /^\S+: 2\.9 MiB, in \d+ s \([\d.]+ [KM]iB\/s\)\n$/);
});

test('what is asked for has to make sense', async () => {
  for (const [args, pattern] of [
    [['get'], /wants one URL/],
    [['get', 'a', 'b'], /wants one URL/],
    [['get', 'http://'], /no URL/],
    [['get', 'x', '--timeout', 'soon'], /--timeout wants a number/],
    [['get', 'x', '--via', 'pigeon'], /--via is auto, os or stack/],
    [['get', 'x', '--via', 'stack'], /name one with --tap/],
  ] as const) {
    const { code, stderr } = await runInProcess(args);
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, pattern);
  }
  for (const via of ['os', 'auto']) {
    const { code, stderr } = await runInProcess(['get', 'x', '--via', via, '--pcap', 'y']);
    assert.equal(code, 1);
    assert.match(stderr, /frames exist only .*--via stack.*\(FRAMES_UNAVAILABLE\)\n$/);
  }
  const { code, stderr } = await runInProcess(['get', 'ftp://127.0.0.1/x']);
  assert.equal(code, 1);
  assert.match(stderr, /\(HTTP_URL_INVALID\)\n$/);
});
