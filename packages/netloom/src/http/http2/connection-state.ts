import type { Transitions } from '../../core/index.ts';

/** Where a connection stands: `draining` begins no new streams, `closing` reads nothing. */
export type Http2ConnectionState = 'preface' | 'open' | 'draining' | 'closing' | 'closed';

/** What happens to it. */
export type Http2ConnectionEvent = 'settings' | 'goaway' | 'stop' | 'gone';

/** The steps of a connection, on either side. */
export const HTTP2_CONNECTION_TRANSITIONS: Transitions<Http2ConnectionState, Http2ConnectionEvent> =
  {
    preface: { settings: 'open', stop: 'closing', gone: 'closed' },
    open: { goaway: 'draining', stop: 'closing', gone: 'closed' },
    draining: { stop: 'closing', gone: 'closed' },
    closing: { gone: 'closed' },
    closed: {},
  };
