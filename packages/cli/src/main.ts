/** The `netloom` command. */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// Before anything else is imported: what Node makes of the sources is kept, which more than halves the time to start. Where the
// folder cannot be written to, it is done without.
enableCompileCache(fileURLToPath(new URL('../../../node_modules/.cache/netloom', import.meta.url)));
const [{ runCli }, { processIo }, { describeError, stuckError }] = await Promise.all([
  import('./cli.ts'),
  import('./process-io.ts'),
  import('./report-error.ts'),
]);

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
