/** `netloom run`: the place a program gets, how it ends, and that nothing is left. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runInProcess, runNetloom, STATE_ROOT } from './netloom-process.ts';
import {
  as,
  processesIn,
  runOptions,
  runScript,
  SHOW_NAMESPACE,
  startScript,
  USER_ID,
} from './run-place.ts';

const folder = mkdtempSync(join(tmpdir(), 'netloom-run-'));
chmodSync(folder, 0o777);
after(() => rmSync(folder, { recursive: true }));

for (const who of ['root', 'user'] as const) {
  test(`the exit code is the program's, run by ${who}`, runOptions, async () => {
    for (const [script, code] of [
      ['true', 0],
      ['exit 7', 7],
      ['exit 255', 255],
      ['kill -TERM $$', 143],
      ['kill -KILL $$', 137],
      ['exec sh -c "kill -ABRT \\$\\$"', 134],
    ] as const) {
      const outcome = await runScript(script, who);
      assert.deepEqual(outcome, { code, stdout: '', stderr: '' }, script);
    }
  });

  test(`a program that cannot be started is told as shells do, by ${who}`, runOptions, async () => {
    const missing = await runNetloom(['run', '--', 'no-such-program'], as(who));
    assert.deepEqual([missing.code, missing.stdout], [127, '']);
    assert.match(
      missing.stderr,
      /^netloom: there is no program 'no-such-program'\. .*\(PROGRAM_NOT_FOUND\)\n$/,
    );
    const text = await runNetloom(['run', '--', '/etc/passwd'], as(who));
    assert.deepEqual([text.code, text.stdout], [126, '']);
    assert.match(
      text.stderr,
      /^netloom: cannot start '\/etc\/passwd': it is not .*\(PROGRAM_NOT_EXECUTABLE\)\n$/,
    );
  });

  test(`who runs it is who the program is: ${who}`, runOptions, async () => {
    const id = who === 'root' ? 0 : USER_ID;
    const file = join(folder, who);
    const { code, stdout } = await runScript(
      `id -u; id -g; touch ${file}; grep CapEff /proc/self/status`,
      who,
    );
    assert.equal(code, 0);
    const [uid, gid, capabilities] = stdout.trim().split('\n');
    assert.deepEqual([uid, gid], [String(id), String(id)]);
    // What the place was set up with is not the program's; a user has none, as outside.
    const effective = BigInt(`0x${capabilities!.replace(/\D*:\s*/, '')}`);
    assert.equal(effective === 0n, who === 'user');
    assert.deepEqual([statSync(file).uid, statSync(file).gid], [id, id]);
  });

  test(`the network is there at once, for ${who}`, runOptions, async () => {
    const { code, stdout, stderr } = await runScript(
      `ping -n -c 1 -W 5 10.0.2.2 && ping -n -c 1 -W 5 fd00::2 && ping -n -c 1 -W 5 127.0.0.1 &&
       cat /etc/resolv.conf /proc/net/dev /proc/net/if_inet6 /proc/net/route && cat /proc/sys/net/ipv4/ping_group_range`,
      who,
    );
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(stdout.match(/1 received, 0% packet loss/g)?.length, 3);
    assert.match(stdout, /^nameserver 10\.0\.2\.2$/m);
    assert.match(stdout, /^ *tap0:/m);
    assert.doesNotMatch(stdout, /eth0|enp/);
    // Good at once (flag 0x80 without 0x40, which is "tentative"): RFC 4862 would have it wait for a second.
    assert.match(stdout, /^fd000000000000000000000000000100 \w+ 40 00 80 +tap0$/m);
    // 0.0.0.0 by 10.0.2.2, in the byte order of the machine.
    assert.match(stdout, /^tap0\t00000000\t0202000A\t/m);
  });

  test(`what is left running ends with the program, by ${who}`, runOptions, async () => {
    const { code, stdout } = await runScript(
      `${SHOW_NAMESPACE}; sleep 1000 & (setsid sh -c 'trap "" TERM HUP; sleep 1000 & wait' &) ; exit 3`,
      who,
    );
    assert.equal(code, 3);
    assert.match(stdout, /^net:\[\d+\]\n$/);
    assert.deepEqual(processesIn(stdout.trim()), []);
  });

  test(`nothing is left when netloom is killed, by ${who}`, runOptions, async () => {
    const run = startScript(
      `${SHOW_NAMESPACE}; sleep 1000 & setsid sleep 1000 & echo ready; wait`,
      who,
    );
    await run.until(/ready/);
    const namespace = run.stdout.split('\n')[0]!;
    assert.ok(processesIn(namespace).length >= 4);
    run.signal('SIGKILL');
    // It settles when nobody has the output open any more: when the last process of the namespace is gone.
    assert.equal((await run.outcome()).code, null);
    assert.deepEqual(processesIn(namespace), []);
  });
}

/** What is mounted where a program's place has mounts of its own. */
function mountsOfSystem(): string[] {
  const lines = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return lines.filter((line) => /^\S+ \/(?:etc|proc|sys)\b/.test(line));
}

test('the name servers and the files of the machine are as they were', runOptions, async () => {
  const before = readFileSync('/etc/resolv.conf', 'utf8');
  const mounts = mountsOfSystem();
  const { stdout } = await runScript('cat /etc/resolv.conf /etc/passwd');
  assert.equal(stdout, `nameserver 10.0.2.2\n${readFileSync('/etc/passwd', 'utf8')}`);
  assert.equal(readFileSync('/etc/resolv.conf', 'utf8'), before);
  assert.deepEqual(mountsOfSystem(), mounts);
});

test(
  'processes are those of the program, and orphans are not left as zombies',
  runOptions,
  async () => {
    const { stdout } = await runScript(
      `(sh -c 'sleep 0.05 & exit' &)
     for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.05; done
     for p in /proc/[0-9]*; do cat $p/stat; done`,
    );
    const states = stdout
      .trim()
      .split('\n')
      .map((line) => /^(\d+) \((.*)\) (.)/.exec(line)!);
    assert.equal(states[0]![1], '1');
    assert.ok(states.length <= 4, stdout);
    assert.ok(
      states.every(([, , , state]) => state !== 'Z'),
      stdout,
    );
  },
);

test('standard streams are the program’s: blocking, and whole', runOptions, async () => {
  const flags = await runScript(
    'grep flags /proc/self/fdinfo/0 /proc/self/fdinfo/1 /proc/self/fdinfo/2',
  );
  const O_NONBLOCK = 0o4000;
  for (const line of flags.stdout.trim().split('\n')) {
    assert.equal(Number.parseInt(line.split(/\s+/)[1]!, 8) & O_NONBLOCK, 0, line);
  }
  const { code, stdout } = await runScript('head -c 3000000 /dev/zero | tr "\\0" x');
  assert.deepEqual([code, stdout.length], [0, 3_000_000]);
});

test('words and variables reach the program as they are', runOptions, async () => {
  const words = ['a b', '', '"', "'", '$HOME', '*', 'ü', '--verbose', '--', '-h'];
  const { code, stdout } = await runNetloom(['run', '--', 'printf', '<%s>', ...words], {
    env: { ...process.env, NETLOOM_TEST_VARIABLE: 'x y' },
  });
  assert.deepEqual([code, stdout], [0, words.map((word) => `<${word}>`).join('')]);
  const variable = await runNetloom(['run', 'sh', '-c', 'echo "$NETLOOM_TEST_VARIABLE"; pwd'], {
    env: { ...process.env, NETLOOM_TEST_VARIABLE: 'x y' },
    cwd: folder,
  });
  assert.equal(variable.stdout, `x y\n${folder}\n`);
});

for (const who of ['root', 'user'] as const) {
  test(`the environment and the limits of ${who} are the program's`, runOptions, async () => {
    const show = 'env | sort; ulimit -a -S; ulimit -a -H; umask';
    const outside = `cd / && ulimit -S -n 777 && ulimit -H -n 4000 && export LD_LIBRARY_PATH=/nowhere && "$@"`;
    const env = {
      PATH: process.env['PATH'],
      PWD: '/',
      NETLOOM_STATE: STATE_ROOT,
      NETLOOM_TEST_VARIABLE: 'a\nb',
    };
    const words = ['-c', outside, 'sh', 'sh', '-c', show];
    const bare = spawnSync('sh', words, { env, encoding: 'utf8' });
    assert.match(bare.stdout, /LD_LIBRARY_PATH=\/nowhere$/m);
    const { code, stdout, stderr } = await runNetloom(['run', '--', 'sh', '-c', show], {
      through: [...as(who).through, 'sh', '-c', outside, 'sh'],
      env,
    });
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(stdout, bare.stdout);
  });
}

