/** What only the operating system can do, by `node:ffi`. The one folder that sees a pointer. */
export { Alarm } from './alarm.ts';
export { ControlSocket, type ControlMessage } from './control-socket.ts';
export { Failure, FileDescriptor } from './file-descriptor.ts';
export { InterfaceRequest, REQUEST_NAME_LENGTH, REQUEST_VALUE } from './interface-request.ts';
export { nativeAvailable } from './library.ts';
export { NativeMemory } from './memory.ts';
export { MessageBuffer } from './message-buffer.ts';
export { bindMount, mountFileSystem, unmount, type VirtualFileSystem } from './mount.ts';
export { inNetworkNamespace, networkNamespaceIdentity } from './network-namespace.ts';
export {
  clearAmbientCapabilities,
  foregroundGroup,
  reapOrphans,
  setForegroundGroup,
  wasStopped,
  withOpenFiles,
} from './process.ts';
export { ReadinessWatcher } from './readiness-watcher.ts';
export { AF_INET, AF_INET6, socketAddress } from './socket-address.ts';
export { SystemCallError, systemErrorCode } from './system-call-error.ts';
