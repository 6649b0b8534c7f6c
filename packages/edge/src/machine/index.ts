/** Machines that are built in: a stack of their own, and what they serve. */
export { closeHost } from './close-host.ts';
export { Machine, type MachineOptions, type MachineSetup } from './machine.ts';
export { moduleFileFault } from './services/module-file.ts';
export type { MachineView } from './service.ts';
