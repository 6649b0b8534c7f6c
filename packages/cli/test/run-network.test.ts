/** `netloom run`: what a program reaches, by which names, and what is wrong with its line when asked for. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { captureReader, describeFrame } from 'netloom/wire';
import { program, requires } from '../../netloom/test/requires.ts';
import { runNetloom, startNetloom } from './netloom-process.ts';
import { as, runObstacle, runOptions, runScript, startScript } from './run-place.ts';

const withCurl = { ...runOptions, skip: requires(runObstacle, program('curl')) };
const withDig = { ...runOptions, skip: requires(runObstacle, program('dig')) };

const folder = mkdtempSync(join(tmpdir(), 'netloom-run-network-'));
const server: Server = createServer((request, response) => {
  response.end(`${request.method} ${request.url} for ${request.headers.host}\n`);
});
let port = 0;
before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});
after(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

for (const who of ['root', 'user'] as const) {
  test(
    `this machine's server is reached with --host-access, and not without, by ${who}`,
    withCurl,
    async () => {
      const script = `curl -sS --max-time 10 http://gateway.lan:${port}/x`;
      const open = await runScript(script, who, '--host-access');
      assert.deepEqual([open.code, open.stdout], [0, `GET /x for gateway.lan:${port}\n`]);
      const closed = await runScript(script, who);
      // curl's code for a connection that was refused.
      assert.deepEqual([closed.code, closed.stdout], [7, '']);
    },
  );
}

test(
  'it looks for packets without sleeping where asked to, and ends all the same',
  withCurl,
  async () => {
    const script = `curl -sS --max-time 10 http://gateway.lan:${port}/x`;
    const { code, stdout } = await runScript(
      script,
      'root',
      '--host-access',
      '--busy-poll',
      '10000',
    );
    assert.deepEqual([code, stdout], [0, `GET /x for gateway.lan:${port}\n`]);
  },
);

test(
  'wget and a large transfer, both ways',
  { ...runOptions, skip: requires(runObstacle, program('curl'), program('wget')) },
  async () => {
    const large = createServer((request, response) => {
      let length = 0;
      request.on('data', (chunk: Uint8Array) => void (length += chunk.length));
      request.on('end', () => {
        if (request.method === 'GET') response.end(new Uint8Array(20_000_000));
        else response.end(String(length));
      });
    }).listen(0, '127.0.0.1');
    await once(large, 'listening');
    const url = `http://10.0.2.2:${(large.address() as AddressInfo).port}/`;
    const { code, stdout, stderr } = await runScript(
      `wget -qO- ${url} | wc -c; head -c 20000000 /dev/zero | curl -sS -T - ${url}`,
      'root',
      '--host-access',
    );
    large.close();
    assert.deepEqual([code, stdout, stderr], [0, '20000000\n20000000', '']);
  },
);

test(
  'names of the command line and of the network are known, others are asked for',
  withDig,
  async () => {
    const { stdout } = await runScript(
      `dig +short db.test; dig +short AAAA db.test; dig +short gateway.lan; dig +short -x 10.0.2.2; dig +short -x fd00::2
     dig nothing.lan | grep -o NXDOMAIN`,
      'root',
      '--dns',
      'db.test=192.0.2.7',
      '--dns',
      'DB.test.=2001:db8::7',
    );
    assert.equal(
      stdout,
      '192.0.2.7\n2001:db8::7\n10.0.2.2\ngateway.lan.\ngateway.lan.\nNXDOMAIN\n',
    );
  },
);

test('rules decide by address and by name, the most exact first', withCurl, async () => {
  const url = `http://10.0.2.2:${port}/`;
  for (const [options, isAllowed] of [
    [[], true],
    [['--deny', '10.0.2.2'], false],
    [['--deny', '10.0.0.0/8'], false],
    [['--deny', '10.0.0.0/8', '--allow', '10.0.2.0/24'], true],
    [['--allow', '10.0.0.0/8', '--deny', '10.0.2.0/24'], false],
    [['--allow', '192.0.2.0/24'], true],
    [['--deny', 'gateway.lan'], false],
    [['--deny', '10.0.0.0/8', '--allow', 'gateway.lan'], true],
  ] as const) {
    const script = `curl -sS --max-time 10 -o /dev/null ${url}`;
    const { code, stderr } = await runScript(script, 'root', '--host-access', ...options);
    assert.equal(code === 0, isAllowed, `${options.join(' ')}: ${stderr}`);
  }
});

test('a name that is denied is not told, nor one below it', withDig, async () => {
  const { stdout } = await runScript(
    'for n in secret.test www.secret.test; do dig $n | grep -o "status: [A-Z]*"; done; dig +short open.test',
    'root',
    '--deny',
    'secret.test',
    '--dns',
    'open.test=192.0.2.1',
  );
  assert.equal(stdout, 'status: REFUSED\nstatus: REFUSED\n192.0.2.1\n');
});

test('a published port leads to the program, by TCP and by UDP', runOptions, async () => {
  const code = `
    require('http').createServer((q, s) => { s.end('inside'); }).listen(8000, '0.0.0.0', () => {
      const u = require('dgram').createSocket('udp4');
      u.on('message', (data, from) => u.send('re: ' + data, from.port, from.address));
      u.bind(8001, () => console.log('ready'));
    });`;
  // Any that are free, found by taking them for a moment.
  const [tcp, udp] = await freePorts();
  const words = ['--publish', `${tcp}:8000`, '-p', `127.0.0.1:${udp}:8001/udp`];
  const run = startNetloom(['run', ...words, '--', process.execPath, '-e', code]);
  await run.until(/ready/);
  const response = await fetch(`http://127.0.0.1:${tcp}/`, { headers: { connection: 'close' } });
  assert.equal(await response.text(), 'inside');
  const socket = createSocket('udp4');
  socket.send('question', udp, '127.0.0.1');
  const [answer] = (await once(socket, 'message')) as [Buffer];
  assert.equal(answer.toString(), 're: question');
  socket.close();
  const taken = await runNetloom(['run', '-p', `${tcp}:8000`, '--', 'echo', 'started']);
  assert.deepEqual([taken.code, taken.stdout], [1, '']);
  assert.match(taken.stderr, /^netloom: .* \(ADDRESS_IN_USE\)\n$/);
  run.signal('SIGTERM');
  assert.equal((await run.outcome()).code, 143);
  // The port is free again.
  const [error] = (await once(connect(tcp, '127.0.0.1'), 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ECONNREFUSED');
});

async function freePorts(): Promise<[tcp: number, udp: number]> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const udp = socket.address().port;
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const tcp = (listener.address() as AddressInfo).port;
  socket.close();
  listener.close();
  return [tcp, udp];
}

test('every frame is captured, and what went where is told', withCurl, async () => {
  const pcap = join(folder, 'frames.pcapng');
  const { code, stderr } = await runScript(
    `curl -sS --max-time 10 -o /dev/null http://10.0.2.2:${port}/`,
    'root',
    '--host-access',
    '--pcap',
    pcap,
    '--stats',
  );
  assert.equal(code, 0);
  assert.match(stderr, /^sent where +known as +flows +denied +sent +received\n/);
  assert.match(stderr, new RegExp(`^tcp 10\\.0\\.2\\.2:${port} +\\S+ +1 +0 +\\d+ B +\\d+ B$`, 'm'));
  const lines: string[] = [];
  const reader = captureReader({ packet: ({ data }) => lines.push(describeFrame(data)) });
  assert.equal(reader.push(readFileSync(pcap)), undefined);
  const syn = lines.findIndex((line) => /^10\.0\.2\.100:\d+ > 10\.0\.2\.2:\d+ TCP SYN /.test(line));
  assert.ok(
    syn >= 0 && lines.slice(syn).some((line) => / TCP SYN,ACK /.test(line)),
    lines.join('\n'),
  );
  const missing = await runNetloom(['run', '--pcap', join(folder, 'no/where'), '--', 'echo', 'x']);
  assert.deepEqual([missing.code, missing.stdout], [1, '']);
  assert.match(missing.stderr, /\(FOLDER_MISSING\)\n$/);
});

/** For DHCP clients: changes nothing, and says what they got. Each calls it in its own way. */
const DHCP_SCRIPT = `#!/bin/sh
echo "$reason$1 $new_ip_address$ip$new_ip6_address $new_routers$router $new_domain_name_servers$dns$new_dhcp6_name_servers"
`;

