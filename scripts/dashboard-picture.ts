/** Makes docs/images/dashboard.png: a node with some traffic, in a real browser. Takes two minutes, so that the plots are full. */
import type { Network, PortModel, Station } from '@netloom/edge';
import {
  Cidr,
  IpAddress,
  MacAddress,
  secureRandom,
  type Connection,
  type Host,
} from 'netloom/core';
import { SystemClock, stackHost } from 'netloom/host';
import { linkPair } from 'netloom/link';
import { WatchedPage, startBrowser } from '../packages/dashboard/test/browser.ts';
import { ShownNode } from '../packages/dashboard/test/shown-node.ts';
import { root } from './run.ts';

const FILE = `
networks:
  office:
    subnets: [10.0.0.0/24]
    uplink: true
    machines:
      web: { run: [web, echo], address: 10.0.0.80 }
      files: { run: echo, address: 10.0.0.81, link: { rate: 40mbit } }
      desk: { run: echo, link: { delay: 3ms } }
    publish: [127.0.0.1:0:web:7]
  field:
    subnets: [10.1.0.0/24]
    machines:
      sensor: { run: echo, address: 10.1.0.20, link: { delay: 80ms±10ms, rate: 2mbit, loss: 0.5% } }
      camera: { run: echo, address: 10.1.0.30, link: { delay: 25ms, rate: 8mbit } }
      drone: { run: echo, address: 10.1.0.40, link: { partition: true } }
    publish: [127.0.0.1:0:camera:7]
routers:
  core:
    interfaces: { office: 10.0.0.254, field: 10.1.0.254 }
`;

const ECHO_PORT = 7;
/** Until the plots are full. */
const SECONDS = Number(process.argv[2] ?? 125);

/** A program's port, with nothing special about it. */
const PORT: PortModel = {
  vlan: { mode: 'access', vlan: 1 },
  priority: 'dscp',
  isolated: false,
  stations: 16,
  whenFull: 'forward',
  storm: {},
  shaping: null,
  link: {},
};

/** Makes a machine in a network that is ours to speak from. */
async function plugIn(network: Network, name: string, address: string): Promise<Host> {
  const clock = new SystemClock();
  const random = secureRandom();
  const host = stackHost({ name, clock, random });
  await network.connect(name, PORT, async (context): Promise<Station> => {
    const mac = MacAddress.parse('02:00:00:00:01:01');
    const [inside, outside] = linkPair(clock, { names: [name, name], macs: [mac, mac] });
    const guest = { mac, name, addresses: [IpAddress.parse(address)], isConfigured: true };
    context.admit(guest);
    const via = host.addInterface(outside, { addresses: [`${address}/24`] });
    const [gateway] = context.routers;
    host.stack.addRoute(Cidr.parse('0.0.0.0/0'), via, gateway);
    return {
      link: inside,
      isConnected: true,
      mac,
      addresses: [address],
      gatewayChanged: () => true,
      async close() {
        await host.close();
        context.dismiss(guest);
      },
    };
  });
  return host;
}

/** Sends to an echo service: so many bytes each 50 ms, now more and now less. */
function talk(connection: Connection, bytes: number, period: number): NodeJS.Timeout {
  let isFull = false;
  connection.start({ drain: () => void (isFull = false) });
  let ticks = 0;
  return setInterval(() => {
    const share = 0.6 + 0.4 * Math.sin((2 * Math.PI * ticks++) / (period * 20));
    if (!isFull) isFull = !connection.write(new Uint8Array(Math.ceil(bytes * share)));
  }, 50);
}

await using shown = await ShownNode.start(FILE);
const backup = await plugIn(shown.node.network('field'), 'backup', '10.1.0.60');
const [web, camera, files, sensor] = await Promise.all([
  shown.connect('office'),
  shown.connect('field'),
  backup.connect({ host: IpAddress.parse('10.0.0.81'), port: ECHO_PORT }),
  backup.connect({ host: IpAddress.parse('10.1.0.20'), port: ECHO_PORT }),
]);
const timers = [
  talk(web, 4_000, 31),
  talk(camera, 25_000, 23),
  talk(files, 60_000, 47),
  talk(sensor, 14_000, 29),
];
const browser = await startBrowser();
const window = await WatchedPage.open(browser, { viewport: { width: 1280, height: 1000 } });
const page = await window.visit(shown.url);
await page
  .locator('#picture')
  .getByRole('button', { name: /^machine sensor/ })
  .click();
await page.waitForTimeout(SECONDS * 1000);
await page.screenshot({ path: `${root}docs/images/dashboard.png` });
await browser.close();
for (const timer of timers) clearInterval(timer);
for (const connection of [web, camera, files, sensor]) connection.abort();
