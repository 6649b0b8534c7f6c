import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NetworkModel, NodeModel, PortModel } from '../model/index.ts';
import { readNodeFile } from './index.ts';

/** The model of a file that is good. */
function read(text: string): NodeModel {
  const { model, mistakes } = readNodeFile(text, { path: '/srv/nets/node.yaml' });
  assert.deepEqual(mistakes, undefined);
  return model!;
}

/** The only network of a file. */
function network(text: string): NetworkModel {
  return read(text).networks[0]!;
}

const PLAIN_PORT: PortModel = {
  vlan: { mode: 'access', vlan: 1 },
  priority: 'dscp',
  isolated: false,
  stations: 64,
  whenFull: 'drop',
  storm: { broadcast: 1000, unknownUnicast: 1000 },
  shaping: null,
  link: {},
};

test('a file of six lines is a network with everything in its place', () => {
  const text = `
networks:
  lan:
    subnets: [10.0.0.0/24, fd00:a::/64]
    uplink: true
    machines: { web: { run: web, address: 10.0.0.80 } }
    publish: [8080:web:80]
`;
  assert.deepEqual(read(text), {
    networks: [
      {
        name: 'lan',
        kind: { kind: 'isolated' },
        mtu: 1500,
        subnets: ['10.0.0.0/24', 'fd00:a::/64'],
        routers: ['10.0.0.1', 'fd00:a::1'],
        switch: { ageing: 300_000, spanningTree: null, snooping: false, stations: 16_384 },
        gateway: {
          addresses: ['10.0.0.1/24', 'fd00:a::1/64'],
          dhcp: { range: null, lease: 3_600_000 },
          dhcpv6: { range: null, lease: 3_600_000 },
          advertisements: true,
          dns: { zone: 'lan', names: {} },
          reservations: [],
          routes: {},
          uplink: { hostAccess: false, rules: [] },
        },
        attachments: [
          {
            name: 'web',
            station: {
              kind: 'machine',
              services: [{ kind: 'web' }],
              addresses: ['10.0.0.80'],
              mac: null,
            },
            port: PLAIN_PORT,
          },
        ],
        publications: [{ protocol: 'tcp', listen: '127.0.0.1:8080', station: 'web', port: 80 }],
      },
    ],
    routers: [],
  });
});

test('nothing at all is a node without networks', () => {
  for (const text of ['', '# nothing\n', '{}', 'networks:\n', 'networks: {}\nrouters:']) {
    assert.deepEqual(read(text), { networks: [], routers: [] }, text);
  }
});

test('a network without subnets is a switch alone; what a subnet is too small for is left out', () => {
  const { gateway, subnets } = network('networks: { lan: }');
  assert.deepEqual([gateway, subnets], [null, []]);
  const small = network('networks: { p: { subnets: [10.0.0.0/31] } }').gateway!;
  assert.deepEqual([small.addresses, small.dhcp, small.dhcpv6], [['10.0.0.0/31'], null, null]);
  assert.equal(small.advertisements, false);
});

test('machines in their short forms, and modules of the file’s folder', () => {
  const { attachments } = network(`
networks:
  lan:
    machines:
      a: web
      b: ./app.ts
      c:
      d: { run: [echo, { module: ../x/app.ts, port: 8080 }, /opt/app.js] }
`);
  assert.deepEqual(
    attachments.map(({ station }) => station.kind === 'machine' && station.services),
    [
      [{ kind: 'web' }],
      [{ kind: 'module', path: '/srv/nets/app.ts', port: 80 }],
      [],
      [
        { kind: 'echo' },
        { kind: 'module', path: '/srv/x/app.ts', port: 8080 },
        { kind: 'module', path: '/opt/app.js', port: 80 },
      ],
    ],
  );
});

test('a station’s line is the network’s, but for the keys that it says otherwise', () => {
  const { attachments } = network(`
networks:
  lan:
    link: { delay: 80ms±10ms, rate: 10mbit, queue: 64KiB, loss: 1% }
    machines:
      a:
      b: { link: { rate: none, loss: 0%, partition: true } }
      c: { link: { delay: 0, seed: 7 } }
`);
  const line = { rate: 1e7, queueBytes: 65_536, loss: 0.01 };
  assert.deepEqual(
    attachments.map(({ port }) => port.link),
    [
      { delay: 80, jitter: 10, ...line },
      { delay: 80, jitter: 10, queueBytes: 65_536, partition: true },
      { ...line, seed: 7 },
    ],
  );
});

test('VLANs have one form however they are written', () => {
  const { attachments } = network(`
networks:
  lan:
    machines:
      a: { vlan: 10 }
      b: { vlan: { trunk: all, native: 1 } }
      c: { vlan: { trunk: "20,10-15,16" } }
      d: { vlan: { trunk: [30, 1-4, 2-7] } }
      e: { vlan: { native: 5 } }
      f: { vlan: { trunk: 1-4094 } }
`);
  assert.deepEqual(
    attachments.map(({ port }) => port.vlan),
    [
      { mode: 'access', vlan: 10 },
      { mode: 'trunk', allowed: 'all', native: 1 },
      { mode: 'trunk', allowed: [[10, 16], 20] },
      { mode: 'trunk', allowed: [[1, 7], 30] },
      { mode: 'trunk', allowed: 'all', native: 5 },
      { mode: 'trunk', allowed: 'all' },
    ],
  );
});

