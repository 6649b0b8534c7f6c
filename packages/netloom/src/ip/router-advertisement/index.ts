/** Router advertisements, the router's side (RFC 4861, section 6.2): an engine without sockets and clock. */
export {
  RouterAdvertiser,
  type RouterAdvertiserOptions,
  type RouterAdvertiserSink,
} from './advertiser.ts';
export { ROUTER_ADVERTISER_LIMITS, type RouterAdvertiserLimits } from './limits.ts';
export type { AdvertisedNetwork, AdvertisedPrefix, AdvertisedRoute } from './network.ts';
