import type { TreeBridge } from './bridge.ts';
import type { SpanningTreePortRole, TreePort } from './port.ts';
import { comparePriority, olderTimes, sameTimes, throughPort } from './vectors.ts';

/** Chooses the root, the way to it, and every port's role by that (IEEE 802.1D-2004, 17.28). */
export function selectRoles(bridge: TreeBridge): void {
  bridge.reselect = false;
  selectRoot(bridge);
  for (const port of bridge.ports.values()) {
    port.designatedPriority = {
      root: bridge.rootPriority.root,
      rootPathCost: bridge.rootPriority.rootPathCost,
      designatedBridge: bridge.BridgeIdentifier,
      designatedPort: port.portId,
    };
    port.designatedTimes = { ...bridge.rootTimes, helloTime: bridge.BridgeTimes.helloTime };
    port.selectedRole = selectRole(port);
    port.selected = true;
  }
  bridge.wakeAll();
}

/** Items a to c of updtRolesTree (17.21.25). */
function selectRoot(bridge: TreeBridge): void {
  bridge.rootPriority = bridge.BridgePriority;
  bridge.rootTimes = bridge.BridgeTimes;
  bridge.rootPort = undefined;
  for (const port of bridge.ports.values()) {
    const isBetter = isWayToRoot(port) && isBetterRootPort(port);
    const isShut = isBetter && port.settings.rootGuard;
    if (isShut && port.guardedBy === undefined) {
      bridge.events.push({ kind: 'guarded', port, why: 'root-guard' });
    }
    if (port.guardedBy !== 'bpdu-guard') port.guardedBy = isShut ? 'root-guard' : undefined;
    if (!isBetter || isShut) continue;
    bridge.rootPort = port;
    bridge.rootPriority = throughPort(port.portPriority, port.settings.cost);
    bridge.rootTimes = olderTimes(port.portTimes);
  }
}

/** A bridge is no way to the root for itself. */
function isWayToRoot(port: TreePort): boolean {
  return (
    port.infoIs === 'Received' && !port.portPriority.designatedBridge.mac.equals(port.bridge.mac)
  );
}

/** Better than the best so far; the port's own identifier decides last (17.6). */
function isBetterRootPort(port: TreePort): boolean {
  const { rootPriority, rootPort } = port.bridge;
  const order = comparePriority(throughPort(port.portPriority, port.settings.cost), rootPriority);
  return order < 0 || (order === 0 && rootPort !== undefined && port.portId < rootPort.portId);
}

/** Items f to l of updtRolesTree (17.21.25). */
function selectRole(port: TreePort): SpanningTreePortRole {
  port.updtInfo = false;
  switch (port.infoIs) {
    case 'Disabled':
      return 'disabled';
    case 'Aged':
      port.updtInfo = true;
      return 'designated';
    case 'Mine':
      port.updtInfo =
        comparePriority(port.portPriority, port.designatedPriority) !== 0 ||
        !sameTimes(port.portTimes, port.designatedTimes);
      return 'designated';
    case 'Received':
      return selectRoleByNeighbour(port);
  }
}

function selectRoleByNeighbour(port: TreePort): SpanningTreePortRole {
  const { bridge, portPriority, designatedPriority } = port;
  if (port === bridge.rootPort) return 'root';
  if (comparePriority(designatedPriority, portPriority) < 0) {
    port.updtInfo = true;
    return 'designated';
  }
  return portPriority.designatedBridge.mac.equals(bridge.mac) ? 'backup' : 'alternate';
}
