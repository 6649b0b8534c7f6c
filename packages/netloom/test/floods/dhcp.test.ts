/** DHCP clients that are made up, of both families: who only asks, and who takes what is offered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, MacAddress, type Random } from 'netloom/core';
import {
  DHCPV6_ALL_SERVERS,
  Dhcpv4Message,
  Dhcpv4MessageType,
  Dhcpv4OptionCode,
  Dhcpv6Message,
  Dhcpv6MessageType,
  Dhcpv6OptionCode,
  dhcpv6Association,
  dhcpv6Option,
  duidOfMac,
  encodeDhcpv4,
  encodeDhcpv6,
  parseDhcpv4,
} from 'netloom/wire';
import { udpFrame } from '../ip/frames.ts';
import { FloodLab } from './flood-lab.ts';

/** An Ethernet header, one of IPv4, one of UDP. */
const MESSAGE = 14 + 20 + 8;

function made(random: Random): MacAddress {
  return new MacAddress(0x0200, random.uint32());
}

/** A message to all, in a frame to the gateway alone: then no storm limit holds it up. */
function message4(
  lab: FloodLab,
  sourceMac: MacAddress,
  mac: MacAddress,
  options: Dhcpv4Message['options'],
): Uint8Array {
  const message = new Dhcpv4Message();
  message.mac = mac;
  message.transactionId = mac.low;
  // So that answers go to all: they cost the neighbours most then.
  message.broadcast = true;
  message.options = options;
  const ends = {
    source: IpAddress.ANY4,
    destination: IpAddress.BROADCAST4,
    sourceMac,
    destinationMac: lab.inside.mac,
  };
  return udpFrame(ends, 68, 67, encodeDhcpv4(message));
}

const TYPE = Dhcpv4OptionCode.MESSAGE_TYPE;
const DISCOVER = [{ code: TYPE, data: Uint8Array.of(Dhcpv4MessageType.DISCOVER) }];

/** Takes whatever the server offers. */
function taking(lab: FloodLab): void {
  const { attacker } = lab;
  attacker.heard = (frame) => {
    const offer = frame.length > MESSAGE ? parseDhcpv4(frame, MESSAGE, frame.length) : 'short';
    if (typeof offer === 'string' || offer.type !== Dhcpv4MessageType.OFFER) return;
    const server = offer.option(Dhcpv4OptionCode.SERVER_IDENTIFIER)!;
    const options = [
      { code: TYPE, data: Uint8Array.of(Dhcpv4MessageType.REQUEST) },
      { code: Dhcpv4OptionCode.SERVER_IDENTIFIER, data: server },
      { code: Dhcpv4OptionCode.REQUESTED_ADDRESS, data: offer.yourAddress.toBytes() },
    ];
    attacker.send(message4(lab, attacker.mac, offer.mac!, options));
  };
}

test('DISCOVERs of clients that are made up: a station is served so often, and has a share of the pool', async () => {
  const lab = await FloodLab.open();
  let answers = 0;
  lab.attacker.heard = (frame) => void (answers += frame[0] === 0xff ? 1 : 0);
  await lab.disturb((_, random) => message4(lab, lab.attacker.mac, made(random), DISCOVER));
  const { drops } = lab.services.dhcp!;
  assert.ok(drops.get('station-rate') > 0.95 * lab.attacker.sent);
  assert.ok(answers < 20 * 10, `${answers} answers to all`);
});

test('clients that are made up and take what they are offered: a station has half the pool, and there is room for others', async () => {
  const lab = await FloodLab.open();
  taking(lab);
  await lab.disturb((_, random) => message4(lab, lab.attacker.mac, made(random), DISCOVER), 1000);
  // As long as it pleases: the rate alone would not keep it from the last address.
  lab.attacker.flood((_, random) => message4(lab, lab.attacker.mac, made(random), DISCOVER), 8);
  await lab.rest(60_000);
  const taken = lab.services.dhcp!.leases().length;
  assert.ok(taken > 40 && taken <= 66, `${taken} leases`);
  await lab.newcomer('second', 5);
  lab.attacker.stop();
  await lab.pass(3_700_000);
  assert.equal(lab.services.dhcp!.leases().length, 2, 'of those who came and are there');
});

test('sixteen stations, as many as the port lets in, want all addresses: there is room for others', async () => {
  const lab = await FloodLab.open();
  const stations = Array.from({ length: 16 }, (_, index) => new MacAddress(0x0266, index));
  const discover = (number: number, random: Random): Uint8Array =>
    message4(lab, stations[number % 16]!, made(random), DISCOVER);
  await lab.disturb(discover);
  assert.ok(lab.services.dhcp!.drops.get('offer-taken-back') > 10);
  await lab.newcomer('second', 5);
});

test('DHCPv6 clients that are made up and take what they get: a station is served so often, and has a share of the pool', async () => {
  const lab = await FloodLab.open();
  const { attacker } = lab;
  const zeros = { renew: 0, rebind: 0, addresses: [], prefixes: [], status: 0 };
  const association = dhcpv6Association({ code: Dhcpv6OptionCode.IA_NA, id: 1, ...zeros });
  await lab.disturb((number, random) => {
    const message = new Dhcpv6Message();
    message.type = Dhcpv6MessageType.SOLICIT;
    message.transactionId = number & 0xff_ffff;
    message.options = [
      dhcpv6Option(Dhcpv6OptionCode.CLIENT_IDENTIFIER, duidOfMac(made(random))),
      dhcpv6Option(Dhcpv6OptionCode.RAPID_COMMIT),
      association,
    ];
    return udpFrame(
      {
        source: IpAddress.parse('fe80::66'),
        destination: DHCPV6_ALL_SERVERS,
        sourceMac: attacker.mac,
        destinationMac: lab.inside.mac,
      },
      546,
      547,
      encodeDhcpv6(message),
    );
  });
  const { drops } = lab.services.dhcpv6!;
  assert.ok(drops.get('station-rate') > 0.95 * attacker.sent);
  assert.ok(lab.services.dhcpv6!.leases().length < 200);
});
