import type { Bpdu } from '../../../wire/index.ts';
import type { Machine } from './machine.ts';
import type { RcvdInfo, TreePort } from './port.ts';
import {
  comparePriority,
  isSuperior,
  messagePriority,
  messageTimes,
  olderTimes,
  sameTimes,
} from './vectors.ts';

type State =
  | 'DISABLED'
  | 'AGED'
  | 'UPDATE'
  | 'CURRENT'
  | 'RECEIVE'
  | 'SUPERIOR_DESIGNATED'
  | 'REPEATED_DESIGNATED'
  | 'INFERIOR_DESIGNATED'
  | 'NOT_DESIGNATED'
  | 'OTHER';

/** Keeps the port's word on the root: that of the link's designated bridge, or our own where we are that (IEEE 802.1D-2004, 17.27). */
export const PORT_INFORMATION: Machine<State> = {
  initial: 'DISABLED',
  fromAny: [['DISABLED', (port) => !port.portEnabled && port.infoIs !== 'Disabled']],
  states: {
    DISABLED: {
      enter(port) {
        port.rcvdMsg = false;
        port.proposing = port.proposed = port.agree = port.agreed = false;
        port.rcvdInfoWhile.set(0);
        port.infoIs = 'Disabled';
        port.requestReselect();
      },
      exits: [
        ['DISABLED', (port) => port.rcvdMsg],
        ['AGED', (port) => port.portEnabled],
      ],
    },
    AGED: {
      enter(port) {
        port.infoIs = 'Aged';
        port.requestReselect();
      },
      exits: [['UPDATE', (port) => port.selected && port.updtInfo]],
    },
    UPDATE: {
      enter(port) {
        port.proposing = port.proposed = false;
        port.agreed = port.agreed && port.isDesignatedBetterOrSame();
        port.synced = port.synced && port.agreed;
        port.portPriority = port.designatedPriority;
        port.portTimes = port.designatedTimes;
        port.updtInfo = false;
        port.infoIs = 'Mine';
        port.newInfo = true;
        // Whether all ports are synced is the concern of all.
        port.bridge.wakeAll();
      },
      next: 'CURRENT',
    },
    CURRENT: {
      exits: [
        ['UPDATE', (port) => port.selected && port.updtInfo],
        [
          'AGED',
          (port) =>
            port.infoIs === 'Received' &&
            port.rcvdInfoWhile.isZero &&
            !port.updtInfo &&
            !port.rcvdMsg,
        ],
        ['RECEIVE', (port) => port.rcvdMsg && !port.updtInfo],
      ],
    },
    RECEIVE: {
      enter(port) {
        port.rcvdInfo = rcvInfo(port);
      },
      exits: [
        ['SUPERIOR_DESIGNATED', (port) => port.rcvdInfo === 'SuperiorDesignatedInfo'],
        ['REPEATED_DESIGNATED', (port) => port.rcvdInfo === 'RepeatedDesignatedInfo'],
        ['INFERIOR_DESIGNATED', (port) => port.rcvdInfo === 'InferiorDesignatedInfo'],
        ['NOT_DESIGNATED', (port) => port.rcvdInfo === 'InferiorRootAlternateInfo'],
        ['OTHER', () => true],
      ],
    },
    SUPERIOR_DESIGNATED: {
      enter(port) {
        port.agreed = port.proposing = false;
        recordProposal(port);
        setTcFlags(port);
        port.agree = port.agree && port.isMessageBetterOrSame();
        port.portPriority = port.msgPriority;
        port.portTimes = port.msgTimes;
        updtRcvdInfoWhile(port);
        port.infoIs = 'Received';
        port.requestReselect();
        port.rcvdMsg = false;
      },
      next: 'CURRENT',
    },
    REPEATED_DESIGNATED: {
      enter(port) {
        recordProposal(port);
        setTcFlags(port);
        updtRcvdInfoWhile(port);
        port.rcvdMsg = false;
      },
      next: 'CURRENT',
    },
    INFERIOR_DESIGNATED: {
      enter(port) {
        recordDispute(port);
        port.rcvdMsg = false;
      },
      next: 'CURRENT',
    },
    NOT_DESIGNATED: {
      enter(port) {
        recordAgreement(port);
        setTcFlags(port);
        port.rcvdMsg = false;
      },
      next: 'CURRENT',
    },
    OTHER: {
      enter(port) {
        setTcFlags(port);
        port.rcvdMsg = false;
      },
      next: 'CURRENT',
    },
  },
};

