import { NetloomError } from '../../../core/index.ts';
import type { Extension } from './extension.ts';

/** The name of the extension that compresses messages (RFC 7692, section 7). */
export const PERMESSAGE_DEFLATE = 'permessage-deflate';

/** What a side wants of permessage-deflate. */
export interface DeflateOptions {
  /**
   * Lets compressors go on from message to message: smaller messages, for a window of memory (up to 32 KiB each way) kept by each
   * connection. Default false.
   */
  readonly contextTakeover?: boolean;
  /** The base-2 logarithm of the window that this side compresses with, 9 to 15. Default 15. */
  readonly windowBits?: number;
  /** The same of what the peer is asked to compress with, 8 to 15. Default 15. */
  readonly peerWindowBits?: number;
}

/** What both sides have agreed on, as one of them sees it. */
export interface DeflateAgreement {
  /** The base-2 logarithm of the largest window that this side may compress with. With 8 it does not compress: zlib cannot. */
  readonly windowBits: number;
  /** This side's compressor goes on from message to message. */
  readonly contextTakeover: boolean;
  /** What is needed to decompress what the peer sends. */
  readonly peerWindowBits: number;
  readonly peerContextTakeover: boolean;
}

/** The four parameters (RFC 7692, section 7.1), as an offer or an answer has them. */
interface DeflateParameters {
  readonly serverNoContextTakeover: boolean;
  readonly clientNoContextTakeover: boolean;
  readonly serverMaxWindowBits: number | undefined;
  /** `unsaid`: it is there without a value, which only an offer may have. */
  readonly clientMaxWindowBits: number | 'unsaid' | undefined;
}

const LARGEST_WINDOW_BITS = 15;

/** The options with defaults. Throws `WEBSOCKET_COMPRESSION_INVALID`. */
function complete(options: DeflateOptions): Required<DeflateOptions> {
  const { contextTakeover = false } = options;
  const { windowBits = LARGEST_WINDOW_BITS, peerWindowBits = LARGEST_WINDOW_BITS } = options;
  checkWindowBits('windowBits', windowBits, 9);
  checkWindowBits('peerWindowBits', peerWindowBits, 8);
  return { contextTakeover, windowBits, peerWindowBits };
}

function checkWindowBits(name: string, bits: number, least: number): void {
  if (Number.isInteger(bits) && bits >= least && bits <= LARGEST_WINDOW_BITS) return;
  throw new NetloomError(
    'WEBSOCKET_COMPRESSION_INVALID',
    `${name} is a whole number from ${least} to ${LARGEST_WINDOW_BITS}, not ${bits}`,
    { remedy: 'Leave it out, or choose one of those.' },
  );
}

/** The parameters of an offer or answer; undefined: one is unknown, there twice, or has a value it must not have. */
function readParameters(extension: Extension): DeflateParameters | undefined {
  const values = new Map(extension.parameters);
  if (values.size !== extension.parameters.length) return undefined;
  for (const [name, value] of values) if (!isParameter(name, value)) return undefined;
  const serverBits = values.get('server_max_window_bits');
  const clientBits = values.get('client_max_window_bits');
  return {
    serverNoContextTakeover: values.has('server_no_context_takeover'),
    clientNoContextTakeover: values.has('client_no_context_takeover'),
    serverMaxWindowBits: serverBits === undefined ? undefined : Number(serverBits),
    clientMaxWindowBits:
      clientBits === undefined
        ? values.has('client_max_window_bits')
          ? 'unsaid'
          : undefined
        : Number(clientBits),
  };
}

function isParameter(name: string, value: string | undefined): boolean {
  // RFC 7692, section 7.1.2: a decimal number from 8 to 15 without zeros before it.
  const isWindowBits = value !== undefined && /^(?:[89]|1[0-5])$/.test(value);
  switch (name) {
    case 'server_no_context_takeover':
    case 'client_no_context_takeover':
      return value === undefined;
    case 'server_max_window_bits':
      return isWindowBits;
    case 'client_max_window_bits':
      return value === undefined || isWindowBits;
    default:
      return false;
  }
}

