/** Other people's HTTP programs, as peers in tests. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A port of the loopback that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** A folder that is removed in the end. */
export class ScratchFolder implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), 'netloom-http-'));

  file(name: string, content: string | Uint8Array): string {
    const path = join(this.path, name);
    writeFileSync(path, content);
    return path;
  }

  folder(name: string): string {
    const path = join(this.path, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** What a program has said, and how it ended. */
export interface Finished {
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs a program to its end, with this input. */
export function run(
  program: string,
  args: readonly string[],
  input?: Uint8Array,
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    // A peer that does not want all of its input closes it early.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.on('error', reject);
    child.on('close', (status) => {
      resolve({ status, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() });
    });
  });
}

/** A program that serves, until it is disposed of. */
export class ServingProgram implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(child: ChildProcess, ended: Promise<unknown>) {
    this.#child = child;
    this.#ended = ended;
  }

  /** Starts it; settled when what it writes matches `ready`. */
  static start(program: string, args: readonly string[], ready: RegExp): Promise<ServingProgram> {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    return new Promise((resolve, reject) => {
      let said = '';
      let isReady = false;
      const ended = new Promise((ending) => child.once('close', ending));
      const hear = (chunk: Buffer): void => {
        if (isReady) return;
        said += chunk.toString();
        isReady = ready.test(said);
        if (isReady) resolve(new ServingProgram(child, ended));
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.on('error', reject);
      child.on('close', () => reject(new Error(`${program} ended: ${said}`)));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#ended;
  }
}

/** nginx on a port of the loopback, serving a folder, all its files in another. */
export function startNginx(
  port: number,
  root: string,
  folder: ScratchFolder,
): Promise<ServingProgram> {
  const own = folder.folder('nginx');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${own}/${name};`)
    .join(' ');
  const config = folder.file(
    'nginx.conf',
    `daemon off; master_process off; pid ${own}/pid; error_log stderr notice;
     events {}
     http {
       access_log off; ${temporary}
       server {
         listen 127.0.0.1:${port}; root ${root};
         location = /moved { return 302 /file; }
         location = /chunked { gzip on; gzip_min_length 1; gzip_types *; alias ${root}/file; }
       }
     }`,
  );
  return ServingProgram.start('nginx', ['-p', own, '-c', config], /start worker|using the "epoll"/);
}
