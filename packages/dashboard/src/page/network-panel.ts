import type { NetworkState, NetworkStatus } from '@netloom/edge/status';
import { html, setAttributes, setText } from './dom.ts';
import { Facts, dropWords } from './facts.ts';
import type { LineHistory } from './line-history.ts';
import { applyAgain, setSuspended } from './node-api.ts';
import { Plot } from './plot.ts';
import { describeReach } from './switch-box.ts';
import type { DrawnNetwork } from './topology.ts';
import { formatCount, formatPerSecond, formatRate } from './units.ts';

const STOP = 'Stop all frames';

/** What can be done with a network, by its state; nothing with one that comes or goes. */
const BUTTONS: Partial<Record<NetworkState, string>> = {
  active: STOP,
  suspended: 'Let frames go on',
  failed: 'Start again',
};

/** A network: how it is, and what passes its switch. */
export class NetworkPanel {
  readonly element: HTMLElement;
  readonly #name: string;
  readonly #facts = new Facts(['Reach', 'State', 'Known stations', 'Flows', 'Refused']);
  readonly #traffic = new Plot({
    title: 'Through the switch',
    rows: [{ name: '', color: 'from' }],
    format: formatRate,
    least: 1000,
  });
  readonly #drops = new Plot({
    title: 'Drops at its ports',
    rows: [{ name: '', color: 'bad' }],
    format: formatPerSecond,
    least: 1,
  });
  readonly #button = html('button', { type: 'button' });
  readonly #problem = html('p', { class: 'problem', role: 'alert' });
  #state: NetworkState = 'created';

  constructor(name: string) {
    this.#name = name;
    this.#button.addEventListener('click', () => void this.#press());
    this.element = html(
      'div',
      { class: 'chosen' },
      html('h2', {}, name, ' ', html('small', {}, 'network'), this.#button),
      this.#facts.element,
      this.#problem,
      this.#traffic.element,
      this.#drops.element,
    );
  }

  show(network: DrawnNetwork, history: LineHistory): void {
    const { status } = network;
    const { state, stations, flows, drops, error } = status;
    this.#facts.show(
      `${describeReach(network)}, MTU ${status.mtu}`,
      describeState(status),
      formatCount(stations),
      formatCount(flows),
      dropWords(drops),
    );
    this.#state = state;
    setText(this.#button, BUTTONS[state] ?? STOP);
    setAttributes(this.#button, { disabled: BUTTONS[state] === undefined });
    if (error !== null) {
      setText(this.#problem, [error.message, error.remedy].filter(Boolean).join('. '));
    } else if (state === 'active') setText(this.#problem, '');
    const columns = history.columns();
    this.#traffic.show(columns.times, columns.fromStation);
    this.#drops.show(columns.times, columns.drops);
  }

  async #press(): Promise<void> {
    this.#button.disabled = true;
    try {
      if (this.#state === 'failed') await applyAgain();
      else await setSuspended(this.#name, this.#state === 'active');
    } catch (error) {
      setText(this.#problem, error instanceof Error ? error.message : String(error));
    }
  }
}

function describeState({ state, history }: NetworkStatus): string {
  const last = history.at(-1);
  if (last === undefined) return state;
  return `${state} since ${new Date(last.at).toLocaleTimeString()}`;
}
