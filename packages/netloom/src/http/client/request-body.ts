import { NetloomError } from '../../core/index.ts';

/** A request's body. */
export interface RequestBody {
  /** Undefined: not known until it has been sent. */
  readonly length: number | undefined;
  /** It can be sent again, from its beginning. */
  readonly isReplayable: boolean;
  /** All of it, or a stream. Called once for each time it is sent. */
  open(): Uint8Array | ReadableStream<Uint8Array>;
}

/** The body of a `Request`; `given` is what it was made from, if that is known. Undefined: it has none. */
export async function requestBody(
  request: Request,
  given: BodyInit | null | undefined,
): Promise<RequestBody | undefined> {
  const { body } = request;
  if (body === null) return undefined;
  if (given instanceof Blob) {
    return { length: given.size, isReplayable: true, open: () => given.stream() };
  }
  if (given === undefined || given === null || !hasBytesAtHand(given)) {
    return { length: announcedLength(request), isReplayable: false, open: () => body };
  }
  const bytes = new Uint8Array(await request.arrayBuffer());
  return { length: bytes.length, isReplayable: true, open: () => bytes };
}

/** Of what the Fetch Standard calls a body with a source, which may be sent again. */
function hasBytesAtHand(given: BodyInit): boolean {
  return (
    typeof given === 'string' ||
    given instanceof URLSearchParams ||
    given instanceof FormData ||
    given instanceof ArrayBuffer ||
    ArrayBuffer.isView(given)
  );
}

/** A stream may be of a length that the caller knows and has announced. */
function announcedLength(request: Request): number | undefined {
  const value = request.headers.get('content-length');
  if (value === null) return undefined;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new NetloomError('HTTP_REQUEST_INVALID', `the content-length '${value}' is not a number`);
}
