import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cidr, IpAddress, type NetloomError } from 'netloom/core';
import { DhcpClient } from 'netloom/host';
import { PcapngSink } from 'netloom/link';
import { ask, networkScene, rejection } from '../../test/network-scene.ts';
import { GATEWAY, attachment, attachedMachine } from '../../test/sample-models.ts';
import { DEFAULT_PORT } from '../model/index.ts';
import type { NetworkModel } from '../model/index.ts';
import { NETWORK_STATE, type FrameRecorder } from './index.ts';

const ECHO = [{ kind: 'echo' }] as const;

test('a machine is reached by a published port, has an address, a name and a lease', async () => {
  const { world, outside, server, network } = networkScene();
  const lan = network({
    attachments: [attachedMachine('box', ECHO), attachedMachine('web', [{ kind: 'web' }])],
    publications: [{ protocol: 'tcp', listen: `${outside.address}:7007`, station: 'box', port: 7 }],
  });
  assert.equal(lan.state, 'created');
  await world.run(lan.start());
  assert.equal(lan.state, 'active');
  assert.deepEqual(lan.status().publications, [
    { network: 'lan', protocol: 'tcp', listen: `${outside.address}:7007`, target: 'box:7' },
  ]);
  const place = { address: outside.address, port: 7007 };
  assert.equal(await world.run(ask(server, place, 'hello')), 'hello');
  assert.deepEqual(
    lan.leases().map(({ address, name, reserved }) => [address, name, reserved]),
    [
      ['10.0.0.128', 'box', true],
      ['10.0.0.129', 'web', true],
      ['fd00::1000', 'box', true],
      ['fd00::1001', 'web', true],
    ],
  );
  assert.deepEqual(
    lan
      .ports()
      .map(({ name, kind, number, addresses, connected }) => [
        name,
        kind,
        number,
        addresses[0],
        connected,
      ]),
    [
      ['gateway', 'gateway', 1, '10.0.0.1', true],
      ['box', 'machine', 2, '10.0.0.128', true],
      ['web', 'machine', 3, '10.0.0.129', true],
    ],
  );
  const [, box] = lan.ports();
  assert.ok(box!.received.frames >= 4 && box!.sent.frames >= 4 && box!.received.bytes > 200);
  await world.run(world.now() + 100);
  const [flow] = lan.flows();
  assert.deepEqual(
    [flow?.direction, flow?.guest, flow?.state, flow?.bytesReceived],
    ['inbound', '10.0.0.128:7', 'ended', 5],
  );
  await world.run(lan.close());
  assert.equal(lan.state, 'destroyed');
  await rejection(world, ask(server, place, 'x'), 'CONNECTION_REFUSED');
});

test('its status tells its subnets, whether there is a gateway or not', () => {
  const { network } = networkScene();
  const subnets = ['10.0.0.0/24', 'fd00::/64'];
  assert.deepEqual(network().status().subnets, subnets);
  assert.deepEqual(network({ gateway: null, routers: [] }).status().subnets, subnets);
});

test('its steps are those of its table, are remembered and published', async () => {
  const { world, network } = networkScene();
  const lan = network();
  const told: string[] = [];
  const stop = NETWORK_STATE.subscribe(({ subject, step }) => {
    if (subject === lan) told.push(`${step.from} ${step.event} ${step.to}`);
  });
  const work = async (): Promise<void> => {
    await lan.start();
    await lan.suspend();
    await lan.resume();
    await assert.rejects(lan.resume(), { code: 'STATE_ILLEGAL' });
    await lan.close();
    await lan.close();
  };
  await world.run(work());
  stop();
  assert.deepEqual(told, [
    'created configure configuring',
    'configuring activate active',
    'active suspend suspended',
    'suspended resume active',
    'active deactivate deactivating',
    'deactivating destroy destroyed',
  ]);
  assert.deepEqual(
    lan.history().map(({ from, event, to }) => `${from} ${event} ${to}`),
    told,
  );
  assert.match(lan.history()[0]!.at, /^\d{4}-\d\d-\d\dT/);
});

