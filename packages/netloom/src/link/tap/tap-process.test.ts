/** What a TAP means to the whole process, tried in processes of its own. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { KernelNamespace, tapObstacle } from '../../../test/kernel-namespace.ts';
import { requires } from '../../../test/requires.ts';

const options = { skip: requires(tapObstacle), timeout: 120_000 };
const execute = promisify(execFile);
const library = import.meta.resolve('./index.ts');

/** Runs a program that has `openTap`, and `namespace` with the name given; answers what it printed. It must end by itself. */
async function runProgram(
  code: string,
  namespace: string,
  { node = [] as string[], before = [] as string[] } = {},
): Promise<string> {
  const words = [
    ...before,
    process.execPath,
    '--conditions=netloom-source',
    '--disable-warning=ExperimentalWarning',
    '--input-type=module',
    ...node,
    '-e',
    `import { openTap } from '${library}'; const namespace = '${namespace}'; ${code}`,
  ];
  const { stdout } = await execute(words[0]!, words.slice(1), { timeout: 100_000 });
  return stdout.trim();
}

/** Prints the code of what is thrown. */
const PRINT_CODE = `
  try { openTap({ namespace }); console.log('opened'); process.exit(); }
  catch (error) { console.log(error.code, error.remedy ? 'with a remedy' : 'without', error.message); }
`;

test(
  'opened and closed 200 times: no descriptor is left, nothing crashes, the process ends',
  options,
  async () => {
    using namespace = new KernelNamespace('leak');
    const said = await runProgram(
      `
    import { readdirSync } from 'node:fs';
    const descriptors = () => readdirSync('/proc/self/fd').length;
    const handler = { receive() {}, batchEnd() {} };
    let before = 0;
    for (let i = 0; i < 200; i++) {
      const link = openTap({ namespace });
      link.attach(handler);
      link.transmit(link.allocate(60 + i).fill(255));
      gc();
      await link.close();
      if (i === 9) before = descriptors();
      if (i % 10 === 0) gc();
    }
    console.log(descriptors() - before);
    `,
      namespace.name,
      { node: ['--expose-gc'] },
    );
    assert.equal(said, '0');
  },
);

test('links that nobody holds live on through collections', options, async () => {
  using namespace = new KernelNamespace('held');
  const said = await runProgram(
    `
    let frames = 0;
    const names = [];
    for (let i = 0; i < 5; i++) {
      const link = openTap({ namespace });
      names.push(link.name);
      link.attach({ receive() { frames++; if (frames === 50) { console.log('heard'); process.exit(); } }, batchEnd() {} });
    }
    import { execFileSync } from 'node:child_process';
    const garbage = [];
    const round = () => {
      for (let i = 0; i < 50; i++) garbage[i] = new Uint8Array(4096 + i).fill(0xff);
      gc();
      for (const name of names) {
        execFileSync('ip', ['netns', 'exec', namespace, 'bash', '-c',
          'ip address replace 10.85.0.1/24 dev ' + name +
          '; ip neighbour replace 10.85.0.2 lladdr 02:00:00:00:00:02 dev ' + name + ' nud permanent' +
          '; echo > /dev/udp/10.85.0.2/9']);
      }
      setImmediate(round);
    };
    round();
    `,
    namespace.name,
    { node: ['--expose-gc'] },
  );
  assert.equal(said, 'heard');
});

test('an open link keeps the process alive, a closed or a lost one does not', options, async () => {
  using namespace = new KernelNamespace('alive');
  const said = await runProgram(
    `
    import { execFileSync } from 'node:child_process';
    process.on('exit', () => console.log('ended'));
    const closed = openTap({ namespace });
    const lost = openTap({ namespace });
    lost.attach({ receive() {}, batchEnd() {}, closed: (error) => console.log(error.code) });
    // Unreferenced: only the links can keep the process until then.
    setTimeout(() => {
      console.log('alive');
      void closed.close();
      execFileSync('ip', ['-n', namespace, 'link', 'del', lost.name]);
    }, 50).unref();
    `,
    namespace.name,
  );
  assert.equal(said, 'alive\nTAP_GONE\nended');
});

