/** The opening handshake (RFC 6455, section 4) and what it settles, as functions of header fields. */
export {
  beginHandshake,
  finishHandshake,
  webSocketOffer,
  settleWebSocket,
  type ClientHandshake,
  type OfferOptions,
  type UpgradeResponse,
} from './client.ts';
export {
  PERMESSAGE_DEFLATE,
  acceptDeflateAnswer,
  answerDeflate,
  offerDeflate,
  type DeflateAgreement,
  type DeflateOptions,
} from './deflate.ts';
export { formatExtension, parseExtensions, type Extension } from './extension.ts';
export {
  ANSWER_FAULTS,
  UPGRADE_FAULTS,
  answerFaultError,
  type AnswerFault,
  type UpgradeFault,
} from './fault.ts';
export { acceptFor, createKey, isKey, type Sha1 } from './key.ts';
export {
  WEBSOCKET_VERSION,
  answerUpgrade,
  negotiateWebSocket,
  type AcceptOptions,
  type UpgradeAnswer,
  type UpgradeRequest,
  type WebSocketAgreement,
} from './server.ts';
