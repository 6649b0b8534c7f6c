import type { Bpdu, BpduConfiguration, BpduPortRole } from '../../../wire/index.ts';
import type { Machine } from './machine.ts';
import type { SpanningTreePortRole, TreePort } from './port.ts';

type State =
  | 'TRANSMIT_INIT'
  | 'IDLE'
  | 'TRANSMIT_PERIODIC'
  | 'TRANSMIT_CONFIG'
  | 'TRANSMIT_TCN'
  | 'TRANSMIT_RSTP';

/** Hellos go out early by up to this part of their time. */
const HELLO_JITTER = 0.1;

const ROLES: Readonly<Record<SpanningTreePortRole, BpduPortRole>> = {
  disabled: 'unknown',
  root: 'root',
  designated: 'designated',
  alternate: 'alternate-or-backup',
  backup: 'alternate-or-backup',
};

/** Sends what there is to say: at once, but no faster than the hold count allows, and with every hello (IEEE 802.1D-2004, 17.26). A port that is down says nothing. */
export const PORT_TRANSMIT: Machine<State> = {
  initial: 'TRANSMIT_INIT',
  gate: (port) => port.isSelected,
  states: {
    TRANSMIT_INIT: {
      enter(port) {
        port.newInfo = true;
        port.toldPriority = undefined;
        port.txCount = 0;
        port.txCountTick.set(0);
        port.helloWhen.set(0);
      },
      exits: [['IDLE', (port) => port.portEnabled]],
    },
    IDLE: {
      enter(port) {
        const early = port.bridge.random.float() * HELLO_JITTER;
        port.helloWhen.set(port.HelloTime * (1 - early));
      },
      exits: [
        ['TRANSMIT_INIT', (port) => !port.portEnabled],
        ['TRANSMIT_PERIODIC', (port) => port.helloWhen.isZero],
        ['TRANSMIT_RSTP', (port) => port.sendRSTP && isToSend(port)],
        [
          'TRANSMIT_CONFIG',
          (port) => !port.sendRSTP && port.role === 'designated' && isToSend(port),
        ],
        ['TRANSMIT_TCN', (port) => !port.sendRSTP && port.role === 'root' && isToSend(port)],
      ],
    },
    TRANSMIT_PERIODIC: {
      enter(port) {
        const isHeard = port.role === 'root' && !port.tcWhile.isZero;
        port.newInfo = port.newInfo || port.role === 'designated' || isHeard;
      },
      next: 'IDLE',
    },
    TRANSMIT_CONFIG: {
      enter(port) {
        send(port, { kind: 'configuration', ...configuration(port) });
        port.tcAck = false;
      },
      next: 'IDLE',
    },
    TRANSMIT_TCN: {
      enter(port) {
        send(port, { kind: 'topology-change-notification' });
      },
      next: 'IDLE',
    },
    TRANSMIT_RSTP: {
      enter(port) {
        port.tell();
        send(port, {
          kind: 'rapid',
          ...configuration(port),
          topologyChangeAcknowledgment: false,
          proposal: port.proposing,
          role: ROLES[port.role],
          learning: port.learning,
          forwarding: port.forwarding,
          agreement: port.agree,
        });
        port.tcAck = false;
      },
      next: 'IDLE',
    },
  },
};

function isToSend(port: TreePort): boolean {
  return port.newInfo && port.txCount < port.bridge.settings.transmitHoldCount;
}

function send(port: TreePort, bpdu: Bpdu): void {
  port.newInfo = false;
  port.txCount++;
  if (port.txCountTick.isZero) port.txCountTick.set(1000);
  port.bridge.events.push({ kind: 'send', port, bpdu });
}

/** What configuration BPDUs and rapid ones both tell (17.21.19 and 17.21.20). */
function configuration(port: TreePort): BpduConfiguration {
  const { root, rootPathCost, designatedBridge, designatedPort } = port.designatedPriority;
  return {
    topologyChange: !port.tcWhile.isZero,
    topologyChangeAcknowledgment: port.tcAck,
    root,
    rootPathCost,
    bridge: designatedBridge,
    port: designatedPort,
    ...port.designatedTimes,
  };
}
