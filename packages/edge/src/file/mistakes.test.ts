/** Each kind of mistake: where it is told, and what is said. A `§` stands in front of each place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readNodeFile } from './index.ts';

type Expected = readonly [message: RegExp, remedy: RegExp];

/** The text has these mistakes and no others, each at its mark. */
function expectMistakes(marked: string, ...expected: readonly Expected[]): void {
  const places: string[] = [];
  let text = '';
  for (const part of marked.split('§')) {
    text += part;
    const lines = text.split('\n');
    places.push(`${lines.length}:${lines.at(-1)!.length + 1}`);
  }
  places.pop();
  const { mistakes = [] } = readNodeFile(text, { path: '/a/node.yaml' });
  const told = mistakes.map(({ line, column, message }) => `${line}:${column} ${message}`);
  assert.deepEqual(
    mistakes.map(({ line, column }) => `${line}:${column}`),
    places,
    `${text}\n${told.join('\n')}`,
  );
  for (const [index, [message, remedy]] of expected.entries()) {
    assert.match(mistakes[index]!.message, message);
    assert.match(mistakes[index]!.remedy, remedy);
  }
  assert.equal(mistakes.length, expected.length);
  for (const { remedy } of mistakes) assert.match(remedy, /^[A-Z].*[.?]$/);
}

/** The same within a network `lan`, whose keys are in flow form. */
function expectInNetwork(keys: string, ...expected: readonly Expected[]): void {
  expectMistakes(`networks:\n  lan: {${keys}}`, ...expected);
}

const ANY = /./;

test('text that is no YAML, and nothing else of it', () => {
  expectMistakes('networks:\n  a: [1, 2\n§b: 3', [
    /^this is no YAML: flow sequence/,
    /indentation/,
  ]);
  expectMistakes('networks: { a: §*b }', [/^this is no YAML: there is no anchor &b/, ANY]);
  expectMistakes('§- a', [/^the file wants a map, not a list$/, /map/]);
});

test('keys that there are not, or twice, or that are no text', () => {
  expectMistakes('§netwroks: {}', [/^there is no key 'netwroks' in the file$/, /'networks'\?/]);
  expectInNetwork('§xyzzy: 1', [
    /no key 'xyzzy' in a network/,
    /^The keys there are: kind, bridge/,
  ]);
  expectInNetwork(
    'machines: {a: {§lnik: {}}, b: {§lnik: {}}}',
    [/no key 'lnik' in a machine/, /'link'\?/],
    [/no key 'lnik' in a machine/, ANY],
  );
  expectInNetwork('mtu: 1500, §mtu: 1501', [/^'mtu' is there already, in line 2$/, ANY]);
  expectInNetwork('machines: {a: web, §a: echo}', [/^'a' is there already, in line 2$/, ANY]);
  expectInNetwork('§[a]: 1', [/^a key is not text$/, ANY]);
  expectInNetwork('§__proto__: 1, §constructor: 2', [/'__proto__'/, ANY], [/'constructor'/, ANY]);
});

test('names', () => {
  expectMistakes('networks: {§Lan: {}}', [/^Lan wants a name, not 'Lan'$/, /lower-case/]);
  expectMistakes('networks: {§1: {}, §a_b: {}}', [ANY, ANY], [ANY, ANY]);
  expectInNetwork('machines: {§a-: web}', [/wants a name/, ANY]);
  expectInNetwork('machines: {§gateway: web}', [/'gateway' is a name that every network has/, ANY]);
  expectInNetwork('machines: {a: web}, taps: {§a: {}}', [
    /^'a' is the name of a station already, in line 2$/,
    ANY,
  ]);
});

test('values of another kind', () => {
  expectInNetwork('subnets: §{}', [/^subnets wants a network, not a map$/, ANY]);
  expectInNetwork('mtu: §big', [/^mtu wants an MTU, not 'big'$/, /whole number from 576/]);
  expectInNetwork('mtu: §1500.5', [/not '1500.5'/, ANY]);
  expectInNetwork('mtu: §', [/^mtu wants an MTU, not nothing$/, ANY]);
  expectInNetwork('uplink: §yes', [
    /true, false or a map, not 'yes'/,
    /keys as hostAccess, allow, deny/,
  ]);
  expectInNetwork('machines: §[web]', [/^machines wants machines, not a list$/, /name: value/]);
  expectInNetwork('machines: {a: §[web]}', [/^a wants a machine, not a list$/, ANY]);
  expectInNetwork('kind: §bridge', [
    /^kind wants isolated, bridged, overlay or direct/,
    /'bridged'\?/,
  ]);
  expectInNetwork('link: §80ms', [/^link wants link, not '80ms'$/, /keys as delay, rate, queue/]);
});

