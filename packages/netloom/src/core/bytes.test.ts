import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  ByteReader,
  ByteWriter,
  EMPTY,
  concatBytes,
  copyBytes,
  equalBytes,
  fromHex,
  readInt32,
  readUint16,
  toHex,
  writeUint16,
  writeUint32,
} from './bytes.ts';

/** Each kind of field: its width, how it is written and read, and the values it holds. */
const FIELDS = [
  {
    width: 1,
    value: fc.nat(0xff),
    write: (to: ByteWriter, value: number) => to.uint8(value),
    read: (from: ByteReader) => from.uint8(),
  },
  {
    width: 2,
    value: fc.nat(0xffff),
    write: (to: ByteWriter, value: number) => to.uint16(value),
    read: (from: ByteReader) => from.uint16(),
  },
  {
    width: 3,
    value: fc.nat(0xff_ffff),
    write: (to: ByteWriter, value: number) => to.uint24(value),
    read: (from: ByteReader) => from.uint24(),
  },
  {
    width: 4,
    value: fc.nat(0xffff_ffff),
    write: (to: ByteWriter, value: number) => to.uint32(value),
    read: (from: ByteReader) => from.uint32(),
  },
  {
    width: 4,
    value: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
    write: (to: ByteWriter, value: number) => to.uint32(value),
    read: (from: ByteReader) => from.int32(),
  },
  {
    width: 6,
    value: fc.nat(0xffff_ffff_ffff),
    write: (to: ByteWriter, value: number) => to.uint48(value),
    read: (from: ByteReader) => from.uint48(),
  },
  {
    width: 8,
    value: fc.nat(Number.MAX_SAFE_INTEGER),
    write: (to: ByteWriter, value: number) => to.uint64(BigInt(value)),
    read: (from: ByteReader) => Number(from.uint64()),
  },
];

test('every field, big-endian', () => {
  const reader = new ByteReader(
    fromHex('01 0203 040506 fffefdfc 0708090a0b0c 8000000000000001 fffefdfc'),
  );
  assert.equal(reader.uint8(), 0x01);
  assert.equal(reader.uint16(), 0x0203);
  assert.equal(reader.uint24(), 0x040506);
  assert.equal(reader.int32(), -0x0001_0204);
  assert.equal(reader.uint48(), 0x0708_090a_0b0c);
  assert.equal(reader.uint64(), 0x8000_0000_0000_0001n);
  assert.equal(reader.uint32(), 0xfffe_fdfc);
  assert.equal(reader.remaining, 0);
  assert.equal(reader.overrun, false);
});

test('what a writer writes a reader reads', () => {
  const fields = fc.array(
    fc.oneof(...FIELDS.map((field) => field.value.map((value) => ({ field, value })))),
  );
  fc.assert(
    fc.property(fields, fc.nat(5), (all, start) => {
      const length = all.reduce((sum, { field }) => sum + field.width, 0);
      const bytes = new Uint8Array(start + length);
      const writer = new ByteWriter(bytes, start);
      for (const { field, value } of all) field.write(writer, value);
      assert.equal(writer.offset, bytes.length);
      const reader = new ByteReader(bytes, start);
      for (const { field, value } of all) assert.equal(field.read(reader), value);
      assert.equal(reader.remaining, 0);
      assert.equal(reader.overrun, false);
    }),
  );
});

test('a field that is not all there is 0, and so is every field after it', () => {
  const full = new Uint8Array(16).fill(0xff);
  for (const { width, read } of FIELDS) {
    for (let there = 0; there < width; there++) {
      // Bytes beyond the end are in the array, but may not be read.
      const reader = new ByteReader(full, 3, 3 + there);
      assert.equal(read(reader), 0, `${there} of ${width} bytes`);
      assert.equal(reader.overrun, true);
      assert.equal(reader.remaining, 0);
      for (const other of FIELDS) assert.equal(other.read(reader), 0);
      assert.equal(reader.view(1), EMPTY);
    }
  }
});

test('a reader ends with its array, whatever end it is given', () => {
  const reader = new ByteReader(new Uint8Array(4), 0, 100);
  assert.equal(reader.remaining, 4);
  reader.reset(new Uint8Array(2), 1, 100);
  assert.equal(reader.remaining, 1);
});

