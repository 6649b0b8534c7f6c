import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress } from 'netloom/core';
import { dashboardPage } from './index.ts';
import { pageFiles } from './page-files.ts';

const page = dashboardPage();
const end = { address: IpAddress.LOOPBACK4, port: 8800 };

async function get(path: string, method = 'GET') {
  const request = new Request(`http://127.0.0.1:8800${path}`, { method });
  const response = await page.fetch(request, { local: end, remote: end });
  const { status, headers } = response;
  return { status, type: headers.get('content-type'), text: await response.text() };
}

test('the page is served, and everything that it names', async () => {
  const index = await get('/');
  assert.deepEqual([index.status, index.type], [200, 'text/html; charset=utf-8']);
  const named = [...index.text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path!);
  assert.ok(named.includes('/main.ts') && named.includes('/uplot.css'));
  for (const path of named) assert.equal((await get(path)).status, 200, path);
});

test('modules are JavaScript, and import nothing but what is served', async () => {
  const modules = [...pageFiles()].filter(([, { type }]) => type.startsWith('text/javascript'));
  assert.ok(modules.length > 15);
  for (const [path, { text }] of modules) {
    if (path === '/uplot.js') continue;
    // Compiles as a function's body does, but for what only modules may.
    for (const [, specifier] of text.matchAll(/^(?:import|export) [^;]*? from '([^']+)'/gm)) {
      const target = new URL(specifier!, `http://page${path}`).pathname;
      assert.equal((await get(target)).status, 200, `${path} imports ${specifier}`);
    }
    assert.doesNotMatch(text, /^import type|^export interface|@netloom|innerHTML/m, path);
  }
});

test('nothing else is served: no tests, no settings, nothing outside the folder', async () => {
  for (const path of [
    '/index.html',
    '/units.test.ts',
    '/tsconfig.json',
    '/../index.ts',
    '/%2e%2e/index.ts',
    '/page/main.ts',
    '/main',
  ]) {
    assert.equal((await get(path)).status, 404, path);
  }
  assert.equal((await get('/', 'POST')).status, 405);
  assert.equal((await get('/', 'HEAD')).status, 200);
});

test('the page has no styles or scripts of its own in its markup: its policy allows none', async () => {
  const { text } = await get('/');
  assert.doesNotMatch(
    text,
    /<style|style=|<script(?! type="module" src)|\son\w+=|https?:(?!\/\/www\.w3\.org)/,
  );
});
