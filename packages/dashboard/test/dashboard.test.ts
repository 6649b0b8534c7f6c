/** The dashboard in a real browser: what it shows is what there is, and what is moved there moves the network. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { IpAddress } from 'netloom/core';
import { osHost } from 'netloom/host';
import { serve } from 'netloom/http';
import { captureReader, describeFrame } from 'netloom/wire';
import type { Browser, Page } from 'playwright-core';
import { program, requires } from '../../netloom/test/requires.ts';
import { CHROMIUM, WatchedPage, startBrowser } from './browser.ts';
import { ShownNode, echo } from './shown-node.ts';

const skip = requires(program(CHROMIUM));

const FILE = `
networks:
  lan:
    subnets: [10.0.0.0/24]
    machines:
      web: { run: [web, echo], address: 10.0.0.80 }
      db: { run: echo, address: 10.0.0.81, link: { delay: 20ms±5ms, rate: 10mbit, loss: 1% } }
    publish: [127.0.0.1:0:web:7]
  lab:
    subnets: [10.1.0.0/24]
    machines: { sensor: echo }
routers:
  core: { interfaces: { lan: 10.0.0.254, lab: 10.1.0.254 } }
`;

let browser: Browser;
before(async () => {
  if (skip === false) browser = await startBrowser();
});
after(() => browser?.close());

/** Chooses something in the picture, by its name. */
async function choose(page: Page, name: RegExp): Promise<void> {
  await page.locator('#picture').getByRole('button', { name }).click();
}

/** Answers that are waited for until the node is as it should be: the page asks for five each second. */
const MOST_ANSWERS = 200;

