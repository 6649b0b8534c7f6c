import type { NetloomError } from 'netloom/core';
import {
  runScenario,
  type RunScenarioOptions,
  type Scenario,
  type ScenarioOutcome,
} from 'netloom/host';

/** A run of a scenario and how long it really took. */
export interface Run {
  readonly outcome: ScenarioOutcome;
  /** Milliseconds. */
  readonly wall: number;
}

/** How a sweep over seeds went. */
export interface Sweep {
  readonly seeds: number;
  readonly failed: number;
  /** Milliseconds, of all runs together. */
  readonly virtualTime: number;
  readonly wall: number;
}

/** Runs a scenario, by the clock on the wall. */
export async function runOnce(scenario: Scenario, options: RunScenarioOptions): Promise<Run> {
  const start = performance.now();
  const outcome = await runScenario(scenario, options);
  return { outcome, wall: performance.now() - start };
}

/** A run as one line of JSON. */
export function runAsJson({ outcome, wall }: Run): string {
  const { scenario, seed, parameters, result = null, error, report } = outcome;
  const failure = error === undefined ? null : { code: error.code, message: error.message };
  const { virtualTime, events, frames, lost, hash } = report;
  const line = {
    scenario,
    seed,
    parameters,
    result,
    error: failure,
    virtualTime,
    wallTime: wall,
    events,
    frames,
    lost,
    hash,
  };
  return `${JSON.stringify(line)}\n`;
}

/** A run for a reader: what was found, then the figures. */
export function describeRun({ outcome, wall }: Run): string {
  const { scenario, seed, result = {}, error, report } = outcome;
  const { virtualTime, events, frames, lost, hash } = report;
  const rows: [string, string][] = [
    ['scenario', scenario],
    ['seed', String(seed)],
    ...Object.entries(result).map(([name, value]): [string, string] => [name, readable(value)]),
    ['virtual time', seconds(virtualTime)],
    ['wall time', seconds(wall)],
    ['events', readable(events)],
    ['frames', `${readable(frames)}, ${readable(lost)} lost`],
    ['hash', hash],
  ];
  if (error !== undefined) rows.push(['failed', `${error.message.trim()} (${error.code})`]);
  return rows.map(([name, value]) => `${name.padEnd(14)}${value}\n`).join('');
}

/** An error in one line; of what an assertion says of actual and expected values that is the beginning. */
export function firstLine({ code, message }: NetloomError): string {
  return `${message.split('\n', 1)[0]} (${code})`;
}

/** The last line of a sweep. */
export function sweepSummary({ seeds, failed, virtualTime, wall }: Sweep): string {
  return (
    `${seeds} ${seeds === 1 ? 'seed' : 'seeds'}: ${seeds - failed} passed, ${failed} failed; ` +
    `virtual time ${seconds(virtualTime)}, wall time ${seconds(wall)}\n`
  );
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(3)} s`;
}

function readable(value: number | string | boolean): string {
  if (typeof value !== 'number') return String(value);
  return Number.isInteger(value) ? value.toLocaleString('en-US') : value.toFixed(3);
}
