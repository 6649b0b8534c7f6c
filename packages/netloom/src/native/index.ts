/** What only the operating system can do, by `node:ffi`. The one folder that sees a pointer. */
export { Alarm } from './alarm.ts';
export { setBusyPoll } from './busy-poll.ts';
export { ControlSocket, type ControlMessage } from './control-socket.ts';
export { DescriptorPoll, Readiness, type PollEntry, type PollTarget } from './descriptor-poll.ts';
export { Failure, FileDescriptor } from './file-descriptor.ts';
export { InterfaceRequest, REQUEST_NAME_LENGTH, REQUEST_VALUE } from './interface-request.ts';
export { nativeAvailable, requireNative } from './library.ts';
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
export {
  AF_INET,
  AF_INET6,
  SOCKET_ADDRESS_LENGTH,
  readSocketAddress,
  socketAddress,
  writeSocketAddress,
} from './socket-address.ts';
export { StreamSocket } from './stream-socket.ts';
export { SystemCallError, explained, systemErrorCode } from './system-call-error.ts';
export { OutgoingDatagrams, type SendManner } from './udp/outgoing-datagrams.ts';
export { ReceivedDatagrams } from './udp/received-datagrams.ts';
export { RememberedEnds } from './udp/remembered-ends.ts';
export { UdpSocket } from './udp/udp-socket.ts';
export type { QueuedError } from './udp/error-queue.ts';
