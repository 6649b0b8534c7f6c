import { setTimeout as delay } from 'node:timers/promises';
import { SystemClock } from 'netloom/host';
import { openTap } from 'netloom/link/tap';
import { usageError, type Command, type CommandIo } from './command.ts';
import { chooseNode } from './node-options.ts';
import { dump as runDump, dumpHelp, type DumpContext, type DumpNetwork } from './dump.ts';

/** How often a file that is followed is looked at, in milliseconds. */
const LOOK_INTERVAL = 200;

/** See its help. */
export const dump: Command = {
  name: 'dump',
  help: dumpHelp,
  run: (args, io) => runDump(args, dumpContext(io)),
};

function dumpContext(io: CommandIo): DumpContext {
  const { signal } = io;
  return {
    write: (text) => io.write(text),
    writeError: (text) => io.writeError(text),
    stdin: io.stdin,
    signal,
    openLink: (name) => {
      const [kind, rest] = name.split(/:(.*)/s);
      if (kind !== 'tap' || !rest) {
        return Promise.reject(usageError('dump', `'${name}' is no link: write tap:NAME`));
      }
      return Promise.resolve({ link: openTap({ name: rest }), clock: new SystemClock() });
    },
    openNetwork: (request) => openNetwork(request, io),
    grown: () => delay(LOOK_INTERVAL, undefined, { signal }),
  };
}

/** What passes in a network of a running node, until the signal is aborted. */
async function openNetwork(
  { network, port, node, filter }: DumpNetwork,
  io: CommandIo,
): Promise<AsyncIterable<Uint8Array>> {
  const client = chooseNode(node, io);
  try {
    const frames = await client.capture(network, {
      signal: io.signal,
      ...(port !== undefined && { port }),
      ...(filter !== '' && { filter }),
    });
    return untilAborted(frames, client, io.signal);
  } catch (error) {
    await client.close();
    throw error;
  }
}

/** The chunks of a stream that the signal ends; then the client is closed. */
async function* untilAborted(
  frames: AsyncIterable<Uint8Array>,
  client: AsyncDisposable,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  await using _ = client;
  try {
    yield* frames;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