test('quantities and addresses', () => {
  expectInNetwork(
    'link: {delay: §20, rate: §10, queue: §64, loss: §2, reorder: §200%, seed: §-1}',
    [/^delay wants a time, not '20'$/, /as 80ms/],
    [/^rate wants a rate, not '10'$/, /as 10mbit/],
    [/^queue wants a size/, /256KiB/],
    [/^loss wants a share, not '2'$/, /0\.5%/],
    [/^reorder wants a share/, ANY],
    [/^seed wants a seed/, ANY],
  );
  expectInNetwork('link: {delay: §10ms±20ms}', [/^delay wants a time/, ANY]);
  expectInNetwork(
    'subnets: [§10.0.0.0, §10.0.0.0/33, §fe80::%1/64]',
    [ANY, ANY],
    [ANY, ANY],
    [ANY, ANY],
  );
  expectInNetwork(
    'subnets: [10.0.0.0/24], machines: {a: {address: §10.0.0.300}, b: {address: §224.0.0.1}, c: {mac: §01:00:5e:00:00:01}}',
    [/^address wants an address, not '10\.0\.0\.300'$/, ANY],
    [/'224\.0\.0\.1'/, ANY],
    [/^mac wants a MAC address/, /even/],
  );
  expectInNetwork(
    'machines: {a: {vlan: §4095}, b: {vlan: §trunk}, c: {vlan: {trunk: §20-10}}, d: {vlan: {trunk: [1, §x]}}, e: {priority: §8}, f: {vlan: §}}',
    [/^vlan wants a VLAN, not '4095'$/, ANY],
    [/^vlan wants a VLAN or a trunk/, /trunk: \[1, 10-20\]/],
    [/^trunk wants VLANs, not '20-10'$/, ANY],
    [/^trunk wants VLANs, not 'x'$/, ANY],
    [/^priority wants a priority, not '8'$/, ANY],
    [/^vlan wants a VLAN or a trunk, not nothing$/, ANY],
  );
  expectInNetwork(
    'machines: {a: §wbe, b: {run: [echo, §snik]}}',
    [/^a wants web, echo, sink or a module, not 'wbe'$/, /'web'\?/],
    [/^run wants/, /'sink'\?/],
  );
  expectInNetwork('switch: {ageing: §0s, stations: §0}', [/a time, not '0s'/, ANY], [ANY, ANY]);
  expectInNetwork(
    'taps: {a: {interface: §a/b, namespace: §""}}',
    [/^interface wants the name of an interface/, ANY],
    [/^namespace wants a name or a path/, ANY],
  );
});

