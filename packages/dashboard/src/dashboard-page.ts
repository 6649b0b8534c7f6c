import type { FetchHandler } from 'netloom/http';
import { pageFiles, type PageFile } from './page-files.ts';

/** Serves the page's files under `/`. They are read when the first is asked for. */
export function dashboardPage(): FetchHandler {
  let files: ReadonlyMap<string, PageFile> | undefined;
  return {
    fetch(request) {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        return refuse(405, 'GET or HEAD', { allow: 'GET, HEAD' });
      }
      files ??= pageFiles();
      const { pathname } = new URL(request.url);
      const file = files.get(pathname);
      if (file === undefined) return refuse(404, `there is no ${pathname}`);
      return new Response(file.text, {
        // The next version of Netloom has others of the same names.
        headers: { 'content-type': file.type, 'cache-control': 'no-cache' },
      });
    },
  };
}

function refuse(status: number, text: string, fields: Record<string, string> = {}): Response {
  const headers = { 'content-type': 'text/plain; charset=utf-8', ...fields };
  return new Response(`${text}\n`, { status, headers });
}
