/** Groups that are joined without end, where the switch listens to who wants what. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, MacAddress } from 'netloom/core';
import { GroupRecordType, IpProtocol, emitIgmp, igmpLength, type IgmpMessage } from 'netloom/wire';
import { ipFrame } from '../ip/frames.ts';
import { FloodLab, GUEST_PORT } from './flood-lab.ts';

const ALL_REPORTS = IpAddress.parse('224.0.0.22');

function igmp(lab: FloodLab, destination: IpAddress, message: IgmpMessage): Uint8Array {
  const bytes = new Uint8Array(igmpLength(message));
  emitIgmp(message, bytes, 0);
  return ipFrame(
    {
      source: IpAddress.parse('10.0.0.66'),
      destination,
      sourceMac: lab.attacker.mac,
      destinationMac: new MacAddress(0x0100, 0x5e00_0000 | (destination.word3 & 0x7f_ffff)),
      hopLimit: 1,
    },
    IpProtocol.IGMP,
    bytes,
  );
}

test('IGMP joins of groups without end: a port is in so many, and they end', async () => {
  const lab = await FloodLab.open({
    snooping: true,
    switchLimits: { groups: 600, groupsPerPort: 100 },
    port: { ...GUEST_PORT, storm: {} },
  });
  await lab.disturb(
    (number) =>
      igmp(lab, ALL_REPORTS, {
        kind: 'report-v3',
        records: Array.from({ length: 4 }, (_, index) => ({
          type: GroupRecordType.CHANGE_TO_EXCLUDE,
          group: IpAddress.v4((239 << 24) + 4 * number + index),
          sources: [],
        })),
      }),
    5000,
  );
  assert.ok(lab.switch.groups().length <= 110, `${lab.switch.groups().length} groups`);
  assert.ok(lab.switch.snoopingRefusals!.get('group-limit') > 1000);
  await lab.rest(300_000);
  assert.ok(lab.switch.groups().length < 10);
});
