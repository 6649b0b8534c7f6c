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
    summary: 'start the networks of a file, or a small one with a web server',
    load: async () => (await import('./up.ts')).up,
  },
  {
    name: 'apply',
    summary: 'make a running node follow a changed file',
    load: async () => (await import('./apply.ts')).apply,
  },
  {
    name: 'check',
    summary: 'find the mistakes in a file of networks',
    load: async () => (await import('./check.ts')).check,
  },
  {
    name: 'status',
    summary: 'tell how a running node is',
    load: async () => (await import('./status.ts')).status,
  },
  {
    name: 'list',
    summary: 'list the networks, interfaces, leases or flows of a running node',
    load: async () => (await import('./list.ts')).list,
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
