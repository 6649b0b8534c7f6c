import type { FuzzEntry } from '../entry.ts';
import { CAPTURE_ENTRIES } from './capture.ts';
import { DHCP_ENTRIES } from './dhcp.ts';
import { DNS_ENTRIES } from './dns.ts';
import { HPACK_ENTRIES } from './hpack.ts';
import { HTTP_ENTRIES } from './http.ts';
import { STACK_ENTRIES } from './stack.ts';
import { WEBSOCKET_ENTRIES } from './websocket.ts';
import { WIRE_ENTRIES } from './wire.ts';

/** All that is fuzzed. */
export const ENTRIES: readonly FuzzEntry[] = [
  ...CAPTURE_ENTRIES,
  ...DHCP_ENTRIES,
  ...DNS_ENTRIES,
  ...HPACK_ENTRIES,
  ...HTTP_ENTRIES,
  ...STACK_ENTRIES,
  ...WEBSOCKET_ENTRIES,
  ...WIRE_ENTRIES,
];