test('addresses, networks, MACs and names are canonical', () => {
  const { gateway, subnets, publications, attachments } = network(`
networks:
  lan:
    subnets: [FD00:A:0::/64, 10.0.0.0/24]
    gateway: [10.0.0.254]
    dhcp: { range: 10.0.0.100 - 10.0.0.199, lease: 12h }
    dns: { zone: Lan.Example., names: { DB: [10.0.0.9, fd00:a::0:9] } }
    reservations: [{ mac: 52-54-00-AA-BB-CC, address: 10.0.0.7 }]
    uplink: { allow: [10.1.2.3/8, Example.ORG], deny: 192.0.2.1 }
    machines: { a: { mac: 02:00:00:00:00:0A } }
    publish: ["[0:0::1]:53:[fd00:a:0::9]:53/udp"]
`);
  assert.deepEqual(subnets, ['fd00:a::/64', '10.0.0.0/24']);
  assert.deepEqual(gateway!.addresses, ['fd00:a::1/64', '10.0.0.254/24']);
  const range = { first: '10.0.0.100', last: '10.0.0.199' };
  assert.deepEqual(gateway!.dhcp, { range, lease: 43_200_000 });
  const names = { db: ['10.0.0.9', 'fd00:a::9'] };
  assert.deepEqual(gateway!.dns, { zone: 'lan.example', names });
  const reservation = { mac: '52:54:00:aa:bb:cc', name: null, addresses: ['10.0.0.7'] };
  assert.deepEqual(gateway!.reservations, [reservation]);
  assert.deepEqual(gateway!.uplink!.rules, [
    { verdict: 'deny', subject: '192.0.2.1/32' },
    { verdict: 'allow', subject: '10.0.0.0/8' },
    { verdict: 'allow', subject: 'example.org' },
  ]);
  const [{ station }] = attachments as [(typeof attachments)[0]];
  assert.equal(station.kind === 'machine' && station.mac, '02:00:00:00:00:0a');
  assert.deepEqual(publications, [
    { protocol: 'udp', listen: '[::1]:53', station: 'fd00:a::9', port: 53 },
  ]);
});

test('TAPs take the prefix of their subnet, and a default route where one makes sense', () => {
  const { attachments } = network(`
networks:
  lan:
    subnets: [10.0.0.0/24]
    taps:
      vm0: { namespace: blue, address: 10.0.0.7 }
      vm1: { address: 10.0.0.8/16 }
      vm2: { namespace: /run/netns/x, interface: eth0 }
`);
  assert.deepEqual(
    attachments.map(({ station }) => station),
    [
      {
        kind: 'tap',
        interface: 'vm0',
        namespace: 'blue',
        addresses: ['10.0.0.7/24'],
        defaultRoute: true,
      },
      {
        kind: 'tap',
        interface: 'vm1',
        namespace: null,
        addresses: ['10.0.0.8/16'],
        defaultRoute: false,
      },
      {
        kind: 'tap',
        interface: 'eth0',
        namespace: '/run/netns/x',
        addresses: [],
        defaultRoute: false,
      },
    ],
  );
});

test('the kinds of networks, and the MTU that VXLAN leaves', () => {
  const { networks } = read(`
networks:
  a: { kind: bridged, bridge: br0, subnets: [10.0.0.0/24] }
  b: { kind: bridged, interface: eth1 }
  c: { kind: overlay, identifier: 42, peers: [192.0.2.7, "192.0.2.8:8472"] }
  d: { kind: overlay, identifier: 43, local: "[::]:4789", peers: "2001:db8::7" }
  e: { kind: direct, interface: eth2, subnets: 10.1.0.0/24, router: 10.1.0.1, machines: { m: } }
`);
  assert.deepEqual(
    networks.map(({ kind, mtu, gateway }) => [kind, mtu, gateway]),
    [
      [{ kind: 'bridged', bridge: 'br0' }, 1500, null],
      [{ kind: 'bridged', interface: 'eth1' }, 1500, null],
      [
        {
          kind: 'overlay',
          identifier: 42,
          local: '0.0.0.0:4789',
          peers: ['192.0.2.7:4789', '192.0.2.8:8472'],
        },
        1450,
        null,
      ],
      [
        {
          kind: 'overlay',
          identifier: 43,
          local: '[::]:4789',
          peers: ['[2001:db8::7]:4789'],
        },
        1430,
        null,
      ],
      [{ kind: 'direct', interface: 'eth2' }, 1500, null],
    ],
  );
  assert.deepEqual(networks[4]!.routers, ['10.1.0.1']);
});

