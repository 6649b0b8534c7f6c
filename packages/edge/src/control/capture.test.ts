import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from 'netloom/core';
import { loopbackLink } from 'netloom/link';
import { captureReader } from 'netloom/wire';
import { FakeNetwork, FakeNode, portStatus } from '../../test/fake-node.ts';
import { ControlApi } from './api.ts';
import type { ControlLimits } from './limits.ts';

/** A node with a network, and what its API's captures are. */
function scene(limits: Partial<ControlLimits> = {}) {
  const clock = new ManualClock();
  const lan = new FakeNetwork('lan');
  lan.portList.push(portStatus('lan', 'web'));
  const api = new ControlApi(new FakeNode(lan), { clock, limits });
  const link = loopbackLink(clock, 'web');
  const pass = (frame: Uint8Array): void => {
    for (const recorder of lan.recorders.keys()) {
      recorder.frame(link, 'in', frame, undefined, clock.wallTime());
    }
  };
  const open = (query = ''): Promise<Response> =>
    api.fetch(new Request(`http://localhost/v1/networks/lan/capture${query}`));
  return { clock, lan, api, pass, open };
}

/** What a file shows, as text: packets by their first byte, counts as received/dropped. */
class Shown {
  readonly seen: string[] = [];
  readonly #reader = captureReader({
    packet: ({ data, interface: { name } }) => this.seen.push(`${name} ${data[0]} ${data.length}`),
    statistics: ({ received, dropped }) => this.seen.push(`${received}/${dropped}`),
  });
  readonly #body: ReadableStreamDefaultReader<Uint8Array>;

  constructor(response: Response) {
    this.#body = (response.body as ReadableStream<Uint8Array>).getReader();
  }

  /** Reads a chunk; false at the end. */
  async read(clock: ManualClock): Promise<boolean> {
    const reading = this.#body.read();
    // Lets what waits for the end of the turn go.
    await Promise.resolve();
    clock.advance(0);
    const { done, value } = await reading;
    if (!done) assert.equal(this.#reader.push(value), undefined);
    else assert.equal(this.#reader.end(), undefined);
    return !done;
  }

  cancel(): Promise<void> {
    return this.#body.cancel();
  }
}

const frame = (number: number, length = 60): Uint8Array => new Uint8Array(length).fill(number);

test('frames of a network are read as a pcapng file that grows, until nobody reads it', async () => {
  const { clock, lan, pass, open } = scene();
  const response = await open();
  assert.equal(response.headers.get('content-type'), 'application/x-pcapng');
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.deepEqual([...lan.recorders.values()], [undefined]);
  const shown = new Shown(response);
  await shown.read(clock);
  assert.deepEqual(shown.seen, [], 'the head of the file comes at once');
  pass(frame(1));
  pass(frame(2, 100));
  await shown.read(clock);
  assert.deepEqual(shown.seen, ['web 1 60', 'web 2 100']);
  const reading = shown.read(clock);
  pass(frame(3));
  await reading;
  assert.deepEqual(shown.seen.slice(2), ['web 3 60']);
  await shown.cancel();
  assert.equal(lan.recorders.size, 0, 'nobody is shown frames any more');
});

test('a capture of one port is asked for by its name', async () => {
  const { lan, open } = scene();
  const response = await open('?port=web');
  assert.deepEqual([...lan.recorders.values()], ['web']);
  await response.body!.cancel();
  assert.equal((await open('?port=nobody')).status, 404);
  assert.equal(lan.recorders.size, 0);
});

test('a filter says which frames are wanted; those that are not do not count', async () => {
  const { clock, lan, api, pass, open } = scene();
  const shown = new Shown(await open('?filter=ether%20proto%200x0909'));
  await shown.read(clock);
  for (const number of [1, 9, 5]) pass(frame(number));
  api.end();
  while (await shown.read(clock));
  assert.deepEqual(shown.seen, ['web 9 60', '1/0']);
  const wrong = await open('?filter=tcp%20prot%2080');
  assert.equal(wrong.status, 400);
  assert.match(await wrong.text(), /FILTER_INVALID/);
  assert.equal(lan.recorders.size, 0);
});

test('frames that a reader does not keep up with are dropped, and the file says how many', async () => {
  const { clock, api, pass, open } = scene({ captureBytes: 1000 });
  const shown = new Shown(await open());
  await shown.read(clock);
  for (let i = 1; i <= 20; i++) pass(frame(i));
  await shown.read(clock);
  const kept = shown.seen.length;
  assert.ok(kept > 4 && kept < 12, `${kept} fit`);
  assert.equal(shown.seen.at(-1), `web ${kept} 60`, 'the first that came are kept');
  await shown.read(clock);
  assert.deepEqual(shown.seen.slice(kept), [`20/${20 - kept}`]);
  pass(frame(21));
  await shown.read(clock);
  assert.deepEqual(shown.seen.slice(kept + 1), ['web 21 60'], 'there is room again');
  pass(frame(22, 2000));
  api.end();
  await shown.read(clock);
  assert.deepEqual(shown.seen.slice(kept + 2), [`22/${21 - kept}`]);
  assert.equal(await shown.read(clock), false);
});

test('the end of the API ends its captures, with what waits read', async () => {
  const { clock, lan, api, pass, open } = scene();
  const shown = new Shown(await open());
  await shown.read(clock);
  pass(frame(1));
  api.end();
  api.end();
  assert.equal(lan.recorders.size, 0);
  while (await shown.read(clock));
  assert.deepEqual(shown.seen, ['web 1 60', '1/0']);
  // One whose reader waits at that moment.
  const waiting = new Shown(await open());
  await waiting.read(clock);
  const reading = waiting.read(clock);
  api.end();
  assert.equal(await reading, false);
});

test('a network that is taken away ends its captures, with what waits read', async () => {
  const { clock, lan, pass, open } = scene();
  const shown = new Shown(await open());
  await shown.read(clock);
  pass(frame(1));
  lan.end();
  assert.equal(lan.recorders.size, 0);
  while (await shown.read(clock));
  assert.deepEqual(shown.seen, ['web 1 60', '1/0']);
});

test('there is a limit to captures at once', async () => {
  const { open } = scene({ captures: 2 });
  const first = await open();
  await open();
  const refused = await open();
  assert.equal(refused.status, 429);
  assert.match(await refused.text(), /CONTROL_TOO_MANY_CAPTURES/);
  await first.body!.cancel();
  assert.equal((await open()).status, 200);
});
