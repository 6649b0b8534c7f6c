import type { Machine } from './machine.ts';
import type { TreePort } from './port.ts';

type State =
  | 'INACTIVE'
  | 'LEARNING'
  | 'DETECTED'
  | 'ACTIVE'
  | 'NOTIFIED_TCN'
  | 'NOTIFIED_TC'
  | 'PROPAGATING'
  | 'ACKNOWLEDGED';

/**
 * Tells of changes, so that all bridges forget where stations were (IEEE 802.1D-2004, 17.31). To forget at once is right for `stp` as well, where
 * the standard would have what was learned age within the forward delay.
 */
export const TOPOLOGY_CHANGE: Machine<State> = {
  initial: 'INACTIVE',
  states: {
    INACTIVE: {
      enter(port) {
        port.flush();
        port.tcWhile.set(0);
        port.tcAck = false;
      },
      exits: [['LEARNING', (port) => port.learn]],
    },
    LEARNING: {
      enter(port) {
        port.rcvdTc = port.rcvdTcn = port.rcvdTcAck = port.tcProp = false;
      },
      exits: [
        ['DETECTED', (port) => isActive(port) && port.forward && !port.operEdge],
        ['LEARNING', isTold],
        ['INACTIVE', (port) => !isActive(port) && !port.learn && !port.learning && !isTold(port)],
      ],
    },
    DETECTED: {
      enter(port) {
        port.newTcWhile();
        port.bridge.setTcPropTree(port);
        port.newInfo = true;
        port.bridge.noteTopologyChange(port);
      },
      next: 'ACTIVE',
    },
    ACTIVE: {
      exits: [
        ['LEARNING', (port) => !isActive(port) || port.operEdge],
        ['NOTIFIED_TCN', (port) => port.rcvdTcn],
        ['NOTIFIED_TC', (port) => port.rcvdTc],
        ['PROPAGATING', (port) => port.tcProp],
        ['ACKNOWLEDGED', (port) => port.rcvdTcAck],
      ],
    },
    NOTIFIED_TCN: {
      enter(port) {
        port.newTcWhile();
      },
      next: 'NOTIFIED_TC',
    },
    NOTIFIED_TC: {
      enter(port) {
        port.rcvdTcn = port.rcvdTc = false;
        if (port.role === 'designated') port.tcAck = true;
        port.bridge.setTcPropTree(port);
        port.bridge.noteTopologyChange(port);
      },
      next: 'ACTIVE',
    },
    PROPAGATING: {
      enter(port) {
        port.newTcWhile();
        port.flush();
        port.tcProp = false;
      },
      next: 'ACTIVE',
    },
    ACKNOWLEDGED: {
      enter(port) {
        port.tcWhile.set(0);
        port.rcvdTcAck = false;
      },
      next: 'ACTIVE',
    },
  },
};

function isActive({ role }: TreePort): boolean {
  return role === 'root' || role === 'designated';
}

function isTold(port: TreePort): boolean {
  return port.rcvdTc || port.rcvdTcn || port.rcvdTcAck || port.tcProp;
}
