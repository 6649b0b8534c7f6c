/** Our stack configured over a TAP by dnsmasq in the kernel's namespace: router advertisements that ask for DHCPv6, stateful and stateless. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { IpAddress } from 'netloom/core';
import { stackHost, type Ipv6Configuration, type StackHost } from 'netloom/host';
import { createClient, serve } from 'netloom/http';
import type { Interface } from 'netloom/ip';
import { openTap } from 'netloom/link/tap';
import { KernelNamespace, tapObstacle, type NamespaceProgram } from '../kernel-namespace.ts';
import { privilege, program, requires } from '../requires.ts';

const TAP = 'tap0';
const options = {
  skip: requires(privilege(), tapObstacle, program('dnsmasq'), program('curl'), program('ping')),
  timeout: 60_000,
};

/** The kernel's end of a TAP, which is router and DHCPv6 server as `range` says, and our end, which configures itself. */
class ConfiguredLan implements AsyncDisposable {
  readonly namespace: KernelNamespace;
  readonly host: StackHost = stackHost({ name: 'configured' });
  readonly via: Interface;
  #dnsmasq: NamespaceProgram | undefined;
  readonly #folder = mkdtempSync(join(tmpdir(), 'netloom-dhcpv6-'));

  constructor(label: string) {
    this.namespace = new KernelNamespace(label);
    this.namespace.enableIpv6();
    const tap = openTap({ name: TAP, namespace: this.namespace.name });
    this.namespace.ip('address', 'add', 'fd00:80::1/64', 'dev', TAP, 'nodad');
    this.via = this.host.addInterface(tap);
  }

  /** The leases dnsmasq knows of: a line for its own DUID, and one for each. */
  get leases(): string[] {
    const lines = readFileSync(join(this.#folder, 'leases'), 'utf8').split('\n');
    return lines.filter((line) => line !== '' && !line.startsWith('duid '));
  }

  /** Starts dnsmasq, and has our end configure itself once it serves. */
  async configure(range: string): Promise<Ipv6Configuration> {
    const words = [
      'exec dnsmasq --keep-in-foreground --log-facility=- --log-dhcp --conf-file=/dev/null --port=0 --user=root --pid-file= --dhcp-sequential-ip',
      `--interface=${TAP} --bind-interfaces --enable-ra --dhcp-range=${range}`,
      '--dhcp-option=option6:dns-server,[fd00:80::53] --dhcp-option=option6:domain-search,lan',
      `--dhcp-leasefile=${join(this.#folder, 'leases')} 2>&1`,
    ];
    this.#dnsmasq = this.namespace.startProgram('sh', '-c', words.join(' '));
    // The last line before it waits for messages.
    await this.logged(/sockets bound exclusively/);
    return this.host.autoconfigure(this.via);
  }

  /** Waits until dnsmasq has logged a line of this kind. */
  async logged(pattern: RegExp): Promise<void> {
    while (!pattern.test(await this.#dnsmasq!.line()));
  }

  /** The kernel pings the address, curl in the kernel's namespace fetches from it, and we fetch from the kernel's end. */
  async use(address: IpAddress): Promise<void> {
    const { namespace, host } = this;
    await namespace.run('ping', '-6', '-c', '1', '-W', '5', address.toString());
    await using server = await serve(
      { fetch: () => new Response('from the stack') },
      { host, port: 80, address },
    );
    const got = await namespace.run('curl', '-sSgf', `http://[${address}]/`);
    assert.equal(got, 'from the stack');
    assert.equal(server.statistics.get('requests'), 1);
    const kernels = namespace.start(`
      import { createServer } from 'node:http';
      const server = createServer(({ socket }, response) => response.end(socket.remoteAddress));
      server.listen(80, 'fd00:80::1', () => console.log('ready'));
    `);
    await kernels.line();
    await using client = createClient({ host });
    const response = await client.fetch('http://[fd00:80::1]/');
    assert.equal(await response.text(), address.toString());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host.close();
    this.namespace[Symbol.dispose]();
    rmSync(this.#folder, { recursive: true });
  }
}

test('the flag M: dnsmasq gives an address, which works, and takes it back', options, async () => {
  await using lan = new ConfiguredLan('managed');
  const configuration = await lan.configure('fd00:80::100,fd00:80::1ff,64,1h');
  const address = await configuration.ready();
  const { client } = configuration;
  assert.equal(client?.state, 'bound');
  assert.match(address.toString(), /^fd00:80::1[0-9a-f]{2}$/);
  assert.equal(lan.via.find(address)?.cidr.prefixLength, 128);
  assert.deepEqual(configuration.dnsServers.map(String), ['fd00:80::53']);
  assert.deepEqual(client.parameters?.searchDomains, ['lan']);
  assert.ok(lan.leases[0]?.includes(` ${address} `), lan.leases.join());
  await lan.use(address);
  await configuration.release();
  assert.deepEqual(lan.leases, []);
  assert.deepEqual(lan.via.addresses, []);
});

test(
  'addresses that other stations have are declined, and the next one is used',
  options,
  async () => {
    await using lan = new ConfiguredLan('conflict');
    const { namespace } = lan;
    // The kernel answers for stations that are said to be behind it. Either address may be the first that dnsmasq gives.
    const settings = [
      'conf.tap0.forwarding=1',
      'conf.tap0.proxy_ndp=1',
      'neigh.tap0.proxy_delay=0',
    ];
    namespace.sysctl(...settings.map((setting) => `net.ipv6.${setting}`));
    const others = ['fd00:80::100', 'fd00:80::101'];
    for (const other of others) namespace.ip('neighbour', 'add', 'proxy', other, 'dev', TAP);
    const configuration = await lan.configure('fd00:80::100,fd00:80::1ff,64,1h');
    const address = await configuration.ready();
    await lan.logged(/DHCPDECLINE/);
    assert.ok(!others.includes(address.toString()));
    await lan.use(address);
  },
);

test('the flag O: an address of our own making, and parameters of dnsmasq', options, async () => {
  await using lan = new ConfiguredLan('stateless');
  const configuration = await lan.configure('fd00:80::,ra-stateless,64,1h');
  const address = await configuration.ready();
  assert.match(address.toString(), /^fd00:80::/);
  assert.doesNotMatch(address.toString(), /^fd00:80::1[0-9a-f]{2}$/);
  const parameters = await configuration.client!.configured();
  assert.equal(configuration.client?.state, 'informed');
  assert.deepEqual(parameters.dnsServers.map(String), ['fd00:80::53']);
  assert.deepEqual(parameters.searchDomains, ['lan']);
  assert.deepEqual(lan.leases, []);
  await lan.use(address);
});
