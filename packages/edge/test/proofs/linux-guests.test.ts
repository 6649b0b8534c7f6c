/** Linux in two guests of QEMU, by a stream and by datagrams, and the kernel of this machine in a namespace, all on one network of a node. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../netloom/test/http/peers.ts';
import { KernelNamespace, tapObstacle } from '../../../netloom/test/kernel-namespace.ts';
import { NGINX_PORT, Nginx } from '../../../netloom/test/kernel/nginx.ts';
import {
  datagramNetdev,
  emulatorObstacle,
  streamNetdev,
} from '../../../netloom/test/qemu-machine.ts';
import { privilege, program, requires } from '../../../netloom/test/requires.ts';
import { sumOf } from './bytes-module.ts';
import { LinuxGuest, linuxObstacle } from './linux-guest.ts';
import { RunningNode } from './running-node.ts';

const options = {
  skip: requires(
    privilege(),
    tapObstacle,
    emulatorObstacle(),
    linuxObstacle(),
    program('curl'),
    program('dig'),
    program('nginx'),
  ),
  timeout: 240_000,
};
const MACS = ['52:54:00:00:00:01', '52:54:00:00:00:02'] as const;
const MODULE = fileURLToPath(new URL('bytes-module.ts', import.meta.url));
/** Bytes of what our machine serves. */
const SIZE = 2_000_000;

/** What guests serve, and the namespace: as `seq` prints it. */
const COUNT = 200_000;
const NUMBERS = Array.from({ length: COUNT }, (_, index) => `${index + 1}\n`).join('');
const NUMBERS_SUM = createHash('sha256').update(NUMBERS).digest('hex');

/** The namespace at the TAP, with nginx once there is a TAP. */
class Tools implements Disposable {
  readonly namespace = new KernelNamespace('tools');
  readonly #nginx = new Nginx();

  async start(): Promise<void> {
    writeFileSync(this.#nginx.path('numbers'), NUMBERS);
    await this.#nginx.start(this.namespace);
  }

  /** The SHA-256 of what curl fetches. */
  async sum(url: string): Promise<string> {
    const said = await this.namespace.run('sh', '-c', `curl -sS --max-time 60 ${url} | sha256sum`);
    return said.split(' ')[0]!;
  }

  /** What our gateway answers to a question for an address. */
  async address(name: string): Promise<string> {
    const said = await this.namespace.run('dig', '+short', '@10.77.0.1', name);
    return said.trim();
  }

  [Symbol.dispose](): void {
    this.namespace[Symbol.dispose]();
    this.#nginx[Symbol.dispose]();
  }
}

/** Has udhcpc get it an address; answers what it was told. */
async function lease(guest: LinuxGuest, hostname: string): Promise<string[]> {
  const words = `-i eth0 -n -q -t 10 -T 1 -s /dhcp-script -x hostname:${hostname}`;
  const said = await guest.run(`udhcpc ${words}`);
  const [, told] = /^lease (.*)$/m.exec(said) ?? assert.fail(said);
  return told!.split(' ');
}

/** The SHA-256 of what its wget fetches. */
async function sum(guest: LinuxGuest, url: string): Promise<string> {
  const said = await guest.run(`wget -q -O /fetched ${url} && sha256sum /fetched`);
  return said.split(' ')[0]!;
}

test(
  'Linux in guests of QEMU gets its leases, finds names, and talks TCP with another guest, a namespace and our machines',
  options,
  async () => {
    using tools = new Tools();
    const [listen, local, remote] = [await freePort(), await freePort(), await freePort()];
    const text = `networks:
  lab:
    subnets: [10.77.0.0/24, fd00:77::/64]
    reservations:
      - { mac: ${MACS[0]}, address: 10.77.0.11 }
    machines:
      web: { run: web, address: [10.77.0.80, fd00:77::80] }
      bytes: { run: ${MODULE}, address: 10.77.0.81 }
    taps:
      tools: { interface: eth0, namespace: ${tools.namespace.name}, address: 10.77.0.5 }
    qemu: { one: { listen: ${listen} }, two: { local: ${local}, remote: ${remote} } }
`;
    await using node = await RunningNode.up(text);
    const booting = [
      LinuxGuest.boot(streamNetdev(listen), MACS[0]),
      LinuxGuest.boot(datagramNetdev(remote, local), MACS[1]),
    ];
    const starting = tools.start();
    await Promise.allSettled([...booting, starting]);
    await using one = await booting[0]!;
    await using two = await booting[1]!;
    await starting;

    const [ofOne, ofTwo] = await Promise.all([lease(one, 'one'), lease(two, 'two')]);
    assert.deepEqual(ofOne, ['10.77.0.11', '24', '10.77.0.1', '10.77.0.1', 'lab']);
    const addressOfTwo = ofTwo[0]!;
    assert.match(addressOfTwo, /^10\.77\.0\.(1[3-9]\d|2\d\d|12[89])$/);
    assert.deepEqual(ofTwo.slice(1), ofOne.slice(1));
    const leases = await node.leases();
    for (const [name, address] of [
      ['one', '10.77.0.11'],
      ['two', addressOfTwo],
    ]) {
      assert.equal(leases.find((found) => found.address === address)?.name, name);
      assert.equal(await tools.address(`${name}.lab`), address);
    }
    assert.match(await one.run('nslookup two.lab'), new RegExp(`Address: ${addressOfTwo}\\n`));

    for (const guest of [one, two]) {
      await guest.run(`mkdir /files && seq ${COUNT} >/files/numbers && httpd -p 80 -h /files`);
    }
    // From guest to guest, both ways at once, by name; and each way between guest and namespace.
    assert.deepEqual(
      await Promise.all([sum(one, 'http://two/numbers'), sum(two, 'http://one.lab/numbers')]),
      [NUMBERS_SUM, NUMBERS_SUM],
    );
    for (const guest of [one, two]) {
      assert.equal(await sum(guest, `http://tools:${NGINX_PORT}/numbers`), NUMBERS_SUM);
      assert.equal(await sum(guest, `http://bytes/${SIZE}`), sumOf(SIZE));
      assert.match(await guest.run('wget -q -O - http://web.lab/'), /<title>web\.lab<\/title>/);
    }
    for (const address of ['10.77.0.11', addressOfTwo]) {
      assert.equal(await tools.sum(`http://${address}/numbers`), NUMBERS_SUM);
    }
    // Its kernel gives itself an address by our router advertisements, and first sees whether another has it (RFC 4862, section 5.4).
    const isGood = "ip address show dev eth0 | grep 'inet6 fd00:77::.* scope global dynamic'";
    await two.run(`until ${isGood}; do sleep 0.2; done`);
    assert.match(await two.run('wget -q -O - http://[fd00:77::80]/'), /<title>/);

    for (const [at, name] of ['one', 'two'].entries()) {
      const { connected, mac } = await node.interface(name);
      assert.deepEqual([connected, mac], [true, MACS[at]]);
    }
    await node.stop();
  },
);
