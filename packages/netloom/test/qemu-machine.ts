/** A machine of QEMU, under software emulation, whose network card has the iPXE ROM. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Obstacle } from './requires.ts';

const EMULATOR = 'qemu-system-x86_64';
const ROM = '/usr/lib/ipxe/qemu/pxe-e1000.rom';

/** What keeps a machine from being booted, or false. */
export function machineObstacle(): Obstacle {
  const version = spawnSync(EMULATOR, ['-netdev', 'help'], { encoding: 'utf8' });
  if (version.status !== 0) return `${EMULATOR} is not installed`;
  if (!/^stream$/m.test(version.stdout)) return 'this QEMU is older than -netdev stream (7.2)';
  return existsSync(ROM) ? false : `the iPXE ROM is not installed: ${ROM}`;
}

/** Starts a machine that boots from its network card, which is at the near end of `netdev` (an argument of `-netdev` with id `n0`); QEMU has an address for the card if none is given. */
export function bootMachine(netdev: string, mac?: string): ChildProcess {
  const machine = [
    '-machine',
    'pc',
    '-accel',
    'tcg',
    '-m',
    '64',
    '-nodefaults',
    '-display',
    'none',
  ];
  const address = mac === undefined ? '' : `,mac=${mac}`;
  const device = `e1000,netdev=n0,romfile=${ROM}${address}`;
  const card = ['-netdev', netdev, '-device', device, '-boot', 'n'];
  return spawn(EMULATOR, [...machine, ...card], { stdio: 'ignore' });
}
