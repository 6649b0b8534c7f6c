import { readUint16, writeUint16 } from '../core/index.ts';
import type { LocalAnswer } from './local-names.ts';
import {
  DNS_HEADER_LENGTH,
  DNS_SMALLEST_UDP,
  DnsFlag,
  DnsResponseCode,
  ednsRecord,
  encodeDnsMessage,
  extendedErrorOption,
  type DnsMessage,
  type DnsRecord,
  type Edns,
} from './wire/index.ts';

/** A question that has been read: the message, and what its OPT record says. */
export interface DnsQuery {
  readonly message: DnsMessage;
  /** Undefined: the client does not speak EDNS, and must not be spoken to in it (RFC 6891, section 7). */
  readonly edns: Edns | undefined;
}

/** What is said about a failure (RFC 8914). */
export interface DnsTrouble {
  /** A `DnsExtendedError`. */
  readonly code: number;
  readonly text: string;
}

/** What our own responses say we take by UDP. */
const OWN_UDP_SIZE = 1232;

/** The response with an answer of our own. */
export function encodeLocalAnswer(query: DnsQuery, answer: LocalAnswer): Uint8Array {
  const { responseCode, answers, authorities } = answer;
  return encode(query, responseCode, DnsFlag.AUTHORITATIVE, answers, authorities);
}

/** The response that there will be no answer, and why. */
export function encodeFailure(
  query: DnsQuery,
  responseCode: number,
  trouble?: DnsTrouble,
): Uint8Array {
  return encode(query, responseCode, 0, [], [], trouble);
}

/** The response to a question of which only the header could be read. */
export function encodeFormatError(bytes: Uint8Array): Uint8Array {
  const response = new Uint8Array(DNS_HEADER_LENGTH);
  writeUint16(response, 0, readUint16(bytes, 0));
  const kept = readUint16(bytes, 2) & (0x7800 | DnsFlag.RECURSION_DESIRED);
  writeUint16(response, 2, kept | DnsFlag.RESPONSE | DnsResponseCode.FORMAT_ERROR);
  return response;
}

/** The response that says no more than that it is too long for UDP: the client asks again by TCP (RFC 2181, section 9). */
export function encodeTruncated(query: DnsQuery, response: DnsMessage): Uint8Array {
  const authoritative = response.flags & DnsFlag.AUTHORITATIVE;
  return encode(query, response.responseCode, authoritative | DnsFlag.TRUNCATED, [], []);
}

/** How long a response by UDP may be: what the client takes, and no more than `most`. */
export function longestByUdp({ edns }: DnsQuery, most: number): number {
  return edns === undefined ? DNS_SMALLEST_UDP : Math.min(edns.udpSize, most);
}

function encode(
  { message, edns }: DnsQuery,
  responseCode: number,
  flags: number,
  answers: readonly DnsRecord[],
  authorities: readonly DnsRecord[],
  trouble?: DnsTrouble,
): Uint8Array {
  const options = trouble === undefined ? [] : [extendedErrorOption(trouble.code, trouble.text)];
  const kept = message.flags & (DnsFlag.RECURSION_DESIRED | DnsFlag.CHECKING_DISABLED);
  return encodeDnsMessage({
    id: message.id,
    flags: DnsFlag.RESPONSE | DnsFlag.RECURSION_AVAILABLE | kept | flags,
    operation: message.operation,
    responseCode: responseCode & 15,
    questions: message.questions,
    answers,
    authorities,
    additionals:
      edns === undefined
        ? []
        : [
            ednsRecord({
              udpSize: OWN_UDP_SIZE,
              extendedCode: responseCode >>> 4,
              version: 0,
              dnssecOk: edns.dnssecOk,
              options,
            }),
          ],
  });
}
