/** Ethernet over UDP between tunnel ends: VXLAN (RFC 7348). */
export { VXLAN_DROP, VxlanEndpoint, type VxlanEndpointOptions } from './endpoint.ts';
export type { VxlanLink, VxlanStation } from './link.ts';
export type { VxlanPeer } from './peer-table.ts';
export type { VxlanEndpointLimits, VxlanLimits, VxlanOptions } from './settings.ts';
