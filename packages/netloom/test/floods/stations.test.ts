/** Stations that are made up, and those of others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MacAddress, type Random } from 'netloom/core';
import { EtherType } from 'netloom/wire';
import { ethernetFrame } from '../ip/frames.ts';
import { FloodLab, GUEST_PORT } from './flood-lab.ts';

const NOTHING = new Uint8Array(46);

/** The stations behind the attacker's port. */
function learned(lab: FloodLab): number {
  return lab.switch.stations().filter(({ port }) => port === lab.attackerPort).length;
}

function made(random: Random): MacAddress {
  return new MacAddress(0x0200 | random.below(0x100), random.uint32());
}

test('a port that drops further stations keeps to its limit, and those it knows age', async () => {
  const lab = await FloodLab.open();
  await lab.disturb((_, random) =>
    ethernetFrame(made(random), lab.inside.mac, EtherType.IPV4, NOTHING),
  );
  assert.equal(learned(lab), 64);
  assert.ok(lab.portDrops.get('station-limit') > 0.99 * lab.attacker.sent);
  await lab.rest(301_000);
  assert.equal(learned(lab), 0);
});

test('a port that forwards further stations: the table is full, and who was known stays known', async () => {
  const lab = await FloodLab.open({
    port: { ...GUEST_PORT, stations: 4096, whenFull: 'forward' },
    switchLimits: { stations: 1024 },
  });
  await lab.disturb((_, random) =>
    ethernetFrame(made(random), made(random), EtherType.IPV4, NOTHING),
  );
  assert.equal(lab.switch.stations().length, 1024);
  assert.ok(lab.attackerPort.statistics.stationsRefused > 1000);
  assert.ok(lab.portDrops.get('storm-unknown-unicast') > 0.9 * lab.attacker.sent);
});

test('frames in the name of the gateway, the machine and the neighbour go nowhere', async () => {
  const lab = await FloodLab.open();
  const [, neighbour] = lab.neighbour.stack.interfaces;
  const [, machine] = lab.machine.stack.interfaces;
  const macs = [lab.inside.mac, neighbour!.mac, machine!.mac];
  await lab.disturb((number) =>
    ethernetFrame(macs[number % 3]!, macs[(number + 1) % 3]!, EtherType.IPV4, NOTHING),
  );
  assert.equal(lab.portDrops.get('station-elsewhere'), lab.attacker.sent);
});
