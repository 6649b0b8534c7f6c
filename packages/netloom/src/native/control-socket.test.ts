import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { requires } from '../../test/requires.ts';
import { ControlSocket, Failure, nativeAvailable, NativeMemory } from './index.ts';

const options = { skip: requires(nativeAvailable() ?? false), timeout: 30_000 };

test('messages arrive whole and in order, in both directions, and the end is told', options, () => {
  const { near, far: inherited } = ControlSocket.pair();
  const far = ControlSocket.adopt(inherited.number);
  assert.equal(near.receive(), undefined);
  far.send('one');
  far.send('ü'.repeat(5000));
  near.send('back');
  for (const text of ['one', 'ü'.repeat(5000)]) {
    assert.deepEqual(near.receive(), { text, descriptor: undefined });
  }
  assert.equal(near.receive(), undefined);
  assert.deepEqual(far.receive(), { text: 'back', descriptor: undefined });
  assert.throws(() => near.send('x'.repeat(20_000)), RangeError);
  far.send('last');
  far.close();
  assert.deepEqual(near.receive(), { text: 'last', descriptor: undefined });
  assert.equal(near.receive(), 'ended');
  assert.throws(() => near.send('to nobody'), { code: 'EPIPE' });
  near.close();
});

test('an open file goes along, is open at both ends, and is not left behind', options, () => {
  const before = readdirSync('/proc/self/fd').length;
  const { near, far: inherited } = ControlSocket.pair();
  const far = ControlSocket.adopt(inherited.number);
  const other = ControlSocket.pair();
  near.send('take this', other.near.descriptor);
  near.send('and nothing');
  const message = far.receive();
  assert.ok(message !== undefined && message !== 'ended' && message.descriptor !== undefined);
  assert.notEqual(message.descriptor.number, other.near.descriptor.number);
  assert.deepEqual(far.receive(), { text: 'and nothing', descriptor: undefined });
  // What is written there arrives at the far end of the connection that was passed on.
  const memory = NativeMemory.allocate(1);
  memory.bytes[0] = 65;
  assert.equal(message.descriptor.write(memory, 1), 1);
  const end = ControlSocket.adopt(other.far.number);
  assert.deepEqual(end.receive(), { text: 'A', descriptor: undefined });
  assert.equal(message.descriptor.read(memory), Failure.WOULD_BLOCK);
  for (const one of [near, far, other.near, end, message.descriptor]) one.close();
  assert.equal(readdirSync('/proc/self/fd').length, before);
});
