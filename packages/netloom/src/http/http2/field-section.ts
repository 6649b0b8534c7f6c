import {
  CHARACTERS,
  FIELD_VALUE,
  Fields,
  TOKEN,
  isHost,
  isTarget,
  isTargetOfForm,
  isToken,
} from '../semantics/index.ts';
import type { Http2RequestHead, Http2ResponseHead } from './message.ts';
import type { Http2Fault } from './wire/index.ts';

/** What a header block may be. */
export type SectionKind = 'request' | 'response' | 'trailers';

/** The pseudo-header fields of RFC 9113, section 8.3 and RFC 8441, section 4, with where each may stand. */
const PSEUDO_FIELDS: ReadonlyMap<string, SectionKind> = new Map<string, SectionKind>([
  [':method', 'request'],
  [':scheme', 'request'],
  [':authority', 'request'],
  [':path', 'request'],
  [':protocol', 'request'],
  [':status', 'response'],
]);

/** Fields that speak of one connection, which have no place in HTTP/2 (RFC 9113, section 8.2.2). */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/** URLs' schemes (RFC 3986, section 3.1). */
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*$/;

/** Names that were found good, so that the usual ones are looked at once in the life of a process. */
const GOOD_NAMES = new Set<string>();
const MOST_GOOD_NAMES = 1024;
const LONGEST_GOOD_NAME = 40;

/**
 * Makes a message's head, or its trailers, of the fields of a header block as they are decoded, and sees that they keep to the rules of
 * RFC 9113, section 8. The first fault is kept; what follows it is not looked at.
 */
export class FieldSection {
  readonly kind: SectionKind;
  readonly fields: Fields = new Fields();
  readonly #pseudo = new Map<string, string>();
  #fault: Http2Fault | undefined;

  constructor(kind: SectionKind) {
    this.kind = kind;
  }

  /** What is wrong with it so far. */
  get fault(): Http2Fault | undefined {
    return this.#fault;
  }

  /** Adds the next field. */
  add(name: string, value: string): void {
    if (this.#fault !== undefined) return;
    if (!isValue(value)) this.#fault = 'field-value-invalid';
    else if (name.charCodeAt(0) === 0x3a) this.#fault = this.#addPseudo(name, value);
    else this.#fault = this.#addField(name, value);
  }

  /** The request that it is the head of; check {@link fault} before and after. */
  request(allowsConnectProtocol: boolean): Http2RequestHead {
    this.#joinCookies();
    const method = this.#required(':method');
    const protocol = this.#pseudo.get(':protocol');
    if (!isToken(method)) this.#fault ??= 'method-invalid';
    if (protocol !== undefined && (method !== 'CONNECT' || !allowsConnectProtocol)) {
      this.#fault ??= 'connect-protocol-invalid';
    }
    this.#checkHost();
    return method === 'CONNECT' && protocol === undefined
      ? this.#connectRequest()
      : this.#ordinaryRequest(method, protocol);
  }

  /** The response that it is the head of; check {@link fault} before and after. */
  response(): Http2ResponseHead {
    this.#joinCookies();
    const text = this.#required(':status');
    if (!/^[1-5]\d\d$/.test(text)) this.#fault ??= 'status-invalid';
    // RFC 9113, section 8.6: streams are what would be switched to.
    if (text === '101') this.#fault ??= 'protocol-switched';
    return { status: Number(text), reason: '', fields: this.fields };
  }

  /** RFC 9113, section 8.5: the authority and nothing else says where to. */
  #connectRequest(): Http2RequestHead {
    const target = this.#required(':authority');
    if (this.#pseudo.has(':scheme') || this.#pseudo.has(':path')) {
      this.#fault ??= 'pseudo-field-unexpected';
    }
    if (!isTargetOfForm('CONNECT', target)) this.#fault ??= 'host-invalid';
    return { method: 'CONNECT', target, scheme: '', protocol: undefined, fields: this.fields };
  }