test('while it is suspended no frame passes, and what there is stays', async () => {
  const { world, network } = networkScene();
  const lan = network({ attachments: [attachedMachine('a', ECHO), attachedMachine('b')] });
  await world.run(lan.start());
  const recorder = new CountingRecorder();
  const capture = lan.capture(recorder);
  const states = (): string[] => [...new Set(lan.ports().map(({ state }) => state))];
  assert.deepEqual(states(), ['forwarding']);
  await world.run(lan.suspend());
  assert.deepEqual(states(), ['suspended']);
  await world.run(lan.attach(attachedMachine('c', ECHO)));
  await world.run(world.now() + 5000);
  assert.equal(recorder.frames, 0);
  await world.run(lan.resume());
  assert.deepEqual(states(), ['forwarding']);
  await world.run(lan.attach(attachedMachine('d')));
  await world.run(world.now() + 5000);
  assert.ok(recorder.frames > 0, 'a machine announces itself');
  capture.close();
  assert.deepEqual(
    lan.model.attachments.map(({ name }) => name),
    ['a', 'b', 'c', 'd'],
  );
  await world.run(lan.close());
});

test('a network that is suspended with connections open is closed at once', async () => {
  const { world, outside, server, network } = networkScene();
  const lan = network({
    attachments: [attachedMachine('box', ECHO)],
    publications: [{ protocol: 'tcp', listen: `${outside.address}:7007`, station: 'box', port: 7 }],
  });
  await world.run(lan.start());
  const connection = await world.run(server.connect({ host: outside.address, port: 7007 }));
  connection.start({});
  await world.run(world.now() + 100);
  await world.run(lan.suspend());
  const before = world.now();
  await world.run(lan.close());
  assert.ok(world.now() - before < 2000, `${world.now() - before} ms`);
});

test('stations come and go, and the model follows', async () => {
  const { world, network } = networkScene();
  const lan = network();
  await world.run(lan.start());
  await world.run(lan.attach(attachedMachine('box', ECHO, { addresses: ['10.0.0.7'] })));
  assert.deepEqual(lan.ports()[1]?.addresses, ['10.0.0.7', 'fd00::1000']);
  await rejection(world, lan.attach(attachedMachine('box')), 'NETWORK_PORT_TAKEN');
  await rejection(world, lan.attach(attachedMachine('gateway')), 'NETWORK_PORT_TAKEN');
  await rejection(
    world,
    lan.attach(attachedMachine('twin', [], { addresses: ['10.0.0.7'] })),
    'DHCP_POOL_INVALID',
  );
  assert.deepEqual(
    lan.ports().map(({ name }) => name),
    ['gateway', 'box'],
  );
  await world.run(lan.detach('box'));
  await world.run(lan.detach('box'));
  assert.deepEqual([lan.model.attachments, lan.leases()], [[], []]);
  assert.equal(lan.ports().length, 1);
  await world.run(lan.close());
});

