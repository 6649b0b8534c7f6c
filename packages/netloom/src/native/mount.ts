import { native } from './library.ts';
import { NativeMemory, pointerTo } from './memory.ts';
import { checked } from './system-call-error.ts';

/** sys/mount.h */
const MS_NOSUID = 2;
const MS_NODEV = 4;
const MS_NOEXEC = 8;
const MS_BIND = 4096;
const MNT_DETACH = 2;

/** File systems that the kernel makes up, which hold neither devices nor programs. */
export type VirtualFileSystem = 'proc' | 'sysfs' | 'tmpfs';

/** Mounts a new file system over a folder, in the mount namespace of this process (mount(2)). Throws a SystemCallError. */
export function mountFileSystem(type: VirtualFileSystem, folder: string): void {
  const name = cString(type);
  mount(name, folder, name, MS_NOSUID | MS_NODEV | MS_NOEXEC);
}

/** Shows a file or folder in the place of another, whose symbolic links are followed. Throws a SystemCallError. */
export function bindMount(source: string, target: string): void {
  mount(cString(source), target, undefined, MS_BIND);
}

/** Takes away what is mounted over a folder; what of it is in use goes when that ends. Throws a SystemCallError. */
export function unmount(folder: string): void {
  checked(native().call.umount2(pointerTo(cString(folder)), MNT_DETACH), 'umount2');
}

function mount(
  source: NativeMemory,
  target: string,
  type: NativeMemory | undefined,
  flags: number,
): void {
  const where = cString(target);
  const typePointer = type === undefined ? 0n : pointerTo(type);
  const { call } = native();
  checked(call.mount(pointerTo(source), pointerTo(where), typePointer, BigInt(flags), 0n), 'mount');
}

/** The text as C has it, with a zero byte at its end. */
function cString(text: string): NativeMemory {
  const bytes = new TextEncoder().encode(text);
  const memory = NativeMemory.allocate(bytes.length + 1);
  memory.bytes.set(bytes);
  return memory;
}
