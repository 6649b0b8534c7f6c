/** The messages of DNS: bytes to values and back, pure. */
export * from './codes.ts';
export * from './edns.ts';
export * from './emit.ts';
export * from './message.ts';
export * from './name.ts';
export * from './record.ts';