const THREE = `
networks:
  a: { subnets: [10.1.0.0/24], gateway: 10.1.0.254, uplink: true }
  b: { subnets: [10.2.0.0/24], gateway: false }
  c: { subnets: [10.3.0.0/24, fd00:c::/64] }
routers:
  ab: { interfaces: { a: 10.1.0.1, b: 10.2.0.1 }, routes: { 0.0.0.0/0: 10.1.0.254 } }
  bc: { interfaces: { b: 10.2.0.2, c: { address: 10.3.0.2, link: { delay: 5ms } } }, nat: b }
`;

test('routers take the prefix of their networks, and translate for all that are not outside', () => {
  const { routers } = read(THREE);
  assert.deepEqual(routers, [
    {
      name: 'ab',
      interfaces: [
        { network: 'a', addresses: ['10.1.0.1/24'], link: {} },
        { network: 'b', addresses: ['10.2.0.1/24'], link: {} },
      ],
      routes: { '0.0.0.0/0': '10.1.0.254' },
      translation: null,
    },
    {
      name: 'bc',
      interfaces: [
        { network: 'b', addresses: ['10.2.0.2/24'], link: {} },
        { network: 'c', addresses: ['10.3.0.2/24'], link: { delay: 5 } },
      ],
      routes: {},
      translation: {
        outside: 'b',
        inside: ['c'],
        mapping: 'endpoint-independent',
        filtering: 'endpoint-independent',
        hairpinning: true,
      },
    },
  ]);
});

test('stations go by the gateway where it leads somewhere, else by a router; gateways know the ways by routers', () => {
  const { networks } = read(THREE);
  assert.deepEqual(
    networks.map(({ routers }) => routers),
    [['10.1.0.254'], ['10.2.0.1'], ['10.3.0.2', 'fd00:c::1']],
  );
  assert.deepEqual(
    networks.map(({ gateway }) => gateway?.routes),
    // What bc hides is not reached from b.
    [{ '10.2.0.0/24': '10.1.0.1' }, undefined, routesOfC()],
  );
});

function routesOfC(): Record<string, string> {
  return { '10.2.0.0/24': '10.3.0.2', '10.1.0.0/24': '10.3.0.2' };
}

test('anchors, aliases and merged keys', () => {
  const { attachments } = network(`
networks:
  lan:
    link: &slow { delay: 20ms }
    machines:
      a: &a { run: echo, link: { rate: 1mbit } }
      b: *a
      c: { <<: *a, run: sink }
      d: { <<: [{ priority: 3 }, *a], link: *slow }
`);
  assert.deepEqual(
    attachments.map(({ station, port }) => [
      station.kind === 'machine' && station.services[0]!.kind,
      port.link,
      port.priority,
    ]),
    [
      ['echo', { delay: 20, rate: 1e6 }, 'dscp'],
      ['echo', { delay: 20, rate: 1e6 }, 'dscp'],
      ['sink', { delay: 20, rate: 1e6 }, 'dscp'],
      ['echo', { delay: 20 }, 3],
    ],
  );
});

test('a file that is too large is refused, and what aliases repeat is counted', () => {
  assert.throws(() => readNodeFile(`#${'x'.repeat(1_000_000)}`, { path: 'a.yaml' }), {
    code: 'NODE_FILE_TOO_LARGE',
    message: /^a\.yaml has 1000001 letters/,
  });
  const stations = Array.from({ length: 900 }, (_, i) => `      m${i}: *m`).join('\n');
  const networks = Array.from({ length: 900 }, (_, i) => `  n${i}: *n`).join('\n');
  const bomb = `
x: &m { run: [web, echo, sink] }
networks:
  n: &n
    machines:
${stations}
${networks}
`;
  const { mistakes } = readNodeFile(bomb, { path: 'a.yaml' });
  assert.ok(mistakes!.some(({ message }) => message.startsWith('the file has more than 100000')));
});

test('at most so many mistakes are told as the limit says', () => {
  const text = `networks: { ${Array.from({ length: 500 }, (_, i) => `n${i}: 1`).join(', ')} }`;
  assert.equal(readNodeFile(text, { path: 'a' }).mistakes!.length, 100);
  assert.equal(readNodeFile(text, { path: 'a', limits: { mistakes: 7 } }).mistakes!.length, 7);
});

test('what is nested too deep, or is in itself, is told as any other mistake', () => {
  for (const [text, message] of [
    ['['.repeat(100_000), /^this is no YAML: it is nested too deep$/],
    ['- '.repeat(100_000), /^this is no YAML: it is nested too deep$/],
    ['networks: &a { n: *a }', /^there is no key 'n' in a network$/],
    ['networks: { n: { subnets: &a [*a] } }', /^subnets wants a network, not a list$/],
  ] as const) {
    assert.match(readNodeFile(text, { path: 'a' }).mistakes![0]!.message, message);
  }
});
