import type { Bench, Comparison, Figures, Report, Result, Round } from './bench.ts';
import { median } from './measure.ts';

/** Where a report goes. */
export interface ReportSink {
  result(result: Result): void;
  note(text: string): void;
}

/** The report of one bench. */
export function createReport(bench: Bench, rounds: number, sink: ReportSink): Report {
  const record = (figures: Figures): Result => {
    const result = judge(bench.name, figures);
    sink.result(result);
    return result;
  };
  return {
    record,
    note: (text) => sink.note(text),
    async compare(comparison) {
      const { netloom, peers } = await runRounds(comparison, rounds);
      return record({ ...comparison, netloom, peers });
    },
  };
}

/** One round of each to warm up, then `rounds` of each in turns; every other time in reverse, so that being first or last favours nobody. */
async function runRounds(
  { netloom, peers }: Comparison,
  rounds: number,
): Promise<Pick<Figures, 'netloom' | 'peers'>> {
  const contenders: Contender[] = [{ run: netloom, figures: [] }];
  const byPeer = new Map<string, Contender>();
  for (const [name, run] of Object.entries(peers)) {
    if (run === null) continue;
    const contender = { run, figures: [] };
    contenders.push(contender);
    byPeer.set(name, contender);
  }
  for (const { run } of contenders) await run();
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? contenders : contenders.toReversed();
    for (const { run, figures } of order) figures.push(await run());
  }
  const medianOf = (name: string): number | null => {
    const contender = byPeer.get(name);
    return contender === undefined ? null : median(contender.figures);
  };
  return {
    netloom: median(contenders[0]!.figures),
    peers: Object.fromEntries(Object.keys(peers).map((name) => [name, medianOf(name)])),
  };
}

interface Contender {
  readonly run: Round;
  readonly figures: number[];
}

/** Works out the ratios, and whether the targets are met. */
export function judge(bench: string, figures: Figures): Result {
  const { netloom, peers, unit, target = {}, lessIsBetter = false } = figures;
  const ratio: Record<string, number | null> = {};
  for (const [name, peer] of Object.entries(peers)) {
    if (peer === null) ratio[name] = null;
    else ratio[name] = rounded(lessIsBetter ? peer / netloom : netloom / peer);
  }
  return {
    bench,
    case: figures.case,
    unit,
    netloom: rounded(netloom),
    peers: Object.fromEntries(
      Object.entries(peers).map(([name, peer]) => [name, peer === null ? null : rounded(peer)]),
    ),
    ratio,
    target,
    met: Object.entries(target).every(([name, wanted]) => (ratio[name] ?? Infinity) >= wanted),
  };
}

/** Four digits: more than the measurement is worth would only be noise. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/** A result as a line of text. */
export function formatResult(result: Result): string {
  const others = Object.entries(result.peers).map(([name, peer]) => {
    if (peer === null) return `${name}: not installed`;
    const wanted = result.target[name];
    const target = wanted === undefined ? '' : ` of ${wanted} wanted`;
    return `${name} ${formatNumber(peer)} (${result.ratio[name]}x${target})`;
  });
  const own = `${formatNumber(result.netloom)} ${result.unit}`;
  const line = [`${result.bench}  ${result.case}:  ${own}`, ...others].join('   ');
  return result.met ? line : `${line}   NOT MET`;
}

/** With separators between thousands. */
export function formatNumber(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 4 });
}
