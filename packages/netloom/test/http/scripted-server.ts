import type { Connection, Host } from '../../src/core/index.ts';
import { fromLatin1, latin1 } from './messages.ts';

/** A request as a {@link scriptedServer} got it, and its connection. */
export interface ScriptedRequest {
  /** All of its bytes so far. */
  readonly text: string;
  /** Counted from 0, over all connections. */
  readonly index: number;
  /** Counted from 0. */
  readonly connectionIndex: number;
  readonly connection: Connection;
}

/** What a script answers: bytes, or nothing (it may do things to the connection itself). */
export type Script = (request: ScriptedRequest) => string | undefined;

/** A server that says exactly what a script tells it to, right or wrong. It takes a request's head for all of it. */
export async function scriptedServer(host: Host, port: number, script: Script): Promise<string[]> {
  const requests: string[] = [];
  let connections = 0;
  await host.listen({
    port,
    accept: (connection) => {
      const connectionIndex = connections++;
      let text = '';
      connection.start({
        data: (chunk) => {
          text += fromLatin1(chunk);
          if (!text.includes('\r\n\r\n')) return;
          const index = requests.push(text) - 1;
          const answer = script({ text, index, connectionIndex, connection });
          text = '';
          if (answer !== undefined) connection.write(latin1(answer));
        },
        end: () => void connection.close(),
      });
    },
  });
  return requests;
}

/** A response with a length. */
export function response(body: string, ...fields: string[]): string {
  return ['HTTP/1.1 200 OK', `Content-Length: ${body.length}`, ...fields, '', body].join('\r\n');
}
