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
      const { netloom, peers } = await runRounds(comparison, rounds, (name, error) => {
        const why = error instanceof Error ? error.message : String(error);
        sink.note(`${name} is left out of '${comparison.case}', at which it fails: ${why}`);
      });
      return record({ ...comparison, netloom, peers });
    },
  };
}

/**
 * One round of each to warm up, then `rounds` of each in turns; every other time in reverse, so that being first or last favours nobody. A peer that fails is
 * left out from then on.
 */
async function runRounds(
  { netloom, peers }: Comparison,
  rounds: number,
  failed: (peer: string, error: unknown) => void,
): Promise<Pick<Figures, 'netloom' | 'peers'>> {
  const own: number[] = [];
  let contenders: Contender[] = [{ run: netloom, figures: own }];
  for (const [peer, run] of Object.entries(peers)) {
    if (run !== null) contenders.push({ peer, run, figures: [] });
  }
  for (let round = -1; round < rounds; round++) {
    const order = round % 2 === 1 ? contenders.toReversed() : contenders;
    for (const contender of order) {
      try {
        const figure = await contender.run();
        if (round >= 0) contender.figures.push(figure);
      } catch (error) {
        if (contender.peer === undefined) throw error;
        failed(contender.peer, error);
        contenders = contenders.filter((one) => one !== contender);
      }
    }
  }
  const medianOf = (name: string): number | null => {
    const contender = contenders.find(({ peer }) => peer === name);
    return contender === undefined ? null : median(contender.figures);
  };
  return {
    netloom: median(own),
    peers: Object.fromEntries(Object.keys(peers).map((name) => [name, medianOf(name)])),
  };
}

interface Contender {
  /** Undefined: it is ours. */
  readonly peer?: string;
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
    if (peer === null) return `${name}: not measured`;
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
