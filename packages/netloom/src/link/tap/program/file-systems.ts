import {
  bindMount,
  mountFileSystem,
  unmount,
  type VirtualFileSystem,
} from '../../../native/index.ts';

/** Covered for a moment. It is there in any case: Node, which runs here, needs it. */
const WORKSHOP = '/proc';
/** Where the kernel shows interfaces: those of the network namespace in which the file system was mounted. The first has links into the second. */
const INTERFACE_FOLDERS = ['/class/net', '/devices/virtual/net'];

/** Does the work with a new file system at the folder that the work is given. What of it is mounted elsewhere stays. Throws a SystemCallError. */
export function withWorkshop(type: VirtualFileSystem, work: (folder: string) => void): void {
  mountFileSystem(type, WORKSHOP);
  try {
    work(WORKSHOP);
  } finally {
    unmount(WORKSHOP);
  }
}

/** Shows the processes of this PID namespace in /proc. Answers what could not be done. */
export function showProcesses(): string[] {
  return attempt('/proc shows the processes of the machine instead of the program’s own', () =>
    mountFileSystem('proc', '/proc'),
  );
}

/** Shows the interfaces of this network namespace in /sys, and leaves the rest of it alone: control groups, for one. Answers what could not be done. */
export function showInterfaces(): string[] {
  return attempt('/sys shows the interfaces of the machine instead of the program’s own', () =>
    withWorkshop('sysfs', (folder) => {
      for (const interfaces of INTERFACE_FOLDERS) {
        bindMount(`${folder}${interfaces}`, `/sys${interfaces}`);
      }
    }),
  );
}

/** The kernel refuses where parts of what is there already are hidden, as in most containers (mount_namespaces(7)). */
function attempt(otherwise: string, work: () => void): string[] {
  try {
    work();
    return [];
  } catch {
    return [otherwise];
  }
}
