/** HTTP: `serve` and `fetch` on any Host, `download`, and the engines beneath. HTTP/1.1 so far. */
export * from './client/index.ts';
export { httpErrors, type HttpErrorEvent } from './errors.ts';
export * from './http1/index.ts';
export {
  Fields,
  formatContentRange,
  formatDate,
  isIdempotent,
  isStrongEntityTag,
  isWithoutContent,
  parseContentRange,
  parseDate,
  parseRange,
  reasonPhrase,
  strongValidators,
  type ByteRange,
  type ContentRange,
  type Validators,
} from './semantics/index.ts';
export * from './server/index.ts';
