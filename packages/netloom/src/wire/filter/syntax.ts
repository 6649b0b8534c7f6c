import type { IpAddress, MacAddress } from '../../core/index.ts';
import type { Protocol } from './protocols.ts';

/** Which end of a packet is meant. */
export type Direction = 'src' | 'dst' | 'either' | 'both';

/** How two values are compared. */
export type Relation = '=' | '!=' | '<' | '<=' | '>' | '>=';

/** What is done with two values, on 32 bits without sign. */
export type Operator = '+' | '-' | '*' | '/' | '%' | '&' | '|' | '^' | '<<' | '>>';

/** A filter as it was read: plain data. */
export type Expression =
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'not'; readonly operand: Expression }
  /** A packet of the protocol. */
  | { readonly kind: 'protocol'; readonly protocol: Protocol }
  /** An address, of which the bits of `mask` count. */
  | {
      readonly kind: 'host';
      /** Undefined: any that has such addresses. */
      readonly protocol: 'ip' | 'ip6' | 'arp' | 'rarp' | undefined;
      readonly direction: Direction;
      readonly address: IpAddress;
      readonly mask: IpAddress;
    }
  | { readonly kind: 'station'; readonly direction: Direction; readonly address: MacAddress }
  | {
      readonly kind: 'port';
      /** Undefined: any that has ports. */
      readonly protocol: 'tcp' | 'udp' | 'sctp' | undefined;
      readonly direction: Direction;
      readonly first: number;
      readonly last: number;
    }
  /** A number in the field that says what comes next. */
  | {
      readonly kind: 'number';
      readonly of: 'ether' | 'ip' | 'ip6' | 'any-ip';
      readonly number: number;
    }
  | { readonly kind: 'broadcast' }
  | { readonly kind: 'multicast'; readonly of: 'ether' | 'ip' | 'ip6' }
  /** A VLAN tag; what comes after it in the text is about what the tag holds. */
  | { readonly kind: 'vlan'; readonly identifier: number | undefined }
  | {
      readonly kind: 'relation';
      readonly relation: Relation;
      readonly left: Value;
      readonly right: Value;
    };

/** A value that is worked out for each frame. */
export type Value =
  | { readonly kind: 'constant'; readonly value: number }
  /** Bytes the frame had. */
  | { readonly kind: 'length' }
  /** Bytes of the frame, counted from where the protocol's header begins. */
  | {
      readonly kind: 'load';
      readonly protocol: Protocol;
      readonly index: Value;
      readonly size: 1 | 2 | 4;
    }
  | { readonly kind: 'negative'; readonly operand: Value }
  | {
      readonly kind: 'operation';
      readonly operator: Operator;
      readonly left: Value;
      readonly right: Value;
    };
