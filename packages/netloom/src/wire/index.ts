/** Header codecs: bytes to values and back, pure. Every parser is total: any bytes give a value or a {@link WireFault}. */
export * from './checksum.ts';
export * from './ethernet.ts';
export * from './fault.ts';
export * from './ip-protocol.ts';
export * from './ipv4.ts';
export * from './tcp.ts';
export * from './udp.ts';
