/** A gateway's services with other people's clients: the kernel's autoconfiguration, dhclient, udhcpc, dig; and dnsmasq as the resolver behind ours. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { Cidr, IpAddress, MacAddress } from 'netloom/core';
import {
  gatewayServices,
  type GatewayServices,
  type GatewayServicesOptions,
} from 'netloom/gateway';
import { osHost, stackHost, type StackHost } from 'netloom/host';
import type { Interface } from 'netloom/ip';
import { openTap } from 'netloom/link/tap';
import { KernelNamespace, tapObstacle, type NamespaceProgram } from '../kernel-namespace.ts';
import { program, requires } from '../requires.ts';
import { TAP } from './kernel-lan.ts';

/** A test that waits for a program fails after so many milliseconds, and cleans up. */
const PATIENCE = 60_000;
const MAC = MacAddress.parse('02:00:00:00:00:66');

/** A gateway on our stack, and the kernel as its only station. */
class Network implements AsyncDisposable {
  readonly namespace: KernelNamespace;
  readonly gateway: StackHost = stackHost({ name: 'gateway', forwarding: true });
  readonly via: Interface;
  readonly folder: string = mkdtempSync(join(tmpdir(), 'netloom-services-'));

  constructor(label: string, heedsRouters = false) {
    this.namespace = new KernelNamespace(label);
    this.namespace.enableIpv6();
    const heeds = heedsRouters ? 1 : 0;
    const prefix = 'net.ipv6.conf.default';
    this.namespace.sysctl(`${prefix}.accept_ra=${heeds}`, `${prefix}.autoconf=${heeds}`);
    const tap = openTap({ name: TAP, namespace: this.namespace.name, mtu: 1500, offload: true });
    const addresses = ['10.80.0.1/24', 'fe80::1/64', 'fd00:80::1/64'];
    this.via = this.gateway.addInterface(tap, { addresses });
    this.namespace.ip('link', 'set', 'dev', TAP, 'address', MAC.toString());
    this.namespace.ip('link', 'set', 'dev', TAP, 'up');
  }

  /** Starts a client whose log, for people, is not shown. */
  start(...words: string[]): NamespaceProgram {
    return this.namespace.startProgram('sh', '-c', 'exec "$@" 2>/dev/null', 'sh', ...words);
  }

  serve(options: GatewayServicesOptions = {}): Promise<GatewayServices> {
    return gatewayServices(this.gateway, this.via, options);
  }