/** What a client offers (RFC 7692, section 7.1). */
export function offerDeflate(options: DeflateOptions): Extension {
  const { contextTakeover, windowBits, peerWindowBits } = complete(options);
  const parameters: [string, string | undefined][] = [];
  if (!contextTakeover) {
    parameters.push(['server_no_context_takeover', undefined]);
    parameters.push(['client_no_context_takeover', undefined]);
  }
  if (peerWindowBits < LARGEST_WINDOW_BITS) {
    parameters.push(['server_max_window_bits', `${peerWindowBits}`]);
  }
  // It is always there: it says that this client can heed the server's choice.
  const bits = windowBits < LARGEST_WINDOW_BITS ? `${windowBits}` : undefined;
  parameters.push(['client_max_window_bits', bits]);
  return { name: PERMESSAGE_DEFLATE, parameters };
}

/** What the server's answer means to a client that offered so; undefined: it is no answer to that, and the connection is to be failed. */
export function acceptDeflateAnswer(
  options: DeflateOptions,
  answer: Extension,
): DeflateAgreement | undefined {
  const { contextTakeover, windowBits, peerWindowBits } = complete(options);
  const parameters = readParameters(answer);
  if (parameters === undefined || parameters.clientMaxWindowBits === 'unsaid') return undefined;
  const { serverNoContextTakeover, clientNoContextTakeover } = parameters;
  const { serverMaxWindowBits, clientMaxWindowBits } = parameters;
  // Sections 7.1.1.1 and 7.1.2.1: what the client asked of the server, the server must confirm.
  if (!contextTakeover && !serverNoContextTakeover) return undefined;
  if (peerWindowBits < LARGEST_WINDOW_BITS && serverMaxWindowBits === undefined) return undefined;
  if ((serverMaxWindowBits ?? 0) > peerWindowBits) return undefined;
  return {
    windowBits: Math.min(windowBits, clientMaxWindowBits ?? LARGEST_WINDOW_BITS),
    contextTakeover: contextTakeover && !clientNoContextTakeover,
    peerWindowBits: serverMaxWindowBits ?? LARGEST_WINDOW_BITS,
    peerContextTakeover: !serverNoContextTakeover,
  };
}

/** A server's answer to the first offer of a client that it can take; undefined: to none. */
export function answerDeflate(
  options: DeflateOptions,
  offers: readonly Extension[],
): { readonly answer: Extension; readonly agreement: DeflateAgreement } | undefined {
  const wanted = complete(options);
  for (const offer of offers) {
    const parameters = offer.name === PERMESSAGE_DEFLATE ? readParameters(offer) : undefined;
    if (parameters !== undefined) return takeOffer(wanted, parameters);
  }
  return undefined;
}

function takeOffer(
  wanted: Required<DeflateOptions>,
  offer: DeflateParameters,
): { readonly answer: Extension; readonly agreement: DeflateAgreement } {
  const { clientMaxWindowBits } = offer;
  const agreement: DeflateAgreement = {
    windowBits: Math.min(wanted.windowBits, offer.serverMaxWindowBits ?? LARGEST_WINDOW_BITS),
    contextTakeover: wanted.contextTakeover && !offer.serverNoContextTakeover,
    peerWindowBits: clientWindowBits(wanted.peerWindowBits, clientMaxWindowBits),
    peerContextTakeover: wanted.contextTakeover && !offer.clientNoContextTakeover,
  };
  const parameters: [string, string | undefined][] = [];
  if (!agreement.contextTakeover) parameters.push(['server_no_context_takeover', undefined]);
  if (!agreement.peerContextTakeover) parameters.push(['client_no_context_takeover', undefined]);
  if (agreement.windowBits < LARGEST_WINDOW_BITS || offer.serverMaxWindowBits !== undefined) {
    parameters.push(['server_max_window_bits', `${agreement.windowBits}`]);
  }
  if (agreement.peerWindowBits < LARGEST_WINDOW_BITS) {
    parameters.push(['client_max_window_bits', `${agreement.peerWindowBits}`]);
  }
  return { answer: { name: PERMESSAGE_DEFLATE, parameters }, agreement };
}

/** RFC 7692, section 7.1.2.2: a client that does not offer the parameter cannot be told to use a smaller window. */
function clientWindowBits(wanted: number, offered: number | 'unsaid' | undefined): number {
  if (offered === undefined) return LARGEST_WINDOW_BITS;
  return offered === 'unsaid' ? wanted : Math.min(wanted, offered);
}
