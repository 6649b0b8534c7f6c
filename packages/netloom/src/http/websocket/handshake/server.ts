import { Fields, isToken, listMembers } from '../../semantics/index.ts';
import { answerDeflate, type DeflateAgreement, type DeflateOptions } from './deflate.ts';
import { formatExtension, parseExtensions } from './extension.ts';
import { UPGRADE_FAULTS, type UpgradeFault } from './fault.ts';
import { acceptFor, isKey, type Sha1 } from './key.ts';

/** The one version there is (RFC 6455, section 4.1). */
export const WEBSOCKET_VERSION = '13';

/** What a server takes. */
export interface AcceptOptions {
  /** Subprotocols that can be spoken. The client's first that is among them is chosen; none of them: none is spoken. */
  readonly protocols?: readonly string[];
  /** Compression is agreed on where the client offers it. Absent: never. */
  readonly compression?: DeflateOptions;
}

/** What the handshake has settled. */
export interface WebSocketAgreement {
  /** Empty: none. */
  readonly protocol: string;
  readonly compression: DeflateAgreement | undefined;
}

/** A request's head, as far as the handshake reads it. */
export interface UpgradeRequest {
  readonly method: string;
  /** Of HTTP/1. */
  readonly minorVersion: number;
  readonly fields: Fields;
}

/** What a server is to answer. */
export type UpgradeAnswer =
  | { readonly status: 101; readonly fields: Fields; readonly agreement: WebSocketAgreement }
  | { readonly status: number; readonly fields: Fields; readonly fault: UpgradeFault };

/** Answers a client's handshake over HTTP/1.1 (RFC 6455, section 4.2). */
export function answerUpgrade(
  request: UpgradeRequest,
  options: AcceptOptions,
  sha1: Sha1,
): UpgradeAnswer {
  const fault = upgradeFault(request);
  if (fault !== undefined) return refuse(fault);
  const settled = negotiateWebSocket(request.fields, options);
  if ('fault' in settled) return refuse(settled.fault);
  const fields = Fields.from([
    ['upgrade', 'websocket'],
    ['connection', 'Upgrade'],
    ['sec-websocket-accept', acceptFor(request.fields.get('sec-websocket-key')!, sha1)],
    ...settled.fields,
  ]);
  return { status: 101, fields, agreement: settled.agreement };
}

/**
 * Settles subprotocol and compression from the fields of a client's handshake; `fields` are those of the answer that say so. It is all
 * that HTTP/2 needs besides its own (RFC 8441, section 5).
 */
export function negotiateWebSocket(
  request: Fields,
  options: AcceptOptions,
):
  | { readonly fields: Fields; readonly agreement: WebSocketAgreement }
  | { readonly fault: UpgradeFault } {
  const version = request.get('sec-websocket-version');
  if (version !== WEBSOCKET_VERSION) return { fault: 'version-unsupported' };
  const protocols = parseProtocols(request.get('sec-websocket-protocol'));
  if (protocols === undefined) return { fault: 'protocols-invalid' };
  const offers = parseExtensions(request.get('sec-websocket-extensions'));
  if (offers === undefined) return { fault: 'extensions-invalid' };
  const protocol = protocols.find((name) => options.protocols?.includes(name)) ?? '';
  const { compression } = options;
  const deflate = compression === undefined ? undefined : answerDeflate(compression, offers);
  const fields = new Fields();
  if (protocol !== '') fields.append('sec-websocket-protocol', protocol);
  if (deflate !== undefined) {
    fields.append('sec-websocket-extensions', formatExtension(deflate.answer));
  }
  return { fields, agreement: { protocol, compression: deflate?.agreement } };
}

/** What is wrong with a request as one to change the protocol (RFC 6455, section 4.2.1). */
function upgradeFault({ method, minorVersion, fields }: UpgradeRequest): UpgradeFault | undefined {
  if (method !== 'GET') return 'method-not-get';
  if (minorVersion < 1) return 'http-too-old';
  if (!listMembers(fields.get('upgrade')).includes('websocket')) return 'upgrade-without-websocket';
  if (!listMembers(fields.get('connection')).includes('upgrade')) {
    return 'connection-without-upgrade';
  }
  // The version first: another one may have other keys.
  if (fields.get('sec-websocket-version') !== WEBSOCKET_VERSION) return 'version-unsupported';
  const key = fields.get('sec-websocket-key');
  return key === undefined || !isKey(key) ? 'key-invalid' : undefined;
}

/** The subprotocols a client asks for, best first; undefined: they are not tokens, or one is there twice (RFC 6455, section 4.1). */
function parseProtocols(value: string | undefined): string[] | undefined {
  if (value === undefined) return [];
  // Their names are case-sensitive.
  const names = value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const isList = names.every(isToken) && new Set(names).size === names.length;
  return isList && names.length > 0 ? names : undefined;
}

function refuse(fault: UpgradeFault): UpgradeAnswer {
  const { status } = UPGRADE_FAULTS[fault];
  const fields = new Fields();
  if (status === 405) fields.append('allow', 'GET');
  if (status === 426) {
    // RFC 9110, section 15.5.22: it says to which protocol; RFC 6455, section 4.4: and in which versions.
    fields.append('upgrade', 'websocket');
    fields.append('connection', 'Upgrade');
    fields.append('sec-websocket-version', WEBSOCKET_VERSION);
  }
  return { status, fields, fault };
}
