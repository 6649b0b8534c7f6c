/** A simulated world: machines on networks in virtual time, decided by a seed. */
export type { SimCable, SimCableOptions } from './cable.ts';
export { SIM_LIMITS, type SimLimits } from './limits.ts';
export { SimHost, type SimAttachOptions, type SimMachineOptions } from './machine.ts';
export { SimNetwork, type SimNetworkOptions } from './network.ts';
export {
  runScenario,
  type RunScenarioOptions,
  type Scenario,
  type ScenarioOutcome,
  type ScenarioParameters,
  type ScenarioResult,
} from './scenario.ts';
export { formatSimFrame, type SimFate, type SimFrame } from './trace.ts';
export { SimWorld, simWorld, type SimReport, type SimWorldOptions } from './world.ts';