test('a line is impaired while it is in use, and nothing is cut', async () => {
  const { world, network } = networkScene();
  const lan = network({ attachments: [attachedMachine('a', ECHO, { addresses: ['10.0.0.7'] })] });
  await world.run(lan.start());
  const router = lan.connectRouter('edge', {}, ['10.0.0.254/24']);
  assert.deepEqual(lan.ports().find(({ kind }) => kind === 'router')?.addresses, ['10.0.0.254']);
  const host = world.machine('edge');
  host.addInterface(router, { addresses: ['10.0.0.254/24'] });
  const target = IpAddress.parse('10.0.0.7');
  const roundTrip = async (): Promise<number> => {
    const { roundTrip: time } = await host.ping(target, { timeout: 5000 });
    return Math.round(time);
  };
  assert.equal(await world.run(roundTrip()), 0);
  const connection = await world.run(host.connect({ host: target, port: 7 }));
  let echoed = '';
  connection.start({ data: (chunk) => (echoed += new TextDecoder().decode(chunk)) });
  lan.impair('a', { delay: 40, rate: 1_000_000 });
  assert.ok((await world.run(roundTrip())) >= 80);
  lan.impair('edge', { delay: 10 });
  assert.ok((await world.run(roundTrip())) >= 100);
  connection.write(new TextEncoder().encode('still there'));
  await world.run(world.now() + 500);
  assert.equal(echoed, 'still there');
  const status = lan.ports().find(({ name }) => name === 'a')!;
  assert.deepEqual([status.link.delay, status.link.rate, status.link.loss], [40, 1_000_000, 0]);
  assert.deepEqual(lan.model.attachments[0]?.port.link, { delay: 40, rate: 1_000_000 });
  lan.impair('a', { delay: null, rate: null });
  lan.impair('edge', { delay: null });
  assert.deepEqual(lan.model.attachments[0]?.port.link, {});
  assert.equal(await world.run(roundTrip()), 0);
  lan.impair('a', { partition: true });
  await assert.rejects(world.run(host.ping(target)), { code: 'TIMEOUT' });
  assert.ok(lan.ports()[1]!.drops['partition']! > 0);
  assert.throws(() => lan.impair('a', { loss: 2 }), { code: 'IMPAIRMENT_INVALID' });
  assert.deepEqual(lan.model.attachments[0]?.port.link, { partition: true });
  assert.throws(() => lan.impair('nobody', { loss: 0 }), { code: 'NETWORK_PORT_UNKNOWN' });
  await world.run(lan.disconnectRouter('edge'));
  assert.equal(lan.ports().length, 2);
  await world.run(lan.close());
});

test('a port is another one from now on: its VLAN keeps it from others', async () => {
  const { world, network } = networkScene();
  const lan = network({ attachments: [attachedMachine('a', ECHO, { addresses: ['10.0.0.7'] })] });
  await world.run(lan.start());
  const host = world.machine('edge');
  host.addInterface(lan.connectRouter('edge', {}), { addresses: ['10.0.0.254/24'] });
  const target = IpAddress.parse('10.0.0.7');
  await world.run(host.ping(target));
  const vlan = { mode: 'access', vlan: 10 } as const;
  lan.configurePort('a', { ...DEFAULT_PORT, vlan });
  assert.equal(lan.ports()[1]?.vlan, 'access 10');
  await assert.rejects(world.run(host.ping(target)), { code: 'TIMEOUT' });
  lan.configurePort('a', { ...DEFAULT_PORT, shaping: { rate: 8000 } });
  assert.ok((await world.run(host.ping(target, { timeout: 5000 }))).roundTrip >= 0);
  assert.throws(
    () =>
      lan.configurePort('a', {
        ...DEFAULT_PORT,
        link: { delay: 5 },
        vlan: { ...vlan, vlan: 5000 },
      }),
    { code: 'SWITCH_SETTING_INVALID' },
  );
  assert.equal(lan.ports()[1]?.link.delay, 0, 'what is refused changes nothing');
  await world.run(lan.close());
});

