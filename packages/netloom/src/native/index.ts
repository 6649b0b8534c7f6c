/** What only the operating system can do, by `node:ffi`. The one folder that sees a pointer. */
export { ControlSocket, type ControlMessage } from './control-socket.ts';
export { Failure, FileDescriptor } from './file-descriptor.ts';
export { nativeAvailable } from './library.ts';
export { NativeMemory } from './memory.ts';
export { MessageBuffer } from './message-buffer.ts';
export { bindMount, mountFileSystem, unmount, type VirtualFileSystem } from './mount.ts';
export { inNetworkNamespace } from './network-namespace.ts';
export {
  clearAmbientCapabilities,
  foregroundGroup,
  reapOrphans,
  setForegroundGroup,
  wasStopped,
} from './process.ts';
export { ReadinessWatcher } from './readiness-watcher.ts';
export { AF_INET, AF_INET6, socketAddress } from './socket-address.ts';
export { SystemCallError, systemErrorCode } from './system-call-error.ts';
