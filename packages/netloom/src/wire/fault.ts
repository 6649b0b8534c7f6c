/**
 * Why bytes are not what a parser was asked for. Parsers answer a fault and do not throw: bad packets are an everyday
 * input, and the fault doubles as the name of the counter the packet is dropped under.
 */
export type WireFault =
  /** Fewer bytes than the fixed header or a length field asks for. */
  | 'truncated'
  /** A length field that contradicts itself or the header it is in. */
  | 'bad-length'
  /** A version or hardware/protocol type other than the parser's. */
  | 'bad-version'
  /** A checksum that does not match. */
  | 'bad-checksum'
  /** An option or extension header that breaks its own rules. */
  | 'bad-option'
  /** More options, extension headers or nested records than the parser's limit. */
  | 'too-many'
  /** A value the RFC forbids, in a field not named above. */
  | 'bad-value';

/** Whether a parser's answer is a fault, not a value. */
export function isFault(answer: unknown): answer is WireFault {
  return typeof answer === 'string';
}
