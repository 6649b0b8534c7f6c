/** How soon a response is wanted, and whether parts of it are of use (RFC 9218, section 4). */
export interface Http2Priority {
  /** 0, before all others, to 7. */
  readonly urgency: number;
  /** It is of use in parts, so it may share the connection with others of its urgency. */
  readonly incremental: boolean;
}

/** What holds when nobody says otherwise (RFC 9218, section 4). */
export const DEFAULT_PRIORITY: Http2Priority = { urgency: 3, incremental: false };

/** How many levels of urgency there are. */
export const URGENCIES = 8;

/** A member of a dictionary of RFC 8941, of those that are looked at here: a small integer, or a boolean. */
const URGENCY = /^u=([0-7])$/;
const INCREMENTAL = /^i(?:=\?([01]))?$/;

/**
 * Reads the value of a `priority` field or of a PRIORITY_UPDATE frame. What is not known or not valid in it is passed over
 * (RFC 9218, section 4); of a member that is there twice the last holds (RFC 8941, section 3.2).
 */
export function parsePriority(value: string | undefined): Http2Priority {
  let { urgency, incremental } = DEFAULT_PRIORITY;
  for (const part of value?.split(',') ?? []) {
    // Parameters of a member say nothing that is known here.
    const member = part.split(';', 1)[0]!.trim();
    const level = URGENCY.exec(member)?.[1];
    if (level !== undefined) urgency = Number(level);
    const flag = INCREMENTAL.exec(member);
    if (flag !== null) incremental = flag[1] !== '0';
  }
  return { urgency, incremental };
}
