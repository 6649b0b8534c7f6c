/** `netloom get`: downloads a file, whole or not at all. */
import { NetloomError, toNetloomError } from 'netloom/core';
import { reaches } from 'netloom/host';
import { createClient, download, type Client, type DownloadResult } from 'netloom/http';
import { readNumber, readOptions, usageError, type Command, type CommandIo } from './command.ts';
import { formatBytes, formatDuration } from './format.ts';
import { openOutput, type Output } from './get/output.ts';
import { ProgressBar } from './get/progress-bar.ts';
import { Sha256Check } from './get/sha256-check.ts';
import {
  chooseHost,
  readVia,
  viaHelp,
  viaOptions,
  type ChosenHost,
  type ViaRequest,
} from './via.ts';

interface GetRequest {
  readonly url: URL;
  readonly output: string | undefined;
  /** SHA-256 in lower-case hexadecimal. */
  readonly checksum: string | undefined;
  /** Milliseconds. */
  readonly timeout: number;
  readonly retries: number;
  readonly remoteTime: boolean;
  readonly via: ViaRequest;
  readonly verbose: boolean;
}

/** See its help. */
export const get: Command = {
  name: 'get',
  help: `netloom get URL [options]

Downloads a file. Until all of it is there it is FILE.part, from which a later run goes on if the server still
has the same version; FILE itself is replaced at once, at the end. Follows redirects.

  -o FILE        where to; '-' is standard output (default: the name the server or the URL gives)
  --checksum sha256:HEX
                 of the whole file; if it is wrong, nothing is kept
  --timeout S    give up a server that sends nothing for so long (default 30)
  --retries N    attempts in a row without progress, after the first (default 4)
  --remote-time  give the file the time of its last change, if the server tells it
${viaHelp}  --verbose      tell which host was taken and why, and what was done
`,
  async run(args, io) {
    const request = readArguments(args);
    await using chosen = await chooseHost(
      request.via,
      reaches(target(request)),
      io,
      request.verbose,
    );
    await using client = createClient({ host: chosen.host });
    await new Getting(request, chosen, client, io).run();
  },
};

function readArguments(args: readonly string[]): GetRequest {
  const { values, positionals } = readOptions('get', args, {
    output: { type: 'string', short: 'o' },
    checksum: { type: 'string' },
    timeout: { type: 'string' },
    retries: { type: 'string' },
    'remote-time': { type: 'boolean' },
    verbose: { type: 'boolean' },
    ...viaOptions,
  });
  const [text, ...others] = positionals;
  if (text === undefined || others.length > 0) throw usageError('get', 'get wants one URL');
  const seconds = readNumber('get', '--timeout', values.timeout, { least: 0.001, most: 86_400 });
  const retries = { least: 0, most: 1000, whole: true };
  return {
    url: readUrl(text),
    output: values.output,
    checksum: readChecksum(values.checksum),
    timeout: (seconds ?? 30) * 1000,
    retries: readNumber('get', '--retries', values.retries, retries) ?? 4,
    remoteTime: values['remote-time'] ?? false,
    via: readVia('get', values),
    verbose: values.verbose ?? false,
  };
}

/** As one types it: without a scheme it is HTTP. */
function readUrl(text: string): URL {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (url === null) throw usageError('get', `'${text}' is no URL`);
  return url;
}

function readChecksum(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const [, digits] = /^sha256:([0-9a-f]{64})$/i.exec(text) ?? [];
  if (digits === undefined) {
    throw usageError('get', `--checksum wants sha256: and 64 hexadecimal digits, not '${text}'`);
  }
  return digits.toLowerCase();
}

function target({ url }: GetRequest): { host: string; port: number } {
  const port = url.port === '' ? 80 : Number(url.port);
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port };
}

/** One download. */
class Getting {
  readonly #request: GetRequest;
  readonly #chosen: ChosenHost;
  readonly #client: Client;
  readonly #io: CommandIo;

  constructor(request: GetRequest, chosen: ChosenHost, client: Client, io: CommandIo) {
    this.#request = request;
    this.#chosen = chosen;
    this.#client = client;
    this.#io = io;
  }

  async run(): Promise<void> {
    const { url, output: path, checksum, remoteTime } = this.#request;
    await using output = await openOutput({ url, path, io: this.#io });
    const check =
      checksum === undefined
        ? undefined
        : new Sha256Check(checksum, (length) => output.readBack(length));
    try {
      const start = this.#chosen.host.clock.now();
      const result = await Promise.race([this.#download(output, check), this.#chosen.failed]);
      if (remoteTime && result.lastModified !== undefined) {
        await output.setModified(result.lastModified);
      }
      this.#tell(result, output, this.#chosen.host.clock.now() - start);
    } catch (thrown) {
      const error = toNetloomError(thrown, 'DOWNLOAD_FAILED', `the download of ${url.href}`);
      throw await this.#leave(error, output, check);
    }
  }

  async #download(output: Output, check: Sha256Check | undefined): Promise<DownloadResult> {
    const { url, timeout, retries, verbose } = this.#request;
    const { clock } = this.#chosen.host;
    const { terminalWidth, signal } = this.#io;
    const partial = await output.partial();
    if (partial !== undefined && verbose) {
      this.#io.writeError(`there are ${partial.position} bytes from before: asking for the rest\n`);
    }
    const bar =
      terminalWidth === undefined
        ? undefined
        : new ProgressBar((text) => this.#io.writeError(text), terminalWidth);
    try {
      return await download(url, {
        client: this.#client,
        clock,
        sink: output.sink,
        signal,
        stallTimeout: timeout,
        retries,
        progress: (progress) => bar?.show(progress, clock.now()),
        ...(partial === undefined ? {} : { partial }),
        ...(check === undefined ? {} : { checksum: check }),
      });
    } finally {
      bar?.clear();
    }
  }

  #tell(result: DownloadResult, output: Output, elapsed: number): void {
    if (this.#io.terminalWidth === undefined && !this.#request.verbose) return;
    const fetched = result.length - result.resumedFrom;
    const rate = formatBytes((fetched / Math.max(elapsed, 1)) * 1000);
    const resumed =
      result.resumedFrom > 0 ? `, of which ${formatBytes(result.resumedFrom)} were there` : '';
    const line = `${output.name()}: ${formatBytes(result.length)}${resumed}, in ${formatDuration(elapsed / 1000)} (${rate}/s)`;
    this.#io.writeError(`${line}\n`);
  }

  /** After a failure: keeps what a later run can use, and answers the error that says so. */
  async #leave(
    error: NetloomError,
    output: Output,
    check: Sha256Check | undefined,
  ): Promise<NetloomError> {
    if (error.code === 'HTTP_CHECKSUM_MISMATCH' && check !== undefined) {
      await output.discard();
      return checksumError(this.#request.url, check, error);
    }
    const kept = await output.leave();
    if (error.code === 'ABORTED') {
      this.#io.writeError(
        `netloom: the download was stopped. ${kept ?? 'Nothing of it is kept.'}\n`,
      );
    } else if (kept !== undefined) {
      const remedy = error.remedy === undefined ? kept : `${error.remedy} ${kept}`;
      return new NetloomError(error.code, error.message, { remedy, cause: error });
    }
    return error;
  }
}

function checksumError(url: URL, check: Sha256Check, cause: NetloomError): NetloomError {
  return new NetloomError(
    'CHECKSUM_MISMATCH',
    `${url.href} is not what it should be: its SHA-256 is ${check.actual}, not ${check.expected}`,
    {
      cause,
      remedy: 'Nothing of it is kept. Check the checksum; if it is right, do not trust the file.',
    },
  );
}
