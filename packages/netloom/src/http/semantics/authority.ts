/** A registered name or IPv4 address (RFC 3986, section 3.2.2, without `%`), or an IPv6 address in brackets. */
const HOST_NAME = "[A-Za-z0-9\\-._~!$&'()*+;=]+|\\[[0-9A-Fa-f:.]+\\]";
const HOST = new RegExp(`^(?:${HOST_NAME})(?::\\d{0,5})?$`);
const AUTHORITY = new RegExp(`^(?:${HOST_NAME}):\\d{1,5}$`);
/** No user information: RFC 9110, section 4.2.4 has it refused, as it serves to disguise the host. */
const ABSOLUTE = new RegExp(`^https?://(?:${HOST_NAME})(?::\\d{0,5})?(?:[/?].*)?$`, 'i');

/** Whether the text is a host with an optional port, as Host and `:authority` hold it. */
export function isHost(text: string): boolean {
  return HOST.test(text);
}

/** Whether the target has the form that goes with the method (RFC 9112, section 3.2). */
export function isTargetOfForm(method: string, target: string): boolean {
  if (method === 'CONNECT') return AUTHORITY.test(target);
  if (target === '*') return method === 'OPTIONS';
  const path = target.split('?', 1)[0]!;
  // URL parsers read a backslash in a path as a slash, other software does not.
  if (path.includes('\\')) return false;
  return target.startsWith('/') || ABSOLUTE.test(target);
}
