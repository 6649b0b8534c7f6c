/** Neighbour discovery, in names that are made up and in those of others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, MacAddress, type Random } from 'netloom/core';
import { Icmpv6Type, solicitedNodeGroup, type NdpMessage } from 'netloom/wire';
import { ndpFrame, udpFrame } from '../ip/frames.ts';
import { FloodLab } from './flood-lab.ts';

const GATEWAY = IpAddress.parse('fd00::1');
const NEIGHBOUR = IpAddress.parse('fd00::3');
const ALL_NODES = IpAddress.parse('ff02::1');
const ALL_ROUTERS = IpAddress.parse('ff02::2');

/** The station address of a group (RFC 2464, section 7). */
function groupMac({ word3 }: IpAddress): MacAddress {
  return new MacAddress(0x3333, word3);
}

/** Whether a frame has such a message for a group. */
function isToAll(frame: Uint8Array, type: number): boolean {
  return frame[0] === 0x33 && frame[54] === type;
}

function linkLocal(random: Random): IpAddress {
  return IpAddress.v6(0xfe80_0000, 0, random.uint32(), random.uint32());
}

test('neighbour solicitations to the gateway in the name of everybody: its table keeps to its limit', async () => {
  const lab = await FloodLab.open({ limits: { neighbour: { neighbours: 64 } } });
  const { mac } = lab.attacker;
  const message: NdpMessage = {
    kind: 'neighbour-solicitation',
    target: GATEWAY,
    options: [{ kind: 'source-link-address', mac }],
  };
  await lab.disturb((_, random) =>
    ndpFrame(
      {
        source: linkLocal(random),
        destination: GATEWAY,
        sourceMac: mac,
        destinationMac: lab.inside.mac,
      },
      message,
    ),
  );
  assert.equal(lab.inside.neighbours.size, 64);
  assert.ok(lab.inside.drops.get('neighbour-evicted') > 0.9 * lab.attacker.sent);
});

test('whoever asks without an address whether the gateway’s is free has it speak to all, and so not without end', async () => {
  const lab = await FloodLab.open();
  const { attacker } = lab;
  let answers = 0;
  attacker.heard = (frame) =>
    void (answers += isToAll(frame, Icmpv6Type.NEIGHBOUR_ADVERTISEMENT) ? 1 : 0);
  const free: NdpMessage = { kind: 'neighbour-solicitation', target: GATEWAY, options: [] };
  await lab.disturb(() =>
    ndpFrame(
      {
        source: IpAddress.ANY6,
        destination: solicitedNodeGroup(GATEWAY),
        sourceMac: attacker.mac,
        // To the gateway alone: then no storm limit holds it up.
        destinationMac: lab.inside.mac,
      },
      free,
    ),
  );
  assert.ok(lab.inside.drops.get('neighbour-answer-limit') > 0.9 * attacker.sent);
  assert.ok(answers < 50 * 6, `${answers} answers to all`);
});

test('advertisements of the gateway’s and the neighbour’s address go nowhere', async () => {
  const lab = await FloodLab.open();
  const { mac } = lab.attacker;
  await lab.disturb((number, random) =>
    ndpFrame(
      {
        source: linkLocal(random),
        destination: ALL_NODES,
        sourceMac: mac,
        destinationMac: number % 2 === 0 ? lab.inside.mac : groupMac(ALL_NODES),
      },
      {
        kind: 'neighbour-advertisement',
        target: number % 3 === 0 ? GATEWAY : NEIGHBOUR,
        router: true,
        solicited: false,
        override: true,
        options: [{ kind: 'target-link-address', mac }],
      },
    ),
  );
  const { portDrops } = lab;
  const dropped = portDrops.get('address-elsewhere') + portDrops.get('storm-multicast');
  assert.equal(dropped, lab.attacker.sent);
});

test('router solicitations without end are answered to all now and then (RFC 4861, section 6.2.6)', async () => {
  const lab = await FloodLab.open();
  const { attacker } = lab;
  let answers = 0;
  attacker.heard = (frame) =>
    void (answers += isToAll(frame, Icmpv6Type.ROUTER_ADVERTISEMENT) ? 1 : 0);
  await lab.disturb((_, random) =>
    ndpFrame(
      {
        source: linkLocal(random),
        destination: ALL_ROUTERS,
        sourceMac: attacker.mac,
        destinationMac: lab.inside.mac,
      },
      { kind: 'router-solicitation', options: [] },
    ),
  );
  assert.ok(answers < 20, `${answers} answers to all`);
});

test('packets for addresses where nobody is: the gateway asks so often and no more (RFC 6583)', async () => {
  const lab = await FloodLab.open({ limits: { neighbour: { neighbours: 256 } } });
  const { attacker, inside } = lab;
  let questions = 0;
  attacker.heard = (frame) =>
    void (questions += isToAll(frame, Icmpv6Type.NEIGHBOUR_SOLICITATION) ? 1 : 0);
  await lab.disturb((_, random) =>
    udpFrame(
      {
        source: IpAddress.parse('fd00::66'),
        destination: IpAddress.v6(0xfd00_0000, 0, random.uint32(), random.uint32()),
        sourceMac: attacker.mac,
        destinationMac: inside.mac,
      },
      1000,
      1000,
      new Uint8Array(1000),
    ),
  );
  assert.ok(inside.neighbours.size <= 256);
  assert.ok(questions < 500 * 5, `${questions} questions to all`);
  assert.ok(inside.drops.get('neighbour-question-limit') > 1000);
  await lab.rest(10_000);
  assert.equal(inside.neighbours.waitingBytes, 0);
});