/** Reads what the message says, and tells what that is to what the port has (17.21.8). */
function rcvInfo(port: TreePort): RcvdInfo {
  const bpdu = port.bpdu!;
  if (bpdu.kind === 'topology-change-notification') return 'OtherInfo';
  port.msgPriority = messagePriority(bpdu);
  port.msgTimes = messageTimes(bpdu);
  return isFromDesignatedPort(bpdu) ? rcvDesignatedInfo(port) : rcvOtherInfo(port);
}

/** Configuration BPDUs come from designated ports only; and a rapid one that does not tell the role is taken for such a one (9.2.9). */
function isFromDesignatedPort(bpdu: Bpdu): boolean {
  return bpdu.kind !== 'rapid' || bpdu.role === 'designated' || bpdu.role === 'unknown';
}

function rcvDesignatedInfo(port: TreePort): RcvdInfo {
  if (isSuperior(port.msgPriority, port.portPriority)) return 'SuperiorDesignatedInfo';
  if (comparePriority(port.msgPriority, port.portPriority) > 0) return 'InferiorDesignatedInfo';
  if (!sameTimes(port.msgTimes, port.portTimes)) return 'SuperiorDesignatedInfo';
  return port.infoIs === 'Received' ? 'RepeatedDesignatedInfo' : 'OtherInfo';
}

function rcvOtherInfo({ msgPriority, portPriority }: TreePort): RcvdInfo {
  return comparePriority(msgPriority, portPriority) >= 0
    ? 'InferiorRootAlternateInfo'
    : 'OtherInfo';
}

/** (17.21.11) */
function recordProposal(port: TreePort): void {
  const { bpdu } = port;
  if (bpdu?.kind === 'rapid' && bpdu.proposal && port.settings.pointToPoint) port.proposed = true;
}

/** The neighbour says that we may forward (17.21.9): to what it has been told, see {@link TreePort.isTold}. */
function recordAgreement(port: TreePort): void {
  const { bpdu } = port;
  port.agreed =
    port.bridge.rstpVersion &&
    port.settings.pointToPoint &&
    bpdu?.kind === 'rapid' &&
    bpdu.agreement &&
    port.isTold;
  if (port.agreed) port.proposing = false;
}

/** A neighbour that forwards as the designated bridge, on a link that is ours, has not heard us: a loop is near (17.21.10). */
function recordDispute(port: TreePort): void {
  if (port.bpdu?.kind !== 'rapid' || !port.bpdu.learning) return;
  port.disputed = true;
  port.agreed = false;
}

/** (17.21.17) */
function setTcFlags(port: TreePort): void {
  const { bpdu } = port;
  if (bpdu?.kind === 'topology-change-notification') {
    port.rcvdTcn = true;
    return;
  }
  if (bpdu?.topologyChange === true) port.rcvdTc = true;
  if (bpdu?.kind === 'configuration' && bpdu.topologyChangeAcknowledgment) port.rcvdTcAck = true;
}

/**
 * How long what was received is good for (17.21.23): until three hellos in a row are missed, and not at all when it was too old to be passed on. Bridges of
 * the older protocol say nothing while they wait for the root's word, so there it is good until it has come of age (802.1D-1998, 8.7.3).
 */
function updtRcvdInfoWhile(port: TreePort): void {
  const { messageAge, maxAge, helloTime } = port.portTimes;
  if (olderTimes(port.portTimes).messageAge > maxAge) port.rcvdInfoWhile.set(0);
  else if (port.bridge.rstpVersion) port.rcvdInfoWhile.set(3 * helloTime);
  else port.rcvdInfoWhile.set(maxAge - messageAge);
}
