/** Machines of QEMU, under software emulation; those that boot from their network card have the iPXE ROM in it. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Obstacle } from './requires.ts';

const EMULATOR = 'qemu-system-x86_64';
const ROM = '/usr/lib/ipxe/qemu/pxe-e1000.rom';

/** What keeps a machine from being started, or false. */
export function emulatorObstacle(): Obstacle {
  const version = spawnSync(EMULATOR, ['-netdev', 'help'], { encoding: 'utf8' });
  if (version.status !== 0) return `${EMULATOR} is not installed`;
  return /^stream$/m.test(version.stdout) ? false : 'this QEMU is older than -netdev stream (7.2)';
}

/** What keeps a machine from being booted from its network card, or false. */
export function machineObstacle(): Obstacle {
  const obstacle = emulatorObstacle();
  if (obstacle !== false) return obstacle;
  return existsSync(ROM) ? false : `the iPXE ROM is not installed: ${ROM}`;
}

/** Starts a machine without a screen and with what these arguments of QEMU give it. */
export function startMachine(
  words: readonly string[],
  output: 'ignore' | 'pipe' = 'ignore',
): ChildProcess {
  const machine = '-machine pc -accel tcg -nodefaults -display none'.split(' ');
  return spawn(EMULATOR, [...machine, ...words], { stdio: [output, output, 'ignore'] });
}

/** An argument of `-netdev`, with id `n0`: QEMU connects to our port, or listens there. */
export function streamNetdev(port: number, server: 'off' | 'on' = 'off'): string {
  return `stream,id=n0,server=${server},addr.type=inet,addr.host=127.0.0.1,addr.port=${port}`;
}

/** The same by datagrams: QEMU has the port `local`, and we have `remote`. */
export function datagramNetdev(local: number, remote: number): string {
  const ends = [`remote.port=${remote}`, `local.port=${local}`];
  for (const end of ['remote', 'local']) ends.push(`${end}.type=inet`, `${end}.host=127.0.0.1`);
  return `dgram,id=n0,${ends.join(',')}`;
}

/** Starts a machine that boots from its network card, which is at the near end of `netdev` (an argument of `-netdev` with id `n0`); QEMU has an address for the card if none is given. */
export function bootMachine(netdev: string, mac?: string): ChildProcess {
  const address = mac === undefined ? '' : `,mac=${mac}`;
  const device = `e1000,netdev=n0,romfile=${ROM}${address}`;
  return startMachine(['-m', '64', '-netdev', netdev, '-device', device, '-boot', 'n']);
}
