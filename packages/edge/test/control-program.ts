/** A node, or who asks one, as a process of its own: `serve ROOT NAME` or `ask ROOT NAME`. Tells what has come of it in one line. */
import type { NetloomError } from 'netloom/core';
import { SystemClock } from 'netloom/host';
import { ControlApi, claimNode, controlClient, serveControl } from '../src/control/index.ts';
import { StateFolder } from '../src/node/index.ts';
import { FakeNode } from './fake-node.ts';

const [role, root, name] = process.argv.slice(2);
const folder = new StateFolder(name, root);

async function serve(): Promise<string> {
  const node = new FakeNode();
  node.more = { process: process.pid };
  const api = new ControlApi(node, { clock: new SystemClock() });
  await serveControl(api, await claimNode(folder));
  return 'serving';
}

async function ask(): Promise<string> {
  await using client = controlClient(folder);
  return `process ${(await client.status()).process}`;
}

const said = await (role === 'serve' ? serve() : ask()).catch(
  (error: NetloomError) => `${error.code}: ${error.message}`,
);
process.stdout.write(`${said}\n`);
