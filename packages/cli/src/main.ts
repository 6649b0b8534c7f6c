/** The `netloom` command. */
import { runCli } from './cli.ts';
import { processIo } from './process-io.ts';
import { describeError, stuckError } from './report-error.ts';

const io = processIo();
// Nothing is under way any more, so the command will never end: without this Node would say that in its own way.
process.once('beforeExit', () => {
  io.writeError(describeError(stuckError(), false));
  process.exit(1);
});
const code = await runCli(process.argv.slice(2), io);
await io.flush();
// Rather than waiting for the loop to run empty: what a command left open by mistake must not keep its user.
process.exit(code);
