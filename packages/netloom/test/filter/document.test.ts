/** What the document on capture filters shows is a filter, for us and for tcpdump. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { compileFilter } from '../../src/wire/index.ts';
import { root } from '../repository.ts';
import { file, program, requires } from '../requires.ts';

const text = readFileSync(`${root}docs/capture-filters.md`, 'utf8');
const examples = [...text.matchAll(/^```filter\n(.*?)^```/gms)].flatMap(([, box]) =>
  box!.trim().split('\n'),
);

test('every example of docs/capture-filters.md is a filter', () => {
  assert.ok(examples.length > 40, `only ${examples.length} examples were found`);
  for (const example of examples) compileFilter(example);
});

// Names of ports and protocols are the system's for tcpdump.
const skip = requires(program('tcpdump'), file('/etc/services', 'netbase'));

test('every example is one for tcpdump too', { skip }, () => {
  for (const example of examples) {
    const { status, stderr } = spawnSync('tcpdump', ['-y', 'EN10MB', '-d', example]);
    assert.equal(status, 0, `${example}: ${String(stderr)}`);
  }
});

test('what the document says is a mistake is one', () => {
  for (const wrong of ['net 10.0.0.1/8', 'host 10.1', 'tcp prt 80']) {
    assert.ok(text.includes(wrong));
    assert.throws(() => compileFilter(wrong), { code: 'FILTER_INVALID' });
  }
});
