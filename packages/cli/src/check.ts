/** `netloom check`: whether a file of networks is good, and if not what to write instead. */
import type { NodeModel, StationModel } from '@netloom/edge';
import { countOf } from '@netloom/edge/text';
import { readOptions, usageError, type Command } from './command.ts';
import { loadNodeFile, mistakesText } from './node-file.ts';

/** See its help. */
export const check: Command = {
  name: 'check',
  help: `netloom check FILE...

Reads files of networks as 'netloom up' would, and starts nothing. Every mistake is told, with its line
and column and what to write instead. The exit code is 0 if all files are good, and 1 if not.

  --verbose      after an error, show where it came from
`,
  async run(args, io) {
    const { positionals } = readOptions('check', args, {
      // About errors, and of the whole command line.
      verbose: { type: 'boolean' },
    });
    if (positionals.length === 0) {
      throw usageError('check', 'check wants a file: netloom check FILE');
    }
    let isGood = true;
    for (const path of positionals) {
      const { text, model, mistakes } = await loadNodeFile(path);
      if (mistakes === undefined) {
        await io.write(`${path}: ${summary(model)}; it is good\n`);
        continue;
      }
      isGood = false;
      io.writeError(mistakesText({ path, text }, mistakes));
    }
    return isGood ? 0 : 1;
  },
};

/** What is in a file, as `2 networks, 5 machines, 1 TAP`. */
function summary({ networks, routers }: NodeModel): string {
  const stations = networks.flatMap(({ attachments }) => attachments.map(({ station }) => station));
  const ofKind = (...kinds: StationModel['kind'][]): number =>
    stations.filter(({ kind }) => kinds.includes(kind)).length;
  const parts: [number, string][] = [
    [networks.length, 'network'],
    [routers.length, 'router'],
    [ofKind('machine'), 'machine'],
    [ofKind('tap'), 'TAP'],
    [ofKind('qemu-stream', 'qemu-datagram'), 'QEMU'],
    [networks.flatMap(({ publications }) => publications).length, 'publication'],
  ];
  const present = parts.filter(([number]) => number > 0);
  return present.length === 0
    ? 'nothing'
    : present.map(([number, noun]) => countOf(number, noun)).join(', ');
}
