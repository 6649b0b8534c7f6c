/** `netloom run --network FILE:NAME`: a program as a station of a network that a file describes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { captureReader, describeFrame } from 'netloom/wire';
import { freePort } from '../../netloom/test/http/peers.ts';
import { program, requires } from '../../netloom/test/requires.ts';
import { runInProcess, startNetloom, type Outcome } from './netloom-process.ts';
import { as, runObstacle, runOptions, runScript, type Who } from './run-place.ts';

const options = {
  ...runOptions,
  skip: requires(runObstacle, program('ping'), program('curl'), program('dig'), program('ip')),
};

const folder = mkdtempSync(join(tmpdir(), 'netloom-run-in-network-'));
// An ordinary user reads the file too.
chmodSync(folder, 0o755);
after(() => rmSync(folder, { recursive: true }));

const file = join(folder, 'two:networks.yaml');
writeFileSync(
  file,
  `
networks:
  lan:
    mtu: 1400
    subnets: [10.77.0.0/24, fd77::/64]
    machines:
      web: { run: web, address: 10.77.0.80 }
      far: { run: echo, address: 10.77.0.7, link: { delay: 50ms } }
      gone: { run: echo, address: 10.77.0.8, link: { partition: true } }
  other:
    subnets: [10.78.0.0/24]
    uplink: { hostAccess: true }
    machines:
      web: { run: web, address: 10.78.0.80 }
  bare:
    machines:
      echo: { run: echo }
`,
);

/** Runs a script as a station of a network of the file. */
function runIn(
  network: string,
  script: string,
  who: Who = 'root',
  ...more: string[]
): Promise<Outcome> {
  return runScript(script, who, '--network', `${file}:${network}`, ...more);
}

/** Once until the addresses are known, then to be measured. */
const PING_FAR = 'ping -n -q -c 1 -w 20 10.77.0.7 >/dev/null; ping -n -q -c 3 -i 0.1 10.77.0.7';

