import { NativeMemory } from './memory.ts';

/** Bytes of {@link argument}: more than any structure that is an argument of one call here. */
const ROOM = 64;

/** Memory for what is an argument of a single call, or its answer: a `sockaddr`, an option. Whoever uses it has written it in the same turn. */
export const argument: () => NativeMemory = lazy(() => NativeMemory.allocate(ROOM).carve(ROOM));

/** The same for the length of {@link argument}, where a call takes that by its address. */
export const argumentLength: () => NativeMemory = lazy(() => NativeMemory.allocate(4));

/** The same for an interface's name, which may be asked for while {@link argument} is being written. */
export const interfaceName: () => NativeMemory = lazy(() =>
  NativeMemory.allocate(ROOM).carve(ROOM),
);

/** What is made when it is first asked for: without native calls nothing of this can be. */
function lazy<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