test('a capture sees each frame of the network once, one of a port both ways', async () => {
  const { world, network } = networkScene();
  const lan = network({
    gateway: null,
    attachments: [attachedMachine('a', ECHO, { addresses: ['10.0.0.7'] })],
  });
  await world.run(lan.start());
  const host = world.machine('edge');
  host.addInterface(lan.connectRouter('edge', {}), { addresses: ['10.0.0.254/24'] });
  await world.run(world.now() + 1000);
  const all = new CountingRecorder();
  const port = new CountingRecorder();
  let ends = 0;
  const ended = (): void => void ends++;
  const captures = [lan.capture(all, { ended }), lan.capture(port, { port: 'a', ended })];
  await world.run(host.ping(IpAddress.parse('10.0.0.7')));
  // Question and answer of ARP and of the echo.
  assert.deepEqual(
    [all.seen, port.seen],
    [
      ['edge in', 'a in', 'edge in', 'a in'],
      ['a out', 'a in', 'a out', 'a in'],
    ],
  );
  for (const capture of captures) capture.close();
  await world.run(host.ping(IpAddress.parse('10.0.0.7')));
  assert.equal(all.frames, 4);
  assert.throws(() => lan.capture(all, { port: 'b' }), { code: 'NETWORK_PORT_UNKNOWN' });
  const blocks: Uint8Array[] = [];
  lan.capture(new PcapngSink((block) => blocks.push(block)), { ended });
  await world.run(host.ping(IpAddress.parse('10.0.0.7')));
  assert.ok(blocks.length > 2);
  assert.equal(ends, 0);
  await world.run(lan.close());
  assert.equal(ends, 1, 'that which was open is told that the network has ended');
});

test('what is refused at the start leaves nothing, and the network may be started again', async () => {
  const { world, outside, network } = networkScene();
  const listen = `${outside.address}:7007`;
  const taken = await world.run(outside.listen({ port: 7007, accept: () => undefined }));
  const lan = network({
    attachments: [attachedMachine('box', ECHO)],
    publications: [
      { protocol: 'tcp', listen: `${outside.address}:7008`, station: 'box', port: 9 },
      { protocol: 'tcp', listen, station: 'box', port: 7 },
    ],
  });
  const error = await rejection(world, lan.start(), 'ADDRESS_IN_USE');
  assert.match(error.message, /^port 7007 of this machine is taken/);
  assert.equal(lan.state, 'failed');
  assert.equal(lan.status().error?.code, 'ADDRESS_IN_USE');
  assert.deepEqual([lan.ports(), lan.leases(), lan.status().ports], [[], [], 0]);
  assert.throws(() => lan.connectRouter('edge', {}), { code: 'NETWORK_UNFIT' });
  await world.run(world.now() + 100);
  const free = await world.run(outside.listen({ port: 7008, accept: () => undefined }));
  await world.run(Promise.all([free.close(), taken.close()]));
  await world.run(lan.start());
  assert.deepEqual([lan.state, lan.status().error], ['active', null]);
  await rejection(
    world,
    lan.publish({ protocol: 'tcp', listen, station: 'box', port: 9 }),
    'ADDRESS_IN_USE',
  );
  assert.equal(lan.state, 'active', 'a change that is refused leaves it as it was');
  assert.equal(lan.model.publications.length, 2);
  await world.run(lan.unpublish(lan.model.publications[1]!));
  assert.deepEqual(
    lan.status().publications.map(({ target }) => target),
    ['box:9'],
  );
  await rejection(
    world,
    lan.publish({ protocol: 'tcp', listen, station: 'nobody', port: 9 }),
    'NETWORK_STATION_UNKNOWN',
  );
  await world.run(lan.close());
});

test('each thing that can be refused at the start takes everything with it', async () => {
  const { world, network } = networkScene();
  const module = { kind: 'module', path: '/no/such/module.js', port: 80 } as const;
  const wrong: [Parameters<typeof network>[0], string][] = [
    [
      { attachments: [attachedMachine('a'), attachedMachine('b', [module])] },
      'MACHINE_MODULE_FAILED',
    ],
    [
      { attachments: [attachedMachine('a', [{ kind: 'echo' }, { kind: 'echo' }])] },
      'ADDRESS_IN_USE',
    ],
    [
      {
        gateway: null,
        publications: [{ protocol: 'tcp', listen: '0.0.0.0:80', station: 'a', port: 1 }],
      },
      'NETWORK_GATEWAY_MISSING',
    ],
    [{ attachments: [attachedMachine('a'), attachedMachine('a')] }, 'NETWORK_PORT_TAKEN'],
    [
      { attachments: [attachedMachine('a', [], { port: { link: { loss: 3 } } })] },
      'IMPAIRMENT_INVALID',
    ],
    [{ gateway: { ...GATEWAY, addresses: ['10.0.0.1/31'] } }, 'DHCP_POOL_INVALID'],
    [
      {
        kind: { kind: 'overlay', identifier: 2 ** 24, local: '0.0.0.0:4789', peers: [] },
        mtu: 1450,
      },
      'VXLAN_IDENTIFIER_INVALID',
    ],
    [{ kind: { kind: 'direct', interface: 'eth0' } }, 'NETWORK_UNFIT'],
  ];
  for (const [change, code] of wrong) {
    const lan = network(change);
    await rejection(world, lan.start(), code);
    assert.deepEqual([lan.state, lan.ports()], ['failed', []], code);
    await world.run(lan.close());
    assert.equal(lan.state, 'destroyed');
  }
});

