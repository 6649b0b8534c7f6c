/** DHCP: the parsers of both versions, and the names in their options. */
import assert from 'node:assert/strict';
import { IpAddress, MacAddress, fromHex } from 'netloom/core';
import {
  Dhcpv4Message,
  Dhcpv4OptionCode,
  Dhcpv6Message,
  Dhcpv6OptionCode,
  Dhcpv6RelayMessage,
  dhcpv4Addresses,
  dhcpv4DomainSearch,
  dhcpv4Number,
  dhcpv6DomainList,
  dhcpv6Option,
  dhcpv6RelayedMessage,
  duidOfMac,
  encodeDhcpv4,
  encodeDhcpv6,
  isDomainName,
  parseDhcpv4,
  parseDhcpv6,
  parseDomainNames,
  parseDuid,
  readDhcpv6Associations,
  readDhcpv6DomainList,
  unwrapDhcpv6,
} from 'netloom/wire';
import type { FuzzEntry } from '../entry.ts';
import { parserEntry } from '../entry.ts';

const MAC = MacAddress.parse('52:54:00:12:34:56');

/** An OFFER, short or with its options over the old fields too. */
function offer(fill: number): Uint8Array {
  const message = new Dhcpv4Message();
  message.operation = 2;
  message.mac = MAC;
  message.yourAddress = IpAddress.parse('10.0.0.9');
  message.setOptions([
    dhcpv4Number(Dhcpv4OptionCode.MESSAGE_TYPE, 1, 2),
    dhcpv4Addresses(Dhcpv4OptionCode.ROUTERS, [IpAddress.parse('10.0.0.1')]),
    dhcpv4DomainSearch(['lan', 'example.com']),
    { code: Dhcpv4OptionCode.CLASSLESS_ROUTES, data: fromHex('180a0000 c0000201') },
    { code: 224, data: new Uint8Array(fill) },
    { code: 225, data: new Uint8Array(fill / 2) },
  ]);
  return encodeDhcpv4(message);
}

function advertise(): Dhcpv6Message {
  const message = new Dhcpv6Message();
  message.type = 2;
  const address = dhcpv6Option(Dhcpv6OptionCode.IA_ADDRESS, new Uint8Array(24));
  const prefix = dhcpv6Option(Dhcpv6OptionCode.IA_PREFIX, new Uint8Array(25));
  message.options = [
    dhcpv6Option(Dhcpv6OptionCode.CLIENT_IDENTIFIER, duidOfMac(MAC)),
    dhcpv6Option(Dhcpv6OptionCode.IA_NA, new Uint8Array(12), [address]),
    dhcpv6Option(Dhcpv6OptionCode.IA_PD, new Uint8Array(12), [prefix]),
    dhcpv6DomainList(['lan', 'example.com']),
  ];
  return message;
}

function relayed(): Dhcpv6RelayMessage {
  const relay = new Dhcpv6RelayMessage();
  relay.options = [dhcpv6RelayedMessage(advertise())];
  return relay;
}

/** Reads all options of a message in every way there is. */
function readAll(message: Dhcpv4Message): void {
  for (let code = 1; code < 255; code++) {
    message.uint8(code);
    message.uint16(code);
    message.uint32(code);
    message.addresses(code);
    message.text(code);
  }
  message.routes();
  message.domainSearch();
}

/** The entries. */
export const DHCP_ENTRIES: readonly FuzzEntry[] = [
  parserEntry({
    name: 'dhcpv4',
    seeds: [offer(10), offer(200)],
    maximumLength: 700,
    parse: (bytes, start, end) => parseDhcpv4(bytes, start, end),
    emit: (message) => encodeDhcpv4(message, 0),
  }),
  {
    name: 'dhcpv4-options',
    seeds: [offer(10), offer(200)],
    maximumLength: 700,
    run(input) {
      const message = parseDhcpv4(input, 0, input.length);
      if (typeof message === 'string') return;
      assert.deepEqual(encodeDhcpv4(message, 0), new Uint8Array(input), 're-encoded as it was');
      readAll(message);
    },
  },
  parserEntry({
    name: 'dhcpv6',
    seeds: [encodeDhcpv6(advertise()), encodeDhcpv6(relayed())],
    parse: (bytes, start, end) => parseDhcpv6(bytes, start, end),
    emit: encodeDhcpv6,
  }),
  {
    name: 'dhcpv6-options',
    seeds: [encodeDhcpv6(advertise()), encodeDhcpv6(relayed())],
    run(input) {
      unwrapDhcpv6(input, 0, input.length);
      const message = parseDhcpv6(input, 0, input.length);
      if (typeof message === 'string') return;
      assert.deepEqual(encodeDhcpv6(message), new Uint8Array(input), 're-encoded as it was');
      readDhcpv6Associations(message.options);
      readDhcpv6DomainList(message.options);
      for (const { data } of message.options) parseDuid(data);
    },
  },
  {
    name: 'domain-names',
    seeds: [fromHex('03656e67056170706c6503636f6d00096d61726b6574696e67c004')],
    run(input, random) {
      const compression = random.below(2) === 0;
      const names = parseDomainNames(input, { compression, limit: 16 });
      if (typeof names === 'string') return;
      assert.ok(names.length <= 16);
      for (const name of names) assert.ok(isDomainName(name), name);
    },
  },
];
