import { NetloomError } from 'netloom/core';

/** What an answer is made from. */
export interface RouteRequest {
  readonly request: Request;
  /** What stands in the path where the route has `:name`. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
}

/** A method and path, and who answers. */
export interface Route<Context> {
  readonly method: 'GET' | 'POST' | 'PATCH';
  /** As `/v1/networks/:network`. */
  readonly path: string;
  /** The names that may stand in the query. */
  readonly query: readonly string[];
  /** A Response as it is; anything else becomes JSON. */
  answer(request: RouteRequest, context: Context): unknown;
}

/** A route that was found, and what its path holds. */
export interface FoundRoute<Context> {
  readonly route: Route<Context>;
  readonly parameters: Readonly<Record<string, string>>;
}

/** A method that the path does not have; `allowed` are those it has. */
export class MethodUnknown extends NetloomError {
  readonly allowed: string;

  constructor(method: string, path: string, allowed: readonly string[]) {
    super('CONTROL_METHOD_UNKNOWN', `${path} does not take ${method}`, {
      remedy: `Use ${allowed.join(' or ')}.`,
    });
    this.allowed = allowed.join(', ');
  }
}

/** The route for a request. HEAD is GET whose answer's body is left out. Throws `CONTROL_PATH_UNKNOWN` or `CONTROL_METHOD_UNKNOWN`. */
export function findRoute<Context>(
  routes: readonly Route<Context>[],
  method: string,
  path: string,
): FoundRoute<Context> {
  const wanted = method === 'HEAD' ? 'GET' : method;
  const allowed: string[] = [];
  for (const route of routes) {
    const parameters = matchPath(route.path, path);
    if (parameters === undefined) continue;
    if (route.method === wanted) return { route, parameters };
    allowed.push(...(route.method === 'GET' ? ['GET', 'HEAD'] : [route.method]));
  }
  if (allowed.length > 0) throw new MethodUnknown(method, path, allowed);
  throw new NetloomError('CONTROL_PATH_UNKNOWN', `there is no ${path}`, {
    remedy: 'See docs/control.md for what there is.',
  });
}

/** What a path holds where the pattern has `:name`; undefined if it is not of that pattern. */
function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [i, part] of wanted.entries()) {
    if (!part.startsWith(':')) {
      if (part !== given[i]) return undefined;
      continue;
    }
    const value = decode(given[i]!);
    if (value === undefined || value === '') return undefined;
    parameters[part.slice(1)] = value;
  }
  return parameters;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
