import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, NetloomError, seededRandom } from '../../core/index.ts';
import { TcpHeader } from '../../wire/index.ts';
import { Packet } from '../packet.ts';
import type { TcpConnection } from './connection.ts';
import type { TcpListener } from './listener.ts';
import { TcpListeners } from './listeners.ts';

const ignore = (): void => undefined;

function listeners(halfOpen = 10): TcpListeners {
  return new TcpListeners(seededRandom(1), halfOpen);
}

function add(all: TcpListeners, port: number, address?: string): TcpListener {
  return all.add(
    port,
    address === undefined ? undefined : IpAddress.parse(address),
    undefined,
    ignore,
  );
}

/** The listener that a segment to this address and port finds. */
function found(all: TcpListeners, address: string, port: number): TcpListener | undefined {
  const { family, word0, word1, word2, word3 } = IpAddress.parse(address);
  const packet = Object.assign(new Packet(), {
    family,
    destination0: word0,
    destination1: word1,
    destination2: word2,
    destination3: word3,
  });
  return all.find(packet, Object.assign(new TcpHeader(), { destinationPort: port }));
}

/** A stand-in: a listener only keeps its connections apart. */
function connection(): TcpConnection {
  return { handlerThrew: ignore } as Partial<TcpConnection> as TcpConnection;
}

test('a segment finds the listener at its port and address', () => {
  const all = listeners();
  const any = add(all, 80);
  const one = add(all, 81, '10.0.0.1');
  const other = add(all, 81, '10.0.0.2');
  const six = add(all, 81, 'fd00::1');
  for (const address of ['10.0.0.1', '10.9.9.9', 'fd00::1'])
    assert.equal(found(all, address, 80), any);
  assert.equal(found(all, '10.0.0.1', 81), one);
  assert.equal(found(all, '10.0.0.2', 81), other);
  assert.equal(found(all, 'fd00::1', 81), six);
  assert.equal(found(all, '10.0.0.3', 81), undefined);
  assert.equal(found(all, '10.0.0.1', 82), undefined);
});

test('the unspecified address of a family stands for all of that family', () => {
  const all = listeners();
  const four = add(all, 80, '0.0.0.0');
  const six = add(all, 80, '::');
  assert.equal(found(all, '10.0.0.1', 80), four);
  assert.equal(found(all, 'fd00::1', 80), six);
});

test('two that would take the same connection cannot be', () => {
  for (const [first, second, isTaken] of [
    [undefined, undefined, true],
    [undefined, '10.0.0.1', true],
    ['10.0.0.1', undefined, true],
    ['10.0.0.1', '10.0.0.1', true],
    ['0.0.0.0', '10.0.0.1', true],
    ['::', 'fd00::1', true],
    ['10.0.0.1', '10.0.0.2', false],
    ['0.0.0.0', '::', false],
    ['0.0.0.0', 'fd00::1', false],
  ] as const) {
    const all = listeners();
    add(all, 80, first);
    const again = (): unknown => add(all, 80, second);
    if (isTaken) assert.throws(again, { code: 'ADDRESS_IN_USE' }, `${first} and ${second}`);
    else again();
  }
});

test('port 0 is given an ephemeral port where nothing listens', () => {
  const all = listeners();
  const ports = Array.from({ length: 500 }, () => add(all, 0).port);
  assert.equal(new Set(ports).size, 500);
  assert.ok(ports.every((port) => port >= 49_152 && port <= 65_535 && all.has(port)));
});

test('one that is removed is not found, others at its port are', () => {
  const all = listeners();
  const one = add(all, 80, '10.0.0.1');
  const other = add(all, 80, '10.0.0.2');
  all.remove(one);
  all.remove(one);
  assert.equal(found(all, '10.0.0.1', 80), undefined);
  assert.equal(found(all, '10.0.0.2', 80), other);
  all.remove(other);
  assert.equal(all.has(80), false);
});

test('of half-open connections the oldest gives way; the backlog is at most the limit, and at least one', () => {
  for (const [backlog, limit] of [
    [undefined, 3],
    [2, 2],
    [0, 1],
    [100, 3],
  ] as const) {
    const listener = listeners(3).add(80, undefined, backlog, ignore);
    const all = Array.from({ length: limit + 2 }, connection);
    const displaced = all.map((each) => {
      const oldest = listener.makeRoom();
      listener.add(each, 1);
      return oldest;
    });
    assert.deepEqual(displaced.slice(0, limit), Array.from({ length: limit }));
    assert.ok(displaced.slice(limit).every((each, i) => each === all[i]));
    assert.equal(listener.halfOpen, limit);
    assert.equal(listener.takeHalfOpen().length, limit);
    assert.equal(listener.halfOpen, 0);
  }
});

test('half-open connections of one station give way to others, which keep theirs', () => {
  const listener = listeners(4).add(80, undefined, undefined, ignore);
  const other = connection();
  listener.add(other, 2);
  for (let left = 20; left > 0; left--) {
    assert.notEqual(listener.makeRoom(), other);
    listener.add(connection(), 1);
  }
  assert.equal(listener.halfOpen, 4);
  assert.ok(listener.takeHalfOpen().includes(other));
});

test('a connection that has opened is accepted, one that has failed is forgotten', () => {
  const accepted: TcpConnection[] = [];
  const listener = listeners().add(80, undefined, undefined, (made) => accepted.push(made));
  const [opened, failed] = [connection(), connection()];
  for (const each of [opened, failed]) listener.add(each, 1);
  listener.opened(failed, new NetloomError('TIMEOUT', 'by the test'));
  listener.opened(opened, undefined);
  assert.equal(listener.halfOpen, 0);
  assert.deepEqual(accepted.length, 1);
  assert.equal(accepted[0], opened);
});

test('what a listener’s user throws is the connection’s matter, not the stack’s', () => {
  const thrown = new Error('by the test');
  const listener = listeners().add(80, undefined, undefined, () => {
    throw thrown;
  });
  const told: unknown[] = [];
  const made = { handlerThrew: (error: unknown) => told.push(error) };
  listener.opened(made as Partial<TcpConnection> as TcpConnection, undefined);
  assert.deepEqual(told, [thrown]);
});
