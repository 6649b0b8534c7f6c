/** The rules of CONTRIBUTING.md that no linter checks: length, docstrings, no console, no tests that are left out in silence. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sources, type SourceFile } from './repository.ts';

const MAXIMUM_LINES = 500;

const everything = sources('.', '{scripts,bench,fuzz,examples,conformance,packages}/**/*.ts');
const isTest = ({ path }: SourceFile): boolean => path.endsWith('.test.ts');
const library = everything.filter(
  (file) => file.path.startsWith('packages/netloom/src/') && !isTest(file),
);

/** Where something was found: `path:line: what`. */
function complain({ path }: SourceFile, index: number, what: string): string {
  return `${path}:${index + 1}: ${what}`;
}

/**
 * Exported declarations that have no docstring right above them. Of overloads the first has it for all, and so has the first of
 * several constants of one line each.
 */
function withoutDocstring(file: SourceFile): string[] {
  const lines = file.text.split('\n');
  const declaration =
    /^export (?:declare )?(?:abstract )?(?:async )?(class|function\*?|const|let|interface|type|enum) (\w+)/;
  const complaints: string[] = [];
  let overloaded: string | undefined;
  for (const [i, line] of lines.entries()) {
    const [, kind, name] = declaration.exec(line) ?? [];
    if (name === undefined) continue;
    const above = lines[i - 1]?.trimEnd() ?? '';
    const inGroup = kind === 'const' && /^export const .*;$/.test(above);
    if (!above.endsWith('*/') && !inGroup && name !== overloaded) {
      complaints.push(complain(file, i, `${name} has no docstring`));
    }
    overloaded = name;
  }
  return complaints;
}

