/** What an uplink lets out, and what it counts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cidr, IpAddress, ManualClock, copyBytes, type NetloomError } from '../../core/index.ts';
import { FAMILIES, UplinkWorld, addressOf, inWords } from '../../../test/uplink/uplink-world.ts';
import { echo } from '../compliance/recorder.ts';
import { hostFaults } from '../os/context.ts';
import { FLOW_CLOSED, FLOW_OPENED, FlowTable } from './flow-table.ts';
import type { UplinkFlow } from './flow.ts';
import { UPLINK_LIMITS } from './limits.ts';
import { Policy } from './policy.ts';

const GUEST = { address: IpAddress.parse('10.0.2.2'), port: 4000 };

function codeOf({ code }: NetloomError): string {
  return code;
}

test('reserved networks, and IPv4 addresses written as IPv6, are out of reach', () => {
  const policy = new Policy(
    {},
    () => [],
    () => 0,
  );
  const decide = (text: string): unknown => {
    const destination = { address: IpAddress.parse(text), port: 80 };
    const verdict = policy.decide({ protocol: 'tcp', guest: GUEST, destination }, false);
    return 'denied' in verdict ? verdict.denied : String(verdict.target);
  };
  for (const reserved of [
    '127.0.0.1',
    '127.255.0.9',
    '0.0.0.0',
    '0.1.2.3',
    '169.254.169.254',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:192.0.2.1',
    'fe80::1',
    'ff02::1',
  ]) {
    assert.equal(decide(reserved), 'reserved', reserved);
  }
  for (const open of ['10.1.2.3', '192.168.1.1', '198.51.100.1', 'fd00::1', '2001:db8::1']) {
    assert.equal(decide(open), open);
  }
});

test('the machine’s own addresses are out of reach, also those it gets later', () => {
  let now = 0;
  const own = [IpAddress.parse('192.0.2.9')];
  const policy = new Policy(
    {},
    () => own,
    () => now,
  );
  const isDenied = (text: string): boolean => {
    const destination = { address: IpAddress.parse(text), port: 80 };
    return 'denied' in policy.decide({ protocol: 'udp', guest: GUEST, destination }, false);
  };
  assert.deepEqual([isDenied('192.0.2.9'), isDenied('192.0.2.10')], [true, false]);
  own.push(IpAddress.parse('192.0.2.10'));
  now = 1000;
  assert.equal(isDenied('192.0.2.10'), true);
});

for (const family of FAMILIES) {
  test(`IPv${family}: the outside machine is not reached, by no protocol`, async () => {
    const scene = new UplinkWorld();
    await scene.run(async () => {
      const host = addressOf(scene.outside, family);
      await scene.outside.listen({ port: 22, accept: () => assert.fail('it was reached') });
      const errors: string[] = [];
      const tcp = await scene.guest.connect({ host, port: 22 }).catch(codeOf);
      const icmp = await scene.guest.ping(host).catch(codeOf);
      const socket = await scene.guest.bind();
      socket.start({ error: ({ code }) => errors.push(code) });
      socket.send([{ data: new Uint8Array(3), remote: { address: host, port: 53 } }]);
      await scene.world.sleep(100);
      assert.deepEqual(
        [tcp, icmp, ...errors],
        ['CONNECTION_REFUSED', 'HOST_UNREACHABLE', 'HOST_UNREACHABLE'],
      );
      const { drops, flows } = scene.uplink;
      assert.deepEqual(drops.snapshot(), {
        'icmp-reserved': 1,
        'tcp-reserved': 1,
        'udp-reserved': 1,
      });
      assert.ok(flows.ended().every(({ end }) => end === 'denied'));
      assert.equal(flows.endedCount, 3);
    });
  });

  test(`IPv${family}: where asked for, the machine’s loopback is at the gateway, and nowhere else`, async () => {
    const scene = new UplinkWorld({ hostAccess: 'gateway' });
    await scene.run(async () => {
      const host = addressOf(scene.gateway, family);
      const loopback = family === 4 ? IpAddress.LOOPBACK4 : IpAddress.LOOPBACK6;
      await scene.outside.listen({ port: 8080, address: loopback, accept: echo });
      const connection = await scene.guest.connect({ host, port: 8080 });
      assert.equal(String(connection.remote.address), String(host));
      connection.abort();
      assert.equal(
        await scene.guest.connect({ host, port: 81 }).catch(codeOf),
        'CONNECTION_REFUSED',
      );
      const server = await scene.outside.bind({ port: 53, address: loopback });
      server.start({
        receive: ([datagram]) =>
          void server.send([{ data: copyBytes(datagram!.data), remote: datagram!.remote }]),
      });
      const socket = await scene.guest.bind();
      const from: string[] = [];
      socket.start({
        receive: ([datagram]) => from.push(String(datagram!.remote.address)),
      });
      socket.send([{ data: new Uint8Array(3), remote: { address: host, port: 53 } }]);
      await scene.world.sleep(100);
      assert.deepEqual(from, [String(host)]);
      const own = addressOf(scene.outside, family);
      assert.equal(
        await scene.guest.connect({ host: own, port: 8080 }).catch(codeOf),
        'CONNECTION_REFUSED',
      );
    });
  });
}

test('unless asked for, nothing at the gateway leads outside', async () => {
  const scene = new UplinkWorld();
  await scene.run(async () => {
    await scene.outside.listen({ port: 8080, accept: echo });
    const host = scene.gateway.address;
    assert.equal(
      await scene.guest.connect({ host, port: 8080 }).catch(codeOf),
      'CONNECTION_REFUSED',
    );
    assert.equal(scene.uplink.flows.endedCount, 0);
  });
});

test('services of the gateway come before the machine’s', async () => {
  const scene = new UplinkWorld({ hostAccess: 'gateway' });
  await scene.run(async () => {
    await scene.outside.listen({ port: 53, accept: () => assert.fail('it was reached') });
    await scene.gateway.listen({ port: 53, accept: echo });
    await scene.guest.connect({ host: scene.gateway.address, port: 53 });
    assert.equal(scene.uplink.flows.size, 0);
  });
});

test('a rule by network or by name decides once for each flow, and what it denies is counted by its reason', async () => {
  const asked: string[] = [];
  const forbidden = Cidr.parse('10.2.0.2/32');
  const scene = new UplinkWorld({
    labels: (address) => (address.family === 6 ? ['tracker.example'] : []),
    allow: ({ protocol, destination, labels }) => {
      asked.push(`${protocol} ${destination.port} ${labels.join()}`);
      if (labels.includes('tracker.example')) return 'denied-by-name';
      return !(forbidden.contains(destination.address) && destination.port === 25);
    },
  });
  await scene.run(async () => {
    await scene.server.listen({ port: 25, accept: echo });
    await scene.server.listen({ port: 80, accept: echo });
    const connect = (family: 4 | 6, port: number): Promise<unknown> =>
      scene.guest
        .connect({ host: scene.serverAddress(family), port })
        .then(() => 'open')
        .catch(codeOf);
    assert.equal(await connect(4, 25), 'CONNECTION_REFUSED');
    assert.equal(await connect(6, 80), 'CONNECTION_REFUSED');
    assert.equal(await connect(4, 80), 'open');
    const socket = await scene.guest.bind();
    const remote = { address: scene.server.address, port: 7 };
    for (let i = 0; i < 3; i++) {
      socket.send([{ data: new Uint8Array(1), remote }]);
      await scene.world.sleep(20);
    }
    assert.deepEqual(asked, ['tcp 25 ', 'tcp 80 tracker.example', 'tcp 80 ', 'udp 7 ']);
    assert.deepEqual(scene.uplink.drops.snapshot(), { 'tcp-denied': 1, 'tcp-denied-by-name': 1 });
    const [, second] = scene.uplink.flows.ended();
    assert.deepEqual(second!.labels, ['tracker.example']);
  });
});

test('a flow ends once, and is listed until then', () => {
  const flows = new FlowTable(new ManualClock(), UPLINK_LIMITS);
  const ends = { protocol: 'udp', guest: GUEST, destination: GUEST } as const;
  const flow = flows.begin({ ...ends, direction: 'outbound', labels: [] });
  assert.deepEqual(flows.list(), [flow]);
  flows.end(flow, 'idle');
  flows.end(flow, 'closed');
  assert.deepEqual([flow.end, flows.endedCount, flows.size], ['idle', 1, 0]);
});

test('a rule that throws lets nothing out and stops nothing; the fault is published', async () => {
  const faults: string[] = [];
  const stop = hostFaults.subscribe(({ error }) => faults.push(error.message));
  const scene = new UplinkWorld({
    allow: ({ destination }) => {
      if (destination.port === 25) throw new Error('no such list');
      return true;
    },
  });
  await scene.run(async () => {
    const host = scene.server.address;
    await scene.server.listen({ port: 25, accept: () => assert.fail('it was reached') });
    await scene.server.listen({ port: 80, accept: echo });
    assert.equal(await scene.guest.connect({ host, port: 25 }).catch(codeOf), 'CONNECTION_REFUSED');
    await scene.guest.connect({ host, port: 80 });
    assert.equal(scene.uplink.drops.get('tcp-policy-threw'), 1);
  });
  stop();
  assert.deepEqual(faults, [`deciding on tcp to ${scene.server.address}:25: no such list`]);
});

test('flows are published when they begin and end; the last are remembered, and accounts are kept by destination', async () => {
  const events: string[] = [];
  const keep =
    (what: string) =>
    (flow: UplinkFlow): void =>
      void events.push(`${what} ${inWords(flow)}`);
  const stops = [FLOW_OPENED.subscribe(keep('+')), FLOW_CLOSED.subscribe(keep('-'))];
  const scene = new UplinkWorld({ limits: { endedFlows: 2, accounts: 2 } });
  await scene.run(async () => {
    const { address } = scene.server;
    await scene.server.listen({ port: 7, accept: echo });
    for (let i = 0; i < 3; i++) {
      const connection = await scene.guest.connect({ host: address, port: 7 });
      connection.start({});
      connection.write(new Uint8Array(100));
      await connection.close();
    }
    const open = await scene.guest.connect({ host: address, port: 7 });
    open.write(new Uint8Array(1000));
    for (const port of [8, 9, 10]) await scene.guest.connect({ host: address, port }).catch(codeOf);
    await scene.world.sleep(100);
    const { flows } = scene.uplink;
    assert.deepEqual(scene.ended(), [
      `tcp outbound ${address} 9 refused`,
      `tcp outbound ${address} 10 refused`,
    ]);
    assert.equal(flows.endedCount, 6);
    const accounts = flows
      .destinations()
      .map((one) => `${one.destination} ${one.flows} ${one.bytesSent} ${one.bytesReceived}`);
    assert.deepEqual(accounts, [`${address}:7 4 1300 1300`, `${address}:8 1 0 0`, 'others 2 0 0']);
    const [first] = flows.list();
    assert.deepEqual([first!.state, first!.endedAt, first!.bytesSent], ['open', undefined, 1000]);
  });
  for (const stop of stops) stop();
  const { address } = scene.server;
  const open = events.filter((event) => event === `+ tcp outbound ${address} 7 connecting`);
  const finished = events.filter((event) => event === `- tcp outbound ${address} 7 finished`);
  assert.deepEqual([open.length, finished.length, events.length], [4, 3, 13]);
});
