/** `netloom run`: programs that people run, as they come. The servers are on this machine's loopback, or inside and published. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  freePort,
  ScratchFolder,
  ServingProgram,
  startNginx,
} from '../../netloom/test/http/peers.ts';
import { program, requires } from '../../netloom/test/requires.ts';
import { bytesOf } from './file-server.ts';
import { startNetloom } from './netloom-process.ts';
import { runObstacle, runOptions, runScript } from './run-place.ts';

/** What a test needs: those programs, beside what `netloom run` does. */
function using(...programs: readonly string[]) {
  return { ...runOptions, skip: requires(runObstacle, ...programs.map(program)) };
}

/** Runs a script that is to succeed, with this machine's loopback at hand; answers what it wrote. */
async function succeed(script: string): Promise<string> {
  const { code, stdout, stderr } = await runScript(`set -e\n${script}`, 'root', '--host-access');
  assert.equal(code, 0, `${stdout}${stderr}`);
  return stdout;
}

function runHere(command: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  assert.equal(status, 0, `${command}: ${stderr}`);
}

for (const [what, total, words] of [
  ['there', 20 << 20, '-n 20M'],
  ['back', 20 << 20, '-n 20M -R'],
  ['in four streams', 20 << 20, '-n 20M -P 4'],
  ['by UDP', 1 << 20, '-u -b 20M -n 1M'],
  ['by UDP, back', 1 << 20, '-u -b 20M -n 1M -R'],
] as const) {
  test(`iperf3 ${what}`, using('iperf3'), async () => {
    const port = await freePort();
    const server = ['-s', '-1', '--forceflush', '-B', '127.0.0.1', '-p', String(port)];
    await using _server = await ServingProgram.start('iperf3', server, /Server listening/);
    const output = await succeed(`iperf3 --json -c 10.0.2.2 -p ${port} ${words}`);
    const { end } = JSON.parse(output) as {
      end: Record<'sum_sent' | 'sum', { bytes: number; lost_percent: number }>;
    };
    // Of TCP what was sent: what is under way when the client is done, iperf3 does not wait for.
    const { bytes } = words.startsWith('-u') ? end.sum : end.sum_sent;
    assert.ok(bytes >= total, output);
    if (words.startsWith('-u')) assert.ok(end.sum.lost_percent < 5, output);
  });
}

test(
  'curl, wget and the wget of busybox fetch a file',
  using('nginx', 'curl', 'wget', 'busybox'),
  async () => {
    using folder = new ScratchFolder();
    const root = folder.folder('root');
    const content = bytesOf(3_000_000);
    folder.file('root/file', content);
    const port = await freePort();
    await using _server = await startNginx(port, root, folder);
    const url = `http://gateway.lan:${port}/file`;
    // That of busybox tries one address only, the one of IPv6, where this server does not listen.
    const output = await succeed(
      `curl -sS ${url} | sha256sum
     wget -qO- ${url} | sha256sum
     busybox wget -qO- http://10.0.2.2:${port}/file | sha256sum
     curl -sS -o /dev/null -w '%{http_code}' http://gateway.lan:${port}/nothing`,
    );
    const hash = createHash('sha256').update(content).digest('hex');
    assert.equal(output, `${hash}  -\n`.repeat(3) + '404');
  },
);

test(
  'apt-get updates its lists and downloads a package',
  using('apt-get', 'dpkg-deb', 'nginx'),
  async () => {
    using folder = new ScratchFolder();
    const root = folder.folder('root');
    const fields =
      'Package: netloom-hello\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody\nDescription: for a test\n';
    folder.folder('package/DEBIAN');
    folder.file('package/DEBIAN/control', fields);
    folder.file('package/content', bytesOf(100_000));
    const file = 'netloom-hello_1.0_all.deb';
    runHere(
      'dpkg-deb',
      '--build',
      '--root-owner-group',
      join(folder.path, 'package'),
      join(root, file),
    );
    const sum = (name: string): string =>
      createHash('sha256')
        .update(readFileSync(join(root, name)))
        .digest('hex');
    const size = (name: string): number => statSync(join(root, name)).size;
    folder.file(
      'root/Packages',
      `${fields}Filename: ./${file}\nSize: ${size(file)}\nSHA256: ${sum(file)}\n`,
    );
    folder.file('root/Release', `SHA256:\n ${sum('Packages')} ${size('Packages')} Packages\n`);
    const port = await freePort();
    await using _server = await startNginx(port, root, folder);
    // Nothing of this machine's own lists, packages and sources is read or changed.
    folder.folder('apt/lists/partial');
    folder.folder('apt/archives/partial');
    const sources = folder.file(
      'sources.list',
      `deb [trusted=yes] http://gateway.lan:${port}/ ./\n`,
    );
    const configuration = folder.file(
      'apt.conf',
      `Dir::State "${folder.path}/apt"; Dir::State::status "/dev/null"; Dir::Cache "${folder.path}/apt";
     Dir::Etc::sourcelist "${sources}"; Dir::Etc::sourceparts "-"; APT::Sandbox::User "root";
     Acquire::http::Proxy "DIRECT"; Acquire::Languages "none";`,
    );
    const output = await succeed(
      `cd ${folder.folder('downloaded')}; export APT_CONFIG=${configuration}
     apt-get update; apt-get download netloom-hello; sha256sum *.deb`,
    );
    assert.match(output, new RegExp(`^${sum(file)}  ${file}$`, 'm'));
  },
);

