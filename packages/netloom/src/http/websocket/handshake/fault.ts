import { NetloomError } from '../../../core/index.ts';

/** Why a client's handshake is refused by a server. The name doubles as that of the counter. */
export type UpgradeFault =
  | 'connection-without-upgrade'
  | 'extensions-invalid'
  | 'http-too-old'
  | 'key-invalid'
  | 'method-not-get'
  | 'protocols-invalid'
  | 'upgrade-without-websocket'
  | 'version-unsupported';

/** Every {@link UpgradeFault} with the status it is answered by, and its meaning. */
export const UPGRADE_FAULTS: {
  readonly [Fault in UpgradeFault]: { readonly status: number; readonly meaning: string };
} = {
  'connection-without-upgrade': { status: 400, meaning: 'Connection does not name Upgrade' },
  'extensions-invalid': { status: 400, meaning: 'Sec-WebSocket-Extensions is no list of them' },
  'http-too-old': { status: 400, meaning: 'the version of HTTP is below 1.1' },
  'key-invalid': { status: 400, meaning: 'Sec-WebSocket-Key is not 16 bytes in base64, once' },
  'method-not-get': { status: 405, meaning: 'the method is not GET' },
  'protocols-invalid': {
    status: 400,
    meaning: 'Sec-WebSocket-Protocol has no tokens, or one twice',
  },
  'upgrade-without-websocket': { status: 426, meaning: 'Upgrade does not name websocket' },
  'version-unsupported': { status: 426, meaning: 'Sec-WebSocket-Version is not 13' },
};

/** Why a server's answer is no acceptance. */
export type AnswerFault =
  | 'accept-wrong'
  | 'connection-without-upgrade'
  | 'extension-not-offered'
  | 'extension-parameters-invalid'
  | 'extensions-invalid'
  | 'protocol-not-offered'
  | 'status-not-101'
  | 'upgrade-without-websocket';

/** Every {@link AnswerFault} with its meaning. */
export const ANSWER_FAULTS: { readonly [Fault in AnswerFault]: string } = {
  'accept-wrong': 'Sec-WebSocket-Accept does not belong to the key that was sent',
  'connection-without-upgrade': 'Connection does not name Upgrade',
  'extension-not-offered': 'an extension was accepted that was not offered, or one twice',
  'extension-parameters-invalid': 'permessage-deflate was not accepted as it was offered',
  'extensions-invalid': 'Sec-WebSocket-Extensions is no list of them',
  'protocol-not-offered': 'a subprotocol was chosen that was not offered',
  'status-not-101': 'the status is not 101',
  'upgrade-without-websocket': 'Upgrade does not name websocket',
};

/** The fault as an error: `WEBSOCKET_REFUSED` where the server answered in plain HTTP, otherwise `WEBSOCKET_HANDSHAKE_INVALID`. */
export function answerFaultError(fault: AnswerFault, status: number): NetloomError {
  if (fault === 'status-not-101') {
    return new NetloomError(
      'WEBSOCKET_REFUSED',
      `the server answered ${status}, and no WebSocket`,
      {
        remedy: 'See what the status says; check the URL and what the server asks of its clients.',
      },
    );
  }
  return new NetloomError(
    'WEBSOCKET_HANDSHAKE_INVALID',
    `the server’s handshake is wrong: ${ANSWER_FAULTS[fault]} (${fault})`,
    { remedy: 'The server must be mended, or what stands between.' },
  );
}
