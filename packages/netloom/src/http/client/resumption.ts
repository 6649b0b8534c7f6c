import { NetloomError } from '../../core/index.ts';
import {
  ifRange,
  mayBeSame,
  parseContentRange,
  strongValidators,
  type Validators,
} from '../semantics/index.ts';

/** What of a file is there already. */
export interface PartialFile {
  /** Its first so many bytes. */
  readonly position: number;
  /** What the server said of the version they are of. Without any, they cannot be used. */
  readonly validators: Validators;
}

/** What a response means for a download. */
export type ResumptionStep =
  /** Its body goes in at `position`, and should end at `end`. `total` is the length of the file. Undefined: not known. */
  | {
      readonly kind: 'body';
      readonly position: number;
      readonly end: number | undefined;
      readonly total: number | undefined;
    }
  /** All of it is there already. */
  | { readonly kind: 'complete' }
  /** Ask for all of it: the part that is there is of no use. */
  | { readonly kind: 'start-over' };

/** Whether the part that is there can be added to. */
export function isResumable(part: PartialFile): boolean {
  return part.position > 0 && ifRange(part.validators) !== undefined;
}

/** The fields that ask for the rest of a file, or for all of it if it has changed (RFC 9110, section 13.1.5). */
export function resumptionFields(part: PartialFile): [string, string][] {
  const condition = ifRange(part.validators);
  if (part.position === 0 || condition === undefined) return [];
  return [
    ['range', `bytes=${part.position}-`],
    ['if-range', condition],
  ];
}

/** What to do with a response to a request for a file of which `part` is there. Throws if it is of no use at all. */
export function nextStep(response: Response, part: PartialFile): ResumptionStep {
  const { headers, status } = response;
  const asked = isResumable(part);
  if (status === 200 || status === 203) {
    const length = contentLength(headers);
    return { kind: 'body', position: 0, end: length, total: length };
  }
  if (status === 206 && asked) return partialStep(headers, part);
  if (status === 416 && asked) return unsatisfiableStep(headers, part);
  throw new NetloomError(
    'HTTP_STATUS',
    `${response.url} answered ${status} ${response.statusText}`,
    {
      remedy: status === 404 ? 'Check the URL.' : 'See what the status says; try again later.',
    },
  );
}

function partialStep(headers: Headers, part: PartialFile): ResumptionStep {
  const range = parseContentRange(headers.get('content-range') ?? '');
  // A range other than the one asked for, several of them, of a file of unknown length (so that its end would not be known),
  // or of another version, although If-Range forbids that.
  if (
    range?.range?.start !== part.position ||
    range.total === undefined ||
    !mayBeSame(part.validators, strongValidators(headers))
  ) {
    return { kind: 'start-over' };
  }
  const { start, end } = range.range;
  const length = contentLength(headers);
  if (length !== undefined && length !== end - start) {
    throw lengthMismatch(`it announces ${length} bytes of body and a range of ${end - start}`);
  }
  return { kind: 'body', position: start, end, total: range.total };
}

function unsatisfiableStep(headers: Headers, part: PartialFile): ResumptionStep {
  // RFC 9110, section 15.5.17: it says how long the file is. The part may be all of it.
  const range = parseContentRange(headers.get('content-range') ?? '');
  return { kind: range?.total === part.position ? 'complete' : 'start-over' };
}

/** The error for a server whose numbers do not agree. */
export function lengthMismatch(what: string): NetloomError {
  return new NetloomError('HTTP_LENGTH_MISMATCH', `the server contradicts itself: ${what}`, {
    remedy: 'Try again without a partial file, or from another server.',
  });
}

function contentLength(headers: Headers): number | undefined {
  const value = headers.get('content-length');
  return value !== null && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}
