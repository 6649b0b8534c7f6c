/** DNS: messages, and a forwarder fed with them from both sides. */
import assert from 'node:assert/strict';
import { IpAddress, copyBytes, fromHex, seededRandom } from 'netloom/core';
import {
  DnsForwarder,
  encodeDnsMessage,
  parseDnsMessage,
  readEdns,
  type DnsExchange,
} from 'netloom/dns';
import type { FuzzEntry } from '../entry.ts';
import { parserEntry } from '../entry.ts';

/** A question for www.example.com with EDNS and a cookie. */
const QUESTION = fromHex(
  '1a2b 0120 0001 0000 0000 0001 03777777076578616d706c6503636f6d00 0001 0001' +
    '00 0029 04d0 0000 0000 000c 000a 0008 0102030405060708',
);

/** An answer: an alias, two addresses, a start of authority, names compressed. */
const ANSWER = fromHex(
  '1a2b 8580 0001 0003 0001 0000 03777777076578616d706c6503636f6d00 0001 0001' +
    'c00c 0005 0001 0000003c 0007 04686f7374 c010' +
    'c02d 0001 0001 0000003c 0004 c0000201' +
    'c02d 001c 0001 0000003c 0010 20010db8000000000000000000000001' +
    'c010 0006 0001 00000005 001a c02d c00c 00000001 00000002 00000003 00000004 00000005 0000',
);

const SERVER = { address: IpAddress.parse('192.0.2.53'), port: 53 };

/** A client's question and a server's answer, whatever they are: every question is answered once at most, and nothing is left. */
function exchange(input: Uint8Array, cut: number): void {
  const asked: DnsExchange[] = [];
  const engine = new DnsForwarder(
    { random: seededRandom(1), servers: [SERVER] },
    { ask: (one) => asked.push(one), end: () => undefined },
  );
  let responses = 0;
  const respond = (message: Uint8Array): void => {
    responses++;
    assert.notEqual(typeof parseDnsMessage(message, 0, message.length), 'string');
  };
  engine.query(input.subarray(0, cut), { remote: SERVER, transport: 'udp', respond }, 0);
  // What is asked again on the way is answered too.
  for (const one of asked) {
    const answer = copyBytes(input, cut);
    if (answer.length >= 2) answer.set(one.message.subarray(0, 2));
    engine.answered(one, answer, 1);
  }
  engine.close();
  assert.ok(responses <= 1);
  assert.equal(engine.outstanding, 0);
}

/** The entries. */
export const DNS_ENTRIES: readonly FuzzEntry[] = [
  parserEntry({
    name: 'dns-message',
    seeds: [QUESTION, ANSWER],
    parse: (bytes, start, end) => parseDnsMessage(bytes, start, end),
    // Without compression a message may be longer than its counts of bytes can say; none of the inputs is.
    emit: encodeDnsMessage,
  }),
  {
    name: 'dns-edns',
    seeds: [QUESTION],
    run(input) {
      const message = parseDnsMessage(input, 0, input.length);
      if (typeof message !== 'string') readEdns(message);
    },
  },
  {
    name: 'dns-forwarder',
    seeds: [new Uint8Array([...QUESTION, ...ANSWER]), QUESTION],
    run: (input, random) => exchange(input, Math.min(random.below(120), input.length)),
  },
];
