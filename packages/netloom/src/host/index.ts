/** Places with a network, and what every one of them uses. */
export { setBusyPoll } from '../native/index.ts';
export { toDuplex } from './adapters/duplex.ts';
export { toWebStreams, type WebStreams } from './adapters/web-streams.ts';
export { connectByName, interleaveFamilies, type Connector } from './happy-eyeballs.ts';
export { SystemClock, type SystemClockOptions } from './os/clock.ts';
export { hostFaults, type HostFault, type OsHostLimits } from './os/context.ts';
export { FileLock } from './os/file-lock.ts';
export { LocalSocketHost, localSocketHost } from './os/local-socket-host.ts';
export { OsHost, osHost, type OsHostOptions } from './os/os-host.ts';
export type { SocketHostOptions } from './os/socket-host.ts';
export { LeaseFile, leaseFileV4, leaseFileV6, type LeaseFileOptions } from './os/lease-file.ts';
export { parseResolvConf, systemResolvers } from './os/resolvers.ts';
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
export type { HostAddressOptions } from './stack/add-address.ts';
export { DhcpClient, type DhcpClientOptions } from './stack/dhcp-client.ts';
export type { LeaseOptions } from './stack/dhcp-driver.ts';
export { DhcpClientV6, type DhcpClientV6Options } from './stack/dhcpv6-client.ts';
export { DhcpServer, type DhcpServerOptions } from './stack/dhcp-server.ts';
export { DhcpServerV6, type DhcpServerV6Options } from './stack/dhcp-server-v6.ts';
export {
  loadLeases,
  type KeptLeases,
  type LeaseKeeping,
  type LeaseStore,
} from './stack/lease-keeper.ts';
export { Ipv6Configuration, type Ipv6ConfigurationOptions } from './stack/ipv6-configuration.ts';
export * from './uplink/index.ts';
export { RouterAdvertising, type RouterAdvertisingOptions } from './stack/router-advertising.ts';
export { StackHost, stackHost, type Resolver, type StackHostOptions } from './stack/stack-host.ts';
