import { hostError } from '../core/index.ts';

/** Throws `PORT_INVALID` unless the port is a whole number from `lowest` to 65,535. */
export function checkPort(port: number, lowest: 0 | 1, what: string): void {
  if (Number.isInteger(port) && port >= lowest && port <= 65_535) return;
  throw hostError('PORT_INVALID', `${what}: the port is ${port}`);
}
