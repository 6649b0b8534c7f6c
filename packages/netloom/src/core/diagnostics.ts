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
  if (platform !== undefined) return new NodeChannel(name, platform);
  let local = localChannels.get(name);
  if (local === undefined) localChannels.set(name, (local = new LocalChannel(name)));
  // As on Node, the channel's events are of the type that those who use its name agree on.
  return local as LocalChannel<Event>;
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

/** The channels of a platform that has none of its own, by name. */
const localChannels = new Map<string, LocalChannel<unknown>>();

class LocalChannel<Event> implements Channel<Event> {
  readonly name: string;
  /** A copy is made when it changes, so that a listener may come and go while an event is published. */
  #listeners: readonly ((event: Event) => void)[] = [];

  constructor(name: string) {
    this.name = name;
  }

  get hasSubscribers(): boolean {
    return this.#listeners.length > 0;
  }

  publish(event: Event): void {
    for (const receive of this.#listeners) {
      // A listener that fails is no concern of who publishes; as on Node, it is reported as uncaught.
      try {
        receive(event);
      } catch (error) {
        reportError(error);
      }
    }
  }

  subscribe(listener: (event: Event) => void): () => void {
    const receive = (event: Event): void => listener(event);
    this.#listeners = [...this.#listeners, receive];
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== receive);
    };
  }
}
