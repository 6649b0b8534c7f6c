import { ByteWriter, readUint16, toHex, type MacAddress } from '../core/index.ts';
import type { WireFault } from './fault.ts';

/** Types of DHCP unique identifiers (RFC 8415, section 11; UUID: RFC 6355). */
export const DuidType = { LINK_LAYER_TIME: 1, ENTERPRISE: 2, LINK_LAYER: 3, UUID: 4 } as const;

/** The longest DUID, its type included (RFC 8415, section 11.1). */
export const DUID_LONGEST = 130;

const HARDWARE_ETHERNET = 1;

/** What a DUID was made of. Protocol engines compare DUIDs as bytes and look no further (RFC 8415, section 11). */
export type Duid =
  | {
      readonly kind: 'link-layer-time';
      readonly hardwareType: number;
      /** Seconds since 2000-01-01 UTC, modulo 2^32. */
      readonly time: number;
      readonly address: Uint8Array;
    }
  | {
      readonly kind: 'link-layer';
      readonly hardwareType: number;
      readonly address: Uint8Array;
    }
  | { readonly kind: 'enterprise'; readonly enterprise: number; readonly identifier: Uint8Array }
  | { readonly kind: 'uuid'; readonly uuid: Uint8Array }
  | { readonly kind: 'other'; readonly type: number; readonly identifier: Uint8Array };

/** Reads a DUID; its parts are views of `bytes`. */
export function parseDuid(bytes: Uint8Array): Duid | WireFault {
  if (bytes.length < 3) return 'truncated';
  if (bytes.length > DUID_LONGEST) return 'bad-length';
  const type = readUint16(bytes, 0);
  const after = (at: number): Uint8Array => bytes.subarray(at);
  switch (type) {
    case DuidType.LINK_LAYER_TIME:
      if (bytes.length < 8) return 'truncated';
      return {
        kind: 'link-layer-time',
        hardwareType: readUint16(bytes, 2),
        time: readUint16(bytes, 4) * 0x10000 + readUint16(bytes, 6),
        address: after(8),
      };
    case DuidType.ENTERPRISE:
      if (bytes.length < 6) return 'truncated';
      return {
        kind: 'enterprise',
        enterprise: readUint16(bytes, 2) * 0x10000 + readUint16(bytes, 4),
        identifier: after(6),
      };
    case DuidType.LINK_LAYER:
      if (bytes.length < 4) return 'truncated';
      return { kind: 'link-layer', hardwareType: readUint16(bytes, 2), address: after(4) };
    case DuidType.UUID:
      return bytes.length === 18 ? { kind: 'uuid', uuid: after(2) } : 'bad-length';
    default:
      return { kind: 'other', type, identifier: after(2) };
  }
}

/** A DUID of an Ethernet address alone: DUID-LL (RFC 8415, section 11.4). */
export function duidOfMac(mac: MacAddress): Uint8Array {
  const duid = Uint8Array.of(0, DuidType.LINK_LAYER, 0, HARDWARE_ETHERNET, 0, 0, 0, 0, 0, 0);
  mac.copyTo(duid, 4);
  return duid;
}

/** A DUID of an Ethernet address and the time it was made, in seconds since 2000-01-01 UTC: DUID-LLT (RFC 8415, section 11.2). */
export function duidOfMacAndTime(mac: MacAddress, time: number): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(14));
  writer.uint16(DuidType.LINK_LAYER_TIME);
  writer.uint16(HARDWARE_ETHERNET);
  writer.uint32(time);
  writer.uint16(mac.high);
  writer.uint32(mac.low);
  return writer.bytes;
}

/** A DUID of the 16 bytes of a UUID (RFC 6355). */
export function duidOfUuid(uuid: Uint8Array): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(18));
  writer.uint16(DuidType.UUID);
  writer.put(uuid);
  return writer.bytes;
}

/** As DUIDs are usually shown: hexadecimal with colons. */
export function formatDuid(bytes: Uint8Array): string {
  return toHex(bytes).replaceAll(/..(?=.)/g, '$&:');
}
