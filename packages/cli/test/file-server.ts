/** A server for tests of downloads: Node's own, so that both sides are not ours, made to misbehave as a test wants. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { seededRandom } from 'netloom/core';

/** So many bytes, the same on every run. */
export function bytesOf(length: number, seed = 1): Uint8Array {
  return seededRandom(seed).fill(new Uint8Array(length));
}

/** Lower-case hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** What answers one request. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server on loopback that answers each request with the next of its answers, the last of them for ever. */
export class FileServer implements AsyncDisposable {
  readonly url: string;
  /** The requests so far: method, path, and what they say of ranges. */
  readonly requests: {
    readonly path: string;
    readonly range?: string;
    readonly ifRange?: string;
  }[] = [];
  readonly #server: Server;

  private constructor(server: Server, answers: readonly Answer[]) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const { range, 'if-range': ifRange } = request.headers;
      this.requests.push({
        path: request.url!,
        ...(range !== undefined && { range }),
        ...(ifRange !== undefined && { ifRange: String(ifRange) }),
      });
      const answer = answers[Math.min(this.requests.length, answers.length) - 1]!;
      answer(request, response);
    });
  }

  static async start(...answers: readonly Answer[]): Promise<FileServer> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FileServer(server, answers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** How {@link file} answers. */
export interface FileOptions {
  readonly etag?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes of the body after which the connection is cut. */
  readonly cutAfter?: number;
  /** Bytes of the body after which nothing more comes. */
  readonly stallAfter?: number;
  /** Ranges are not for this server. */
  readonly ignoresRanges?: boolean;
}

/** Answers with a file, or the part of it that was asked for if the condition holds (RFC 9110, section 14). */
export function file(content: Uint8Array, options: FileOptions = {}): Answer {
  const { etag = '"one"', headers, cutAfter = Infinity, stallAfter = Infinity } = options;
  return (request, response) => {
    const { range, 'if-range': condition } = request.headers;
    const [, digits] = /^bytes=(\d+)-$/.exec(range ?? '') ?? [];
    const applies = digits !== undefined && condition === etag && !options.ignoresRanges;
    const start = applies ? Number(digits) : 0;
    const body = content.subarray(start);
    response.writeHead(applies ? 206 : 200, {
      etag,
      'content-length': body.length,
      ...(applies && {
        'content-range': `bytes ${start}-${content.length - 1}/${content.length}`,
      }),
      ...headers,
    });
    const most = Math.min(cutAfter, stallAfter);
    if (most >= body.length) response.end(body);
    else {
      response.write(body.subarray(0, most), () => {
        if (cutAfter <= stallAfter) response.destroy();
      });
    }
  };
}
