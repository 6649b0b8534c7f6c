import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { NetloomError, suggest, toNetloomError } from 'netloom/core';
import type { Scenario } from 'netloom/host';

const folder = fileURLToPath(new URL('../../../scenarios/', import.meta.url));

/** The scenarios that come with Netloom, by name. */
export function scenarioNames(): string[] {
  // Help names them for every command: a copy of Netloom without them is to have help all the same.
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort();
}

/** The scenario of this name, or of the file at this path. Throws `SIM_SCENARIO_UNKNOWN` or `SIM_SCENARIO_INVALID`. */
export async function loadScenario(nameOrPath: string): Promise<Scenario> {
  const path = findFile(nameOrPath);
  let module: { scenario?: Partial<Scenario> };
  try {
    module = (await import(pathToFileURL(path).href)) as typeof module;
  } catch (error) {
    throw toNetloomError(error, 'SIM_SCENARIO_INVALID', `${path} cannot be loaded`);
  }
  const { scenario } = module;
  if (typeof scenario?.run === 'function' && typeof scenario.name === 'string') {
    return { description: '', parameters: {}, ...scenario } as Scenario;
  }
  throw new NetloomError('SIM_SCENARIO_INVALID', `${path} exports no scenario`, {
    remedy: "Export one as 'scenario', with a name and a run(world, parameters).",
  });
}

function findFile(nameOrPath: string): string {
  if (/[/\\]|\.[cm]?[jt]s$/.test(nameOrPath)) {
    const path = resolve(nameOrPath);
    if (existsSync(path)) return path;
    throw new NetloomError('SIM_SCENARIO_UNKNOWN', `there is no file ${path}`, {
      remedy: 'Give the path of a file that exports a scenario.',
    });
  }
  const names = scenarioNames();
  if (names.includes(nameOrPath)) return `${folder}${nameOrPath}.ts`;
  const near = suggest(nameOrPath, names);
  const question = near === undefined ? '' : `; did you mean '${near}'?`;
  throw new NetloomError(
    'SIM_SCENARIO_UNKNOWN',
    `there is no scenario '${nameOrPath}'${question}`,
    {
      remedy: `There are ${names.join(', ')}; a file of your own is named by its path.`,
    },
  );
}
