import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { ControlApi, StateFolder } from '@netloom/edge';
import { osHost } from 'netloom/host';
import { FakeNetwork, FakeNode } from '../../../edge/test/fake-node.ts';
import { USUAL_DASHBOARD, openDashboard, readDashboard } from './dashboard.ts';

function read(text: string): string {
  const { address, port, isAskedFor } = readDashboard(text);
  return `${address} ${port} ${isAskedFor}`;
}

test('an address with a port, or a port of the loopback', () => {
  assert.equal(read('0'), '127.0.0.1 0 true');
  assert.equal(read('0.0.0.0:8800'), '0.0.0.0 8800 true');
  assert.equal(read('[::1]:80'), '::1 80 true');
  for (const text of ['', ':80', '::1:80x', 'localhost:80', '80/tcp', '-1']) {
    assert.throws(() => readDashboard(text), { code: 'USAGE' }, text);
  }
});

test('a host that takes no listener is told of, and is an error where the dashboard was asked for', async () => {
  const host = osHost();
  const api = new ControlApi(new FakeNode(new FakeNetwork('lan')), { clock: host.clock });
  await host.close();
  const notices: string[] = [];
  const folder = new StateFolder('none', mkdtempSync(join(tmpdir(), 'netloom-dashboard-')));
  after(() => rmSync(dirname(folder.path), { recursive: true }));
  await folder.prepare();
  const notice = (text: string): void => void notices.push(text);
  const parts = { api, host, folder, notice };
  assert.equal(await openDashboard(parts, USUAL_DASHBOARD), undefined);
  assert.equal(notices.length, 1);
  assert.match(notices[0]!, /^there is no dashboard: ./);
  await assert.rejects(openDashboard(parts, readDashboard('0')), {
    code: 'HOST_CLOSED',
  });
  assert.equal(notices.length, 1);
});
