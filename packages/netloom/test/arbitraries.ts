/** Arbitrary values of the types that packets are made of, for fast-check. */
import fc from 'fast-check';
import { Cidr, IpAddress, MacAddress } from 'netloom/core';

export const uint8: fc.Arbitrary<number> = fc.nat(0xff);
export const uint16: fc.Arbitrary<number> = fc.nat(0xffff);
export const uint32: fc.Arbitrary<number> = fc.nat(0xffff_ffff);
/** 32 bits as the signed integer that headers hold. */
export const int32: fc.Arbitrary<number> = fc.integer();
export const bool: fc.Arbitrary<boolean> = fc.boolean();

export const mac: fc.Arbitrary<MacAddress> = fc
  .tuple(uint16, int32)
  .map(([high, low]) => new MacAddress(high, low));

export const ipv4: fc.Arbitrary<IpAddress> = int32.map((word) => IpAddress.v4(word));

export const ipv6: fc.Arbitrary<IpAddress> = fc
  .tuple(int32, int32, int32, int32)
  .map((words) => IpAddress.v6(...words));

export const ipv4Group: fc.Arbitrary<IpAddress> = fc
  .nat(0x0fff_ffff)
  .map((low) => IpAddress.v4(0xe000_0000 | low));

export const ipv6Group: fc.Arbitrary<IpAddress> = fc
  .tuple(fc.nat(0xff_ffff), int32, int32, int32)
  .map(([high, ...words]) => IpAddress.v6(0xff00_0000 | high, ...words));

export const ipv6Prefix: fc.Arbitrary<Cidr> = fc
  .tuple(ipv6, fc.nat(128))
  .map(([address, length]) => new Cidr(address, length));

/** Bytes of any length up to `maxLength`, all equally likely: left to itself fast-check seldom makes more than ten. */
export function bytes(maxLength: number, minLength = 0): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength, maxLength, size: 'max' });
}

/** As `fc.record`, with objects like any others: those without a prototype are not deeply equal to what a parser makes. */
export function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
}
