import { readUint16 } from '../core/index.ts';
import {
  DnsFlag,
  DnsResponseCode,
  parseDnsMessage,
  type DnsMessage,
  type DnsQuestion,
} from './wire/index.ts';

/**
 * What a server has said, if it is an answer to `question` as it was asked in the message `asked` (RFC 5452, section 9.1), or why it is none. Who has sent it is for the
 * caller to see to.
 */
export function believeDnsAnswer(
  bytes: Uint8Array,
  asked: Uint8Array,
  question: DnsQuestion,
): DnsMessage | 'answer-malformed' | 'answer-unasked' {
  const response = parseDnsMessage(bytes, 0, bytes.length);
  if (typeof response === 'string') return 'answer-malformed';
  if ((response.flags & DnsFlag.RESPONSE) === 0) return 'answer-unasked';
  if (response.id !== readUint16(asked, 0)) return 'answer-unasked';
  const [answered, second] = response.questions;
  // A server that could not read the question may leave it out.
  const isBare = answered === undefined && response.responseCode !== DnsResponseCode.NO_ERROR;
  if (isBare) return response;
  const isSame =
    answered !== undefined &&
    second === undefined &&
    answered.type === question.type &&
    answered.class === question.class &&
    answered.name.equals(question.name);
  return isSame ? response : 'answer-unasked';
}