test('a handler that throws is reported as any other, and the link lives on', options, async () => {
  using namespace = new KernelNamespace('throws');
  const said = await runProgram(
    `
    import { execFileSync } from 'node:child_process';
    process.on('uncaughtException', (error) => console.log('caught', error.message));
    const link = openTap({ namespace });
    let frames = 0;
    link.attach({
      receive() {
        frames++;
        Promise.resolve().then(() => console.log('then', frames));
        if (frames === 1) throw new Error('one');
      },
      batchEnd() { console.log('batch', frames); if (frames === 2) void link.close(); },
    });
    execFileSync('ip', ['netns', 'exec', namespace, 'bash', '-c',
      'ip address add 10.86.0.1/24 dev ' + link.name +
      '; ip neighbour add 10.86.0.2 lladdr 02:00:00:00:00:02 dev ' + link.name + ' nud permanent' +
      '; echo > /dev/udp/10.86.0.2/9; echo > /dev/udp/10.86.0.2/9']);
    `,
    namespace.name,
  );
  // Promises of a handler are settled when it has returned, not with whatever Node does next.
  assert.equal(said, 'caught one\nthen 1\nbatch 2\nthen 2');
});

test(
  'memory that a handler transfers away stays as it is, and the link goes on with other',
  options,
  async () => {
    using namespace = new KernelNamespace('transfer');
    const said = await runProgram(
      `
    import { execFileSync } from 'node:child_process';
    const link = openTap({ namespace });
    const texts = [];
    const taken = [];
    link.attach({
      receive(frame) {
        const text = String.fromCharCode(...frame.subarray(42));
        texts.push(text.trim());
        taken.push(structuredClone(frame, { transfer: [frame.buffer] }));
        const reply = link.allocate(60).fill(0);
        if (texts.length === 3) structuredClone(new Uint8Array(reply.buffer), { transfer: [reply.buffer] });
        texts.push(link.transmit(reply));
        if (texts.length < 6) return;
        for (const frame of taken) texts.push(String.fromCharCode(...frame.subarray(42)).trim());
        console.log(texts.join(' '), JSON.stringify(link.statistics.drops.snapshot()));
        void link.close();
      },
      batchEnd() {},
    });
    execFileSync('ip', ['netns', 'exec', namespace, 'bash', '-c',
      'ip address add 10.88.0.1/24 dev ' + link.name +
      '; ip neighbour add 10.88.0.2 lladdr 02:00:00:00:00:02 dev ' + link.name + ' nud permanent' +
      '; for i in one two six; do echo $i > /dev/udp/10.88.0.2/9; done']);
    `,
      namespace.name,
    );
    assert.equal(said, 'one true two false six true one two six {"too-short":1}');
  },
);

test('without the privilege it is TAP_DENIED or NETWORK_NAMESPACE_DENIED', options, async () => {
  using namespace = new KernelNamespace('denied');
  // As by seteuid the effective capabilities go, and the program may still read its own files.
  const drop = `process.setegid(65534); process.seteuid(65534);`;
  assert.match(
    await runProgram(drop + PRINT_CODE, namespace.name),
    /^NETWORK_NAMESPACE_DENIED with a remedy/,
  );
  const here = PRINT_CODE.replace('{ namespace }', '');
  assert.match(await runProgram(drop + here, namespace.name), /^TAP_DENIED with a remedy/);
});

test('without /dev/net/tun it is TAP_UNSUPPORTED', options, async () => {
  using namespace = new KernelNamespace('device');
  const hidden = 'mount -t tmpfs none /dev/net && exec "$0" "$@"';
  const said = await runProgram(PRINT_CODE, namespace.name, {
    before: ['unshare', '--mount', 'sh', '-c', hidden],
  });
  assert.match(said, /^TAP_UNSUPPORTED with a remedy/);
});