test(
  'DHCP clients of both families get what the interface has already',
  { ...runOptions, skip: requires(runObstacle, program('udhcpc'), program('dhclient')) },
  async () => {
    const script = join(folder, 'dhcp-script');
    writeFileSync(script, DHCP_SCRIPT, { mode: 0o755 });
    // dhclient goes on in the background, and ends with the rest.
    const files = `-lf ${folder}/leases -pf ${folder}/pid -cf /dev/null -sf ${script}`;
    const v4 = '10.0.2.100 10.0.2.2 10.0.2.2';
    for (const [client, said] of [
      [`udhcpc -i tap0 -n -q -f -s ${script}`, `bound ${v4}`],
      [`touch ${folder}/leases && dhclient -1 -q ${files} tap0`, `BOUND ${v4}`],
      [`touch ${folder}/leases && dhclient -6 -1 -q ${files} tap0`, 'BOUND6 fd00::100  fd00::2'],
    ] as const) {
      const { code, stdout, stderr } = await runScript(
        `set -e; ${client}; grep ^fd00 /proc/net/if_inet6`,
      );
      assert.equal(code, 0, stderr);
      assert.ok(stdout.split('\n').includes(said), stdout);
      // Router advertisements have been heard too, and add no address to the one there is.
      assert.deepEqual(stdout.match(/^fd00\w+/gm), ['fd000000000000000000000000000100']);
    }
  },
);

test(
  'a program that ends before its network is loaded, and one that sends at once',
  runOptions,
  async () => {
    assert.equal((await runScript('true')).code, 0);
    const { stdout } = await runScript('exec ping -n -q -c 1 -W 10 10.0.2.2');
    assert.match(stdout, / 0% packet loss/);
  },
);

test('the MTU is the one asked for, and packets of that size pass', runOptions, async () => {
  for (const mtu of ['1280', '9000', '65520']) {
    const { code, stdout } = await runScript(
      `cat /sys/class/net/tap0/mtu; ls /sys/class/net; ping -n -q -M do -s ${Number(mtu) - 28} -c 1 -W 10 10.0.2.2`,
      'root',
      '--mtu',
      mtu,
    );
    assert.equal(code, 0, stdout);
    // The interfaces shown are those of the program's network, not of the machine's.
    assert.ok(stdout.startsWith(`${mtu}\nlo\ntap0\n`), stdout);
  }
});

test(
  'one run beside another: each has its network, and its end is its own',
  runOptions,
  async () => {
    const first = startScript(
      'echo ready; ping -n -q -c 1 -W 10 10.0.2.2; read _ || exec sleep 1000',
    );
    await first.until(/ 0% packet loss/);
    const second = await runNetloom(
      ['run', '--', 'ping', '-n', '-q', '-c', '1', '10.0.2.2'],
      as('user'),
    );
    assert.equal(second.code, 0);
    first.signal('SIGTERM');
    assert.equal((await first.outcome()).code, 143);
  },
);
