/** What everything else stands on: bytes, addresses, time, randomness, limits, errors, and the types of engines and Hosts. */
export { Agenda } from './agenda.ts';
export { Cidr } from './address/cidr.ts';
export {
  IpAddress,
  formatSocketAddress,
  isSameSocketAddress,
  type SocketAddress,
} from './address/ip-address.ts';
export { MacAddress } from './address/mac-address.ts';
export {
  ByteReader,
  ByteWriter,
  EMPTY,
  concatBytes,
  copyBytes,
  equalBytes,
  fromHex,
  readInt32,
  readUint16,
  toHex,
  writeUint16,
  writeUint32,
} from './bytes.ts';
export { BucketChains, type Chained } from './bucket-chains.ts';
export { ByteGatherer } from './byte-gatherer.ts';
export { ChunkPool, chunkPool, type Borrower } from './chunk-pool.ts';
export type { Clock, Timer } from './clock.ts';
export { Counters, type PublishedCount } from './counters.ts';
export { forEachSegment } from './datagram-segments.ts';
export { channel, type Channel } from './diagnostics.ts';
export type { Engine } from './engine.ts';
export { EngineTimer } from './engine-timer.ts';
export { NetloomError, abortError, toNetloomError, type ErrorDetails } from './errors.ts';
export { FairShares } from './fair-shares.ts';
export {
  HOST_ERRORS,
  hostError,
  type HostErrorCode,
  type HostErrorMeaning,
} from './host-errors.ts';
export type {
  Abortable,
  BindOptions,
  ConnectOptions,
  Connection,
  ConnectionHandler,
  Datagram,
  DatagramHandler,
  DatagramSocket,
  EchoReply,
  Host,
  ListenOptions,
  Listener,
  PingOptions,
  ResolveOptions,
} from './host.ts';
export { withLimits, type Limits } from './limits.ts';
export {
  ManualClock,
  VIRTUAL_WALL_TIME,
  type ManualClockLimits,
  type ManualClockOptions,
} from './manual-clock.ts';
export { secureRandom, seededRandom, type Random } from './random.ts';
export { HalfSipHash, SipHash } from './siphash.ts';
export {
  StateMachine,
  mermaid,
  type PublishedStep,
  type Transition,
  type Transitions,
} from './state-machine.ts';
export { suggest } from './suggest.ts';
export { TokenBucket } from './token-bucket.ts';
export { NOT_QUEUED, TimerQueue, type TimerEntry } from './timer-queue.ts';
