/** nginx in a namespace, serving the files of a folder of its own. */
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KernelNamespace } from '../kernel-namespace.ts';

/** Where it listens, on both families. */
export const NGINX_PORT = 8080;

/** The user `nobody`, wherever the test may be run: a server of files needs no privilege. */
const NOBODY = 65_534;

/** One process, since a master that is killed leaves its workers behind. */
const CONFIGURATION = `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr notice;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  client_body_temp_path temporary;
  proxy_temp_path temporary;
  fastcgi_temp_path temporary;
  uwsgi_temp_path temporary;
  scgi_temp_path temporary;
  server {
    listen ${NGINX_PORT};
    listen [::]:${NGINX_PORT};
    root files;
  }
}
`;

/** The folder of an nginx; the program itself goes with its namespace. */
export class Nginx implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'netloom-nginx-'));

  constructor() {
    mkdirSync(join(this.#folder, 'files'));
    writeFileSync(join(this.#folder, 'nginx.conf'), CONFIGURATION);
    chmodSync(this.#folder, 0o755);
    chownSync(this.#folder, NOBODY, NOBODY);
  }

  /** The path of a file to be served, to be written to. */
  path(name: string): string {
    return join(this.#folder, 'files', name);
  }

  /** Resolves when it listens. */
  async start(namespace: KernelNamespace): Promise<void> {
    const user = `setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups`;
    const nginx = `nginx -e stderr -p ${this.#folder} -c nginx.conf`;
    const program = namespace.startProgram('sh', '-c', `exec ${user} ${nginx} 2>&1`);
    const said: string[] = [];
    // The first line it writes after it has opened its sockets.
    while (!said.at(-1)?.includes('event method')) said.push(await program.line());
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
