import type { Machine } from './machine.ts';
import { MIGRATE_TIME } from './settings.ts';

/** Speaks the older protocol to a neighbour that speaks no other, and the newer one again when that is gone (IEEE 802.1D-2004, 17.24). */
export const PROTOCOL_MIGRATION: Machine<'CHECKING_RSTP' | 'SENSING' | 'SELECTING_STP'> = {
  initial: 'CHECKING_RSTP',
  states: {
    CHECKING_RSTP: {
      enter(port) {
        port.mcheck = false;
        port.sendRSTP = port.bridge.rstpVersion;
        if (port.portEnabled) port.mdelayWhile.set(MIGRATE_TIME);
        else port.mdelayWhile.hold(MIGRATE_TIME);
      },
      exits: [
        ['SENSING', (port) => port.mdelayWhile.isZero],
        ['CHECKING_RSTP', (port) => !port.portEnabled && !port.mdelayWhile.isHeldAt(MIGRATE_TIME)],
      ],
    },
    SENSING: {
      enter(port) {
        port.rcvdRSTP = port.rcvdSTP = false;
      },
      exits: [
        [
          'CHECKING_RSTP',
          (port) =>
            !port.portEnabled ||
            port.mcheck ||
            (port.bridge.rstpVersion && !port.sendRSTP && port.rcvdRSTP),
        ],
        ['SELECTING_STP', (port) => port.sendRSTP && port.rcvdSTP],
      ],
    },
    SELECTING_STP: {
      enter(port) {
        port.sendRSTP = false;
        port.mdelayWhile.set(MIGRATE_TIME);
      },
      exits: [['SENSING', (port) => port.mdelayWhile.isZero || !port.portEnabled || port.mcheck]],
    },
  },
};
