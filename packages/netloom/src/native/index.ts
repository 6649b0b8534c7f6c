/** What only the operating system can do, by `node:ffi`. The one folder that sees a pointer. */
export { Failure, FileDescriptor } from './file-descriptor.ts';
export { nativeAvailable } from './library.ts';
export { NativeMemory } from './memory.ts';
export { inNetworkNamespace } from './network-namespace.ts';
export { nativePing, type NativePingOptions } from './ping.ts';
export { ReadinessWatcher } from './readiness-watcher.ts';
export { SystemCallError, systemErrorCode } from './system-call-error.ts';
