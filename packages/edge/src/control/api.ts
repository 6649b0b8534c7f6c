import { withLimits, type Clock } from 'netloom/core';
import type { FetchHandler } from 'netloom/http';
import { errorAnswer, jsonAnswer } from './answer.ts';
import { Captures } from './captures.ts';
import type { ControlledNode } from './controlled-node.ts';
import { requestInvalid } from './errors.ts';
import { CONTROL_LIMITS, type ControlLimits } from './limits.ts';
import { findRoute, MethodUnknown, type FoundRoute } from './router.ts';
import { CONTROL_ROUTES, type ControlContext } from './routes.ts';

/** What a {@link ControlApi} takes beside the node. */
export interface ControlApiOptions {
  readonly clock: Clock;
  readonly limits?: Partial<ControlLimits>;
}

/** The control API of a node, version 1: what it says of itself, and what it can be told, as JSON over HTTP. See docs/control.md. */
export class ControlApi implements FetchHandler {
  readonly #context: ControlContext;

  constructor(node: ControlledNode, options: ControlApiOptions) {
    const limits = withLimits(CONTROL_LIMITS, options.limits);
    this.#context = { node, limits, captures: new Captures(options.clock, limits) };
  }

  async fetch(request: Request): Promise<Response> {
    try {
      const url = new URL(request.url);
      const found = findRoute(CONTROL_ROUTES, request.method, url.pathname);
      return await this.#answer(request, url, found);
    } catch (error) {
      const allow = error instanceof MethodUnknown ? { allow: error.allowed } : {};
      return errorAnswer(error, allow);
    }
  }

  /** Ends what would go on by itself: the captures. */
  end(): void {
    this.#context.captures.end();
  }

  async #answer(
    request: Request,
    url: URL,
    { route, parameters }: FoundRoute<ControlContext>,
  ): Promise<Response> {
    const query = url.searchParams;
    for (const name of query.keys()) {
      if (!route.query.includes(name)) {
        throw requestInvalid(`${url.pathname} takes no '${name}' in the query`);
      }
    }
    const answer: unknown = await route.answer({ request, parameters, query }, this.#context);
    return answer instanceof Response ? answer : jsonAnswer(answer);
  }
}
