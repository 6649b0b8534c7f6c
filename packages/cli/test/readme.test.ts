/** What README.md and docs/ show works: programs print what is written under them, commands exist and know their options. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { commands } from '../src/commands.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** The code blocks of one language. */
function blocks(path: string, language: string): string[] {
  const text = readFileSync(root + path, 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))].map(
    ([, code]) => code!,
  );
}

for (const [i, code] of blocks('README.md', 'ts').entries()) {
  test(`program ${i + 1} of README.md prints what is written under it`, () => {
    const expected = [...code.matchAll(/^\/\/ (.*)$/gm)].map(([, line]) => line).join('\n');
    assert.notEqual(expected, '');
    const options = ['--conditions=netloom-source', '--input-type=module-typescript'];
    const done = spawnSync(process.execPath, [...options, '-e', code], {
      cwd: root,
      encoding: 'utf8',
    });
    assert.equal(done.status, 0, done.stderr);
    assert.equal(done.stdout.trimEnd(), expected);
  });
}

test('commands shown exist, and so do their options', async () => {
  const shown = ['README.md', 'docs/cli.md'].flatMap((path) =>
    ['sh', 'console'].flatMap((language) => blocks(path, language).join('')),
  );
  const lines = shown.join('\n').match(/^(?:\$ )?\.\/netloom .*$/gm) ?? [];
  assert.ok(lines.length > 10, 'hardly any were found');
  for (const line of lines) {
    // What comes after `--` is another program's.
    const own = line.replace('$ ', '').replace(/ #.*| -- .*/, '');
    const [, name, ...words] = own.split(' ');
    if (name === 'pong') continue;
    const command = commands.find((candidate) => candidate.name === name);
    assert.ok(command !== undefined, line);
    for (const option of words.filter((word) => /^--?[a-zA-Z]/.test(word))) {
      assert.ok((await command.load()).help.includes(`  ${option} `), `${line}: ${option}`);
    }
  }
});

test('the overview of README.md leads to files that are there', () => {
  const text = readFileSync(`${root}README.md`, 'utf8');
  const links = [...text.matchAll(/\]\(([^)#]+)\)/g)].map(([, link]) => link!);
  assert.ok(links.length > 4);
  for (const link of links) readFileSync(root + link);
});
