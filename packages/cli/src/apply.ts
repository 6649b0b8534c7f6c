/** `netloom apply`: makes a running node follow a file. */
import { resolve } from 'node:path';
import { describePlan, describeReport, type FileRefused } from '@netloom/edge';
import { readOptions, usageError, type Command } from './command.ts';
import { loadNodeFile, mistakesText } from './node-file.ts';
import { chooseNode, nodeHelp, nodeOptions } from './node-options.ts';
import { describeErrorStatus } from './report-error.ts';

/** See its help. */
export const apply: Command = {
  name: 'apply',
  help: `netloom apply [options] [FILE]

Makes a running node follow a file: what is new is made, what is gone is taken away, what is different
follows, in place where it can. What is the same is not touched. The plan is told first. What has failed
is started again; without a file nothing else is done than that, and what was left undone before.

  +  is made     -  is taken away     ~  changes in place     -/+  is taken away and made anew

  --dry-run      tell the plan, and do nothing
  --json         the plan, or what has become of it, as JSON for programs
${nodeHelp}
The exit code is 0 if all is done, and 1 if the file is wrong or a step failed: what was done before that
stays, and 'netloom apply' goes on from there.
`,
  async run(args, io) {
    const { values, positionals } = readOptions('apply', args, {
      'dry-run': { type: 'boolean' },
      json: { type: 'boolean' },
      verbose: { type: 'boolean' },
      ...nodeOptions,
    });
    const [file, more] = positionals;
    if (more !== undefined) throw usageError('apply', `apply takes one file, not '${more}' too`);
    // The node reads the text itself, and finds what is named in it from the file's place.
    const text = file === undefined ? '' : (await loadNodeFile(file)).text;
    const wanted = file === undefined ? undefined : { file: resolve(file), text };
    const tellMistakes = ({ mistakes }: FileRefused): number => {
      io.writeError(mistakesText({ path: file ?? '', text }, mistakes, 'nothing is changed'));
      return 1;
    };
    await using client = chooseNode(values, io);
    const planned = await client.plan(wanted, { signal: io.signal });
    if ('mistakes' in planned) return tellMistakes(planned);
    if (values.json !== true) await io.write(describePlan(planned.plan));
    if (values['dry-run'] === true || planned.plan.steps.length === 0) {
      if (values.json === true) await io.write(`${JSON.stringify(planned)}\n`);
      return 0;
    }
    const report = await client.apply(wanted);
    if ('mistakes' in report) return tellMistakes(report);
    await io.write(values.json === true ? `${JSON.stringify(report)}\n` : describeReport(report));
    if (report.failed === null) return 0;
    io.writeError(describeErrorStatus(report.failed.error));
    return 1;
  },
};
