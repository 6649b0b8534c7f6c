import { countOf } from '../text/index.ts';
import { formatValue } from './format-value.ts';
import type { Plan, PlanAction, PlanChange, PlanReport, PlanStep } from './plan.ts';

/** What stands before a step. */
const SIGNS: Readonly<Record<PlanAction, string>> = {
  create: '+',
  remove: '-',
  change: '~',
  replace: '-/+',
};

/** What of a thing that is made is worth a word: the rest is as it usually is. */
const TOLD =
  /^(kind|gateway\.addresses|station|port\.link|addresses|link|interfaces|routes|translation)(\.|$)/;

/** A step's object by name, as `attachment lan/web`. */
export function stepName({ object, network, name }: PlanStep): string {
  switch (object) {
    case 'gateway':
      return `gateway of ${name}`;
    case 'interface':
      return `interface of ${name} on ${network}`;
    case 'publication':
      return `publication ${name} in ${network}`;
    default:
      return network === undefined ? `${object} ${name}` : `${object} ${network}/${name}`;
  }
}

/** A plan as text for people: a line for each thing, one below it for each of its changes, and a sum. */
export function describePlan(plan: Plan): string {
  const told = toldOf(plan.steps);
  if (told.length === 0) return 'Nothing to do: all is as it is to be.\n';
  return `${told.map(describeStep).join('')}\n${sum(told)}\n`;
}

/** What has become of a plan as text for people: one line if all is done. */
export function describeReport({ done, failed, left }: PlanReport): string {
  if (failed === null) return `Done: ${countOf(toldOf(done).length, 'change')}.\n`;
  const rest = toldOf([failed.step, ...left]).map(describeHead);
  const are = done.length === 1 ? 'step is done and stays' : 'steps are done and stay';
  return `${done.length} ${are}. Not done:\n${rest.map((head) => `${head}\n`).join('')}`;
}

/** The steps that a reader wants to know of. */
function toldOf(steps: readonly PlanStep[]): PlanStep[] {
  return steps.filter(({ again }) => again !== true);
}

function describeStep(step: PlanStep): string {
  const { action, changes, note } = step;
  const head = describeHead(step);
  if (action === 'create') {
    const facts = changes.filter(({ path }) => TOLD.test(path)).map(describeFact);
    const words = facts.filter((fact) => fact !== '');
    return `${words.length === 0 ? head : `${head}: ${words.join(', ')}`}\n`;
  }
  const lines = changes.map((change) => `      ${describeChange(change)}\n`);
  return `${head}${note === undefined ? '' : ` (${note})`}\n${lines.join('')}`;
}

function describeHead(step: PlanStep): string {
  return `${SIGNS[step.action].padEnd(4)}${stepName(step)}`;
}

/** What is not there needs no word. */
function describeFact({ path, to }: PlanChange): string {
  const name = path.replace(/^(station|port|gateway|kind)\./, '').replace(/^routes\./, 'route ');
  const value = formatValue(name, to!);
  if (value === 'none') return '';
  return name === 'kind' || name === 'interfaces' ? value : `${name} ${value}`;
}

function describeChange({ path, from, to }: PlanChange): string {
  if (from === undefined) return `${path}: + ${formatValue(path, to!)}`;
  if (to === undefined) return `${path}: - ${formatValue(path, from)}`;
  return `${path}: ${formatValue(path, from)} -> ${formatValue(path, to)}`;
}

function sum(steps: readonly PlanStep[]): string {
  const count = (wanted: PlanAction): number =>
    steps.filter(({ action }) => action === wanted).length;
  const parts = (['create', 'change', 'replace', 'remove'] as const)
    .filter((action) => count(action) > 0)
    .map((action) => `${count(action)} to ${action}`);
  return `${parts.join(', ')}.`;
}