test('rules, names and reservations of a gateway change in place, the rest has it replaced', async () => {
  const { world, outside, server, network } = networkScene();
  const lan = network({
    attachments: [attachedMachine('box', ECHO)],
    publications: [{ protocol: 'tcp', listen: `${outside.address}:7007`, station: 'box', port: 7 }],
  });
  await world.run(lan.start());
  const connection = await world.run(server.connect({ host: outside.address, port: 7007 }));
  let ended: NetloomError | undefined | null = null;
  connection.start({ closed: (error) => (ended = error) });
  const reservation = { mac: '02:00:00:00:00:99', name: 'printer', addresses: ['10.0.0.9'] };
  const inPlace = {
    ...GATEWAY,
    dns: { zone: 'lan', names: { files: ['10.0.0.50'] } },
    reservations: [reservation],
    routes: { '10.5.0.0/16': '10.0.0.254' },
    uplink: { hostAccess: false, rules: [{ verdict: 'deny', subject: '192.0.2.0/24' }] },
  } as const;
  assert.equal(await world.run(lan.changeGateway(inPlace)), 'in-place');
  assert.ok(lan.leases().some(({ address, name }) => address === '10.0.0.9' && name === 'printer'));
  assert.equal(await world.run(lan.changeGateway(GATEWAY)), 'in-place');
  assert.ok(!lan.leases().some(({ address }) => address === '10.0.0.9'));
  await world.run(world.now() + 1000);
  assert.equal(ended, null, 'connections live on');
  const other = { ...GATEWAY, dhcp: { range: null, lease: 60_000 } };
  assert.equal(await world.run(lan.changeGateway(other)), 'replaced');
  await world.run(world.now() + 100);
  assert.notEqual(ended, null);
  const place = { address: outside.address, port: 7007 };
  assert.equal(await world.run(ask(server, place, 'again')), 'again', 'published anew');
  assert.deepEqual(lan.model.gateway, other);
  const impossible = { ...other, addresses: ['10.0.0.1/31'] };
  await rejection(world, lan.changeGateway(impossible), 'DHCP_POOL_INVALID');
  assert.deepEqual(lan.model.gateway, other);
  assert.equal(await world.run(ask(server, place, 'still')), 'still', 'it was as it had been');
  assert.equal(await world.run(lan.changeGateway(null)), 'replaced');
  assert.deepEqual([lan.leases(), lan.status().publications], [[], []]);
  await world.run(lan.close());
});

