import { hash } from 'node:crypto';
import type { Sha1 } from '../../src/http/websocket/index.ts';

/** SHA-1 of Node, for the handshake of WebSocket. */
export const sha1: Sha1 = (bytes) => new Uint8Array(hash('sha1', bytes, 'buffer'));
