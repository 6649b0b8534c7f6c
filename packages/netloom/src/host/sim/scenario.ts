import { NetloomError, toNetloomError } from '../../core/index.ts';
import { simWorld, type SimReport, type SimWorld, type SimWorldOptions } from './world.ts';

/** Numbers that a scenario can be run with, by name. */
export type ScenarioParameters = Readonly<Record<string, number>>;

/** What a scenario found out, by name. It is printed, and compared between runs. */
export type ScenarioResult = Readonly<Record<string, number | string | boolean>>;

/**
 * Something that happens in a simulated world, and what must hold of it. A scenario builds its world, lets it live, and throws
 * where something is not as it must be. It takes time and chance from the world only, so that a seed decides everything.
 */
export interface Scenario<P extends ScenarioParameters = ScenarioParameters> {
  readonly name: string;
  /** One line. */
  readonly description: string;
  /** Every parameter with its default. */
  readonly parameters: P;
  run(world: SimWorld, parameters: P): Promise<ScenarioResult>;
}

/** What {@link runScenario} takes. */
export interface RunScenarioOptions extends SimWorldOptions {
  /** Instead of the scenario's own, one by one. */
  readonly parameters?: ScenarioParameters;
}

/** How a run ended. */
export interface ScenarioOutcome {
  readonly scenario: string;
  readonly seed: number;
  readonly parameters: ScenarioParameters;
  /** What the scenario gave; undefined if it failed. */
  readonly result: ScenarioResult | undefined;
  /** Why it failed. */
  readonly error: NetloomError | undefined;
  readonly report: SimReport;
  /** The last frames before a failure, as lines. */
  readonly trace: readonly string[];
}

/** Runs a scenario in a new world. Rejects for parameters that it does not have; a scenario that fails is an outcome. */
export async function runScenario(
  scenario: Scenario,
  { parameters = {}, ...options }: RunScenarioOptions,
): Promise<ScenarioOutcome> {
  const { name } = scenario;
  const effective = { ...scenario.parameters, ...checked(scenario, parameters) };
  const world = simWorld(options);
  let result: ScenarioResult | undefined;
  let error: NetloomError | undefined;
  try {
    result = await world.run(scenario.run(world, effective));
  } catch (thrown) {
    error = toNetloomError(thrown, 'SIM_SCENARIO_FAILED', `${name} with seed ${options.seed}`);
  }
  return {
    scenario: name,
    seed: options.seed,
    parameters: effective,
    result,
    error,
    report: world.report(),
    trace: error === undefined ? [] : world.trace(),
  };
}

function checked({ name, parameters }: Scenario, given: ScenarioParameters): ScenarioParameters {
  for (const [key, value] of Object.entries(given)) {
    if (!Object.hasOwn(parameters, key)) {
      throw new NetloomError('SIM_PARAMETER_INVALID', `${name} has no parameter '${key}'`, {
        remedy: `It has ${Object.keys(parameters).join(', ') || 'none'}.`,
      });
    }
    if (!Number.isFinite(value)) {
      throw new NetloomError('SIM_PARAMETER_INVALID', `the parameter '${key}' wants a number`);
    }
  }
  return given;
}
