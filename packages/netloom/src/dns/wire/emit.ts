import { ByteWriter, copyBytes } from '../../core/index.ts';
import { DNS_HEADER_LENGTH, type DnsMessage } from './message.ts';
import type { DnsName } from './name.ts';
import type { DnsData, DnsRecord } from './record.ts';

/** Where a pointer of a compressed name can lead to at most (RFC 1035, section 4.1.4). */
const LAST_POINTER = 0x3fff;

/** The message as bytes, its names compressed. */
export function encodeDnsMessage(message: DnsMessage): Uint8Array {
  const { questions, answers, authorities, additionals } = message;
  const emitter = new Emitter(longestOf(message));
  const { writer } = emitter;
  writer.uint16(message.id);
  writer.uint16(message.flags | (message.operation << 11) | message.responseCode);
  for (const { length } of [questions, answers, authorities, additionals]) writer.uint16(length);
  for (const question of questions) {
    emitter.name(question.name);
    writer.uint16(question.type);
    writer.uint16(question.class);
  }
  for (const record of [...answers, ...authorities, ...additionals]) emitter.record(record);
  return copyBytes(writer.written());
}

/** Bytes it takes without compression. */
function longestOf({ questions, answers, authorities, additionals }: DnsMessage): number {
  let length = DNS_HEADER_LENGTH;
  for (const { name } of questions) length += name.length + 4;
  for (const { name, data } of [...answers, ...authorities, ...additionals]) {
    length += name.length + 10 + dataLength(data);
  }
  return length;
}

function dataLength(data: DnsData): number {
  switch (data.kind) {
    case 'address':
      return data.address.family === 4 ? 4 : 16;
    case 'name':
      return data.name.length;
    case 'authority':
      return data.server.length + data.mailbox.length + 20;
    case 'other':
      return data.bytes.length;
  }
}

/** Writes names and records one after the other, and knows where each name stands. */
class Emitter {
  readonly writer: ByteWriter;
  readonly #places = new Map<string, number>();

  constructor(longest: number) {
    this.writer = new ByteWriter(new Uint8Array(longest));
  }

  name({ labels }: DnsName): void {
    const { writer } = this;
    for (const [index, label] of labels.entries()) {
      // With letters as they are: a pointer must not change their case.
      const rest = labels
        .slice(index)
        .map((text) => `${text.length}.${text}`)
        .join('');
      const place = this.#places.get(rest);
      if (place !== undefined) {
        writer.uint16(0xc000 | place);
        return;
      }
      if (writer.offset <= LAST_POINTER) this.#places.set(rest, writer.offset);
      writer.uint8(label.length);
      for (let i = 0; i < label.length; i++) writer.uint8(label.charCodeAt(i));
    }
    writer.uint8(0);
  }

  record({ name, type, class: recordClass, timeToLive, data }: DnsRecord): void {
    const { writer } = this;
    this.name(name);
    writer.uint16(type);
    writer.uint16(recordClass);
    writer.uint32(timeToLive);
    const lengthAt = writer.offset;
    writer.uint16(0);
    this.#data(data);
    new ByteWriter(writer.bytes, lengthAt).uint16(writer.offset - lengthAt - 2);
  }

  #data(data: DnsData): void {
    const { writer } = this;
    switch (data.kind) {
      case 'address':
        writer.put(data.address.toBytes());
        return;
      case 'name':
        this.name(data.name);
        return;
      case 'authority':
        this.name(data.server);
        this.name(data.mailbox);
        for (const field of ['serial', 'refresh', 'retry', 'expire', 'minimum'] as const) {
          writer.uint32(data[field]);
        }
        return;
      case 'other':
        writer.put(data.bytes);
        return;
    }
  }
}
