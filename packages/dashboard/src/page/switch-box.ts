import type { NetworkState } from '@netloom/edge/status';
import { setAttributes, setText, svg } from './dom.ts';
import { SWITCH_HEIGHT, type PlacedSwitch } from './layout.ts';
import { shorten } from './line-words.ts';
import type { DrawnNetwork } from './topology.ts';

/** How a state looks, beside its colour. */
const STATE_SIGNS: Readonly<Record<NetworkState, string>> = {
  created: '○',
  configuring: '◌',
  active: '●',
  suspended: '❚❚',
  failed: '✕',
  deactivating: '◌',
  destroyed: '○',
};

/** Of the words below the name. */
const CHARACTER_WIDTH = 5.5;

/** A network's switch in the picture. */
export class SwitchBox {
  readonly #group: SVGGElement;
  readonly #room: number;
  readonly #sign = svg('text', { class: 'sign-of-state', y: 22 });
  readonly #below = svg('text', { class: 'soft', x: 14, y: 41 });

  constructor(group: SVGGElement, { network, at, width }: PlacedSwitch) {
    this.#group = group;
    this.#room = Math.floor((width - 24) / CHARACTER_WIDTH);
    group.classList.add('switch');
    const { name } = network.status;
    setAttributes(this.#sign, { x: width - 14 });
    group.append(
      svg(
        'g',
        { transform: `translate(${at.x} ${at.y})` },
        svg('rect', { class: 'box', width, height: SWITCH_HEIGHT, rx: 9 }),
        svg('text', { class: 'name', x: 14, y: 22 }, shorten(name, Math.floor(width / 16))),
        this.#sign,
        this.#below,
      ),
    );
  }

  show(network: DrawnNetwork, isChosen: boolean): void {
    const { status } = network;
    const { name, state } = status;
    setText(this.#sign, `${STATE_SIGNS[state]} ${state}`);
    setText(this.#below, shorten(describeReach(network), this.#room));
    setAttributes(this.#group, {
      class: `choice switch ${state}`,
      'aria-pressed': String(isChosen),
      'aria-label': `network ${name}: ${state}, ${describeReach(network)}`,
    });
  }
}

/** Its addresses, and how far it reaches, as `10.0.0.0/24 · bridged to br0`. */
export function describeReach({ model }: DrawnNetwork): string {
  return [...model.subnets, describeKind(model.kind)].join(' · ');
}

function describeKind(kind: DrawnNetwork['model']['kind']): string {
  switch (kind.kind) {
    case 'isolated':
      return 'isolated';
    case 'bridged':
      return `bridged to ${'bridge' in kind ? kind.bridge : kind.interface}`;
    case 'overlay':
      return `overlay ${kind.identifier}`;
    case 'direct':
      return `direct on ${kind.interface}`;
  }
}