test('subnets and the addresses in them', () => {
  expectInNetwork(
    'subnets: [10.0.0.0/16, §10.0.3.0/24, §10.1.0.5/24]',
    [/^10\.0\.3\.0\/24 and 10\.0\.0\.0\/16 overlap$/, ANY],
    [/^10\.1\.0\.5\/24 is an address in the network 10\.1\.0\.0\/24$/, /^Write 10\.1\.0\.0\/24/],
  );
  const lan = 'subnets: [10.0.0.0/24]';
  expectInNetwork(`${lan}, machines: {a: {address: [10.0.0.2, §10.0.1.2]}}`, [
    /^10\.0\.1\.2 is in no subnet of the network$/,
    /10\.0\.0\.0\/24/,
  ]);
  expectInNetwork('machines: {a: {address: §10.0.1.2}}', [/the network has none$/, /subnets: \[/]);
  expectInNetwork(`${lan}, machines: {a: {address: 10.0.0.2}, b: {address: §10.0.0.2}}`, [
    /^10\.0\.0\.2 is the address of a already$/,
    ANY,
  ]);
  expectInNetwork(`${lan}, machines: {a: {address: §10.0.0.1}}`, [
    /^10\.0\.0\.1 is the address of the gateway already$/,
    /gateway: 10\.0\.0\.254/,
  ]);
  expectInNetwork(
    `${lan}, machines: {a: {address: §10.0.0.0}, b: {address: §10.0.0.255}}`,
    [/of the subnet itself$/, ANY],
    [/of all stations of the subnet$/, ANY],
  );
  // What is outside of those that were understood may be in one that was not.
  expectInNetwork('subnets: [10.0.0.0/24, §abc], machines: {a: {address: 10.0.1.2}}', [ANY, ANY]);
});

test('the gateway and what it does', () => {
  const lan = 'subnets: [10.0.0.0/24]';
  expectInNetwork(
    `${lan}, gateway: [10.0.0.1, §10.0.0.2, §10.1.0.1]`,
    [/^the gateway has an address in 10\.0\.0\.0\/24 already: 10\.0\.0\.1$/, ANY],
    [/^10\.1\.0\.1 is in no subnet/, ANY],
  );
  expectInNetwork('§gateway: true', [/^there can be no gateway$/, /subnets/]);
  expectInNetwork(
    `${lan}, gateway: false, §dhcp: true, dns: false, §uplink: true`,
    [/^dhcp is the gateway’s, and there is none$/, /gateway: false/],
    [/^uplink is/, ANY],
  );
  expectInNetwork(`${lan}, kind: bridged, bridge: br0, §publish: [8080:a:80], machines: {a: }`, [
    /^publish is the gateway’s/,
    /^Write gateway: true/,
  ]);
  expectInNetwork(
    `${lan}, dhcp: {range: §10.0.1.1-10.0.1.9, lease: §0s}`,
    [/^10\.0\.1\.1-10\.0\.1\.9 is not within 10\.0\.0\.0\/24/, ANY],
    [/^lease wants a time/, ANY],
  );
  expectInNetwork(`${lan}, dhcp: {range: §10.0.0.9-10.0.0.1}`, [/^range wants a range/, ANY]);
  expectInNetwork(
    `${lan}, §dhcpv6: true, §advertisements: true`,
    [/^dhcpv6 gives out IPv6 addresses, and the network has no such subnet$/, ANY],
    [/^there is no IPv6 subnet/, ANY],
  );
  expectInNetwork('subnets: [10.0.0.0/31], §dhcp: true', [/^10\.0\.0\.0\/31 is too small/, /\/30/]);
  expectInNetwork(`${lan}, dns: {names: {a: 10.0.0.9}}, machines: {§a: }`, [
    /^'a' is the name of what dns names already/,
    ANY,
  ]);
  expectInNetwork(
    `${lan}, router: [10.0.0.7, §10.0.0.8, §10.9.0.1]`,
    [/^there is another default router of IPv4 already$/, ANY],
    [/in no subnet/, ANY],
  );
  expectInNetwork(
    `${lan}, uplink: {deny: [§10.0.0.0/99, §a..b]}`,
    [/^deny wants/, ANY],
    [ANY, ANY],
  );
});

test('reservations', () => {
  const mac = 'mac: 02:00:00:00:00:01';
  expectInNetwork(
    `subnets: [10.0.0.0/24], reservations: [{${mac}}, {mac: §02:00:00:00:00:01}, §{name: x}, {mac: 02:00:00:00:00:02, address: [10.0.0.7, §10.0.0.8]}]`,
    [/^there is a reservation for 02:00:00:00:00:01 already$/, ANY],
    [/^the reservation says not for whom$/, /mac/],
    [/^the reservation has another IPv4 address already$/, ANY],
  );
  expectInNetwork(
    `subnets: [10.0.0.0/24], reservations: [{${mac}, name: q}], qemu: {q: {listen: 7001}}`,
  );
  expectInNetwork(`subnets: [10.0.0.0/24], reservations: [{${mac}, name: q}], machines: {§q: }`, [
    /^'q' is the name of a client already/,
    ANY,
  ]);
});

test('the kinds of networks and their keys', () => {
  expectInNetwork('kind: §bridged', [/^the bridged network names no bridge$/, /bridge: br0/]);
  expectInNetwork('kind: §bridged, bridge: br0, interface: eth1', [
    /a bridge and an interface$/,
    ANY,
  ]);
  expectInNetwork(
    '§bridge: br0, §interface: e, §peers: []',
    [/^bridge is for networks that are bridged; this one is isolated$/, /^Write kind: bridged, or/],
    [/bridged or direct/, ANY],
    [/overlay/, ANY],
  );
  expectInNetwork('kind: §overlay', [/^the overlay has no identifier$/, ANY]);
  expectInNetwork('kind: overlay, identifier: §16777216', [/^identifier wants a VXLAN/, ANY]);
});

test('overlays', () => {
  expectInNetwork(
    'kind: overlay, identifier: 1, peers: [192.0.2.1, §192.0.2.1, §"[2001:db8::1]:1"]',
    [/^192\.0\.2\.1:4789 is a peer already$/, ANY],
    [/of two families$/, ANY],
  );
  expectMistakes(
    `
networks:
  a: {kind: overlay, identifier: 42}
  b: {kind: overlay, identifier: §42}
  c: {kind: overlay, identifier: 42, local: 0.0.0.0:8472}
  d: {kind: overlay, identifier: 43}
`,
    [/^the identifier 42 at 0\.0\.0\.0:4789 is taken already by the network a, in line 3$/, ANY],
  );
});

test('direct networks', () => {
  expectInNetwork('kind: §direct, machines: {a: }', [
    /^the direct network names no interface$/,
    ANY,
  ]);
  expectInNetwork('kind: §direct, interface: eth1', [/has one machine, this one has 0$/, ANY]);
  expectInNetwork('kind: direct, interface: eth1, machines: §{a: , b: }', [/this one has 2$/, ANY]);
  expectInNetwork(
    'kind: direct, interface: eth1, machines: {a: }, §taps: {b: }, §switch: {}',
    [/taps is not for it$/, ANY],
    [/switch is not for it$/, ANY],
  );
});

test('services of one machine on one port', () => {
  expectInNetwork(
    'machines: {a: {run: [web, §./x.ts, echo, §echo, §{port: 81}]}}',
    [/^another service of the machine has TCP port 80$/, /port: 8080/],
    [/TCP port 7$/, /Leave/],
    [/^the service names no module$/, ANY],
  );
});

test('what there is once on a machine', () => {
  expectMistakes(
    `
networks:
  a:
    subnets: [10.0.0.0/24]
    machines: { m: { mac: 02:00:00:00:00:01 }, n: { mac: §02:00:00:00:00:01 } }
    taps: { t: { namespace: x }, u: { namespace: x, interface: §t }, v: { interface: t } }
    qemu:
      q: { listen: 8080 }
      r: { listen: §8080 }
      s: { local: 9000, remote: 9001 }
    publish: [§0.0.0.0:8080:m:80, 0:m:80, 0:m:81, 8080:m:53/udp, §9000:m:1/udp, "[::]:8080:m:80"]
  b:
    subnets: [10.0.0.0/24]
    machines: { m: { mac: 02:00:00:00:00:01 } }
    publish: [§8080:m:80, 8081:m:80, 127.0.0.2:8081:m:80, 0.0.0.0:8082:m:80, §8082:m:80]
`,
    [/^02:00:00:00:00:01 is taken already by m of a, in line 5$/, ANY],
    [/^the interface t is taken already by t of a, in line 6$/, /interface: tap7/],
    [/^TCP port 8080 of this machine is taken already by q of a, in line 8$/, /another port/],
    [/^TCP port 8080 of this machine is taken already by q of a/, ANY],
    [/^UDP port 9000 of this machine is taken already by s of a/, ANY],
    [/^TCP port 8080 of this machine is taken already by q of a/, ANY],
    [/^TCP port 8082 of this machine is taken already by a publication of b, in line 15$/, ANY],
  );
});

test('publications', () => {
  const lan = 'subnets: [10.0.0.0/24], machines: {web: }';
  expectInNetwork(
    `${lan}, publish: [§8080:wbe:80, §8081:10.1.0.9:80]`,
    [/^there is no station 'wbe' in the network$/, /'web'\?/],
    [/^10\.1\.0\.9 is in no subnet/, ANY],
  );
  for (const bad of [
    '8080:80',
    '8080:web',
    '8080:web:0',
    '99999:web:80',
    '8080:web:80/sctp',
    'x:8080:web:80',
    '127.0.0.1:8080:web',
    '"[10.0.0.1]:1:web:1"',
  ]) {
    expectInNetwork(`${lan}, publish: [§${bad}]`, [/^publish wants a publication/, /8080:web:80/]);
  }
});

test('QEMUs are reached in one way', () => {
  expectInNetwork(
    'qemu: {§a: {}, §b: {listen: 1, connect: 2}, §c: {local: 3}, §d: {listen: 4, remote: 5}}',
    [/^a says not how QEMU is reached$/, /listen: 127\.0\.0\.1:7001/],
    [/^b says twice/, ANY],
    [/^c has no remote$/, ANY],
    [/^d says twice/, ANY],
  );
  expectInNetwork(
    'qemu: {a: {listen: §0}, b: {connect: §"::1"}}',
    [/an address and a port/, ANY],
    [ANY, ANY],
  );
});

test('TAPs whose interface cannot be called that, and routes to nowhere', () => {
  expectInNetwork('taps: {§a-very-long-name-indeed: {}}', [
    /^'a-very-long-name-indeed' is too long/,
    /interface: tap0/,
  ]);
  expectInNetwork('taps: {a: {defaultRoute: §true}}', [
    /^there is no gateway that a default route/,
    ANY,
  ]);
});

/** Two networks, and the routers of the file. */
function expectInRouters(routers: string, ...expected: readonly Expected[]): void {
  expectMistakes(
    `
networks:
  a: {subnets: [10.1.0.0/24, fd00:1::/64], machines: {m: }}
  b: {subnets: [10.2.0.0/24]}
  x: {kind: direct, interface: eth1, machines: {m: }}
routers: {${routers}}
`,
    ...expected,
  );
}

test('routers and their interfaces', () => {
  expectInRouters('§r: {}', [/^the router is in no network$/, /at least two/]);
  expectInRouters('§r: {interfaces: {a: 10.1.0.9}}', [/in one network only$/, ANY]);
  expectInRouters(
    'r: {interfaces: {a: 10.1.0.9, b: 10.2.0.9, §c: 10.3.0.9, §x: 1.1.1.1/8}}',
    [/^there is no network 'c'$/, /Networks: a, b, x/],
    [/^the network x is direct/, ANY],
  );
  expectInRouters(
    'r: {interfaces: {a: §10.2.0.9, §b: {}}}',
    [/^10\.2\.0\.9 is in no subnet/, ANY],
    [/^the router has no address there$/, /b: 10/],
  );
  expectInRouters('r: {interfaces: {a: §10.1.0.1, b: 10.2.0.9}}', [/of the gateway already$/, ANY]);
  expectInRouters('m: {interfaces: {§a: 10.1.0.9, b: 10.2.0.9}}', [
    /'m' is the name of a station already/,
    ANY,
  ]);
});

test('routes and translation', () => {
  const interfaces = 'interfaces: {a: 10.1.0.9, b: 10.2.0.9}';
  expectInRouters(
    `r: {${interfaces}, routes: {0.0.0.0/0: §10.3.0.1, §default: 10.1.0.1, ::/0: §10.1.0.1, 10.9.0.0/16: §10.1.0.9}}`,
    [/^10\.3\.0\.1 is in none of the router’s networks$/, ANY],
    [/wants a network/, ANY],
    [/of two families$/, ANY],
    [/^10\.1\.0\.9 is the router’s own address$/, ANY],
  );
  expectInRouters(`r: {${interfaces}, nat: §c}`, [/^the router has no interface in 'c'$/, /a, b/]);
  expectInRouters(
    `r: {${interfaces}, §nat: {inside: [a, §z]}}`,
    [/^nat does not say/, ANY],
    [/'z'/, ANY],
  );
  expectInRouters(
    `r: {${interfaces}, nat: {outside: a, inside: §a, mapping: §adress-dependent}}`,
    [/^a is outside already$/, ANY],
    [/^mapping wants endpoint-independent/, /'address-dependent'\?/],
  );
  expectInRouters('r: {interfaces: {a: fd00:1::9, b: 10.2.0.9}, §nat: a}', [
    /wants an IPv4 address/,
    ANY,
  ]);
});

test('subnets that overlap in networks which routers join', () => {
  expectMistakes(
    `
networks:
  a: {subnets: [10.0.0.0/16]}
  b: {subnets: [10.9.0.0/24]}
  c: {subnets: [10.0.7.0/24]}
  d: {subnets: [10.0.0.0/16]}
routers:
  r: {interfaces: {a: 10.0.0.9, b: 10.9.0.8}}
  s: {interfaces: {b: 10.9.0.9, §c: 10.0.7.9}}
`,
    [/^10\.0\.7\.0\/24 of c and 10\.0\.0\.0\/16 of a overlap, and routers join the two$/, ANY],
  );
});
