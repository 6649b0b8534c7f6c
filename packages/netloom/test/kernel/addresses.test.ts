/** Our addresses against the Linux kernel's on one link: who has one first keeps it, RFC 5227 and RFC 4862 on both sides. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADDRESS_CONFLICT, type AddressConflict } from 'netloom/ip';
import { tapObstacle } from '../kernel-namespace.ts';
import { privilege, program, requires } from '../requires.ts';
import { KernelLan, TAP } from './kernel-lan.ts';

const needed = [privilege(), tapObstacle, program('ping')];
const timeout = 60_000;

test(
  'an address that the kernel has is not used; a free one is, and the kernel reaches it',
  { skip: requires(...needed), timeout },
  async () => {
    await using lan = new KernelLan('claims');
    const { host, interface: via, namespace } = lan;
    const { address: kernelMac } = namespace.describe(TAP);
    const add = (cidr: string): Promise<void> =>
      host.addAddress(via, cidr, { duplicates: 'detect' });
    await Promise.all([
      assert.rejects(add('10.80.0.1/16'), {
        code: 'ADDRESS_DUPLICATE',
        message: `the station ${kernelMac} on ${via.name} has the address 10.80.0.1`,
      }),
      assert.rejects(add('fd00:80::1/64'), { code: 'ADDRESS_DUPLICATE' }),
      add('10.80.0.7/16'),
      add('fd00:80::7/64'),
    ]);
    assert.deepEqual(via.addresses.map(({ cidr }) => `${cidr}`).toSorted(), [
      '10.80.0.2/16',
      '10.80.0.7/16',
      'fd00:80::2/64',
      'fd00:80::7/64',
    ]);
    for (const address of ['10.80.0.7', 'fd00:80::7']) {
      const said = await namespace.run('ping', '-n', '-c', '1', '-W', '5', address);
      assert.match(said, /1 received/);
    }
  },
);

test(
  'the kernel’s duplicate detection finds our IPv6 address, and gives its own up',
  { skip: requires(...needed), timeout },
  async () => {
    await using lan = new KernelLan('dad');
    const { namespace } = lan;
    const settings = `net.ipv6.conf.${TAP}`;
    namespace.sysctl(`${settings}.accept_dad=1`, `${settings}.dad_transmits=1`);
    const monitor = namespace.startProgram('ip', '-o', 'monitor', 'address');
    namespace.ip('address', 'add', 'fd00:80::2/64', 'dev', TAP);
    for (;;) if (/fd00:80::2\/64 .*dadfailed/.test(await monitor.line())) break;
    assert.equal(lan.host.stack.claims.conflicts.total(), 0, 'it has only asked');
    await monitor.stop();
  },
);

test(
  'the kernel takes an IPv4 address of ours: it is defended, then given up',
  { skip: requires(...needed), timeout },
  async () => {
    await using lan = new KernelLan('takeover');
    const { host, interface: via, namespace } = lan;
    const conflicts: AddressConflict[] = [];
    const stop = ADDRESS_CONFLICT.subscribe((conflict) => conflicts.push(conflict));
    const { promise: lost, resolve } = Promise.withResolvers<AddressConflict>();
    await host.addAddress(via, '10.80.0.7/16', { duplicates: 'announce', conflict: resolve });
    namespace.ip('address', 'add', '10.80.0.7/16', 'dev', TAP);
    // Asking for a station of the link from that address, the kernel says that it is its own (RFC 826).
    for (const target of ['10.80.7.1', '10.80.7.2']) {
      const words = `-n -c 1 -W 1 -I 10.80.0.7 ${target}`.split(' ');
      await assert.rejects(namespace.run('ping', ...words), 'nobody is there');
    }
    const { outcome, other } = await lost;
    stop();
    assert.equal(outcome, 'gave-way');
    assert.equal(`${other}`, namespace.describe(TAP).address);
    assert.deepEqual(
      conflicts.map((conflict) => conflict.outcome),
      ['defended', 'gave-way'],
    );
    assert.equal(via.find(conflicts[0]!.address), undefined);
  },
);