/** Waits until the node is as it should be: it is looked at again whenever the page has looked. */
async function until(page: Page, isSo: () => boolean): Promise<void> {
  for (let answers = 0; !isSo(); answers++) {
    assert.ok(answers < MOST_ANSWERS, `still not: ${isSo}`);
    await page.waitForResponse(/\/v1\//);
  }
}

test(
  'the page shows the networks of the node, and asks nobody else for anything',
  { skip },
  async () => {
    await using shown = await ShownNode.start(FILE);
    await using window = await WatchedPage.open(browser);
    const page = await window.visit(shown.url);
    // The token does not stay where it is seen.
    assert.equal(page.url(), `${shown.origin}/`);
    const picture = page.locator('#picture');
    for (const name of [
      /^network lan: active, 10\.0\.0\.0\/24 · isolated$/,
      /^network lab: active/,
      /^gateway gateway in lan: 10\.0\.0\.1;/,
      /^machine web in lan: 10\.0\.0\.80; .* from it, .* to it$/,
      /^machine db in lan: .*; 20±5 ms; 10 Mbit; 1 %$/,
      /^machine sensor in lab/,
      /^router core in lan/,
      /^router core in lab/,
    ]) {
      await picture.getByRole('button', { name }).waitFor();
    }
    await page.getByRole('tab', { name: 'Lines 7' }).waitFor();
    assert.equal(await page.getByRole('row').count(), 8);
    assert.equal(await page.title(), 'default – Netloom');
    // What comes after the first look is drawn where the first was.
    const rows = page.getByRole('row');
    await page.waitForResponse(/\/v1\/flows/);
    await page.waitForResponse(/\/v1\/flows/);
    assert.equal(await rows.count(), 8);
    const shift = await page.evaluate(() => {
      const observer = new PerformanceObserver(() => undefined);
      observer.observe({ type: 'layout-shift', buffered: true });
      const entries = observer.takeRecords() as (PerformanceEntry & { value: number })[];
      return entries.reduce((sum, { value }) => sum + value, 0);
    });
    assert.ok(shift < 0.02, `things moved by ${shift}`);
    assert.deepEqual(window.complaints, []);
    assert.deepEqual([...window.origins], [shown.origin]);
  },
);

test(
  'a slider that is moved makes the line slower, and the reset makes it good again',
  { skip },
  async () => {
    await using shown = await ShownNode.start(FILE);
    await using window = await WatchedPage.open(browser);
    const page = await window.visit(shown.url);
    const line = () =>
      shown.node
        .network('lan')
        .ports()
        .find(({ name }) => name === 'web')!.link;
    await choose(page, /^machine web/);
    const delay = page.getByRole('slider', { name: 'Delay' });
    await delay.focus();
    await page.keyboard.press('End');
    await until(page, () => line().delay === 2000);
    for (let step = 0; step < 10; step++) await page.keyboard.press('ArrowLeft');
    await until(page, () => line().delay === 200);
    assert.equal(await delay.getAttribute('aria-valuetext'), '200 ms');
    const connection = await shown.connect('lan');
    // There and back, and nothing is quicker than the line.
    assert.ok((await echo(connection, 100)) >= 400);
    connection.abort();

    await page.getByRole('slider', { name: 'Rate' }).fill('0');
    await page.getByRole('slider', { name: 'Loss' }).fill('1');
    await until(page, () => line().rate === 1e4 && line().loss === 0.001);
    await page.getByRole('switch', { name: /Partition/ }).check();
    await until(page, () => line().partition);
    await page
      .locator('#picture')
      .getByRole('button', { name: /web in lan.*✕ cut/ })
      .waitFor();

    await page.getByRole('button', { name: 'Reset' }).click();
    await until(page, () => !line().partition);
    const { queuedBytes: _, ...good } = line();
    assert.deepEqual(good, {
      delay: 0,
      jitter: 0,
      rate: null,
      loss: 0,
      reorder: 0,
      duplicate: 0,
      corrupt: 0,
      partition: false,
    });
    // The sliders follow the node, whoever changes it.
    shown.node.network('lan').impair('web', { delay: 40 });
    await page.getByText('40 ms', { exact: true }).first().waitFor();
    assert.equal(await delay.getAttribute('aria-valuetext'), '40 ms');
    assert.deepEqual(window.complaints, []);
  },
);

test(
  'a capture is started, watched, and downloaded as a file with the frames that passed',
  { skip },
  async () => {
    await using shown = await ShownNode.start(FILE);
    await using window = await WatchedPage.open(browser);
    const page = await window.visit(shown.url);
    await choose(page, /^machine web/);
    const box = page.getByRole('region', { name: 'Capture' });
    await box.getByLabel('Which frames').fill('tcp port');
    await box.getByRole('button', { name: 'Start a capture' }).click();
    await box.getByRole('alert').filter({ hasText: 'port' }).waitFor();
    await box.getByLabel('Which frames').fill('tcp port 7');
    await box.getByRole('button', { name: 'Start a capture' }).click();
    await box.getByText('so far').waitFor();
    const connection = await shown.connect('lan');
    await echo(connection, 3000);
    await box.getByText(/^([4-9]|[1-9]\d+) frames, .* so far$/).waitFor();
    // It goes on while something else is looked at.
    await choose(page, /^machine db/);
    await choose(page, /^machine web/);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      box.getByRole('button', { name: 'Stop and save' }).click(),
    ]);
    connection.abort();
    assert.equal(download.suggestedFilename(), 'lan-web.pcapng');
    const lines: string[] = [];
    const reader = captureReader({ packet: ({ data }) => void lines.push(describeFrame(data)) });
    assert.equal(reader.push(readFileSync(await download.path())), undefined);
    assert.equal(reader.end(), undefined);
    assert.match(lines[0]!, /> 10\.0\.0\.80:7 TCP SYN /);
    assert.ok(lines.length >= 4 && lines.every((line) => line.includes(' TCP ')));
    await box.getByText(`Saved: ${lines.length} frames`).waitFor();
    // The browser says of the filter that was refused that it was.
    assert.deepEqual(
      window.complaints.filter((text) => !text.includes('400 (Bad Request)')),
      [],
    );
  },
);

