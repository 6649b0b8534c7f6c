/** ARP, answered and unanswered, for oneself and for others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, MacAddress } from 'netloom/core';
import { ArpOperation } from 'netloom/wire';
import { arpFrame, udpFrame } from '../ip/frames.ts';
import { FloodLab } from './flood-lab.ts';

const GATEWAY = IpAddress.parse('10.0.0.1');
const NEIGHBOUR = IpAddress.parse('10.0.0.3');

/** Any address of the network, 10.0.0.0/24. */
function onLink(number: number): IpAddress {
  return IpAddress.v4(0x0a00_0000 + (number & 0xff));
}

test('ARP requests to the gateway in the name of everybody: its table keeps to its limit', async () => {
  const lab = await FloodLab.open({ limits: { neighbour: { neighbours: 32 } } });
  const { attacker, inside } = lab;
  await lab.disturb((number) =>
    arpFrame(inside.mac, {
      operation: ArpOperation.REQUEST,
      senderMac: attacker.mac,
      // Every other one is of no network here.
      sender: number % 2 === 0 ? onLink(number >>> 1) : IpAddress.v4(0x0b00_0000 + number),
      target: GATEWAY,
    }),
  );
  assert.equal(inside.neighbours.size, 32);
  assert.ok(inside.drops.get('neighbour-evicted') > 10_000);
  // Those of the gateway, of its neighbours: nobody else may claim them.
  assert.ok(lab.portDrops.get('address-elsewhere') > 500);
});

test('gratuitous ARP in the name of the gateway and of the neighbour goes nowhere', async () => {
  const lab = await FloodLab.open();
  const { attacker } = lab;
  await lab.disturb((number) => {
    const sender = number % 2 === 0 ? GATEWAY : NEIGHBOUR;
    const operation = number % 3 === 0 ? ArpOperation.REQUEST : ArpOperation.REPLY;
    const to = [lab.inside.mac, lab.neighbour.stack.interfaces[1]!.mac, MacAddress.BROADCAST];
    return arpFrame(to[number % 3]!, {
      operation,
      senderMac: attacker.mac,
      sender,
      target: sender,
    });
  });
  const { drops } = lab.attackerPort.statistics;
  assert.equal(drops.get('address-elsewhere') + drops.get('storm-broadcast'), attacker.sent);
});

test('broadcast ARP requests for nobody: the port lets through what an honest guest needs', async () => {
  const lab = await FloodLab.open();
  const { attacker } = lab;
  await lab.disturb((number) =>
    arpFrame(MacAddress.BROADCAST, {
      operation: ArpOperation.REQUEST,
      senderMac: attacker.mac,
      sender: IpAddress.parse('10.0.0.66'),
      target: onLink(number),
    }),
  );
  assert.ok(lab.portDrops.get('storm-broadcast') > 0.9 * attacker.sent);
});

test('packets for addresses where nobody is: the gateway asks so often and no more, and keeps so many bytes', async () => {
  const lab = await FloodLab.open({ limits: { neighbour: { waitingBytes: 65_536 } } });
  const { attacker, inside } = lab;
  let questions = 0;
  attacker.heard = (frame) => void (questions += frame[0] === 0xff ? 1 : 0);
  await lab.disturb((number) =>
    udpFrame(
      {
        source: IpAddress.parse('10.0.0.66'),
        destination: onLink(100 + (number % 150)),
        sourceMac: attacker.mac,
        destinationMac: inside.mac,
      },
      1000,
      1000,
      new Uint8Array(1000),
    ),
  );
  assert.ok(inside.neighbours.waitingBytes <= 65_536);
  assert.ok(inside.drops.get('neighbour-waiting-limit') > 1000);
  assert.ok(questions < 500 * 5, `${questions} questions to all`);
  await lab.rest(10_000);
  assert.equal(inside.neighbours.waitingBytes, 0);
});
