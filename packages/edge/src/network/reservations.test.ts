import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DhcpClient, DhcpClientV6, type LeaseStore } from 'netloom/host';
import type { Interface } from 'netloom/ip';
import { GATEWAY, attachedMachine, networkModel } from '../../test/sample-models.ts';
import { networkScene } from '../../test/network-scene.ts';
import { Network, type NetworkModel } from '../index.ts';

/** A network whose leases outlive it, and a station in it that asks for addresses. */
class Scene {
  readonly scene = networkScene();
  readonly #leases = { v4: memoryStore(), v6: memoryStore() };
  readonly #guest = this.scene.world.machine('guest');
  #starts = 0;
  lan!: Network;
  via!: Interface;

  async start(change: Partial<NetworkModel> = {}): Promise<void> {
    const { world, outside, notices } = this.scene;
    const gateway = { ...GATEWAY, reservations: change.gateway?.reservations ?? [] };
    this.lan = new Network(networkModel({ ...change, gateway }), {
      clock: world.clock,
      random: world.random('network'),
      outside,
      resolvers: [],
      leases: () => this.#leases,
      notice: (text) => notices.push(text),
    });
    await world.run(this.lan.start());
    const name = `eth${++this.#starts}`;
    this.via = this.#guest.addInterface(this.lan.connectRouter('guest', {}), {
      name,
      addresses: ['fe80::9/64'],
    });
  }

  /** The guest's address of each family, asked for anew. */
  async ask(): Promise<[string, string]> {
    const { world } = this.scene;
    const v4 = new DhcpClient(this.#guest, this.via, { probe: false, hostname: 'laptop' });
    const v6 = new DhcpClientV6(this.#guest, this.via, { probe: false });
    const [lease4, lease6] = await world.run(Promise.all([v4.lease(), v6.lease()]));
    await world.run(Promise.all([v4.close(), v6.close()]));
    return [lease4.address.toString(), lease6.addresses[0]!.address.toString()];
  }

  async end(): Promise<void> {
    await this.scene.world.run(this.lan.close());
  }
}

/** Keeps leases as a file does. */
function memoryStore(): LeaseStore<never> {
  let kept: string | undefined;
  return {
    load: () => Promise.resolve(kept === undefined ? undefined : JSON.parse(kept)),
    save: (leases) => {
      kept = JSON.stringify(leases);
      return Promise.resolve();
    },
  };
}

const V4 = '10.0.0.128';
const V6 = 'fd00::1000';
const RESERVATIONS = [{ mac: '02:00:00:00:00:77', name: 'printer', addresses: [V4, V6] }];

function leasesOf({ lan }: Scene): [string, string | null][] {
  return lan.leases().map(({ address, name }) => [address, name]);
}

test('an address of the file that a client has leased is told of at the start, and is the station’s', async () => {
  const scene = new Scene();
  await scene.start();
  assert.deepEqual(await scene.ask(), [V4, V6]);
  await scene.end();
  await scene.start({ attachments: [attachedMachine('box', [], { addresses: [V4, V6] })] });
  const { notices } = scene.scene;
  assert.equal(notices.length, 2);
  for (const [index, address] of [V4, V6].entries()) {
    assert.ok(notices[index]!.startsWith(`${address} of the network lan is reserved for box, `));
    assert.match(notices[index]!, / leased to (laptop \()?..:..:..:..:..:..\)? until 20\d\d-.*Z: /);
  }
  assert.deepEqual(scene.lan.ports()[1]?.addresses, [V4, V6]);
  assert.deepEqual(leasesOf(scene), [
    [V4, 'laptop'],
    [V6, null],
  ]);
  assert.deepEqual(await scene.ask(), ['10.0.0.129', 'fd00::1001']);
  assert.deepEqual(leasesOf(scene), [
    [V4, 'box'],
    ['10.0.0.129', 'laptop'],
    [V6, 'box'],
    ['fd00::1001', null],
  ]);
  await scene.end();
});

test('a reservation that comes while a client has the address leaves the network as it is', async () => {
  const scene = new Scene();
  await scene.start();
  await scene.ask();
  const { world, notices } = scene.scene;
  const gateway = { ...GATEWAY, reservations: RESERVATIONS };
  assert.equal(await world.run(scene.lan.changeGateway(gateway)), 'in-place');
  assert.match(notices[0]!, /^10\.0\.0\.128 of the network lan is reserved for printer, /);
  assert.deepEqual(await scene.ask(), ['10.0.0.129', 'fd00::1001']);
  assert.equal(notices.length, 2);
  await scene.end();
});

test('what is reserved, and named, is of the families that are written, or of the first there is', async () => {
  const scene = new Scene();
  const one = { mac: '02:00:00:00:00:77', name: 'one', addresses: ['10.0.0.77'] };
  const two = { mac: '02:00:00:00:00:78', name: 'two', addresses: ['fd00::78'] };
  const any = { mac: '02:00:00:00:00:79', name: 'any', addresses: [] };
  await scene.start({ gateway: { ...GATEWAY, reservations: [one, two, any] } });
  // A client of both families need not have an address of DHCPv6: its name would lead nowhere.
  assert.deepEqual(leasesOf(scene), [
    ['10.0.0.77', 'one'],
    [V4, 'any'],
    ['fd00::78', 'two'],
  ]);
  await scene.end();
});
