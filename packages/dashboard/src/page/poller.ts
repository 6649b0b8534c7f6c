import { RefusedError, viewNode, type NodeView } from './node-api.ts';

/** Whether the node can be heard. */
export type Contact =
  | { readonly kind: 'live' }
  /** It does not answer. */
  | { readonly kind: 'away'; readonly since: Date }
  /** It answers, but does not know us: it is another than the one that this page came from. */
  | { readonly kind: 'stranger' };

/** Milliseconds from an answer to the next question. */
const INTERVAL = 1000;

/** The statuses of answers to somebody without the right token, and to somebody who comes again and again without (RFC 9110, section 15.5.2; RFC 6585, section 4). */
const STRANGER_STATUSES: readonly number[] = [401, 429];

/** Who is told what {@link watchNode} sees. */
export interface NodeWatcher {
  view(view: NodeView): void;
  contact(contact: Contact): void;
}

/** Looks at the node each second, as long as somebody can see the page. */
export async function watchNode(watcher: NodeWatcher): Promise<never> {
  let since: Date | undefined;
  for (;;) {
    await visible();
    const view = await viewNode().catch((error: unknown) => {
      since ??= new Date();
      const isStranger = error instanceof RefusedError && STRANGER_STATUSES.includes(error.status);
      watcher.contact(isStranger ? { kind: 'stranger' } : { kind: 'away', since });
      return undefined;
    });
    if (view !== undefined) {
      since = undefined;
      watcher.contact({ kind: 'live' });
      watcher.view(view);
    }
    await new Promise((resolve) => setTimeout(resolve, INTERVAL));
  }
}

function visible(): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (document.hidden) return;
      document.removeEventListener('visibilitychange', look);
      resolve();
    };
    document.addEventListener('visibilitychange', look);
    look();
  });
}
