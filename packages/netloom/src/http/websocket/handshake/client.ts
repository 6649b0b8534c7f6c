import { NetloomError, type Random } from '../../../core/index.ts';
import { Fields, isToken, listMembers } from '../../semantics/index.ts';
import {
  PERMESSAGE_DEFLATE,
  acceptDeflateAnswer,
  offerDeflate,
  type DeflateAgreement,
  type DeflateOptions,
} from './deflate.ts';
import { formatExtension, parseExtensions } from './extension.ts';
import type { AnswerFault } from './fault.ts';
import { acceptFor, createKey, type Sha1 } from './key.ts';
import { WEBSOCKET_VERSION, type WebSocketAgreement } from './server.ts';

/** What a client asks for. */
export interface OfferOptions {
  /** Subprotocols, best first. */
  readonly protocols?: readonly string[];
  /** Compression is offered. Absent: it is not. */
  readonly compression?: DeflateOptions;
}

/** A client's handshake: what is sent, and what is needed to judge the answer. */
export interface ClientHandshake {
  /** For a GET request of HTTP/1.1, besides Host and whatever else the client says. */
  readonly fields: Fields;
  readonly key: string;
  readonly options: OfferOptions;
}

/** A response's head, as far as the handshake reads it. */
export interface UpgradeResponse {
  readonly status: number;
  readonly fields: Fields;
}

/** Begins a handshake (RFC 6455, section 4.1). Throws `WEBSOCKET_PROTOCOL_INVALID` for names that cannot be asked for. */
export function beginHandshake(options: OfferOptions, random: Random): ClientHandshake {
  const key = createKey(random);
  const fields = Fields.from([
    ['upgrade', 'websocket'],
    ['connection', 'Upgrade'],
    ['sec-websocket-key', key],
    ...webSocketOffer(options),
  ]);
  return { fields, key, options };
}

/** What a client asks for, as fields; with HTTP/2 they are all that it sends besides HTTP/2's own (RFC 8441, section 5). */
export function webSocketOffer({ protocols = [], compression }: OfferOptions): Fields {
  checkProtocols(protocols);
  const fields = Fields.from([['sec-websocket-version', WEBSOCKET_VERSION]]);
  if (protocols.length > 0) fields.append('sec-websocket-protocol', protocols.join(', '));
  if (compression !== undefined) {
    fields.append('sec-websocket-extensions', formatExtension(offerDeflate(compression)));
  }
  return fields;
}

/** Judges a server's answer over HTTP/1.1 (RFC 6455, section 4.1): what was settled, or why the connection is to be failed. */
export function finishHandshake(
  { key, options }: ClientHandshake,
  { status, fields }: UpgradeResponse,
  sha1: Sha1,
): WebSocketAgreement | AnswerFault {
  if (status !== 101) return 'status-not-101';
  if (!listMembers(fields.get('upgrade')).includes('websocket')) return 'upgrade-without-websocket';
  if (!listMembers(fields.get('connection')).includes('upgrade')) {
    return 'connection-without-upgrade';
  }
  if (fields.get('sec-websocket-accept') !== acceptFor(key, sha1)) return 'accept-wrong';
  return settleWebSocket(options, fields);
}

/** What the fields of a server's answer settle, or why they are no answer to what was asked for. */
export function settleWebSocket(
  options: OfferOptions,
  answer: Fields,
): WebSocketAgreement | AnswerFault {
  const protocol = answer.get('sec-websocket-protocol') ?? '';
  if (answer.has('sec-websocket-protocol') && options.protocols?.includes(protocol) !== true) {
    return 'protocol-not-offered';
  }
  const compression = settleCompression(options.compression, answer);
  return typeof compression === 'string' ? compression : { protocol, compression };
}

function settleCompression(
  offered: DeflateOptions | undefined,
  answer: Fields,
): DeflateAgreement | undefined | AnswerFault {
  const extensions = parseExtensions(answer.get('sec-websocket-extensions'));
  if (extensions === undefined) return 'extensions-invalid';
  const [first] = extensions;
  if (first === undefined) return undefined;
  if (offered === undefined || extensions.length > 1 || first.name !== PERMESSAGE_DEFLATE) {
    return 'extension-not-offered';
  }
  return acceptDeflateAnswer(offered, first) ?? 'extension-parameters-invalid';
}

function checkProtocols(protocols: readonly string[]): void {
  const wrong =
    protocols.find((name) => !isToken(name)) ??
    protocols.find((name, index) => protocols.indexOf(name) !== index);
  if (wrong === undefined) return;
  throw new NetloomError(
    'WEBSOCKET_PROTOCOL_INVALID',
    `the subprotocol ${JSON.stringify(wrong)} is no token, or is asked for twice`,
    { remedy: 'Name each once, without spaces and separators.' },
  );
}
