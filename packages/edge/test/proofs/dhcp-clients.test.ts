/**
 * The DHCP clients of the world at a node: dhclient (ISC), udhcpc as Debian packages it, and the one in busybox, each in a namespace behind a TAP. (dnsmasq is no
 * client; its server is met by our clients in packages/netloom/test/dhcp, and stands beside our gateway in qemu.test.ts here.)
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  KernelNamespace,
  tapObstacle,
  type NamespaceProgram,
} from '../../../netloom/test/kernel-namespace.ts';
import { privilege, program, requires } from '../../../netloom/test/requires.ts';
import { UDHCPC, startQuietly } from './kernel-station.ts';
import { RunningNode, temporaryFile } from './running-node.ts';

const options = {
  skip: requires(
    privilege(),
    tapObstacle,
    program('dhclient'),
    program('udhcpc'),
    program('busybox'),
    program('dig'),
    program('ping'),
  ),
  timeout: 180_000,
};

const DHCLIENT_SCRIPT = temporaryFile(
  'dhclient-script',
  `#!/bin/sh
case "$reason" in
  BOUND|RENEW|REBIND|REBOOT)
    ip addr replace "$new_ip_address/$new_subnet_mask" dev "$interface"
    ip route replace default via "$new_routers"
    echo "$reason $new_ip_address" ;;
  BOUND6)
    ip addr replace "$new_ip6_address/$new_ip6_prefixlen" dev "$interface" nodad
    echo "$reason $new_ip6_address" ;;
esac
`,
  0o755,
);
function withIpv6(label: string): KernelNamespace {
  const namespace = new KernelNamespace(label);
  namespace.enableIpv6();
  return namespace;
}

/** Namespaces with a client each, and where dhclient keeps what it was given. */
class Clients implements Disposable {
  readonly namespaces: Readonly<Record<'alpha' | 'beta' | 'gamma' | 'late', KernelNamespace>>;
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'netloom-dhclient-'));

  constructor() {
    this.namespaces = {
      alpha: withIpv6('alpha'),
      beta: withIpv6('beta'),
      gamma: withIpv6('gamma'),
      late: withIpv6('late'),
    };
  }

  /** A file with these of them. */
  file(names: readonly (keyof Clients['namespaces'])[], duration = '1h', more = ''): string {
    const taps = names.map(
      (name) => `      ${name}: { interface: eth0, namespace: ${this.namespaces[name].name} }`,
    );
    return `networks:
  lan:
    subnets: [10.66.0.0/24, fd00:66::/64]
    dhcp: { range: 10.66.0.100-10.66.0.110, lease: ${duration} }
    machines: { web: { run: web, address: 10.66.0.80 } }
${more}    taps:
${taps.join('\n')}
`;
  }

  /** ISC's client, of IPv4 or IPv6: it says why its script was called, and with which address. */
  dhclient(name: keyof Clients['namespaces'], family: 4 | 6): NamespaceProgram {
    const config = temporaryFile(
      `dhclient-${name}.conf`,
      `send host-name "${name}";\nsend fqdn.fqdn "${name}";\ntimeout 60;\nretry 1;\ninitial-interval 1;\n`,
    );
    const state = join(this.#folder, `${name}-${family}`);
    const words = [`-${family}`, '-1', '-d', '-cf', config, '-sf', DHCLIENT_SCRIPT];
    const files = ['-lf', `${state}.leases`, '-pf', `${state}.pid`];
    return startQuietly(this.namespaces[name], 'dhclient', ...words, ...files, 'eth0');
  }

  /** It says no name of its own: the file does. */
  udhcpc(name: keyof Clients['namespaces'], ...command: readonly string[]): NamespaceProgram {
    return startQuietly(this.namespaces[name], ...command, ...UDHCPC, '-i', 'eth0');
  }

  [Symbol.dispose](): void {
    for (const namespace of Object.values(this.namespaces)) namespace[Symbol.dispose]();
    rmSync(this.#folder, { recursive: true });
  }
}

/** The address that the client's script is told next, for this reason; there is no other line before. */
async function told(client: NamespaceProgram, reason: string): Promise<string> {
  const [said, address] = (await client.line()).split(' ');
  assert.equal(said, reason);
  return address!;
}

/** What is on the lines of `dig +short`. */
async function dig(namespace: KernelNamespace, ...words: readonly string[]): Promise<string[]> {
  const said = await namespace.run('dig', '+short', '+tries=2', ...words);
  return said.trimEnd().split('\n');
}

test('dhclient, udhcpc and busybox get addresses and names, and renew them', options, async () => {
  using clients = new Clients();
  await using node = await RunningNode.up(clients.file(['alpha', 'beta', 'gamma']));
  const { alpha, beta } = clients.namespaces;
  const alpha4 = await told(clients.dhclient('alpha', 4), 'BOUND');
  const alpha6 = await told(clients.dhclient('alpha', 6), 'BOUND6');
  const ofBeta = clients.udhcpc('beta', 'udhcpc');
  const beta4 = await told(ofBeta, 'bound');
  const gamma4 = await told(clients.udhcpc('gamma', 'busybox', 'udhcpc'), 'bound');
  for (const address of [alpha4, beta4, gamma4]) assert.match(address, /^10\.66\.0\.1\d\d$/);
  assert.equal(new Set([alpha4, beta4, gamma4]).size, 3);
  assert.match(alpha6, /^fd00:66::/);

  const leases = await node.leases();
  const named = Object.fromEntries(leases.map(({ address, name }) => [address, name]));
  const wanted = { [alpha4]: 'alpha', [alpha6]: 'alpha', [beta4]: 'beta', [gamma4]: 'gamma' };
  assert.partialDeepStrictEqual(named, wanted);
  for (const server of ['10.66.0.1', 'fd00:66::1']) {
    assert.deepEqual(await dig(alpha, `@${server}`, 'beta.lan', 'gamma.lan'), [beta4, gamma4]);
    assert.deepEqual(await dig(alpha, `@${server}`, 'alpha.lan', 'AAAA'), [alpha6]);
    assert.deepEqual(await dig(alpha, `@${server}`, '-x', beta4), ['beta.lan.']);
  }
  await alpha.run('ping', '-n', '-c', '2', '-i', '0.05', '-w', '10', gamma4);
  await alpha.run('ping', '-n', '-c', '2', '-i', '0.05', '-w', '10', '10.66.0.80');

  ofBeta.signal('SIGUSR1');
  assert.equal(await told(ofBeta, 'renew'), beta4);
  // Given back, it is no lease any more.
  ofBeta.signal('SIGUSR2');
  await node.untilLeases((all) => !all.some(({ address }) => address === beta4));
  assert.deepEqual(await dig(beta, '@10.66.0.1', 'beta.lan'), ['']);
  await node.stop();
});

for (const signal of ['SIGINT', 'SIGKILL'] as const) {
  test(
    `a node that has ended by ${signal} knows its clients when it is back`,
    options,
    async () => {
      using clients = new Clients();
      const name = `leases-${signal.toLowerCase()}`;
      const known = ['alpha', 'beta', 'gamma'] as const;
      const given: Record<string, string> = {};
      {
        await using node = await RunningNode.up(clients.file(known), { name });
        const programs = [
          clients.dhclient('alpha', 4),
          clients.dhclient('alpha', 6),
          clients.udhcpc('beta', 'udhcpc'),
          clients.udhcpc('gamma', 'busybox', 'udhcpc'),
        ];
        given['alpha'] = await told(programs[0]!, 'BOUND');
        given['alpha6'] = await told(programs[1]!, 'BOUND6');
        given['beta'] = await told(programs[2]!, 'bound');
        given['gamma'] = await told(programs[3]!, 'bound');
        await node.end(signal);
        // Not by Ctrl-C: dhclient would give its lease back.
        for (const one of programs) one.signal('SIGKILL');
        await Promise.all(programs.map(({ ended }) => ended));
      }
      await using node = await RunningNode.up(clients.file(['late', ...known]), { name });
      // The newcomer is first, and is given nothing that is somebody else's.
      const late = await told(clients.udhcpc('late', 'udhcpc'), 'bound');
      const late6 = await told(clients.dhclient('late', 6), 'BOUND6');
      assert.match(late, /^10\.66\.0\.1\d\d$/);
      assert.ok(!Object.values(given).includes(late), late);
      assert.ok(!Object.values(given).includes(late6), late6);
      // Those who remember ask for their own; those who do not are known.
      assert.equal(await told(clients.dhclient('alpha', 4), 'REBOOT'), given['alpha']);
      assert.equal(await told(clients.dhclient('alpha', 6), 'BOUND6'), given['alpha6']);
      assert.equal(await told(clients.udhcpc('beta', 'udhcpc'), 'bound'), given['beta']);
      assert.equal(
        await told(clients.udhcpc('gamma', 'busybox', 'udhcpc'), 'bound'),
        given['gamma'],
      );
      const { alpha } = clients.namespaces;
      assert.deepEqual(await dig(alpha, '@10.66.0.1', 'beta.lan'), [given['beta']]);
      await node.stop();
    },
  );
}

test('leases are those of the network, whichever gateway it has', options, async () => {
  using clients = new Clients();
  await using node = await RunningNode.up(clients.file(['beta']));
  const ofBeta = clients.udhcpc('beta', 'udhcpc');
  const address = await told(ofBeta, 'bound');
  const applied = await node.apply(clients.file(['gamma', 'beta'], '30m'));
  assert.match(applied, /gateway/);
  const ofGamma = await told(clients.udhcpc('gamma', 'busybox', 'udhcpc'), 'bound');
  assert.notEqual(ofGamma, address);
  ofBeta.signal('SIGUSR1');
  assert.equal(await told(ofBeta, 'renew'), address);
  const lease = (await node.leases()).find((one) => one.address === address)!;
  assert.ok(lease.remaining! <= 30 * 60_000, 'it was renewed for longer than the file says');
  assert.deepEqual(await dig(clients.namespaces.beta, '@10.66.0.1', 'beta.lan'), [address]);
  await node.stop();
});

/** A file with two networks, and what else each has. */
function twoNetworks(one: string, other: string): string {
  return `networks:
  lan: { subnets: [10.66.0.0/24], ${one} }
  office: { subnets: [10.67.0.0/24], ${other} }
`;
}

test('a station that moves to another network is given an address there', options, async () => {
  using clients = new Clients();
  const { beta } = clients.namespaces;
  const tap = `taps: { beta: { interface: eth0, namespace: ${beta.name} } }`;
  await using node = await RunningNode.up(twoNetworks(tap, 'machines: {}'));
  assert.match(await told(clients.udhcpc('beta', 'udhcpc'), 'bound'), /^10\.66\./);
  await node.apply(twoNetworks('machines: {}', tap));
  assert.match(await told(clients.udhcpc('beta', 'udhcpc'), 'bound'), /^10\.67\./);
  await beta.run('ping', '-n', '-c', '1', '-w', '10', '10.67.0.1');
  assert.equal((await node.interface('beta')).network, 'office');
  await node.stop();
});

test(
  'the address that a client has may be reserved for it, and the node starts with both',
  options,
  async () => {
    using clients = new Clients();
    const name = 'reserved';
    let address: string;
    const { beta } = clients.namespaces;
    let text: string;
    {
      await using node = await RunningNode.up(clients.file(['beta']), { name });
      // It says who it is by a client identifier (RFC 2132, section 9.14); the file has its card.
      address = await told(clients.udhcpc('beta', 'udhcpc'), 'bound');
      const { address: mac } = beta.describe('eth0');
      const kept = `{ mac: "${mac}", name: printer, address: ${address} }`;
      text = clients.file(['beta'], '1h', `    reservations: [${kept}]\n`);
      await node.apply(text);
      assert.deepEqual(await dig(beta, '@10.66.0.1', 'printer.lan'), [address]);
      await node.end('SIGKILL');
    }
    await using node = await RunningNode.up(text, { name });
    assert.equal(await told(clients.udhcpc('beta', 'udhcpc'), 'bound'), address);
    assert.deepEqual(await dig(beta, '@10.66.0.1', 'printer.lan'), [address]);
    await node.stop();
  },
);