test('view is of the same memory; view and skip stop at the end', () => {
  const bytes = fromHex('0102030405');
  const reader = new ByteReader(bytes);
  reader.skip(1);
  const view = reader.view(2);
  assert.equal(view.buffer, bytes.buffer);
  assert.deepEqual([...view], [2, 3]);
  assert.equal(reader.view(3), EMPTY);
  assert.equal(reader.overrun, true);
  reader.reset(bytes);
  assert.equal(reader.overrun, false);
  reader.skip(-1);
  assert.equal(reader.overrun, true);
  reader.reset(bytes);
  reader.skip(6);
  assert.equal(reader.overrun, true);
});

test('writing past the end throws and writes nothing', () => {
  for (const { width, write } of FIELDS.filter((field) => field.width < 6)) {
    const bytes = new Uint8Array(16);
    const writer = new ByteWriter(bytes, 3, 3 + width - 1);
    assert.throws(() => write(writer, 1), { name: 'NetloomError', code: 'BYTES_OVERFLOW' });
    assert.equal(toHex(bytes), '00'.repeat(16));
    assert.equal(writer.offset, 3);
  }
  const beyond = new ByteWriter(new Uint8Array(2), 0, 100);
  assert.throws(() => beyond.uint24(1), { code: 'BYTES_OVERFLOW' });
  assert.throws(() => beyond.put(new Uint8Array(3)), { code: 'BYTES_OVERFLOW' });
  assert.throws(() => beyond.zero(3), { code: 'BYTES_OVERFLOW' });
  assert.throws(() => beyond.zero(-1), { code: 'BYTES_OVERFLOW' });
});

test('put, zero and written', () => {
  const bytes = new Uint8Array(6).fill(0xff);
  const writer = new ByteWriter(bytes, 1);
  writer.put(fromHex('0a0b'));
  writer.zero(2);
  assert.equal(toHex(writer.written(1)), '0a0b0000');
  assert.equal(toHex(bytes), 'ff0a0b0000ff');
});

test('fields at an offset', () => {
  const bytes = new Uint8Array(8);
  writeUint16(bytes, 1, 0xfedc);
  writeUint32(bytes, 3, -2);
  assert.equal(toHex(bytes), '00fedcfffffffe00');
  assert.equal(readUint16(bytes, 1), 0xfedc);
  assert.equal(readInt32(bytes, 3), -2);
});

test('hexadecimal there and back', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      assert.deepEqual(fromHex(toHex(bytes)), bytes);
      assert.equal(toHex(bytes), Buffer.from(bytes).toString('hex'));
    }),
  );
  assert.equal(toHex(fromHex(' DE:ad\nbe ef ')), 'deadbeef');
  for (const bad of ['a', 'abc', '0x12', 'gg', '12-34']) {
    assert.throws(() => fromHex(bad), { code: 'HEX_INVALID' }, bad);
  }
});

test('concatBytes and equalBytes', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), (parts) => {
      const whole = concatBytes(parts);
      assert.equal(toHex(whole), parts.map((part) => toHex(part)).join(''));
      assert.equal(equalBytes(whole, whole.slice()), true);
      if (whole.length === 0) return;
      assert.equal(equalBytes(whole, whole.subarray(1)), false);
      const other = whole.slice();
      other[other.length - 1]! ^= 1;
      assert.equal(equalBytes(whole, other), false);
    }),
  );
});

test('copyBytes copies, a Buffer too, and answers no Buffer', () => {
  for (const make of [() => Uint8Array.of(1, 2, 3, 4), () => Buffer.from([1, 2, 3, 4])]) {
    const bytes = make();
    const whole = copyBytes(bytes);
    const middle = copyBytes(bytes, 1, 3);
    const rest = copyBytes(bytes, 2);
    bytes.fill(9);
    assert.deepEqual(
      [[...whole], [...middle], [...rest]],
      [
        [1, 2, 3, 4],
        [2, 3],
        [3, 4],
      ],
    );
    for (const copy of [whole, middle, rest]) assert.equal(copy.constructor, Uint8Array);
  }
});
