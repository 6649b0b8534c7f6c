/** Places with a network, and what every one of them uses. */
export { toDuplex } from './adapters/duplex.ts';
export { toWebStreams, type WebStreams } from './adapters/web-streams.ts';
export { connectByName, interleaveFamilies, type Connector } from './happy-eyeballs.ts';
export { SystemClock, type SystemClockOptions } from './os/clock.ts';
export { hostFaults, type HostFault, type OsHostLimits } from './os/context.ts';
export { OsHost, osHost, type OsHostOptions } from './os/os-host.ts';
export { resolveSpecialName } from './special-names.ts';