test('git clones a repository', using('git', 'nginx'), async () => {
  using folder = new ScratchFolder();
  const root = folder.folder('root');
  const origin = folder.folder('origin');
  folder.file('origin/file', bytesOf(500_000));
  const git = ['-c', 'user.name=a', '-c', 'user.email=a@example.org', '-c', 'commit.gpgSign=false'];
  runHere('git', 'init', '-q', origin);
  runHere('git', '-C', origin, 'add', 'file');
  runHere('git', '-C', origin, ...git, 'commit', '-q', '-m', 'one');
  runHere('git', 'clone', '-q', '--bare', origin, join(root, 'r.git'));
  runHere('git', '-C', join(root, 'r.git'), 'update-server-info');
  const port = await freePort();
  await using _server = await startNginx(port, root, folder);
  const clone = join(folder.path, 'clone');
  const output = await succeed(
    `export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
     git clone -q http://gateway.lan:${port}/r.git ${clone}; git -C ${clone} log --format=%s`,
  );
  assert.equal(output, 'one\n');
  assert.deepEqual(readFileSync(join(clone, 'file')), readFileSync(join(origin, 'file')));
});

test('nginx serves from inside, at a published port', using('nginx', 'curl'), async () => {
  using folder = new ScratchFolder();
  folder.folder('root');
  const content = bytesOf(3_000_000);
  folder.file('root/file', content);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder.path}/${name};`,
  );
  const configuration = folder.file(
    'nginx.conf',
    `daemon off; master_process off; pid ${folder.path}/pid; error_log stderr notice; user root; events {}
     http { access_log off; ${temporary.join(' ')} server { listen 80; listen [::]:80; root ${folder.path}/root; } }`,
  );
  const port = await freePort();
  const words = ['-p', `${port}:80`, '-p', `[::1]:${port}:80`, '--', 'nginx', '-e', 'stderr'];
  const run = startNetloom(['run', ...words, '-p', folder.path, '-c', configuration]);
  await run.until(/event method/);
  for (const address of ['127.0.0.1', '[::1]']) {
    const done = spawn('curl', ['-sS', '--max-time', '20', `http://${address}:${port}/file`]);
    const hash = createHash('sha256');
    done.stdout.on('data', (chunk: Uint8Array) => hash.update(chunk));
    const [code] = (await once(done, 'close')) as [number];
    assert.equal(code, 0);
    assert.equal(hash.digest('hex'), createHash('sha256').update(content).digest('hex'));
  }
  run.signal('SIGTERM');
  assert.equal((await run.outcome()).code, 0);
});

test('nc sends datagrams and hears the answers', using('nc'), async (context) => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  context.after(() => socket.close());
  await once(socket, 'listening');
  socket.on('message', (data, from) => socket.send(`re: ${data}`, from.port, from.address));
  const output = await succeed(`echo question | nc -u -W 1 10.0.2.2 ${socket.address().port}`);
  assert.equal(output, 're: question\n');
});

test('dig asks by UDP and by TCP, of both families', using('dig'), async () => {
  const output = await succeed(
    `for way in @10.0.2.2 "+tcp @10.0.2.2" @fd00::2 "+tcp @fd00::2"; do dig +short $way gateway.lan AAAA; done`,
  );
  assert.equal(output, 'fd00::2\n'.repeat(4));
});

test('ping reaches the gateway by its name, by both families', using('ping'), async () => {
  const output = await succeed(
    'ping -q -c 3 -i 0.01 gateway.lan; ping -6 -q -c 3 -i 0.01 gateway.lan',
  );
  assert.equal(output.match(/ 3 received, 0% packet loss/g)?.length, 2);
});
