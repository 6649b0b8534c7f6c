import type { Command } from './command.ts';
import { dump } from './dump-command.ts';
import { get } from './get.ts';
import { ping } from './ping.ts';
import { sim } from './sim.ts';
import { up } from './up.ts';

/** All commands, in the order in which help lists them. */
export const commands: readonly Command[] = [up, get, ping, dump, sim];
