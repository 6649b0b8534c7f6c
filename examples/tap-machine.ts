/**
 * A machine of ours beside the kernel's: on a TAP, with an address given or asked for by DHCP. The kernel can ping it and
 * fetch its page. As root, once:
 *
 *     ip tuntap add dev tap0 mode tap user YOU
 *     ip link set tap0 up
 *     ip address add 10.9.0.1/24 dev tap0
 *
 * Then, as yourself, until Ctrl-C:
 *
 *     scripts/node examples/tap-machine.ts tap0 10.9.0.2/24
 *     ping 10.9.0.2        curl http://10.9.0.2/
 */
import { once } from 'node:events';
import { DhcpClient, stackHost } from 'netloom/host';
import { serve } from 'netloom/http';
import { openTap } from 'netloom/link/tap';

const [name = 'tap0', address] = process.argv.slice(2);

await using machine = stackHost({ name: 'machine' });
const via = machine.addInterface(openTap({ name }), {
  addresses: address === undefined ? [] : [address],
});
if (address === undefined) await new DhcpClient(machine, via).lease({ timeout: 30_000 });

await using site = await serve(
  { fetch: () => new Response(`${via.link.statistics.receivedFrames} frames so far\n`) },
  { host: machine, port: 80 },
);
const [own] = via.addresses.filter(({ cidr }) => cidr.address.family === 4);
console.log(`http://${own!.cidr.address}/ is served by this process. Ctrl-C ends it.`);
await once(process, 'SIGINT');
console.log(`${site.statistics.get('requests')} requests, ${via.drops.total()} packets dropped`);
