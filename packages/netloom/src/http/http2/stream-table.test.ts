import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ReceiveWindow, SendWindow } from './flow-control.ts';
import { StreamTable } from './stream-table.ts';
import { Http2Stream } from './stream.ts';

const streamOf = (id: number): Http2Stream =>
  new Http2Stream({
    id,
    sendWindow: new SendWindow(0),
    receiveWindow: new ReceiveWindow(0),
    priority: { urgency: 3, incremental: true },
    bodyTimeout: 0,
  });

test('a table has the streams that were added and not closed, and the endings of the last', () => {
  const remembered = 3;
  fc.assert(
    // Numbers, small and far apart, which are opened, or closed if they are open.
    fc.property(
      fc.array(fc.integer({ min: 1, max: 120 }), { maxLength: 200, size: 'max' }),
      (ids) => {
        const table = new StreamTable('server', remembered);
        const open = new Map<number, Http2Stream>();
        const closed: number[] = [];
        for (const id of ids) {
          if (open.delete(id)) {
            table.close(id, 'ended');
            closed.push(id);
          } else {
            open.set(id, streamOf(id));
            table.add(open.get(id)!);
          }
          for (let each = 0; each <= 120; each++) assert.equal(table.get(each), open.get(each));
          const last = new Set(closed.slice(-remembered));
          for (const each of closed) {
            assert.equal(table.endingOf(each), last.has(each) ? 'ended' : undefined);
          }
        }
        assert.equal(table.size, open.size);
        const inOrder = [...open.values()].sort((a, b) => a.id - b.id);
        assert.deepEqual(
          table.list().map(({ id }) => id),
          inOrder.map(({ id }) => id),
        );
      },
    ),
    { seed: 7, numRuns: 50 },
  );
});

test('a stream is idle until one of its side has a number as great', () => {
  const server = new StreamTable('server', 1);
  server.lastPeerId = 5;
  server.lastOwnId = 2;
  assert.deepEqual(
    [1, 5, 7, 2, 4].map((id) => server.isIdle(id)),
    [false, false, true, false, true],
  );
  assert.deepEqual(
    [1, 2].map((id) => server.isPeers(id)),
    [true, false],
  );
  assert.deepEqual(
    [1, 2].map((id) => new StreamTable('client', 1).isPeers(id)),
    [false, true],
  );
});
