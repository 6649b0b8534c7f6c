import { SystemClock } from 'netloom/host';
import { openTap } from 'netloom/link/tap';
import { usageError, type Command, type CommandIo } from './command.ts';
import { dump as runDump, dumpHelp, type DumpContext } from './dump.ts';

/** See its help. */
export const dump: Command = {
  name: 'dump',
  help: dumpHelp,
  run: (args, io) => runDump(args, dumpContext(io)),
};

function dumpContext(io: CommandIo): DumpContext {
  return {
    write: (text) => io.write(text),
    stdin: io.stdin,
    signal: io.signal,
    openLink: (name) => {
      const [kind, rest] = name.split(/:(.*)/s);
      if (kind !== 'tap' || !rest) {
        return Promise.reject(usageError('dump', `'${name}' is no link: write tap:NAME`));
      }
      return Promise.resolve({ link: openTap({ name: rest }), clock: new SystemClock() });
    },
  };
}
