/** Handshakes that are begun and not finished: to the world, and to a machine that listens. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, type MacAddress } from 'netloom/core';
import { TcpFlag, TcpHeader } from 'netloom/wire';
import { tcpFrame } from '../ip/frames.ts';
import type { FrameMaker } from './attacker.ts';
import { FloodLab, SILENT } from './flood-lab.ts';
import { echoed } from './traffic.ts';

const MACHINE = IpAddress.parse('10.0.0.2');
const NEIGHBOUR = IpAddress.parse('10.0.0.3');
const OWN = IpAddress.parse('10.0.0.66');
const EMPTY = new Uint8Array(0);

/** SYNs a second: what each of them costs a stack, so many cost more than frames that are dropped at once. */
const RATE = 10_000;

/** How a flood of SYNs is. */
interface SynFlood {
  /** In whose name; undefined: in that of sixty others of the network, whom nobody else is. */
  readonly source?: IpAddress;
  /** Default: any host of {@link SILENT}. */
  readonly destination?: IpAddress;
  readonly port?: number;
  readonly to: MacAddress;
}

function syns(
  { attacker }: FloodLab,
  { source, destination, port = 80, to }: SynFlood,
): FrameMaker {
  return (number, random) => {
    const header = Object.assign(new TcpHeader(), {
      sourcePort: 1024 + (number % 60_000),
      destinationPort: port,
      sequence: random.uint32() | 0,
      flags: TcpFlag.SYN,
      window: 65_535,
      maximumSegmentSize: 1460,
    });
    const ends = {
      source: source ?? IpAddress.v4(0x0a00_0000 + 64 + random.below(60)),
      destination: destination ?? IpAddress.v4(SILENT.network.word3 + random.below(256)),
      sourceMac: attacker.mac,
      destinationMac: to,
    };
    return tcpFrame(ends, header, EMPTY);
  };
}

for (const [whose, source] of [
  ['its own', OWN],
  ['many others’', undefined],
  ['the neighbour’s', NEIGHBOUR],
] as const) {
  test(`SYNs to hosts that do not answer, in ${whose} name: the attempts are those of one guest, and end`, async () => {
    const lab = await FloodLab.open();
    const { attacker, inside, gateway } = lab;
    await lab.disturb(syns(lab, { to: inside.mac, ...(source && { source }) }), RATE);
    const { tcp } = gateway.stack;
    assert.ok(tcp.attempts.size <= 256);
    assert.ok(tcp.statistics.drops.get('tcp-attempts-of-guest-limit') > 0.9 * attacker.sent);
    const { address } = lab.server;
    const connected = lab.neighbour.connect({ host: address, port: 7, timeout: 5000 });
    (await lab.world.run(connected)).abort();
    await lab.rest(200_000);
    const left = [tcp.attempts.size, lab.uplink.flows.size, lab.outside.stack.tcp.connections];
    assert.deepEqual(left, [0, 0, 0]);
  });
}

test('SYNs to a machine that listens: half-open connections keep to their limit, and the neighbour gets in', async () => {
  const lab = await FloodLab.open({ limits: { tcp: { halfOpen: 64 } } });
  const { attacker, machine, world } = lab;
  const { mac } = machine.stack.interfaces.find(({ name }) => name === 'lan')!;
  const flood = syns(lab, { to: mac, destination: MACHINE, port: 7 });
  await lab.disturb(flood, RATE);
  const { tcp } = machine.stack;
  assert.ok(tcp.statistics.drops.get('tcp-half-open-limit') > 1000);
  attacker.flood(flood, RATE);
  // Its handshakes take longer than the flood takes to fill the table.
  lab.neighbourLine.impair({ delay: 40 });
  for (let left = 5; left > 0; left--) {
    const connection = await world.run(lab.neighbour.connect({ host: MACHINE, port: 7 }));
    // Only what comes back shows that the machine has taken it.
    await world.run(echoed(connection));
    connection.abort();
  }
  assert.ok(tcp.connections <= 64 + 4, `${tcp.connections} connections`);
  attacker.stop();
  await lab.rest(200_000);
  assert.equal(tcp.connections, 0);
});