test('machines find names by asking the gateway, and reach the world by it unless a rule forbids', async () => {
  const { world, server, network } = networkScene();
  const uplink = {
    hostAccess: false,
    rules: [{ verdict: 'deny', subject: `${server.address}` }],
  } as const;
  const lan = network({
    gateway: { ...GATEWAY, uplink },
    attachments: [attachedMachine('box', ECHO)],
  });
  await world.run(lan.start());
  // A station that asks for everything, as a virtual machine would.
  const guest = world.machine('guest');
  const via = guest.addInterface(lan.connectRouter('guest', {}), {
    addresses: ['10.0.0.60/24'],
  });
  guest.stack.addRoute(Cidr.parse('0.0.0.0/0'), via, IpAddress.parse('10.0.0.1'));
  await world.run(server.listen({ port: 80, accept: (one) => void one.close() }));
  await assert.rejects(world.run(guest.ping(IpAddress.parse('224.0.0.9'))));
  assert.deepEqual(lan.status().drops, {}, 'what is for groups comes by, and is not dropped');
  const connect = (): Promise<unknown> =>
    world.run(guest.connect({ host: server.address, port: 80, timeout: 3000 }));
  await assert.rejects(connect());
  assert.equal(lan.flows().at(-1)?.end, 'denied');
  assert.ok(Object.keys(lan.status().drops).length > 0);
  await world.run(lan.changeGateway({ ...GATEWAY, uplink: { ...uplink, rules: [] } }));
  await connect();
  assert.ok(lan.status().flows + lan.flows().length > 0);
  await world.run(lan.close());
});

test('without an uplink nothing goes out, and whoever tries is told so', async () => {
  const { world, server, network } = networkScene();
  const lan = network({ gateway: { ...GATEWAY, uplink: null } });
  await world.run(lan.start());
  const guest = world.machine('guest');
  const via = guest.addInterface(lan.connectRouter('guest', {}), { addresses: ['10.0.0.60/24'] });
  guest.stack.addRoute(Cidr.parse('0.0.0.0/0'), via, IpAddress.parse('10.0.0.1'));
  await rejection(world, guest.connect({ host: server.address, port: 80 }), 'NETWORK_UNREACHABLE');
  assert.deepEqual(lan.flows(), []);
  await world.run(lan.close());
});

test('a station of the file has its name, whatever others call themselves', async () => {
  const { world, outside, network } = networkScene();
  const names = { files: ['10.0.0.50'] };
  const lan = network({ gateway: { ...GATEWAY, dns: { zone: 'lan', names } } });
  await world.run(lan.start());
  const guest = world.machine('guest');
  const via = guest.addInterface(lan.connectRouter('guest', {}));
  const client = new DhcpClient(guest, via, { hostname: 'box', probe: false });
  await world.run(client.lease());
  const publish = (station: string, port: number): Promise<string> =>
    world.run(
      lan
        .publish({ protocol: 'udp', listen: `${outside.address}:${port}`, station, port: 7 })
        .then(() => lan.status().publications.at(-1)!.target),
    );
  assert.equal(await publish('box', 7001), 'box:7', 'known by its lease');
  await world.run(lan.attach(attachedMachine('box', ECHO)));
  await world.run(client.release());
  await world.run(world.now() + 1000);
  assert.deepEqual(
    lan.leases().map(({ address, name }) => [address, name]),
    [
      ['10.0.0.129', 'box'],
      ['fd00::1000', 'box'],
    ],
  );
  await world.run(lan.detach('box'));
  await rejection(
    world,
    lan.publish({ protocol: 'udp', listen: '0.0.0.0:7002', station: 'box', port: 7 }),
    'NETWORK_STATION_UNKNOWN',
  );
  await world.run(lan.attach(attachedMachine('files', ECHO)));
  await world.run(lan.detach('files'));
  assert.equal(await publish('files', 7003), 'files:7', 'the name of the file is back');
  await world.run(lan.close());
});

test('two networks of two nodes are one over VXLAN', async () => {
  const { world, outside, server, network, networkOn } = networkScene();
  const here = network({
    ...overlay(`${server.address}`),
    attachments: [attachedMachine('a', ECHO, { addresses: ['10.0.0.7'] })],
  });
  const there = networkOn(server, overlay(`${outside.address}`));
  await world.run(Promise.all([here.start(), there.start()]));
  const host = world.machine('edge');
  host.addInterface(there.connectRouter('edge', {}), { addresses: ['10.0.0.254/24'] });
  await world.run(host.ping(IpAddress.parse('10.0.0.7')));
  assert.equal(here.ports().find(({ kind }) => kind === 'uplink')?.vlan, 'trunk all native 1');
  await world.run(Promise.all([here.close(), there.close()]));
  const again = network(overlay(`${server.address}`));
  await world.run(again.start());
  await world.run(again.close());
});

