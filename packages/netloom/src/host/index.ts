/** Places with a network, and what every one of them uses. */
export { toDuplex } from './adapters/duplex.ts';
export { toWebStreams, type WebStreams } from './adapters/web-streams.ts';
export { connectByName, interleaveFamilies, type Connector } from './happy-eyeballs.ts';
export { SystemClock, type SystemClockOptions } from './os/clock.ts';
export { hostFaults, type HostFault, type OsHostLimits } from './os/context.ts';
export { OsHost, osHost, type OsHostOptions } from './os/os-host.ts';
export { relay, type Relay } from './relay.ts';
export {
  osCandidate,
  reaches,
  selectHost,
  type HostAttempt,
  type HostCandidate,
  type HostProbe,
  type ReachTarget,
  type SelectHostOptions,
  type SelectedHost,
} from './select.ts';
export * from './sim/index.ts';
export { resolveSpecialName } from './special-names.ts';
export { DhcpClient, type DhcpClientOptions, type LeaseOptions } from './stack/dhcp-client.ts';
export { DhcpServer, type DhcpServerOptions } from './stack/dhcp-server.ts';
export { StackHost, stackHost, type Resolver, type StackHostOptions } from './stack/stack-host.ts';
