/** A cable between two namespaces of the kernel: a veth pair. */
import { spawnSync } from 'node:child_process';
import { KernelNamespace, namespaceObstacle } from '../kernel-namespace.ts';
import type { Obstacle } from '../requires.ts';

/** What the two ends of a {@link VethWire} are called, each in its namespace. */
export const NEAR = 'near0';
export const FAR = 'far0';

/** Why there can be no {@link VethWire}, or why this kernel makes no interfaces of another kind as well; false when it can. */
export function wireObstacle(...kind: readonly string[]): Obstacle {
  if (namespaceObstacle !== false) return namespaceObstacle;
  using namespace = new KernelNamespace('probe');
  for (const words of [['near0', 'type', 'veth'], kind]) {
    if (words.length === 0) continue;
    const all = ['-n', namespace.name, 'link', 'add', ...words];
    const { status, stderr } = spawnSync('ip', all, { encoding: 'utf8' });
    if (status !== 0) return `this kernel has no '${words.join(' ')}': ${stderr.trim()}`;
  }
  return false;
}

/** Two namespaces, joined; both ends are up, and the far one has the addresses 10.85.0.1/24 and fd00:85::1/64. Gone when it is disposed of. */
export class VethWire implements Disposable {
  readonly near: KernelNamespace;
  readonly far: KernelNamespace;

  constructor(label: string, mtu = 1500) {
    this.near = new KernelNamespace(`${label}-near`);
    this.far = new KernelNamespace(`${label}-far`);
    this.far.enableIpv6();
    const peer = ['peer', 'name', FAR, 'mtu', `${mtu}`, 'netns', this.far.name];
    this.near.ip('link', 'add', NEAR, 'mtu', `${mtu}`, 'type', 'veth', ...peer);
    this.near.ip('link', 'set', NEAR, 'up');
    this.far.ip('link', 'set', FAR, 'up');
    this.far.ip('address', 'add', '10.85.0.1/24', 'dev', FAR);
    this.far.ip('address', 'add', 'fd00:85::1/64', 'dev', FAR, 'nodad');
  }

  [Symbol.dispose](): void {
    // First what runs there: it would complain that its end has gone.
    this.far[Symbol.dispose]();
    this.near[Symbol.dispose]();
  }
}
