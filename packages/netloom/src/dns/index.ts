/** DNS: messages, the names of a network, and a forwarder that serves them on any Host. */
export { DNS_DROP } from './diagnostics.ts';
export type { DnsClient, DnsExchange, DnsTransport } from './exchange.ts';
export { DnsForwarder, type DnsForwarderOptions, type DnsForwarderSink } from './forwarder.ts';
export {
  DNS_FORWARDER_LIMITS,
  DNS_SERVICE_LIMITS,
  type DnsForwarderLimits,
  type DnsServiceLimits,
} from './limits.ts';
export { LocalNames, type LocalAnswer, type LocalNamesOptions } from './local-names.ts';
export { NameMemory } from './name-memory.ts';
export { DnsService, serveDns, type DnsServiceOptions } from './service.ts';
export { StubResolver, type StubResolverSetup } from './stub-resolver.ts';
export * from './wire/index.ts';