test('where no namespaces may be made, it says what to do', runOptions, async () => {
  // A user namespace in which nobody may make another, and a root that may do nothing.
  const forbid =
    'echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-all "$@"';
  const { code, stdout, stderr } = await runNetloom(['run', '--', 'true'], {
    through: ['unshare', '--user', '--map-root-user', 'sh', '-c', forbid, 'sh'],
  });
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(
    stderr,
    /^netloom: this process may not make .*\. Run as root, or .*\(PROGRAM_NAMESPACE_DENIED\)$/m,
  );
});

test('a TAP that is denied to its user is told', runOptions, async () => {
  const { code, stderr } = await runNetloom(['run', '--', 'true'], {
    through: ['setpriv', `--reuid=${USER_ID}`, `--regid=${USER_ID}`, '--clear-groups'],
  });
  const isOpen = (statSync('/dev/net/tun').mode & 0o006) === 0o006;
  if (isOpen) assert.equal(code, 0);
  else {
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^netloom: cannot open the TAP 'tap0': .*chmod 0666 \/dev\/net\/tun.*\(TAP_DENIED\)\n$/,
    );
  }
});

test('command lines that make no sense are usage errors', async () => {
  for (const [args, message] of [
    [[], /run wants a program/],
    [['--'], /run wants a program/],
    [['--rate', '10', '--', 'true'], /--rate wants a rate, as .* not '10'/],
    [['--rate', '0mbit', '--', 'true'], /--rate wants a rate/],
    [['--delay', '80', '--', 'true'], /--delay wants a time/],
    [['--delay', '80ms±90ms', '--', 'true'], /--delay wants a time/],
    [['--delay', '80ms±1ms±1ms', '--', 'true'], /--delay wants a time/],
    [['--loss', '2', '--', 'true'], /--loss wants a share/],
    [['--loss', '101%', '--', 'true'], /--loss wants a share/],
    [['--reorder', 'x%', '--', 'true'], /--reorder wants a share/],
    [['--duplicate', '-1%', '--', 'true'], /--duplicate wants a value/],
    [['--corrupt', '', '--', 'true'], /--corrupt wants a share/],
    [['--partition', '15s..10s', '--', 'true'], /--partition wants two times/],
    [['--partition', '10s', '--', 'true'], /--partition wants two times/],
    [['--seed', 'x', '--', 'true'], /--seed wants a whole number/],
    [['--busy-poll', '1ms', '--', 'true'], /--busy-poll wants a whole number from 0 to 10,?000/],
    [['--mtu', '100', '--', 'true'], /--mtu wants a whole number from 1280 to 65521/],
    [['--publish', '80', '--', 'true'], /--publish wants a port/],
    [['--publish', '1:0', '--', 'true'], /--publish wants a port/],
    [['--publish', '1:65536', '--', 'true'], /--publish wants a port/],
    [['--publish', 'nowhere:1:2', '--', 'true'], /--publish wants a port/],
    [['--publish', '1:2/sctp', '--', 'true'], /--publish wants a port/],
    [['--deny', '10.0.0.0/33', '--', 'true'], /--deny wants a network/],
    [['--allow', 'a..b', '--', 'true'], /--allow wants a network/],
    [['--dns', 'a', '--', 'true'], /--dns wants NAME=ADDRESS/],
    [['--dns', 'a=b', '--', 'true'], /--dns wants NAME=ADDRESS/],
    [['--nothing', '--', 'true'], /'--nothing'/],
  ] as const) {
    const outcome = await runInProcess(['run', ...args]);
    assert.deepEqual([outcome.code, outcome.stdout], [2, ''], args.join(' '));
    assert.match(outcome.stderr, message, args.join(' '));
    assert.match(outcome.stderr, /^netloom: .* See 'netloom help run'\. \(USAGE\)\n$/);
  }
});
