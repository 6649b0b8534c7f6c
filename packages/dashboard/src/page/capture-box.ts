import { PageCapture } from './capture.ts';
import { html, setAttributes, setText } from './dom.ts';
import { formatBytes, formatCount } from './units.ts';

/**
 * Captures at once: each has a connection to the node for itself, browsers make no more than six to one place, and those that ask how the node is
 * are among them.
 */
const MOST_CAPTURES = 3;

/** The captures of this page, by what they are of. They go on when something else is looked at. */
export class PageCaptures {
  readonly #captures = new Map<string, PageCapture>();
  #changed: () => void = () => undefined;

  /** Calls this, and nobody else, when there is more to tell. */
  onChange(changed: () => void): void {
    this.#changed = changed;
  }

  /** The last of this network or port. */
  of(network: string, port: string | null): PageCapture | undefined {
    return this.#captures.get(keyOf(network, port));
  }

  get isFull(): boolean {
    const running = [...this.#captures.values()].filter(({ state }) => state === 'running');
    return running.length >= MOST_CAPTURES;
  }

  start(network: string, port: string | null, filter: string): void {
    const capture = new PageCapture({ network, port, filter }, () => this.#changed());
    this.#captures.set(keyOf(network, port), capture);
    this.#changed();
  }
}

/** Starts a capture of a network, or of one of its ports, and ends it. */
export class CaptureBox {
  readonly element: HTMLElement;
  readonly #captures: PageCaptures;
  readonly #network: string;
  readonly #port: string | null;
  readonly #filter = html('input', {
    type: 'text',
    id: 'capture-filter',
    placeholder: 'as tcp port 80',
    spellcheck: 'false',
    autocomplete: 'off',
  });
  readonly #button = html('button', { type: 'button', class: 'main' });
  readonly #words = html('p', { class: 'soft', role: 'status' });
  readonly #problem = html('p', { class: 'problem', role: 'alert' });

  constructor(captures: PageCaptures, network: string, port: string | null) {
    this.#captures = captures;
    this.#network = network;
    this.#port = port;
    this.#button.addEventListener('click', () => this.#press());
    this.element = html(
      'section',
      { class: 'capture', 'aria-label': 'Capture' },
      html('h3', {}, 'Capture'),
      html(
        'div',
        { class: 'capture-row' },
        html('label', { for: 'capture-filter', class: 'hidden' }, 'Which frames'),
        this.#filter,
        this.#button,
      ),
      this.#words,
      this.#problem,
    );
    captures.onChange(() => this.show());
    this.show();
  }

  show(): void {
    const capture = this.#captures.of(this.#network, this.#port);
    const isRunning = capture?.state === 'running';
    setText(this.#button, isRunning ? 'Stop and save' : 'Start a capture');
    setAttributes(this.#button, { disabled: !isRunning && this.#captures.isFull });
    setAttributes(this.#filter, { disabled: isRunning });
    setText(this.#problem, capture?.problem ?? '');
    setText(this.#words, describe(capture));
  }

  #press(): void {
    const capture = this.#captures.of(this.#network, this.#port);
    if (capture?.state === 'running') capture.stop();
    else this.#captures.start(this.#network, this.#port, this.#filter.value.trim());
  }
}

function keyOf(network: string, port: string | null): string {
  return `${network}/${port ?? ''}`;
}

function describe(capture: PageCapture | undefined): string {
  if (capture === undefined || capture.state === 'refused') {
    return 'Saved as pcapng when it ends, for Wireshark or netloom dump.';
  }
  const { frames, bytes, state } = capture;
  const sum = `${formatCount(frames)} ${frames === 1 ? 'frame' : 'frames'}, ${formatBytes(bytes)}`;
  return state === 'running' ? `${sum} so far` : `Saved: ${sum}`;
}
