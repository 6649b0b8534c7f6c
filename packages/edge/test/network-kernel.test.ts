/** Networks whose stations are the Linux kernel: by TAPs in namespaces, on its bridge, and straight on an interface. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { secureRandom } from 'netloom/core';
import { SystemClock, osHost } from 'netloom/host';
import {
  KernelNamespace,
  tapObstacle,
  type NamespaceProgram,
} from '../../netloom/test/kernel-namespace.ts';
import { privilege, program, requires } from '../../netloom/test/requires.ts';
import { Network, type NetworkModel, type TapModel } from '../src/index.ts';
import { DEFAULT_PORT } from '../src/index.ts';
import { attachment, attachedMachine, networkModel } from './sample-models.ts';

const options = {
  skip: requires(privilege(), tapObstacle, program('ping')),
  timeout: 60_000,
};
const PROGRAM = fileURLToPath(new URL('network-program.ts', import.meta.url));
const ECHO = [{ kind: 'echo' }] as const;

/** A network of this process. */
function live(change: Partial<NetworkModel>, notices: string[] = []): Network {
  return new Network(networkModel(change), {
    clock: new SystemClock(),
    random: secureRandom(),
    outside: osHost(),
    resolvers: [],
    notice: (text) => notices.push(text),
  });
}

function tap(namespace: KernelNamespace | string, change: Partial<TapModel> = {}): TapModel {
  return {
    kind: 'tap',
    interface: 'eth0',
    namespace: typeof namespace === 'string' ? namespace : namespace.name,
    addresses: ['10.0.0.5/24', 'fd00::5/64'],
    defaultRoute: true,
    ...change,
  };
}

/** Networks in a process that is in a namespace. */
async function inside(
  namespace: KernelNamespace,
  ...models: readonly Partial<NetworkModel>[]
): Promise<{ started: NamespaceProgram; first: string }> {
  const text = JSON.stringify(models.map((model) => networkModel(model)));
  const started = namespace.startProgram(process.execPath, ...process.execArgv, PROGRAM, text);
  return { started, first: await started.line() };
}

function ping(namespace: KernelNamespace, to: string): Promise<string> {
  return namespace.run('ping', '-n', '-c', '2', '-i', '0.05', '-w', '10', to);
}

test(
  'namespaces and machines are stations of one network, with addresses and routes',
  options,
  async () => {
    using near = new KernelNamespace('near');
    using far = new KernelNamespace('far');
    near.enableIpv6();
    far.enableIpv6();
    await using lan = live({
      attachments: [
        attachment('near', tap(near)),
        // By the path of its file, as a container's has no name.
        attachment(
          'far',
          tap(`/var/run/netns/${far.name}`, { addresses: ['10.0.0.6/24', '10.0.0.16/24'] }),
        ),
        attachedMachine('box', ECHO, { addresses: ['10.0.0.7'] }),
      ],
    });
    await lan.start();
    for (const to of ['10.0.0.1', '10.0.0.6', '10.0.0.7', '10.0.0.16', 'fd00::1', 'fd00::1000']) {
      await ping(near, to);
    }
    await ping(far, '10.0.0.5');
    assert.match(near.ip('route'), /^default via 10\.0\.0\.1 dev eth0/m);
    assert.match(near.ip('-6', 'route'), /^default via fd00::1 dev eth0/m);
    const port = lan.ports().find(({ name }) => name === 'near')!;
    assert.equal(port.mac, near.describe('eth0').address);
    assert.deepEqual(port.addresses, ['10.0.0.5', 'fd00::5']);
    assert.equal(port.connected, true);
    // What its station has, nobody else is given, and it has a name.
    assert.ok(lan.leases().some(({ address, name }) => address === '10.0.0.5' && name === 'near'));
    lan.impair('near', { delay: 30 });
    const [, time] = /time=([\d.]+) ms/.exec(await ping(near, '10.0.0.7'))!;
    assert.ok(Number(time) >= 60, `${time} ms`);
    await lan.detach('near');
    assert.throws(() => near.ip('link', 'show', 'eth0'), /does not exist/);
  },
);

test(
  'a TAP that is deleted leaves its port cut off, and the network as it is',
  options,
  async () => {
    using there = new KernelNamespace('there');
    const notices: string[] = [];
    await using lan = live(
      { attachments: [attachment('near', tap(there)), attachedMachine('box')] },
      notices,
    );
    await lan.start();
    const gone = Promise.withResolvers<void>();
    const push = notices.push.bind(notices);
    notices.push = (...texts) => {
      gone.resolve();
      return push(...texts);
    };
    there.ip('link', 'del', 'eth0');
    await gone.promise;
    assert.match(notices[0]!, /^near is cut off: .*was deleted/);
    const port = lan.ports().find(({ name }) => name === 'near')!;
    assert.deepEqual([port.connected, lan.state], [false, 'active']);
    await lan.detach('near');
    await lan.attach(attachment('near', tap(there)));
    await ping(there, '10.0.0.1');
  },
);

