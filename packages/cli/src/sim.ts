/** `netloom sim SCENARIO`: runs a scenario in a simulated world, once or for many seeds. */
import { NetloomError } from 'netloom/core';
import { formatSimFrame, type Scenario, type ScenarioParameters } from 'netloom/host';
import { readNumber, readOptions, usageError, type Command, type CommandIo } from './command.ts';
import { SimCapture } from './sim-capture.ts';
import {
  describeRun,
  firstLine,
  runAsJson,
  runOnce,
  sweepSummary,
  type Run,
} from './sim-report.ts';
import { loadScenario, scenarioNames } from './sim-scenarios.ts';

/** See its help. */
export const sim: Command = {
  name: 'sim',
  help: `netloom sim SCENARIO [options]

Runs a scenario (a name, or the path of a file that exports one) in virtual time and prints what it
found, the seed, the virtual and the real time, how many events there were, and a hash of everything that
happened: the same seed gives the same hash on every run and every machine. See docs/simulation.md.

  --seed N         the seed (default 1)
  --seeds COUNT    runs COUNT seeds from --seed on; prints each failure with the command that repeats it
  --set NAME=N     runs it with another value of a parameter; may be repeated
  --trace          prints what became of every frame
  --pcap FILE      writes the frames the networks carried as pcapng
  --json           prints one JSON object for each run
  --list           names the scenarios

Scenarios: ${scenarioNames().join(', ')}
`,
  run: simCommand,
};

interface SimRequest {
  readonly scenario: string;
  readonly seed: number;
  /** Undefined: one run, which is told of in full. */
  readonly seeds: number | undefined;
  readonly parameters: ScenarioParameters;
  readonly trace: boolean;
  readonly pcap: string | undefined;
  readonly json: boolean;
}

/** A piece of a trace is written when it has grown so long. */
const PIECE = 64 * 1024;

/** Runs the command with the arguments after `sim`. Throws `SIM_FAILED` if a run failed. */
export async function simCommand(args: readonly string[], io: CommandIo): Promise<void> {
  const { values, positionals } = readOptions('sim', args, {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    set: { type: 'string', multiple: true },
    trace: { type: 'boolean', default: false },
    pcap: { type: 'string' },
    json: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    // About errors, and of the whole command line.
    verbose: { type: 'boolean' },
  });
  if (values.list) return listScenarios(io);
  const [scenario, ...others] = positionals;
  if (scenario === undefined || others.length > 0) {
    throw usageError('sim', `sim wants one scenario: ${scenarioNames().join(', ')}, or a path`);
  }
  const { trace, pcap, json } = values;
  const count = { least: 1, most: 1_000_000_000, whole: true };
  const seeds = readNumber('sim', '--seeds', values.seeds, count);
  if (seeds !== undefined && (trace || pcap !== undefined)) {
    throw usageError('sim', '--trace and --pcap show one run: leave --seeds out');
  }
  const range = { least: 0, most: Number.MAX_SAFE_INTEGER, whole: true };
  const seed = readNumber('sim', '--seed', values.seed, range) ?? 1;
  const parameters = readParameters(values.set ?? []);
  const request: SimRequest = { scenario, seed, seeds, parameters, trace, pcap, json };
  const loaded = await loadScenario(scenario);
  if (seeds === undefined) await runSingle(loaded, request, io);
  else await sweep(loaded, request, seeds, io);
}

async function listScenarios(io: CommandIo): Promise<void> {
  for (const name of scenarioNames()) {
    const { description } = await loadScenario(name);
    await io.write(`${name.padEnd(16)}  ${description}\n`);
  }
}

function readParameters(settings: readonly string[]): ScenarioParameters {
  const parameters: Record<string, number> = {};
  for (const setting of settings) {
    const [, name, text] = /^([^=]+)=(.+)$/.exec(setting) ?? [];
    const value = Number(text?.trim() || NaN);
    if (name === undefined || !Number.isFinite(value)) {
      throw usageError('sim', `--set wants NAME=NUMBER, not '${setting}'`);
    }
    parameters[name] = value;
  }
  return parameters;
}

async function runSingle(scenario: Scenario, request: SimRequest, io: CommandIo): Promise<void> {
  const { seed, parameters, pcap, trace, json } = request;
  const capture = pcap === undefined ? undefined : new SimCapture(pcap);
  let text = '';
  const run = await runOnce(scenario, {
    seed,
    parameters,
    signal: io.signal,
    trace(frame) {
      capture?.frame(frame);
      if (!trace || json) return;
      text += `${formatSimFrame(frame)}\n`;
      if (text.length < PIECE) return;
      void io.write(text);
      text = '';
    },
  });
  capture?.close();
  await io.write(text);
  await io.write(json ? runAsJson(run) : describeRun(run));
  const { error } = run.outcome;
  if (error === undefined) return;
  throwIfEnded(run);
  throw new NetloomError('SIM_FAILED', `${scenario.name} failed with seed ${seed}`, {
    remedy: trace
      ? 'The trace above shows what led to it.'
      : `See its story with '${repeat(request, seed)}'.`,
    cause: error,
  });
}

/** Runs seed after seed; failures are told as they come. */
async function sweep(
  scenario: Scenario,
  request: SimRequest,
  seeds: number,
  io: CommandIo,
): Promise<void> {
  const { parameters, json } = request;
  const start = performance.now();
  let virtualTime = 0;
  let failed = 0;
  for (let seed = request.seed; seed < request.seed + seeds; seed++) {
    const run = await runOnce(scenario, { seed, parameters, signal: io.signal });
    throwIfEnded(run);
    const { error, report } = run.outcome;
    virtualTime += report.virtualTime;
    if (error !== undefined) failed++;
    if (json) await io.write(runAsJson(run));
    else if (error !== undefined) {
      await io.write(`seed ${seed}: ${firstLine(error)}\n  ${repeat(request, seed)}\n`);
    }
  }
  if (!json) {
    await io.write(sweepSummary({ seeds, failed, virtualTime, wall: performance.now() - start }));
  }
  if (failed === 0) return;
  throw new NetloomError('SIM_FAILED', `${scenario.name} failed with ${failed} of ${seeds} seeds`, {
    remedy: 'Run one of the commands above to see what happened.',
  });
}

/** A run that the user has ended is no failure of the scenario's. */
function throwIfEnded({ outcome: { error } }: Run): void {
  if (error?.code === 'ABORTED') throw error;
}

/** The command line that repeats one run with its story. */
function repeat({ scenario, parameters }: SimRequest, seed: number): string {
  const settings = Object.entries(parameters).map(([name, value]) => ` --set ${name}=${value}`);
  return `netloom sim ${scenario} --seed ${seed}${settings.join('')} --trace`;
}
