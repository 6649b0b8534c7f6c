import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, NetloomError, hostError, type Host } from '../core/index.ts';
import { osHost } from './os/os-host.ts';
import {
  osCandidate,
  reaches,
  selectHost,
  type HostAttempt,
  type HostCandidate,
} from './select.ts';

/** A candidate that notes what becomes of its host. */
function candidate(name: string, log: string[], failure?: NetloomError): HostCandidate {
  return {
    name,
    open: () => {
      log.push(`open ${name}`);
      if (failure !== undefined) return Promise.reject(failure);
      const close = (): Promise<void> => {
        log.push(`close ${name}`);
        return Promise.resolve();
      };
      return Promise.resolve({ name, close } as Partial<Host> as Host);
    },
  };
}

const missing = new NetloomError('TAP_DENIED', 'no TAP for you', { remedy: 'Be root.' });

test('the first that works is taken; those behind it are not opened', async () => {
  const log: string[] = [];
  const seen: HostAttempt[] = [];
  const { host, attempts } = await selectHost({
    candidates: ['a', 'b', 'c'].map((name) => candidate(name, log)),
    probe: ({ name }) =>
      name === 'a'
        ? Promise.reject(hostError('NETWORK_UNREACHABLE', 'no route'))
        : Promise.resolve('it answers'),
    attempted: (attempt) => seen.push(attempt),
  });
  assert.equal(host.name, 'b');
  assert.deepEqual(log, ['open a', 'close a', 'open b']);
  assert.deepEqual(seen, attempts);
  assert.deepEqual(
    attempts.map(({ candidate, taken, reason }) => [candidate, taken, reason]),
    [
      ['a', false, 'no route (NETWORK_UNREACHABLE)'],
      ['b', true, 'it answers'],
    ],
  );
});

test('when none works, the error has the reasons of all; of one alone, it is its own', async () => {
  const log: string[] = [];
  const both = [candidate('a', log, missing), candidate('b', log, missing)];
  await assert.rejects(selectHost({ candidates: both }), {
    code: 'HOST_NOT_FOUND',
    message: 'no host works: a: no TAP for you (TAP_DENIED); b: no TAP for you (TAP_DENIED)',
  });
  await assert.rejects(selectHost({ candidates: both.slice(0, 1) }), missing);
  await assert.rejects(selectHost({ candidates: [] }), { code: 'HOST_NOT_FOUND' });
});

test('a candidate without a rival is not tried out', async () => {
  const { host } = await selectHost({
    candidates: [candidate('a', [])],
    probe: () => Promise.reject(missing),
  });
  assert.equal(host.name, 'a');
  await using os = (await selectHost()).host;
  assert.equal(os.name, 'os');
});

test('an abort ends the choice, and closes what was being tried', async () => {
  const log: string[] = [];
  const controller = new AbortController();
  const probe = (): Promise<string> => {
    controller.abort();
    return Promise.reject(new Error('whatever'));
  };
  const candidates = [candidate('a', log), candidate('b', log)];
  await assert.rejects(selectHost({ candidates, probe, signal: controller.signal }), {
    code: 'ABORTED',
  });
  assert.deepEqual(log, ['open a', 'close a']);
});

test('reaches: a connection or a refusal is an answer; silence of the network is none', async () => {
  await using host = osHost();
  const address = IpAddress.LOOPBACK4;
  const listener = await host.listen({ address, port: 0, accept: (it) => it.start({}) });
  const { port } = listener.local;
  assert.match(await reaches({ host: address, port })(host, undefined), /connects to 127.0.0.1:/);
  await listener.close();
  assert.match(await reaches({ host: address, port })(host, undefined), /CONNECTION_REFUSED/);
  await assert.rejects(reaches({ host: 'a.invalid', port })(host, undefined), {
    code: 'NAME_NOT_FOUND',
  });
  const selected = await selectHost({
    candidates: [candidate('a', [], missing), osCandidate()],
    probe: reaches({ host: address, port }),
  });
  assert.equal(selected.host.name, 'os');
  await selected.host.close();
});
