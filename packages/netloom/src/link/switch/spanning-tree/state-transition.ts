import type { Machine } from './machine.ts';
import type { TreePort } from './port.ts';

/** Has the filtering of frames follow what the role allows (IEEE 802.1D-2004, 17.30). */
export const STATE_TRANSITION: Machine<'DISCARDING' | 'LEARNING' | 'FORWARDING'> = {
  initial: 'DISCARDING',
  states: {
    DISCARDING: {
      enter(port) {
        setState(port, false, false);
      },
      exits: [['LEARNING', (port) => port.learn]],
    },
    LEARNING: {
      enter(port) {
        port.hasLearned = true;
        setState(port, true, false);
      },
      exits: [
        ['FORWARDING', (port) => port.forward],
        ['DISCARDING', (port) => !port.learn],
      ],
    },
    FORWARDING: {
      enter(port) {
        setState(port, true, true);
      },
      exits: [['DISCARDING', (port) => !port.forward]],
    },
  },
};

function setState(port: TreePort, learning: boolean, forwarding: boolean): void {
  const before = port.state;
  port.learning = learning;
  port.forwarding = forwarding;
  const { state } = port;
  if (state !== before) port.bridge.events.push({ kind: 'state', port, state });
}