test('what the kernel refuses has a name, and leaves nothing behind', options, async () => {
  using there = new KernelNamespace('there');
  there.ip('link', 'add', 'dummy0', 'type', 'bridge');
  const wrong: [TapModel, string][] = [
    [tap('no-such-namespace'), 'NETWORK_NAMESPACE_MISSING'],
    [tap('/no/such/file'), 'NETWORK_NAMESPACE_MISSING'],
    [tap(there, { interface: 'dummy0' }), 'TAP_NAME_TAKEN'],
    [tap(there, { interface: 'a name' }), 'TAP_NAME_INVALID'],
    [tap(there, { addresses: ['10.3.0.5/24'] }), 'TAP_GATEWAY_UNREACHABLE'],
    [tap(there, { addresses: ['224.0.0.5/24'], defaultRoute: false }), 'TAP_ADDRESS_REFUSED'],
  ];
  for (const [model, code] of wrong) {
    const lan = live({ attachments: [attachedMachine('box'), attachment('near', model)] });
    await assert.rejects(lan.start(), (error: { code: string; remedy: string }) => {
      assert.equal(error.code, code);
      return error.remedy !== '';
    });
    assert.deepEqual([lan.state, lan.ports()], ['failed', []]);
    await lan.close();
  }
  assert.doesNotMatch(there.ip('link'), /eth0/);
  const bridged = live({ kind: { kind: 'bridged', bridge: 'nl-no-bridge' } });
  await assert.rejects(bridged.start(), { code: 'TAP_BRIDGE_MISSING' });
  assert.equal(bridged.state, 'failed');
  await bridged.close();
  assert.doesNotMatch(execFileSync('ip', ['link'], { encoding: 'utf8' }), / nl-/);
  const onInterface = live({ kind: { kind: 'bridged', interface: 'nl-no-such' } });
  await assert.rejects(onInterface.start(), { code: 'PACKET_INTERFACE_MISSING' });
  await onInterface.close();
});

test('a network is joined to a bridge of the kernel', options, async () => {
  using there = new KernelNamespace('bridge');
  there.ip('link', 'add', 'br0', 'type', 'bridge');
  there.ip('addr', 'add', '10.0.0.200/24', 'dev', 'br0');
  there.ip('link', 'set', 'br0', 'up');
  const { started, first } = await inside(there, {
    kind: { kind: 'bridged', bridge: 'br0' },
    gateway: null,
    attachments: [attachedMachine('box', ECHO, { addresses: ['10.0.0.7'] })],
  });
  assert.equal(first, 'ready');
  await ping(there, '10.0.0.7');
  assert.match(there.ip('link', 'show', 'master', 'br0'), /nl-[0-9a-f]{8}/);
  await started.stop();
  assert.equal(await started.line(), 'active');
  assert.equal(there.ip('link', 'show', 'master', 'br0').trim(), '');
});

test('a network whose bridge goes has failed', options, async () => {
  using there = new KernelNamespace('bridge');
  there.ip('link', 'add', 'br0', 'type', 'bridge');
  const { started, first } = await inside(there, { kind: { kind: 'bridged', bridge: 'br0' } });
  assert.equal(first, 'ready');
  const [, name] = /(nl-[0-9a-f]{8})/.exec(there.ip('link', 'show', 'master', 'br0'))!;
  there.ip('link', 'del', name!);
  assert.match(await started.line(), /^notice: the network lan has failed: .*was deleted/);
  await started.stop();
  assert.equal(await started.line(), 'failed');
});

test(
  'a network on an interface of this machine, and a machine straight on one',
  options,
  async () => {
    using near = new KernelNamespace('near');
    using far = new KernelNamespace('far');
    for (const [index, address] of ['10.0.0.200/24', '10.0.1.200/24'].entries()) {
      near.ip('link', 'add', `near${index}`, 'type', 'veth', 'peer', 'name', `far${index}`);
      near.ip('link', 'set', `far${index}`, 'netns', far.name);
      near.ip('link', 'set', `near${index}`, 'up');
      far.ip('link', 'set', `far${index}`, 'up');
      far.ip('addr', 'add', address, 'dev', `far${index}`);
    }
    const { started, first } = await inside(
      near,
      {
        kind: { kind: 'bridged', interface: 'near0' },
        gateway: null,
        attachments: [attachedMachine('box', ECHO, { addresses: ['10.0.0.7'] })],
      },
      {
        name: 'direct',
        kind: { kind: 'direct', interface: 'near1' },
        subnets: ['10.0.1.0/24'],
        routers: [],
        gateway: null,
        attachments: [
          attachedMachine('box', ECHO, {
            addresses: ['10.0.1.7'],
            port: { ...DEFAULT_PORT, link: { delay: 20 } },
          }),
        ],
      },
    );
    assert.equal(first, 'ready');
    await ping(far, '10.0.0.7');
    const [, time] = /time=([\d.]+) ms/.exec(await ping(far, '10.0.1.7'))!;
    assert.ok(Number(time) >= 40, `${time} ms`);
    await started.stop();
    assert.equal(await started.line(), 'active active');
  },
);
