/** The control API of a node as it is: what is asked is what is there, and what is told happens to frames. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { secureRandom } from 'netloom/core';
import { SystemClock, osHost } from 'netloom/host';
import { createClient } from 'netloom/http';
import { captureReader, describeFrame } from 'netloom/wire';
import {
  ControlApi,
  Network,
  NetloomNode,
  StateFolder,
  claimNode,
  controlClient,
  readNodeFile,
  serveControl,
  type ControlledNode,
} from '../src/index.ts';

const root = mkdtempSync(join(tmpdir(), 'netloom-control-node-'));
after(() => rmSync(root, { recursive: true }));

const FILE = `
networks:
  lan:
    subnets: [10.0.0.0/24]
    machines:
      web: { run: web, address: 10.0.0.80 }
    publish:
      - 127.0.0.1:0:web:80
`;

/** A node of that file, served at its socket, with a client and what asks its published page. */
async function served() {
  const clock = new SystemClock();
  const outside = osHost();
  const folder = new StateFolder('default', root);
  const claim = await claimNode(folder);
  const { model, mistakes } = readNodeFile(FILE, { path: join(root, 'lan.yaml') });
  assert.deepEqual(mistakes, undefined);
  const node: NetloomNode<Network> & ControlledNode = await NetloomNode.start(model!, {
    name: 'default',
    file: null,
    stateFolder: folder,
    environment: { clock, random: secureRandom(), outside, resolvers: [] },
    makeNetwork: (wanted, environment) => new Network(wanted, environment),
  });
  const server = await serveControl(new ControlApi(node, { clock }), claim);
  const client = controlClient(folder);
  const browser = createClient({ host: outside });
  return {
    node,
    server,
    client,
    async page(): Promise<string> {
      const [network] = await client.networks();
      const { listen } = network!.publications[0]!;
      return (await browser.fetch(`http://${listen}/`)).text();
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await client.close();
      await server.close();
      await node.close();
      await claim.close();
      await outside.close();
    },
  };
}

test('a node tells what it has, and frames of it are seen through a filter', async () => {
  await using here = await served();
  const { client } = here;
  const body = (await client.capture('lan', { port: 'web', filter: 'tcp port 80' })).getReader();
  const lines: string[] = [];
  const reader = captureReader({ packet: ({ data }) => void lines.push(describeFrame(data)) });
  assert.match(await here.page(), /web/);
  // The last of a connection is seen by both ends.
  while (lines.filter((line) => line.includes('FIN')).length < 2) {
    const { done, value } = await body.read();
    assert.equal(done, false);
    assert.equal(reader.push(value!), undefined);
  }
  await body.cancel();
  assert.match(lines[0]!, /^10\.0\.0\.1:\d+ > 10\.0\.0\.80:80 TCP SYN /);
  assert.ok(
    lines.every((line) => line.includes(' TCP ')),
    'no ARP was asked for',
  );

  const status = await client.status();
  assert.equal(status.process, process.pid);
  assert.deepEqual(
    status.networks.map(({ name, state }) => [name, state]),
    [['lan', 'active']],
  );
  const ports = await client.interfaces({ network: 'lan' });
  assert.deepEqual(ports.map(({ name }) => name).sort(), ['gateway', 'web']);
  assert.ok(ports.find(({ name }) => name === 'web')!.received.bytes > 1000);
  const flows = await client.flows();
  assert.deepEqual(
    flows.map(({ direction, protocol, guest }) => [direction, protocol, guest]),
    [['inbound', 'tcp', '10.0.0.80:80']],
  );
  assert.deepEqual(await client.model(), here.node.model);
});

test('a line that is told to be cut is, until that is taken back; the model says so', async () => {
  await using here = await served();
  const { client } = here;
  const line = await client.impair('lan', 'web', { partition: true, delay: 1 });
  assert.deepEqual([line.partition, line.delay], [true, 1]);
  assert.deepEqual(here.node.model.networks[0]!.attachments[0]!.port.link, {
    partition: true,
    delay: 1,
  });
  const dropped = async (): Promise<number> => {
    const ports = await client.interfaces();
    const { drops } = ports.find(({ name }) => name === 'web')!;
    return Object.values(drops).reduce((sum, count) => sum + count, 0);
  };
  const before = await dropped();
  const asked = here.page();
  while ((await dropped()) === before);
  const back = await client.impair('lan', 'web', { partition: null, delay: null });
  assert.deepEqual([back.partition, back.delay], [false, 0]);
  assert.match(await asked, /web/, 'it comes through when it is tried again');
});

test('a changed file is planned, then followed', async () => {
  await using here = await served();
  const { client } = here;
  const path = join(root, 'lan.yaml');
  const changed = FILE.replace('publish:', 'publish: []\n    x:');
  const wrong = await client.plan({ file: path, text: changed });
  assert.ok('mistakes' in wrong && wrong.mistakes.some(({ line }) => line === 8));
  const text = `${FILE}  dmz: { subnets: [10.1.0.0/24] }\n`;
  const planned = await client.plan({ file: path, text });
  assert.ok('plan' in planned && planned.plan.steps.length > 0);
  assert.equal((await client.networks()).length, 1);
  const report = await client.apply({ file: path, text });
  assert.ok('failed' in report && report.failed === null);
  assert.deepEqual((await client.networks()).map(({ name }) => name).sort(), ['dmz', 'lan']);
  assert.equal((await client.status()).file, path);
});

test('a network that is suspended lets no frame pass', async () => {
  await using here = await served();
  await here.client.suspend('lan');
  assert.equal((await here.client.networks())[0]!.state, 'suspended');
  await assert.rejects(here.client.suspend('lan'), { code: 'STATE_ILLEGAL' });
  const asked = here.page();
  await here.client.resume('lan');
  assert.match(await asked, /web/);
});