  /** A script for a DHCP client that tells what it is told, a line for each event. */
  script(name: string, line: string, then = ''): string {
    const path = join(this.folder, name);
    writeFileSync(path, `#!/bin/sh\necho "${line}"\n${then}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  /** The addresses of the kernel's end that are not link-local. */
  addresses(family: 4 | 6): string[] {
    const text = this.namespace.ip(
      '-j',
      `-${family}`,
      'addr',
      'show',
      'dev',
      TAP,
      'scope',
      'global',
    );
    const [device] = JSON.parse(text) as { addr_info?: { local?: string }[] }[];
    return (device?.addr_info ?? []).flatMap(({ local }) => (local === undefined ? [] : [local]));
  }

  async dig(...words: string[]): Promise<string[]> {
    const answer = await this.namespace.run('dig', '+short', '+time=5', '+tries=1', ...words);
    return answer.split('\n').filter((line) => line !== '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway.close();
    this.namespace[Symbol.dispose]();
    rmSync(this.folder, { recursive: true });
  }
}

/** Waits until it is so, as the kernel tells: it says nothing when it has made itself an address. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** The next line that begins so. */
async function lineOf(running: NamespaceProgram, start: string): Promise<string> {
  for (;;) {
    const line = await running.line();
    if (line.startsWith(start)) return line;
  }
}

const options = { skip: requires(tapObstacle), timeout: PATIENCE };

test(
  'the kernel makes itself an address, a default route and an MTU of our advertisements',
  options,
  async () => {
    await using network = new Network('ra', true);
    network.via.mtu = 1400;
    const services = await network.serve();
    await until(() => network.addresses(6).length > 0);
    const [address] = network.addresses(6);
    assert.match(address!, /^fd00:80::/);
    assert.match(network.namespace.ip('-6', 'route'), /default via fe80::1 dev tap0 proto ra/);
    const mtu = await network.namespace.run('cat', `/proc/sys/net/ipv6/conf/${TAP}/mtu`);
    assert.equal(mtu.trim(), '1400');
    await network.gateway.ping(IpAddress.parse(address!));
    await services.close();
    await until(() => !network.namespace.ip('-6', 'route').includes('default'));
  },
);

test(
  'dhclient has an address and a prefix from our DHCPv6 server, renews and releases them',
  { skip: requires(tapObstacle, program('dhclient')), timeout: PATIENCE },
  async () => {
    await using network = new Network('dhclient');
    const { namespace, folder } = network;
    const services = await network.serve({
      dhcpv6: {
        delegation: { block: Cidr.parse('fd00:88::/32'), length: 48 },
        leaseDuration: 8000,
        preferredDuration: 4000,
      },
    });
    const line =
      'told $reason $new_ip6_address $new_ip6_prefix $new_dhcp6_name_servers $new_dhcp6_domain_search';
    const script = network.script('script', line);
    const files = ['-lf', join(folder, 'leases'), '-pf', join(folder, 'pid'), '-cf', '/dev/null'];
    const words = ['-6', '-d', '-N', '-P', '-sf', script, ...files, TAP];
    const client = network.start('dhclient', ...words);
    const bound = (await lineOf(client, 'told BOUND6')).split(' ');
    const both = `${bound.join(' ')} ${(await lineOf(client, 'told BOUND6')).split(' ').slice(2).join(' ')}`;
    assert.match(both, /fd00:80::1000/);
    assert.match(both, /fd00:88::\/48/);
    assert.match(both, /fd00:80::1 lan/);
    const leases = services.dhcpv6!.leases();
    assert.deepEqual(leases.map(({ lease }) => lease).toSorted(), [
      'fd00:80::1000/128',
      'fd00:88::/48',
    ]);
    await lineOf(client, 'told RENEW6');
    assert.ok((services.dhcpv6!.leases()[0]?.remaining ?? 0) > 6000, 'it was renewed at T1');
    await namespace.run('dhclient', '-6', '-r', '-N', '-P', '-sf', script, ...files, TAP);
    await until(() => services.dhcpv6!.leases().length === 0);
    assert.deepEqual(services.dhcpv6!.drops.snapshot(), {});
  },
);

test(
  'udhcpc has an address, by a name that dig finds, forward and back',
  { skip: requires(tapObstacle, program('udhcpc'), program('dig')), timeout: PATIENCE },
  async () => {
    await using network = new Network('names');
    const services = await network.serve({
      names: { 'api.example.com': [IpAddress.parse('10.80.0.9')] },
    });
    const apply = `[ "$1" = bound ] && ip addr add $ip/$mask dev ${TAP}; exit 0`;
    const script = network.script('script', 'told $1 $ip $router $dns $domain $mtu', apply);
    const asking = ['-x', 'hostname:box', '-O', 'mtu', '-s', script];
    const client = network.start('udhcpc', '-f', '-i', TAP, ...asking);
    const bound = await lineOf(client, 'told bound');
    assert.equal(bound, 'told bound 10.80.0.128 10.80.0.1 10.80.0.1 lan 1500');
    assert.equal(services.dhcp!.leases()[0]?.hostname, 'box');
    const server = '@10.80.0.1';
    assert.deepEqual(await network.dig(server, 'box.lan'), ['10.80.0.128']);
    assert.deepEqual(await network.dig(server, '+tcp', 'box'), ['10.80.0.128']);
    assert.deepEqual(await network.dig(server, '+noedns', 'BOX.lan'), ['10.80.0.128']);
    assert.deepEqual(await network.dig(server, '-x', '10.80.0.128'), ['box.lan.']);
    assert.deepEqual(await network.dig(server, 'gateway.lan', 'AAAA'), ['fd00:80::1']);
    assert.deepEqual(await network.dig(server, 'api.example.com'), ['10.80.0.9']);
    assert.deepEqual(await network.dig(server, 'lan', 'NS'), ['ns.lan.']);
    const missing = await network.namespace.run('dig', server, 'nobody.lan');
    assert.match(missing, /status: NXDOMAIN/);
    assert.match(missing, /flags: qr aa rd ra/);
    assert.match(missing, /lan\.\s+10\s+IN\s+SOA\s+ns\.lan\. hostmaster\.lan\./);
    const lost = await network.namespace.run('dig', server, 'example.org');
    assert.match(lost, /status: SERVFAIL/);
    assert.match(lost, /EDE: 23 .*no resolver is known/);
    await client.stop();
  },
);

test(
  'a network configured at once has what DHCP would give, and DHCP gives it the same',
  { skip: requires(tapObstacle, program('udhcpc'), program('dig')), timeout: PATIENCE },
  async () => {
    await using network = new Network('reserve');
    const services = await network.serve();
    const given = services.reserve({ mac: MAC, hostname: 'box' });
    assert.deepEqual(given.map(String), ['10.80.0.128/24', 'fd00:80::1000/64']);
    for (const cidr of given) {
      network.namespace.ip('addr', 'add', cidr.toString(), 'dev', TAP);
    }
    assert.deepEqual(await network.dig('@fd00:80::1', 'box.lan'), ['10.80.0.128']);
    assert.deepEqual(await network.dig('@fd00:80::1', 'box.lan', 'AAAA'), ['fd00:80::1000']);
    const script = network.script('script', 'told $1 $ip');
    const client = network.start('udhcpc', '-f', '-i', TAP, '-s', script);
    assert.equal(await lineOf(client, 'told bound'), 'told bound 10.80.0.128');
    await client.stop();
  },
);

/** dnsmasq as a resolver on loopback, at a port of its own; resolves when it serves. */
async function dnsmasq(records: readonly string[]): Promise<{ port: number; stop(): void }> {
  const probe = createSocket('udp4').bind(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  const words =
    '--keep-in-foreground --log-facility=- --conf-file=/dev/null --user=root --pid-file= --no-hosts ' +
    `--no-resolv --listen-address=127.0.0.1 --bind-interfaces --port=${port}`;
  const child = spawn('dnsmasq', [...words.split(' '), ...records], {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: PATIENCE,
    killSignal: 'SIGKILL',
  });
  for await (const line of createInterface(child.stderr)) if (line.includes('started')) break;
  return { port, stop: () => void child.kill('SIGKILL') };
}

test(
  'dnsmasq behind our forwarder: dig has its answers by UDP and TCP, short and long',
  { skip: requires(tapObstacle, program('dnsmasq'), program('dig')), timeout: PATIENCE },
  async () => {
    const many = Array.from(
      { length: 60 },
      (_, last) => `--host-record=many.test,203.0.113.${last}`,
    );
    const records = [
      '--host-record=www.example.test,203.0.113.9,2001:db8::9',
      '--cname=alias.test,www.example.test',
      '--mx-host=example.test,mail.example.test,10',
      '--txt-record=text.test,some text',
      ...many,
    ];
    const upstream = await dnsmasq(records);
    const host = osHost();
    try {
      await using network = new Network('forward');
      network.namespace.ip('addr', 'add', '10.80.0.9/24', 'dev', TAP);
      const address = IpAddress.LOOPBACK4;
      const services = await network.serve({
        resolveVia: host,
        resolvers: [{ address, port: upstream.port }],
        dns: { denies: (name) => name.endsWith('evil.test'), limits: { patience: 500 } },
      });
      const server = '@10.80.0.1';
      assert.deepEqual(await network.dig(server, 'www.example.test'), ['203.0.113.9']);
      assert.deepEqual(await network.dig(server, 'www.example.test', 'AAAA'), ['2001:db8::9']);
      assert.deepEqual(await network.dig(server, '+tcp', 'alias.test'), [
        'www.example.test.',
        '203.0.113.9',
      ]);
      assert.deepEqual(await network.dig(server, 'example.test', 'MX'), ['10 mail.example.test.']);
      assert.deepEqual(await network.dig(server, '+noedns', 'text.test', 'TXT'), ['"some text"']);
      // Too long for 512 bytes: dig asks again by TCP, and so does our forwarder.
      assert.equal((await network.dig(server, '+noedns', 'many.test')).length, 60);
      assert.equal((await network.dig(server, '+bufsize=1232', 'many.test')).length, 60);
      const names = services.dns!.labels(IpAddress.parse('203.0.113.9'));
      assert.ok(names.includes('www.example.test'), names.join(' '));
      const denied = await network.namespace.run('dig', server, 'www.evil.test');
      assert.match(denied, /status: REFUSED/);
      upstream.stop();
      const gone = await network.namespace.run('dig', '+time=20', server, 'www.example.test');
      assert.match(gone, /status: SERVFAIL/);
    } finally {
      upstream.stop();
      await host.close();
    }
  },
);
