import type { NetloomError } from '../../core/index.ts';
import type { FileDescriptor, NativeMemory } from '../../native/index.ts';

/** What a failure of a {@link FrameDevice} means. */
export type DeviceFailure =
  /** Nothing is at hand, or there is no room. */
  | 'later'
  /** The interface is down. */
  | 'down'
  /** The interface is no more, for this descriptor at least. */
  | 'gone'
  /** It is about this frame only, which is lost. */
  | 'bad-frame'
  /** It will not pass. */
  | 'failed';

/** Something of the kernel that gives and takes frames, each behind a virtio header, by a file descriptor. */
export interface FrameDevice {
  readonly name: string;
  readonly mtu: number;
  readonly descriptor: FileDescriptor;
  /** Bytes before each frame: the virtio header's ten, and more where the device has them. */
  readonly headerLength: number;
  /** Frames that the kernel has had no room for since this was called last. */
  missed?(): number;
  /** Receives a frame behind its header. Answers the length of both, or a negated error number. */
  receive(into: NativeMemory): number;
  /** Sends a frame that is behind its header, so many bytes in all. Answers as {@link receive}. */
  send(from: NativeMemory, length: number): number;
  /** What a negated error number of {@link receive} or {@link send} means that is the device's own; those that mean `later` mean it of all. */
  judge(failure: number): DeviceFailure;
  /** What a link's handler is told when the interface was deleted under it. */
  goneError(): NetloomError;
  /** What a link's handler is told when receiving fails in a way that will not pass. */
  failedError(cause: Error): NetloomError;
  /** Missing: nothing but its descriptor tells that it is lost. Else it calls back when something else does, until it is closed. */
  watch?(lost: (error: NetloomError) => void): void;
  /** Idempotent. */
  close(): void;
}
