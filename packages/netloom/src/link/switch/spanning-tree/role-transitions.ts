import type { Machine } from './machine.ts';
import type { TreePort } from './port.ts';

type State =
  | 'INIT_PORT'
  | 'DISABLE_PORT'
  | 'DISABLED_PORT'
  | 'ROOT_PORT'
  | 'ROOT_PROPOSED'
  | 'ROOT_AGREED'
  | 'REROOT'
  | 'REROOTED'
  | 'ROOT_LEARN'
  | 'ROOT_FORWARD'
  | 'DESIGNATED_PORT'
  | 'DESIGNATED_PROPOSE'
  | 'DESIGNATED_SYNCED'
  | 'DESIGNATED_RETIRED'
  | 'DESIGNATED_LEARN'
  | 'DESIGNATED_FORWARD'
  | 'DESIGNATED_DISCARD'
  | 'BLOCK_PORT'
  | 'ALTERNATE_PORT'
  | 'ALTERNATE_PROPOSED'
  | 'ALTERNATE_AGREED'
  | 'BACKUP_PORT';

/**
 * Brings a port into its selected role, and to forwarding when that makes no loop (IEEE 802.1D-2004, 17.29): a designated port proposes it, the
 * neighbour's root port has its own bridge's ports discard until each has proposed in turn, and agrees.
 */
export const ROLE_TRANSITIONS: Machine<State> = {
  initial: 'INIT_PORT',
  gate: (port) => port.isSelected,
  fromAny: [
    ['DISABLE_PORT', (port) => port.role !== port.selectedRole && port.selectedRole === 'disabled'],
    ['ROOT_PORT', (port) => port.role !== port.selectedRole && port.selectedRole === 'root'],
    [
      'DESIGNATED_PORT',
      (port) => port.role !== port.selectedRole && port.selectedRole === 'designated',
    ],
    ['BLOCK_PORT', (port) => port.role !== port.selectedRole],
  ],
  states: {
    // Disabled ports: figure 17-20.
    INIT_PORT: {
      enter(port) {
        port.role = 'disabled';
        port.learn = port.forward = false;
        port.synced = false;
        port.sync = port.reRoot = true;
        port.rrWhile.set(port.forwardDelay);
        port.fdWhile.set(firstDelay(port));
        port.rbWhile.set(0);
      },
      next: 'DISABLE_PORT',
    },
    DISABLE_PORT: {
      enter(port) {
        port.takeRole();
        port.learn = port.forward = false;
      },
      exits: [['DISABLED_PORT', isQuiet]],
    },
    DISABLED_PORT: {
      enter(port) {
        port.fdWhile.hold(firstDelay(port));
        beOutOfTheWay(port);
      },
      exits: [
        ['DISABLED_PORT', (port) => !port.fdWhile.isHeldAt(firstDelay(port)) || isInTheWay(port)],
      ],
    },

    // Root ports: figure 17-21.
    ROOT_PORT: {
      enter(port) {
        port.takeRole();
        port.rrWhile.hold(port.forwardDelay);
      },
      exits: [
        ['ROOT_PROPOSED', isProposedAnew],
        ['ROOT_AGREED', mayAgree],
        ['REROOT', (port) => !port.forward && !port.reRoot],
        ['REROOTED', (port) => port.reRoot && port.forward],
        ['ROOT_LEARN', (port) => mayRootAdvance(port) && !port.learn],
        ['ROOT_FORWARD', (port) => mayRootAdvance(port) && port.learn && !port.forward],
        ['ROOT_PORT', (port) => !port.rrWhile.isHeldAt(port.forwardDelay)],
      ],
    },
    ROOT_PROPOSED: {
      enter: requireSync,
      next: 'ROOT_PORT',
    },
    ROOT_AGREED: {
      enter(port) {
        port.sync = false;
        giveAgreement(port);
      },
      next: 'ROOT_PORT',
    },
    REROOT: {
      enter(port) {
        port.bridge.setReRootTree();
      },
      next: 'ROOT_PORT',
    },
    REROOTED: {
      enter(port) {
        port.reRoot = false;
      },
      next: 'ROOT_PORT',
    },
    ROOT_LEARN: {
      enter(port) {
        port.fdWhile.set(port.forwardDelay);
        port.learn = true;
      },
      next: 'ROOT_PORT',
    },
    ROOT_FORWARD: {
      enter(port) {
        port.fdWhile.set(0);
        port.forward = true;
      },
      next: 'ROOT_PORT',
    },

    // Designated ports: figure 17-22.
    DESIGNATED_PORT: {
      enter(port) {
        port.takeRole();
      },
      exits: [
        [
          'DESIGNATED_PROPOSE',
          (port) => !port.forward && !port.agreed && !port.proposing && !port.operEdge,
        ],
        ['DESIGNATED_SYNCED', isSyncDone],
        ['DESIGNATED_RETIRED', (port) => port.rrWhile.isZero && port.reRoot],
        ['DESIGNATED_DISCARD', mustDiscard],
        ['DESIGNATED_LEARN', (port) => mayDesignatedAdvance(port) && !port.learn],
        ['DESIGNATED_FORWARD', (port) => mayDesignatedAdvance(port) && port.learn && !port.forward],
      ],
    },
    DESIGNATED_PROPOSE: {
      enter(port) {
        port.proposing = true;
        port.edgeDelayWhile.set(port.EdgeDelay);
        port.newInfo = true;
      },
      next: 'DESIGNATED_PORT',
    },
    DESIGNATED_SYNCED: {
      enter(port) {
        port.rrWhile.set(0);
        port.synced = true;
        port.sync = false;
      },
      next: 'DESIGNATED_PORT',
    },
    DESIGNATED_RETIRED: {
      enter(port) {
        port.reRoot = false;
      },
      next: 'DESIGNATED_PORT',
    },
    DESIGNATED_LEARN: {
      enter(port) {
        port.learn = true;
        port.fdWhile.set(port.forwardDelay);
      },
      next: 'DESIGNATED_PORT',
    },
    DESIGNATED_FORWARD: {
      enter(port) {
        port.forward = true;
        port.fdWhile.set(0);
        port.agreed = port.sendRSTP;
      },
      next: 'DESIGNATED_PORT',
    },
    DESIGNATED_DISCARD: {
      enter(port) {
        port.learn = port.forward = port.disputed = false;
        port.fdWhile.set(port.forwardDelay);
      },
      next: 'DESIGNATED_PORT',
    },

    // Alternate and backup ports: figure 17-23.
    BLOCK_PORT: {
      enter(port) {
        port.takeRole();
        port.learn = port.forward = false;
      },
      exits: [['ALTERNATE_PORT', isQuiet]],
    },
    ALTERNATE_PORT: {
      enter(port) {
        port.fdWhile.hold(port.forwardDelay);
        beOutOfTheWay(port);
      },
      exits: [
        ['ALTERNATE_PROPOSED', isProposedAnew],
        ['ALTERNATE_AGREED', mayAgree],
        [
          'BACKUP_PORT',
          (port) => port.role === 'backup' && !port.rbWhile.isHeldAt(2 * port.HelloTime),
        ],
        ['ALTERNATE_PORT', (port) => !port.fdWhile.isHeldAt(port.forwardDelay) || isInTheWay(port)],
      ],
    },
    ALTERNATE_PROPOSED: {
      enter: requireSync,
      next: 'ALTERNATE_PORT',
    },
    ALTERNATE_AGREED: {
      enter: giveAgreement,
      next: 'ALTERNATE_PORT',
    },
    BACKUP_PORT: {
      enter(port) {
        port.rbWhile.hold(2 * port.HelloTime);
      },
      next: 'ALTERNATE_PORT',
    },
  },
};

