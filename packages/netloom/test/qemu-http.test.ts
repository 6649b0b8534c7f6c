/**
 * QEMU as peer, all the way: the iPXE ROM of an emulated network card gets its address from our DHCP server, resolves us by ARP, and
 * fetches a script and a file by HTTP from our stack, through a socket of QEMU's.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { IpAddress, MacAddress, type Connection } from 'netloom/core';
import { DhcpServer, osHost, stackHost } from 'netloom/host';
import { serve } from 'netloom/http';
import { QemuStreamLink } from 'netloom/link';
import { Dhcpv4OptionCode } from 'netloom/wire';
import { bootMachine, machineObstacle } from './qemu-machine.ts';
import { requires } from './requires.ts';

const FILE_SIZE = 2 * 1024 * 1024;

/** Fetches the file, then tells its size and the machine's address by what it asks for next. */
const SCRIPT = `#!ipxe
imgfetch --name file http://192.0.2.1/file
imgfetch http://192.0.2.1/done?address=\${ip}
poweroff
`;

test(
  'a machine of QEMU gets an address and a file from our stack',
  { skip: requires(machineObstacle()), timeout: 120_000 },
  async () => {
    await using os = osHost();
    const accepted = Promise.withResolvers<Connection>();
    const listener = await os.listen({
      port: 0,
      address: IpAddress.LOOPBACK4,
      accept: accepted.resolve,
    });
    const machine = bootMachine(
      `stream,id=n0,server=off,addr.type=inet,addr.host=127.0.0.1,addr.port=${listener.local.port}`,
    );
    const ended = once(machine, 'exit');
    try {
      const link = new QemuStreamLink(await accepted.promise, {
        name: 'vm0',
        mac: MacAddress.parse('02:00:00:00:00:01'),
      });
      await using host = stackHost();
      const via = host.addInterface(link, { addresses: ['192.0.2.1/24'] });
      await using dhcp = new DhcpServer(host, via, {
        pool: { first: IpAddress.parse('192.0.2.9'), last: IpAddress.parse('192.0.2.9') },
        parameters: {
          options: [
            {
              code: Dhcpv4OptionCode.BOOT_FILE,
              data: new TextEncoder().encode('http://192.0.2.1/script'),
            },
          ],
        },
      });
      const asked: string[] = [];
      const done = Promise.withResolvers<void>();
      await using site = await serve(
        {
          fetch(request) {
            const { pathname, search } = new URL(request.url);
            asked.push(pathname + search);
            if (pathname === '/script') return new Response(SCRIPT);
            if (pathname === '/file') return new Response(new Uint8Array(FILE_SIZE).fill(1));
            done.resolve();
            return new Response('thanks');
          },
        },
        { host, port: 80 },
      );
      const early = ended.then(() => Promise.reject(new Error('QEMU ended early')));
      await Promise.race([done.promise, early]);
      assert.deepEqual(asked, ['/script', '/file', '/done?address=192.0.2.9']);
      assert.equal(dhcp.leases().length, 1);
      assert.ok(link.statistics.sentBytes > FILE_SIZE, 'the file went over the link');
      assert.equal(site.local.port, 80);
    } finally {
      machine.kill();
      await ended;
    }
  },
);
