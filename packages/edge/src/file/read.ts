/** A node's file: YAML to the model of what is to be. */
import { dirname } from 'node:path';
import { NetloomError, withLimits } from 'netloom/core';
import type { NodeModel } from '../model/index.ts';
import { completeNetwork, type CompletedNetwork } from './complete/network.ts';
import { checkJoinedSubnets, completeRouter } from './complete/routers.ts';
import { MachineClaims } from './complete/scope.ts';
import { withWays } from './complete/ways.ts';
import { NODE, type NodeText } from './form/node.ts';
import type { Mistake } from './mistake.ts';
import type { ModuleFiles } from './module-files.ts';
import { Reading, type NodeFileLimits } from './reading.ts';
import { YamlSource } from './yaml-source.ts';

const DEFAULT_LIMITS: NodeFileLimits = { length: 1_000_000, values: 100_000, mistakes: 100 };

/** How a file is read. */
export interface ReadNodeFileOptions {
  /** The file's: relative paths in it are of its folder. */
  readonly path: string;
  /** Says why the file of a module cannot be read, in a few words; `moduleFileFault` does. Without it nobody looks. */
  readonly moduleFault?: (path: string) => string | undefined;
  readonly limits?: Partial<NodeFileLimits>;
}

/** What a file has come to. */
export type NodeFileResult =
  | { readonly model: NodeModel; readonly mistakes?: undefined }
  | { readonly mistakes: readonly Mistake[]; readonly model?: undefined };

/**
 * Reads a node's file: the model, or all mistakes in the order of the text. Does no I/O. Throws `NODE_FILE_TOO_LARGE`, and nothing else.
 *
 * In three steps: the parser's nodes; the shape of each value, which is what an editor checks too; then what they mean together. A text that
 * is no YAML has the first kind of mistakes only, since what follows is guesswork; the others are found in one go.
 */
export function readNodeFile(text: string, options: ReadNodeFileOptions): NodeFileResult {
  const limits = withLimits(DEFAULT_LIMITS, options.limits);
  if (text.length > limits.length) {
    throw new NetloomError(
      'NODE_FILE_TOO_LARGE',
      `${options.path} has ${text.length} letters; a node’s file has at most ${limits.length}`,
      { remedy: 'Check that it is the file that was meant.' },
    );
  }
  const source = new YamlSource(text);
  const reading = new Reading(source, limits);
  if (source.faults.length > 0) return { mistakes: syntaxMistakes(source, reading) };
  const node = NODE.read(reading.root, reading) ?? {};
  const { path, moduleFault: fault = () => undefined } = options;
  const model = completeNode(node, reading, { folder: dirname(path), fault });
  const { mistakes } = reading;
  return mistakes.length > 0 ? { mistakes } : { model };
}

/** One for each line: what the parser says of the rest of a line follows from the first. */
function syntaxMistakes(source: YamlSource, reading: Reading): Mistake[] {
  const lines = new Set<number>();
  for (const { offset, message } of source.faults) {
    const { line } = source.position(offset);
    if (lines.has(line)) continue;
    lines.add(line);
    // The parser is recursive.
    const isTooDeep = message.startsWith('Maximum call stack');
    const first = isTooDeep ? 'It is nested too deep' : message.split('\n', 1)[0]!;
    const said = `${first.charAt(0).toLowerCase()}${first.slice(1)}`;
    const remedy =
      'Check the indentation, colons, brackets and quotes of this line and the one before.';
    reading.mistakeAt({ offset, path: [] }, `this is no YAML: ${said}`, remedy);
  }
  return reading.mistakes;
}

function completeNode(
  {
    networks: written = new Map<string, object>(),
    routers = new Map<string, object>(),
  }: Partial<NodeText>,
  reading: Reading,
  modules: ModuleFiles,
): NodeModel {
  const machine = new MachineClaims(reading);
  const networks = new Map<string, CompletedNetwork>();
  for (const [name, text = {}] of written) {
    networks.set(name, completeNetwork(name, text, reading, machine, modules));
  }
  const context = { reading, networks };
  const completed = [...routers].map(([name, text = {}]) => completeRouter(name, text, context));
  checkJoinedSubnets(completed, context);
  return {
    networks: [...networks.values()].map((one) => withWays(one, networks, completed)),
    routers: completed,
  };
}