/** The shortest way there and back that ping has measured, in milliseconds. */
function leastOf(output: string): number {
  return Number(/= ([\d.]+)\//.exec(output)![1]);
}

for (const who of ['root', 'user'] as const) {
  test(
    `the program of ${who} has the network's addresses, names and machines`,
    options,
    async () => {
      const { code, stdout, stderr } = await runIn(
        'lan',
        `cat /sys/class/net/tap0/mtu; dig +short program.lan; ip -4 -o addr show dev tap0 | grep -o '10[.0-9]*/24'
       ip route show default; ping -4 -n -q -c 1 -w 20 web.lan; ping -6 -n -q -c 1 -w 20 web.lan
       curl -4 -sS --max-time 20 http://web.lan/ | grep -o '<title>.*</title>'`,
        who,
      );
      assert.deepEqual([code, stderr], [0, '']);
      const [mtu, name, address, route] = stdout.split('\n');
      assert.equal(mtu, '1400');
      assert.equal(address, `${name}/24`);
      assert.match(name!, /^10\.77\.0\.\d+$/);
      assert.match(route!, /^default via 10\.77\.0\.1 dev tap0 *$/);
      assert.equal(stdout.match(/ 1 received, 0% packet loss/g)?.length, 2, stdout);
      assert.match(stdout, /<title>.*web.*<\/title>/);
    },
  );
}

test(
  'what is wrong with the lines of the file’s stations, and with the program’s own',
  options,
  async () => {
    const asInFile = await runIn('lan', `${PING_FAR}; ping -n -q -c 2 -i 0.1 -W 1 10.77.0.8`);
    assert.ok(leastOf(asInFile.stdout) >= 100 && leastOf(asInFile.stdout) < 180, asInFile.stdout);
    assert.match(asInFile.stdout, /2 packets transmitted, 0 received/);
    const further = await runIn('lan', PING_FAR, 'root', '--delay', '100ms');
    assert.ok(leastOf(further.stdout) >= 200 && leastOf(further.stdout) < 280, further.stdout);
  },
);

test('another network of the file is another network', options, async () => {
  const { stdout } = await runIn(
    'other',
    `ping -n -q -c 1 -w 20 10.78.0.80; curl -sS --max-time 20 http://web.other/ | grep -o '<title>.*</title>'
     ping -n -q -c 1 -W 1 10.77.0.80`,
  );
  assert.match(stdout, / 1 received, 0% packet loss/);
  assert.match(stdout, /<title>.*web.*<\/title>/);
  assert.match(stdout, / 0 received/);
});

test('the way out is the network’s, and what goes there is told', options, async (context) => {
  const server = createServer((_, response) => void response.end('outside\n'));
  server.listen(0, '127.0.0.1');
  context.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const script = `curl -sS --max-time 20 http://10.78.0.1:${port}/`;
  const pcap = join(folder, 'frames.pcapng');
  const open = await runIn('other', script, 'root', '--stats', '--pcap', pcap);
  assert.deepEqual([open.code, open.stdout], [0, 'outside\n'], open.stderr);
  assert.match(
    open.stderr,
    new RegExp(`^tcp 10\\.78\\.0\\.1:${port} .* 1 +0 +\\d+ B +\\d+ B$`, 'm'),
  );
  const lines: string[] = [];
  const reader = captureReader({ packet: ({ data }) => lines.push(describeFrame(data)) });
  assert.equal(reader.push(readFileSync(pcap)), undefined);
  assert.ok(
    lines.some((line) => /> 10\.78\.0\.1:\d+ TCP SYN /.test(line)),
    lines.join('\n'),
  );
  // The other has none.
  const closed = await runIn('lan', `curl -sS --max-time 20 http://10.77.0.1:${port}/`);
  assert.equal(closed.code, 7, closed.stderr);
});

test('a port of the program is published', options, async () => {
  const port = await freePort();
  const serve = `require('http').createServer((q, s) => { s.end('inside'); }).listen(8000, '0.0.0.0', () => console.log('ready'));`;
  const words = ['run', '--network', `${file}:lan`, '--publish', `${port}:8000`, '--'];
  const run = startNetloom([...words, process.execPath, '-e', serve], as('root'));
  await run.until(/ready/);
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
  assert.equal(await response.text(), 'inside');
  run.signal('SIGTERM');
  assert.equal((await run.outcome()).code, 143);
});

test('a program that gets no address is told so', options, async () => {
  const { code, stdout, stderr } = await runIn('bare', 'ip -4 -o addr show dev tap0');
  assert.deepEqual([code, stdout], [0, '']);
  assert.match(
    stderr,
    /^netloom run: no gateway in the network bare gives out addresses here; .*tap0/,
  );
});

test('what is wrong with the file or the name is told before anything is started', async () => {
  const command = ['--', 'echo', 'started'];
  const run = (choice: string, ...more: string[]) =>
    runInProcess(['run', '--network', choice, ...more, ...command]);
  const unknown = await run(`${file}:lam`);
  assert.equal(unknown.code, 1);
  assert.match(
    unknown.stderr,
    /two:networks\.yaml has no network 'lam'\. Did you mean 'lan'\? \(NODE_NETWORK_UNKNOWN\)\n$/,
  );
  const wrong = join(folder, 'wrong.yaml');
  writeFileSync(wrong, 'networks:\n  lan:\n    subnet: 10.0.0.0/33\n');
  const mistaken = await run(`${wrong}:lan`);
  assert.deepEqual([mistaken.code, mistaken.stdout], [1, '']);
  assert.match(mistaken.stderr, /wrong\.yaml:3:5/);
  for (const [choice, more, message] of [
    [join(folder, 'missing.yaml:lan'), [], /FILE_UNREADABLE/],
    ['lan', [], /--network wants a file and the name of a network/],
    [`${file}:`, [], /--network wants a file and the name of a network/],
    [`${file}:lan`, ['--mtu', '1400'], /--mtu is for the file to say/],
    [`${file}:lan`, ['--host-access'], /--host-access is for the file to say/],
  ] as const) {
    const { code, stdout, stderr } = await run(choice, ...more);
    assert.notEqual(code, 0);
    assert.equal(stdout, '');
    assert.match(stderr, message);
  }
});
