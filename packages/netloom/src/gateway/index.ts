/** What a gateway gives its network: addresses, a way out, and names. */
export { LeaseNames, type SetName } from './lease-names.ts';
export {
  GatewayServices,
  gatewayServices,
  type GatewayClient,
  type GatewayServicesOptions,
} from './services.ts';
