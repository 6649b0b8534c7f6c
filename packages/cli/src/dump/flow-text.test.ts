import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FlowText } from './flow-text.ts';

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

test('each line has the mark of its direction; what goes on in one direction goes on in its line', () => {
  const text = new FlowText();
  const output = [
    text.data('forward', bytes('GET / HTTP/1.1\r\nHost: a\r'), false),
    text.data('forward', bytes('\n\r\n'), false),
    text.data('backward', bytes('HTTP/1.1 200 OK\n\nhal'), false),
    text.data('backward', bytes('f'), false),
    text.data('forward', bytes('more'), false),
    text.end(),
  ].join('');
  assert.equal(output, '> GET / HTTP/1.1\n> Host: a\n> \n< HTTP/1.1 200 OK\n< \n< half\n> more\n');
});

test('a character that is cut in two is shown when it is whole, one that never is as a full stop', () => {
  const text = new FlowText();
  const [first, second] = bytes('é');
  assert.equal(text.data('forward', Uint8Array.of(0x61, first!), false), '> a');
  assert.equal(text.data('forward', Uint8Array.of(second!, 0x62, first!), false), 'éb');
  assert.equal(text.end(), '.\n');
});

test('what a terminal would obey, or what turns the direction of writing, is a full stop', () => {
  const text = new FlowText();
  const wild = '\u001b[2J\u0007\rover\u009b1m\u202eevil\u2028line\u0000\ttab\u{e0041}';
  assert.equal(text.data('forward', bytes(wild), false), '> .[2J..over.1m.evil.line.\ttab.');
});

test('a gap is told between lines', () => {
  const text = new FlowText();
  const output =
    text.data('forward', bytes('be'), false) +
    text.gap('forward', 7) +
    text.data('forward', bytes('after'), false);
  assert.equal(output, '> be\n[> 7 bytes are missing here]\n> after');
});

test('datagrams have lines of their own', () => {
  const text = new FlowText();
  const output = ['a', 'b\n', 'c\r']
    .map((each) => text.data('forward', bytes(each), true))
    .join('');
  assert.equal(output, '> a\n> b\n> c.\n');
});

test('however a text is cut into chunks, it looks the same', () => {
  const parts = fc.array(fc.constantFrom('\r\n', '\n', '\r', 'é', '漢', 'a', '\u001b', '> ', ' '));
  fc.assert(
    fc.property(parts, fc.array(fc.nat(40)), (all, cuts) => {
      const stream = bytes(all.join(''));
      const whole = new FlowText();
      const cut = new FlowText();
      const edges = [
        0,
        ...cuts.filter((at) => at < stream.length).toSorted((a, b) => a - b),
        stream.length,
      ];
      const pieces = edges.slice(1).map((end, i) => stream.subarray(edges[i], end));
      const output = pieces.map((piece) => cut.data('forward', piece, false)).join('') + cut.end();
      assert.equal(output, whole.data('forward', stream, false) + whole.end());
      // No line is without a mark, and none begins with the other's.
      for (const line of output.split('\n').slice(0, -1)) assert.match(line, /^> /);
    }),
  );
});