test('a guest behind a QEMU socket goes and comes back', async () => {
  const { world, outside, server, network } = networkScene();
  const listen = { kind: 'qemu-stream', listen: `${outside.address}:4444` } as const;
  const connect = { kind: 'qemu-stream', connect: `${server.address}:5555` } as const;
  const lan = network({ attachments: [attachment('vm', listen), attachment('other', connect)] });
  await world.run(lan.start());
  const connected = (name: string) => lan.ports().find((port) => port.name === name)!.connected;
  assert.deepEqual([connected('vm'), connected('other')], [false, false]);
  for (let round = 0; round < 2; round++) {
    const guest = await world.run(server.connect({ host: outside.address, port: 4444 }));
    guest.start({});
    await world.run(world.now() + 100);
    assert.equal(connected('vm'), true);
    const second = await world.run(server.connect({ host: outside.address, port: 4444 }));
    second.start({});
    await world.run(world.now() + 100);
    assert.equal(connected('vm'), true, 'a second is turned away');
    await world.run(guest.close());
    await world.run(world.now() + 100);
    assert.equal(connected('vm'), false);
  }
  const listener = await world.run(server.listen({ port: 5555, accept: (one) => one.start({}) }));
  await world.run(world.now() + 3000);
  assert.equal(connected('other'), true);
  await world.run(listener.close());
  await world.run(lan.close());
});

test('a QEMU that exchanges datagrams has the frames of the network', async () => {
  const { world, outside, server, network } = networkScene();
  const remote = `${server.address}:4445`;
  const vm = { kind: 'qemu-datagram', local: `${outside.address}:4444`, remote } as const;
  const reservations = [{ mac: '02:00:00:00:00:07', name: null, addresses: ['10.0.0.77'] }];
  const gateway = { ...GATEWAY, dhcpv6: null, reservations };
  const lan = network({ gateway, attachments: [attachment('vm', vm)] });
  await world.run(lan.start());
  const socket = await world.run(server.bind({ port: 4445 }));
  const lengths: number[] = [];
  socket.start({ receive: (batch) => lengths.push(...batch.map(({ data }) => data.length)) });
  const data = new Uint8Array(60).fill(0xff);
  data.set([2, 0, 0, 0, 0, 7, 0x88, 0xb5], 6);
  socket.send([{ data, remote: { address: outside.address, port: 4444 } }]);
  await world.run(lan.attach(attachedMachine('box')));
  await world.run(world.now() + 100);
  const port = lan.ports().find(({ name }) => name === 'vm')!;
  assert.deepEqual([port.mac, port.received], ['02:00:00:00:00:07', { frames: 1, bytes: 60 }]);
  assert.deepEqual(port.addresses, ['10.0.0.77'], 'what is leased to it');
  assert.ok(lengths.length > 0 && lengths.length === port.sent.frames, 'what machines announce');
  await rejection(world, lan.attach(attachment('second', vm)), 'ADDRESS_IN_USE');
  await world.run(lan.close());
});

/** An overlay of two nodes, without a gateway. */
function overlay(peer: string): Partial<NetworkModel> {
  const kind = { kind: 'overlay', identifier: 42, local: '0.0.0.0:4789' } as const;
  return { kind: { ...kind, peers: [`${peer}:4789`] }, mtu: 1450, gateway: null };
}

/** Notes which way frames have gone at which ports. */
class CountingRecorder implements FrameRecorder {
  readonly seen: string[] = [];

  get frames(): number {
    return this.seen.length;
  }

  frame(...[link, direction]: Parameters<FrameRecorder['frame']>): void {
    this.seen.push(`${link.name} ${direction}`);
  }
}
