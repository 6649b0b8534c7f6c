import type { CommandEntry } from './command.ts';

/** All commands, in the order in which help lists them. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'run',
    summary: 'run a program in a network of its own',
    load: async () => (await import('./run.ts')).run,
  },
  {
    name: 'up',
    summary: 'start a small network and publish its web server on this machine',
    load: async () => (await import('./up.ts')).up,
  },
  {
    name: 'get',
    summary: 'download a file over HTTP, with resume and checksum',
    load: async () => (await import('./get.ts')).get,
  },
  {
    name: 'ping',
    summary: 'ask a machine for an echo',
    load: async () => (await import('./ping.ts')).ping,
  },
  {
    name: 'dump',
    summary: 'describe frames, from a capture file or live',
    load: async () => (await import('./dump-command.ts')).dump,
  },
  {
    name: 'sim',
    summary: 'run a scenario in a simulated world, decided by a seed',
    load: async () => (await import('./sim.ts')).sim,
  },
];
