/** What a frame is (RFC 6455, section 5.2). From 8 on they are control frames. */
export const Opcode = {
  CONTINUATION: 0,
  TEXT: 1,
  BINARY: 2,
  CLOSE: 8,
  PING: 9,
  PONG: 10,
} as const;

/** One of the {@link Opcode}s. */
export type Opcode = (typeof Opcode)[keyof typeof Opcode];

/** The most bytes that a control frame may carry (RFC 6455, section 5.5). */
export const CONTROL_PAYLOAD_LIMIT = 125;

/** Whether it is one of the {@link Opcode}s: all others are reserved. */
export function isOpcode(value: number): value is Opcode {
  return value <= Opcode.BINARY || (value >= Opcode.CLOSE && value <= Opcode.PONG);
}

/** Whether frames of this opcode are control frames: short, whole, and allowed between the fragments of a message. */
export function isControl(opcode: number): boolean {
  return (opcode & 8) !== 0;
}
