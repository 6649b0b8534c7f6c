/** A named place where structured events are published; free of cost while nobody listens. */
export interface Channel<Event> {
  readonly name: string;
  /** Ask before building an event: it is false while nobody listens. */
  readonly hasSubscribers: boolean;
  publish(event: Event): void;
  /** Calls `listener` with each event; the answer ends that. */
  subscribe(listener: (event: Event) => void): () => void;
}

/** The part of `node:diagnostics_channel` used here. */
interface PlatformChannel {
  readonly hasSubscribers: boolean;
  publish(event: unknown): void;
  subscribe(listener: (event: unknown) => void): void;
  unsubscribe(listener: (event: unknown) => void): void;
}

interface PlatformProcess {
  getBuiltinModule?(name: string): { channel(name: string): PlatformChannel } | undefined;
}

/**
 * The channel of this name, as `netloom:tcp:state`. On Node it is the platform's own
 * (`node:diagnostics_channel`), so any tool that listens there sees us; elsewhere, one of this process.
 * Found without an import, so that engine layers stay free of the platform.
 */
export function channel<Event>(name: `netloom:${string}`): Channel<Event> {
  const { process } = globalThis as { process?: PlatformProcess };
  const platform = process?.getBuiltinModule?.('node:diagnostics_channel')?.channel(name);
  return platform === undefined ? new LocalChannel<Event>(name) : new NodeChannel(name, platform);
}

class NodeChannel<Event> implements Channel<Event> {
  readonly name: string;
  readonly #platform: PlatformChannel;

  constructor(name: string, platform: PlatformChannel) {
    this.name = name;
    this.#platform = platform;
  }

  get hasSubscribers(): boolean {
    return this.#platform.hasSubscribers;
  }

  publish(event: Event): void {
    this.#platform.publish(event);
  }

  subscribe(listener: (event: Event) => void): () => void {
    const receive = (event: unknown): void => listener(event as Event);
    this.#platform.subscribe(receive);
    return () => this.#platform.unsubscribe(receive);
  }
}

class LocalChannel<Event> implements Channel<Event> {
  readonly name: string;
  readonly #listeners = new Set<(event: Event) => void>();

  constructor(name: string) {
    this.name = name;
  }

  get hasSubscribers(): boolean {
    return this.#listeners.size > 0;
  }

  publish(event: Event): void {
    for (const listener of this.#listeners) listener(event);
  }

  subscribe(listener: (event: Event) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
