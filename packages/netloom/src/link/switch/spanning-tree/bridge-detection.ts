import type { Machine } from './machine.ts';

/** Finds out whether a port is at the edge, with no bridge behind it (IEEE 802.1D-2004, 17.25). */
export const BRIDGE_DETECTION: Machine<'NOT_EDGE' | 'EDGE'> = {
  initial: 'NOT_EDGE',
  states: {
    NOT_EDGE: {
      enter(port) {
        port.operEdge = false;
      },
      exits: [
        [
          'EDGE',
          (port) =>
            (!port.portEnabled && port.AdminEdge) ||
            (port.edgeDelayWhile.isZero && port.AutoEdge && port.sendRSTP && port.proposing),
        ],
      ],
    },
    EDGE: {
      enter(port) {
        port.operEdge = true;
      },
      exits: [['NOT_EDGE', (port) => (!port.portEnabled && !port.AdminEdge) || !port.operEdge]],
    },
  },
};
