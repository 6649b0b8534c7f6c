import type { Machine } from './machine.ts';
import { MIGRATE_TIME } from './settings.ts';

/** Takes BPDUs in, one at a time (IEEE 802.1D-2004, 17.23). */
export const PORT_RECEIVE: Machine<'DISCARD' | 'RECEIVE'> = {
  initial: 'DISCARD',
  fromAny: [
    [
      'DISCARD',
      (port) => !port.portEnabled && (port.rcvdBPDU || !port.edgeDelayWhile.isHeldAt(MIGRATE_TIME)),
    ],
  ],
  states: {
    DISCARD: {
      enter(port) {
        port.rcvdBPDU = port.rcvdRSTP = port.rcvdSTP = false;
        port.rcvdMsg = false;
        port.edgeDelayWhile.hold(MIGRATE_TIME);
      },
      exits: [['RECEIVE', (port) => port.rcvdBPDU && port.portEnabled]],
    },
    RECEIVE: {
      enter(port) {
        // Which version it is of (17.21.22).
        if (port.bpdu?.kind === 'rapid') port.rcvdRSTP = true;
        else port.rcvdSTP = true;
        port.operEdge = port.rcvdBPDU = false;
        port.rcvdMsg = true;
        port.edgeDelayWhile.set(MIGRATE_TIME);
      },
      exits: [['RECEIVE', (port) => port.rcvdBPDU && port.portEnabled && !port.rcvdMsg]],
    },
  },
};