/** The time a port that comes into use listens, if nothing shortens it. The older protocol has its listening state as long as its learning state. */
function firstDelay(port: TreePort): number {
  return port.bridge.rstpVersion ? port.MaxAge : port.forwardDelay;
}

function isQuiet(port: TreePort): boolean {
  return !port.learning && !port.forwarding;
}

/** A port that discards is in step with any root, and keeps none from forwarding. */
function beOutOfTheWay(port: TreePort): void {
  port.synced = true;
  port.rrWhile.set(0);
  port.sync = port.reRoot = false;
}

function isInTheWay(port: TreePort): boolean {
  return port.sync || port.reRoot || !port.synced;
}

function isProposedAnew(port: TreePort): boolean {
  return port.proposed && !port.agree;
}

function requireSync(port: TreePort): void {
  port.bridge.setSyncTree();
  port.proposed = false;
}

function mayAgree(port: TreePort): boolean {
  return (port.bridge.allSynced && !port.agree) || (port.proposed && port.agree);
}

function giveAgreement(port: TreePort): void {
  port.proposed = false;
  port.agree = true;
  port.newInfo = true;
}

/** Time has passed, or no other port can be forwarding from when it was the root port. */
function mayRootAdvance(port: TreePort): boolean {
  const { bridge } = port;
  return (
    port.fdWhile.isZero || (bridge.rstpVersion && port.rbWhile.isZero && bridge.isReRooted(port))
  );
}

/** Time has passed, or the neighbour agrees, or there is none. */
function mayDesignatedAdvance(port: TreePort): boolean {
  const isSafe = port.fdWhile.isZero || port.agreed || port.operEdge;
  return isSafe && (port.rrWhile.isZero || !port.reRoot) && !port.sync;
}

function isSyncDone(port: TreePort): boolean {
  return (
    (!port.synced && (isQuiet(port) || port.agreed || port.operEdge)) || (port.sync && port.synced)
  );
}

function mustDiscard(port: TreePort): boolean {
  const isToStop =
    (port.sync && !port.synced) || (port.reRoot && !port.rrWhile.isZero) || port.disputed;
  return isToStop && !port.operEdge && (port.learn || port.forward);
}
