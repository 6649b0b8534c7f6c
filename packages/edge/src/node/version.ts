import { readFileSync } from 'node:fs';

/** The version of Netloom, as the package has it. */
export const NETLOOM_VERSION: string = readVersion();

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
