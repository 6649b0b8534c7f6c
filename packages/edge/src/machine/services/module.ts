import { pathToFileURL } from 'node:url';
import { NetloomError } from 'netloom/core';
import { serve, type FetchHandler } from 'netloom/http';
import type { ServiceMaker } from '../service.ts';
import { CLOSE_TIMEOUT } from './close-timeout.ts';

/** Serves HTTP with a module of the user's, whose default export has `fetch(request)`. */
export function moduleService(path: string, port: number): ServiceMaker {
  return {
    async start({ host }) {
      const handler = await load(path);
      return serve(handler, { host, port, limits: { closeTimeout: CLOSE_TIMEOUT } });
    },
  };
}

/** Rejects with `MACHINE_MODULE_FAILED` or `MACHINE_MODULE_INVALID`. */
async function load(path: string): Promise<FetchHandler> {
  let loaded: { readonly default?: unknown };
  const { href } = pathToFileURL(path);
  try {
    loaded = (await import(href)) as { readonly default?: unknown };
  } catch (error) {
    const reason = isMissing(error, href) ? 'there is no such file' : messageOf(error);
    throw new NetloomError('MACHINE_MODULE_FAILED', `cannot load the module ${path}: ${reason}`, {
      cause: error,
      remedy: 'Mend the module, or its path in the file.',
    });
  }
  const handler = loaded.default;
  if (isHandler(handler)) return handler;
  throw new NetloomError(
    'MACHINE_MODULE_INVALID',
    `the default export of the module ${path} has no method fetch`,
    { remedy: 'Write: export default { fetch(request) { return new Response("..."); } }' },
  );
}

/** Whether it is the module itself that is not there, and not another that it imports. */
function isMissing(error: unknown, href: string): boolean {
  const { code, url } = error as { readonly code?: unknown; readonly url?: unknown };
  return code === 'ERR_MODULE_NOT_FOUND' && url === href;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isHandler(value: unknown): value is FetchHandler {
  return typeof (value as Partial<FetchHandler> | null | undefined)?.fetch === 'function';
}