test(
  'flows, leases and published ports are listed, of all networks or of one',
  { skip },
  async () => {
    await using shown = await ShownNode.start(FILE);
    await using window = await WatchedPage.open(browser);
    const page = await window.visit(shown.url);
    const connection = await shown.connect('lan');
    await echo(connection, 5000);
    await page.getByRole('tab', { name: 'Flows' }).click();
    const flow = page.getByRole('row').filter({ hasText: '10.0.0.80:7' });
    await flow.filter({ hasText: '4.9 KiB' }).waitFor();
    await page.getByRole('combobox').selectOption('lab');
    await page.getByText('Nothing goes through an uplink').waitFor();
    await page.getByRole('combobox').selectOption('lan');
    await flow.waitFor();
    await page.getByRole('tab', { name: 'Flows' }).press('ArrowRight');
    await page
      .getByRole('row')
      .filter({ hasText: '10.0.0.81' })
      .filter({ hasText: 'db' })
      .waitFor();
    await page.getByRole('tab', { name: 'Leases' }).press('ArrowRight');
    await page.getByRole('row').filter({ hasText: 'web:7' }).waitFor();
    await page.getByRole('tab', { name: 'Lines' }).click();
    await page.getByRole('row', { name: /^web/ }).getByRole('button', { name: 'web' }).click();
    await page.getByRole('heading', { name: 'web machine in lan' }).waitFor();
    await page.locator('#picture .router').click();
    await page.getByRole('heading', { name: 'core router in lan' }).waitFor();
    connection.abort();
    assert.deepEqual(window.complaints, []);
  },
);

test('with the keyboard alone a network is chosen, stopped and let go on', { skip }, async () => {
  await using shown = await ShownNode.start(FILE);
  await using window = await WatchedPage.open(browser);
  const page = await window.visit(shown.url);
  const lab = page.locator('#picture').getByRole('button', { name: /^network lab/ });
  for (let presses = 0; presses < 20; presses++) {
    await page.keyboard.press('Tab');
    if (await lab.evaluate((element) => element === document.activeElement)) break;
  }
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'lab network' }).waitFor();
  await page.getByRole('button', { name: 'Stop all frames' }).press('Enter');
  await page
    .locator('#picture')
    .getByRole('button', { name: /^network lab: suspended/ })
    .waitFor();
  assert.equal(shown.node.network('lab').state, 'suspended');
  await page.getByRole('button', { name: 'Let frames go on' }).press('Enter');
  await page
    .locator('#picture')
    .getByRole('button', { name: /^network lab: active/ })
    .waitFor();
  assert.deepEqual(window.complaints, []);
});

test('a network that has failed is started again by a button', { skip }, async (context) => {
  await using shown = await ShownNode.start(FILE);
  await using window = await WatchedPage.open(browser);
  const page = await window.visit(shown.url);
  const host = osHost();
  context.after(() => host.close());
  const taken = await host.bind({ port: 0, address: IpAddress.LOOPBACK4 });
  const { port } = taken.local;
  const far = `{ kind: overlay, identifier: 7, local: 127.0.0.1:${port} }`;
  await assert.rejects(shown.follow(FILE.replace('  lab:', `  far: ${far}\n  lab:`)));
  await choose(page, /^network far: failed/);
  await page.getByRole('button', { name: 'Start again' }).click();
  await page
    .getByRole('alert')
    .filter({ hasText: String(port) })
    .waitFor();
  await taken.close();
  await page.getByRole('button', { name: 'Start again' }).click();
  await page
    .locator('#picture')
    .getByRole('button', { name: /^network far: active/ })
    .waitFor();
  await page.getByRole('button', { name: 'Stop all frames' }).waitFor();
  assert.deepEqual(window.complaints, []);
});

test('on a narrow screen, and a dark one, nothing is wider than the screen', { skip }, async () => {
  await using shown = await ShownNode.start(FILE);
  await using window = await WatchedPage.open(browser, {
    viewport: { width: 400, height: 800 },
    colorScheme: 'dark',
    reducedMotion: 'reduce',
  });
  const page = await window.visit(shown.url);
  await choose(page, /^machine db/);
  await page.getByRole('slider', { name: 'Delay' }).waitFor();
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.equal(wide, 400);
  const [red, green, blue] = await page.evaluate(() =>
    getComputedStyle(document.body).backgroundColor.match(/\d+/g)!.map(Number),
  );
  assert.ok(Math.max(red!, green!, blue!) < 64);
  assert.deepEqual(window.complaints, []);
});

test('a node that is gone is said to be, and seen again when it is back', { skip }, async () => {
  await using shown = await ShownNode.start(FILE);
  await using window = await WatchedPage.open(browser);
  const page = await window.visit(shown.url);
  await window.context.setOffline(true);
  await page.locator('#contact').filter({ hasText: 'no answer since' }).waitFor();
  await window.context.setOffline(false);
  await page.locator('#contact.live').waitFor();
  // One that was started again has another token.
  await shown.showAgain();
  await page.locator('#contact').filter({ hasText: 'started again' }).waitFor();
  await window.visit(shown.url);
});

