/** What a TAP in a bridge of the kernel's tells when it is in it no more. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { NetloomError } from '../../core/index.ts';
import { KernelNamespace, tapObstacle } from '../../../test/kernel-namespace.ts';
import { wireObstacle } from '../../../test/kernel/veth-wire.ts';
import { requires } from '../../../test/requires.ts';
import { openTap, type TapLink } from './index.ts';

const options = {
  skip: requires(tapObstacle, wireObstacle('br0', 'type', 'bridge')),
  timeout: 30_000,
};

/** More than the kernel keeps messages of, for one who does not read them meanwhile. */
const MANY = 400;

/** A TAP in a bridge, and how its link has ended. */
class Scene implements Disposable {
  readonly namespace = new KernelNamespace('bridge');
  readonly link: TapLink;
  readonly ends: (string | undefined)[] = [];
  readonly ended: PromiseWithResolvers<NetloomError | undefined> = Promise.withResolvers();

  constructor() {
    const { namespace } = this;
    this.ip('link', 'add', 'br0', 'type', 'bridge');
    this.ip('tuntap', 'add', 'other', 'mode', 'tap');
    this.ip('link', 'set', 'other', 'master', 'br0');
    this.link = openTap({ name: 'tap0', namespace: namespace.name, place: { bridge: 'br0' } });
    this.link.attach({
      receive: () => undefined,
      batchEnd: () => undefined,
      closed: (error) => {
        this.ends.push(error?.code);
        this.ended.resolve(error);
      },
    });
  }

  ip(...words: string[]): string {
    return this.namespace.ip(...words);
  }

  /** An interface changes and changes, while nobody reads what the kernel tells of it. */
  flood(): void {
    const lines = Array.from(
      { length: MANY },
      (_, index) => `link set other mtu ${1000 + index}\n`,
    );
    execFileSync('ip', ['-n', this.namespace.name, '-batch', '-'], { input: lines.join('') });
  }

  get ports(): string {
    return this.ip('-o', 'link', 'show', 'master', 'br0');
  }

  [Symbol.dispose](): void {
    this.namespace[Symbol.dispose]();
  }
}

for (const [what, words] of [
  ['its bridge is deleted', ['link', 'del', 'br0']],
  ['it is put out of its bridge', ['link', 'set', 'tap0', 'nomaster']],
] as const) {
  test(`when ${what} the link ends, and the interface goes with it`, options, async () => {
    using scene = new Scene();
    scene.ip(...words);
    const error = await scene.ended.promise;
    assert.equal(error?.code, 'TAP_BRIDGE_GONE');
    assert.match(error!.message, /'tap0'.*'br0'/);
    assert.equal(scene.ip('-o', 'link').includes('tap0'), false);
    await scene.link.close();
    assert.deepEqual(scene.ends, ['TAP_BRIDGE_GONE']);
  });
}

test('a TAP that is deleted says that, and not that it has left its bridge', options, async () => {
  using scene = new Scene();
  scene.ip('link', 'del', 'tap0');
  await scene.ended.promise;
  assert.deepEqual(scene.ends, ['TAP_GONE']);
});

test(
  'what others do in the bridge does not matter, nor more of it than the kernel keeps',
  options,
  async () => {
    using scene = new Scene();
    scene.ip('link', 'set', 'other', 'nomaster');
    scene.flood();
    scene.ip('link', 'del', 'other');
    // It was out, and nobody could be told: then it is put back.
    scene.ip('link', 'set', 'tap0', 'nomaster');
    while (!scene.ports.includes('tap0')) await setImmediate();
    assert.deepEqual(scene.ends, []);
    scene.ip('link', 'del', 'br0');
    await scene.ended.promise;
    assert.deepEqual(scene.ends, ['TAP_BRIDGE_GONE']);
  },
);

test(
  'a bridge that goes while more happens than the kernel keeps is missed all the same',
  options,
  async () => {
    using scene = new Scene();
    scene.flood();
    scene.ip('link', 'del', 'br0');
    await scene.ended.promise;
    assert.deepEqual(scene.ends, ['TAP_BRIDGE_GONE']);
  },
);

test(
  'a link that is closed leaves its bridge without a word, and the process may end',
  options,
  async () => {
    using scene = new Scene();
    await scene.link.close();
    assert.deepEqual(scene.ends, [undefined]);
    assert.equal(scene.ports.includes('tap0'), false);
  },
);