  #ordinaryRequest(method: string, protocol: string | undefined): Http2RequestHead {
    const scheme = this.#required(':scheme');
    const target = this.#required(':path');
    if (!SCHEME.test(scheme)) this.#fault ??= 'scheme-invalid';
    // RFC 9113, section 8.3.1: a path that begins with a slash, or the asterisk of OPTIONS.
    const isOfForm = target.startsWith('/') ? isTargetOfForm('GET', target) : target === '*';
    const isAsterisk = target === '*' && method !== 'OPTIONS';
    if (!isOfForm || isAsterisk || !isTarget(target)) this.#fault ??= 'target-invalid';
    if (!this.fields.has('host')) this.#fault ??= 'host-missing';
    return { method, target, scheme, protocol, fields: this.fields };
  }

  #addPseudo(name: string, value: string): Http2Fault | undefined {
    // RFC 9113, section 8.3: those that are defined, where they are defined; section 8.1: none among trailers.
    if (PSEUDO_FIELDS.get(name) !== this.kind) return 'pseudo-field-unexpected';
    if (this.fields.size > 0) return 'pseudo-field-late';
    if (this.#pseudo.has(name)) return 'pseudo-field-duplicated';
    this.#pseudo.set(name, value);
    return undefined;
  }

  #addField(name: string, value: string): Http2Fault | undefined {
    if (!isLowerCaseName(name)) return 'field-name-invalid';
    if (CONNECTION_FIELDS.has(name)) return 'connection-field';
    if (name === 'te' && value.toLowerCase() !== 'trailers') return 'te-invalid';
    this.fields.appendParsed(name, value);
    return undefined;
  }

  /** RFC 9113, section 8.3.1: of `:authority` and Host one is needed, and two that differ are an attempt at something. */
  #checkHost(): void {
    const authority = this.#pseudo.get(':authority');
    const host = this.fields.get('host');
    if (this.fields.count('host') > 1) this.#fault ??= 'host-invalid';
    if (authority !== undefined && host !== undefined) {
      if (authority.toLowerCase() !== host.toLowerCase()) this.#fault ??= 'host-mismatch';
    }
    const text = authority ?? host;
    if (text !== undefined && !isHost(text)) this.#fault ??= 'host-invalid';
    if (authority !== undefined && host === undefined) this.fields.appendParsed('host', authority);
  }

  /** RFC 9113, section 8.2.3: what was cut for the compression's sake is one field everywhere else. */
  #joinCookies(): void {
    if (this.fields.count('cookie') < 2) return;
    const crumbs = [...this.fields].filter(([name]) => name === 'cookie');
    this.fields.delete('cookie');
    this.fields.appendParsed('cookie', crumbs.map(([, value]) => value).join('; '));
  }

  #required(name: string): string {
    const value = this.#pseudo.get(name);
    if (value === undefined) this.#fault ??= 'pseudo-field-missing';
    return value ?? '';
  }
}

/** RFC 9113, section 8.2.1: a token without upper-case letters. */
function isLowerCaseName(name: string): boolean {
  if (GOOD_NAMES.has(name)) return true;
  if (name === '') return false;
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at);
    const isUpperCase = code >= 0x41 && code <= 0x5a;
    if (code > 255 || isUpperCase || (CHARACTERS[code]! & TOKEN) === 0) return false;
  }
  if (GOOD_NAMES.size < MOST_GOOD_NAMES && name.length <= LONGEST_GOOD_NAME) GOOD_NAMES.add(name);
  return true;
}

/** RFC 9113, section 8.2.1: no control characters, and no white space at either end. */
function isValue(value: string): boolean {
  const last = value.length - 1;
  for (let at = 0; at <= last; at++) {
    const code = value.charCodeAt(at);
    if (code > 255 || (CHARACTERS[code]! & FIELD_VALUE) === 0) return false;
  }
  return last < 0 || (!isSpace(value.charCodeAt(0)) && !isSpace(value.charCodeAt(last)));
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** The value of `content-length`; undefined: there is none. NaN: it is not one decimal number. */
export function contentLength(fields: Fields): number | undefined {
  const value = fields.get('content-length');
  if (value === undefined) return undefined;
  // Two that agree come joined by a comma: they may be taken as one (RFC 9110, section 8.6), but nothing in good order sends them.
  const length = /^\d{1,16}$/.test(value) ? Number(value) : NaN;
  return Number.isSafeInteger(length) ? length : NaN;
}