/** Uses of the console, comments aside. */
function consoleUses(file: SourceFile): string[] {
  return file.text.split('\n').flatMap((line, i) => {
    const code = line.replace(/^\s*(?:\*|\/[/*]).*/, '').replace(/\s\/\/ .*/, '');
    return /\bconsole\s*[.[]/.test(code) ? [complain(file, i, 'console')] : [];
  });
}

/** Tests that run alone, and tests that are skipped or left for later without saying why. */
function leftOutTests(file: SourceFile): string[] {
  const patterns: [RegExp, string][] = [
    [/\b(?:test|it|describe|suite)\.only\s*\(/, 'only'],
    [/\bonly:\s*true/, 'only'],
    [
      /\b(?:test|it|describe|suite)\.(?:skip|todo)\s*\(/,
      'skipped without a reason: use { skip: reason }',
    ],
    [/\b(?:skip|todo):\s*true/, 'skipped without a reason: give it as the value'],
    [
      /\b(?:t|context)\.(?:skip|todo)\s*\(\s*\)/,
      'skipped without a reason: give it as the argument',
    ],
  ];
  return file.text
    .split('\n')
    .flatMap((line, i) =>
      patterns
        .filter(([pattern]) => pattern.test(line))
        .map(([, complaint]) => complain(file, i, complaint)),
    );
}

/**
 * Tests that are skipped for another reason than one given to `requires`, which fails where CI is set. (A part of the Host compliance
 * suite is left out by `skip: { part: requires(...) }`.)
 */
function skippedInSilence(file: SourceFile): string[] {
  const isSkipRequired = /\bconst skip = requires\(/.test(file.text);
  return file.text.split('\n').flatMap((line, i) => {
    const code = line.replace(/^\s*(?:\*|\/[/*]).*/, '');
    const isOther =
      /\bskip:(?!\s*(?:\{ \w+: )?requires\()/.test(code) ||
      /\b(?:t|test|context|it|describe|suite)\.skip\s*\(/.test(code) ||
      (/[{,]\s*skip\s*[,}]/.test(code) && !isSkipRequired);
    return isOther ? [complain(file, i, 'skipped, and not by requires()')] : [];
  });
}

/** Copies of bytes by `slice`, which does not copy a `Buffer`; arrays are copied by `[...array]`. */
function copiesBySlice(file: SourceFile): string[] {
  const bytes = 'bytes|borrowed|chunk|data|datagram|frame|input|packet|payload';
  const pattern = new RegExp(String.raw`\.slice\(\)|\b(?:${bytes})!?\.slice\(`);
  return file.text.split('\n').flatMap((line, i) => {
    const code = line.replace(/^\s*(?:\*|\/[/*]).*/, '').replace(/\s\/\/ .*/, '');
    return pattern.test(code) ? [complain(file, i, 'slice: use copyBytes')] : [];
  });
}

function tooLong(file: SourceFile): string[] {
  const lines = file.text.split('\n').length;
  return lines > MAXIMUM_LINES ? [`${file.path}: ${lines} lines`] : [];
}

test(`no source file has more than ${MAXIMUM_LINES} lines`, () => {
  assert.ok(library.length > 30, 'hardly any files were found');
  assert.deepEqual(everything.filter((file) => !isTest(file)).flatMap(tooLong), []);
});

test('everything the library exports has a docstring', () => {
  assert.deepEqual(library.flatMap(withoutDocstring), []);
});

test('the library does not write to the console', () => {
  assert.deepEqual(library.flatMap(consoleUses), []);
});

test('no test runs alone, and none is skipped without a reason', () => {
  const own = 'packages/netloom/test/style.test.ts';
  const tests = everything.filter((file) => isTest(file) && file.path !== own);
  assert.ok(tests.length > 10, 'hardly any tests were found');
  assert.deepEqual(tests.flatMap(leftOutTests), []);
});

test('a test is skipped by requires() only, so that none is where CI is set', () => {
  const own = 'packages/netloom/test/style.test.ts';
  const tests = everything.filter((file) => isTest(file) && file.path !== own);
  assert.deepEqual(tests.flatMap(skippedInSilence), []);
});

test('bytes are copied by copyBytes, not by slice', () => {
  const programs = everything.filter(
    (file) => !isTest(file) && /^(packages\/\w+\/src|fuzz|bench)\//.test(file.path),
  );
  assert.ok(programs.length > 100, 'hardly any files were found');
  assert.deepEqual(programs.flatMap(copiesBySlice), []);
});

function file(text: string): SourceFile {
  return { path: 'a.ts', text };
}

test('the checks see what they are for', () => {
  assert.deepEqual(withoutDocstring(file('export class A {}\n')), ['a.ts:1: A has no docstring']);
  assert.deepEqual(
    withoutDocstring(file('/** An A. */\nexport class A {}\n\nexport const b = 1;')),
    ['a.ts:4: b has no docstring'],
  );
  const overloads = '/** Says a. */\nexport function a(): void;\nexport function a(b: 1): void;\n';
  assert.deepEqual(withoutDocstring(file(overloads)), []);
  const constants =
    '/** Two. */\nexport const a = 1;\nexport const b = 2;\n\nexport const c = 3;\n';
  assert.deepEqual(withoutDocstring(file(constants)), ['a.ts:5: c has no docstring']);
  assert.deepEqual(withoutDocstring(file("export { a } from './a.ts';")), []);
  assert.deepEqual(consoleUses(file('a();\n  console.log(1);')), ['a.ts:2: console']);
  assert.deepEqual(
    consoleUses(file(' * console.log(1)\n// console.log(1)\na(); // console.log')),
    [],
  );
  for (const bad of [
    "test.only('a', b);",
    "describe.skip('a', b);",
    "test('a', { only: true }, b);",
    "test('a', { skip: true }, b);",
    "test.todo('a');",
    't.skip();',
  ]) {
    assert.equal(leftOutTests(file(bad)).length, 1, bad);
  }
  assert.deepEqual(leftOutTests(file("test('a', { skip: reason }, b);\nt.skip('not root');")), []);
  for (const bad of [
    'const options = { skip: obstacle, timeout: 1 };',
    "test('a', { skip: missing('curl') }, b);",
    "test('a', { skip }, b);",
    "test('a', { timeout, skip }, b);",
    "test.skip('no IPv6');",
  ]) {
    assert.equal(skippedInSilence(file(bad)).length, 1, bad);
  }
  for (const good of [
    "const skip = requires(program('a'));\ntest('a', { skip }, b);",
    "test('a', { skip: requires(program('a')), timeout }, b);",
    'hostCompliance(pair, { skip: { ping: requires(obstacle) || undefined } });',
    ' * skip: obstacle',
    'reader.skip(1);',
  ]) {
    assert.deepEqual(skippedInSilence(file(good)), [], good);
  }
  for (const bad of [
    'kept.push(chunk.slice());',
    'a = data!.slice(1, 2);',
    'b = header.slice();',
  ]) {
    assert.equal(copiesBySlice(file(bad)).length, 1, bad);
  }
  for (const good of [
    'text.slice(1, 2); // not data.slice()',
    ' * data.slice() is',
    'copyBytes(data);',
  ]) {
    assert.deepEqual(copiesBySlice(file(good)), [], good);
  }
  assert.equal(tooLong(file('\n'.repeat(500))).length, 1);
  assert.equal(tooLong(file('\n'.repeat(499))).length, 0);
});