test('without the token there is nothing to see', { skip }, async () => {
  await using shown = await ShownNode.start(FILE);
  await using window = await WatchedPage.open(browser);
  for (const path of ['/', '/main.ts', '/v1/status']) {
    const response = await window.page.goto(shown.origin + path);
    assert.equal(response!.status(), 401, path);
    assert.doesNotMatch(await response!.text(), /lan|import/);
  }
});

test(
  'what a changed file brings and takes is drawn without the page being loaded again',
  { skip },
  async () => {
    await using shown = await ShownNode.start(FILE);
    await using window = await WatchedPage.open(browser);
    const page = await window.visit(shown.url);
    const picture = page.locator('#picture');
    await choose(page, /^machine db/);
    await shown.follow(FILE.replace('  lab:', '  guests: { subnets: [10.9.0.0/24] }\n  lab:'));
    await picture.getByRole('button', { name: /^network guests: active/ }).waitFor();
    await page.getByRole('combobox').selectOption('guests');
    await page.getByRole('tab', { name: 'Lines 1' }).waitFor();
    await shown.follow(FILE.replace(/^ +db: .*\n/m, ''));
    await page.getByText('db is not in lan any more.').waitFor();
    assert.equal(await picture.getByRole('button', { name: /guests|db/ }).count(), 0);
    await page.getByRole('tab', { name: 'Lines 6' }).waitFor();
    assert.deepEqual(window.complaints, []);
  },
);

/** What a page tries that somebody else serves, to a dashboard that its visitor may see. */
const OTHERS_PAGE = (
  origin: string,
): string => `<!doctype html><title>other</title><script type="module">
  const tries = {
    read: () => fetch('${origin}/v1/status', { credentials: 'include' }).then((r) => r.text()),
    opaque: () => fetch('${origin}/v1/status', { credentials: 'include', mode: 'no-cors' }).then((r) => r.type),
    change: () => fetch('${origin}/v1/networks/lan/ports/web/link', {
      method: 'PATCH', credentials: 'include', body: '{"partition":true}',
      headers: { 'content-type': 'application/json' },
    }).then((r) => r.text()),
    suspend: () => fetch('${origin}/v1/networks/lan/suspend', {
      method: 'POST', credentials: 'include', mode: 'no-cors',
    }).then((r) => r.type),
    script: () => new Promise((resolve, reject) => {
      const script = document.createElement('script');
      script.src = '${origin}/main.ts';
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    }),
  };
  const outcomes = {};
  for (const [name, work] of Object.entries(tries)) {
    outcomes[name] = await work().then((got) => 'got ' + got, () => 'nothing');
  }
  const frame = document.createElement('iframe');
  frame.src = '${origin}/';
  document.body.append(frame);
  await new Promise((resolve) => (frame.onload = resolve));
  window.outcomes = outcomes;
</script><body></body>`;

test('a page from another origin gets nothing and changes nothing', { skip }, async () => {
  await using shown = await ShownNode.start(FILE);
  await using window = await WatchedPage.open(browser);
  const host = osHost();
  const other = await serve(
    {
      fetch: () =>
        new Response(OTHERS_PAGE(shown.origin), { headers: { 'content-type': 'text/html' } }),
    },
    { host, port: 0, address: IpAddress.LOOPBACK4 },
  );
  // The visitor is known there: the cookie is sent along, whoever asks.
  const page = await window.visit(shown.url);
  await page.goto(`http://127.0.0.1:${other.local.port}/`);
  await page.waitForFunction(() => 'outcomes' in globalThis);
  const outcomes = await page.evaluate(() => Reflect.get(globalThis, 'outcomes') as unknown);
  assert.deepEqual(outcomes, {
    read: 'nothing',
    opaque: 'nothing',
    change: 'nothing',
    suspend: 'nothing',
    script: 'nothing',
  });
  const [, frame] = page.frames();
  assert.equal(await frame!.locator('#picture').count(), 0);
  const lan = shown.node.network('lan');
  assert.equal(lan.state, 'active');
  assert.equal(lan.ports().find(({ name }) => name === 'web')!.link.partition, false);
  await other.close();
  await host.close();
});
