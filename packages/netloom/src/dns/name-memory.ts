import type { IpAddress } from '../core/index.ts';
import { DnsType, type DnsMessage } from './wire/index.ts';

/**
 * Which names led to an address, as answers that were seen have it: so that what goes to an address can be allowed, refused and shown by name.
 * Names are kept beyond their time to live, as clients keep addresses; the table is bounded, and forgets what was heard of longest ago.
 */
export class NameMemory {
  readonly #addresses: number;
  readonly #namesPerAddress: number;
  readonly #names = new Map<string, string[]>();

  constructor(addresses: number, namesPerAddress: number) {
    this.#addresses = addresses;
    this.#namesPerAddress = namesPerAddress;
  }

  /** How many addresses are remembered. */
  get size(): number {
    return this.#names.size;
  }

  /** The names that led to the address, the latest first; lower case, without the final dot. */
  labels(address: IpAddress): readonly string[] {
    return this.#names.get(address.toString()) ?? [];
  }

  /** Learns from a response to a question that was asked. */
  learn({ questions, answers }: DnsMessage): void {
    const [question] = questions;
    if (question === undefined) return;
    // Only what the question leads to: other records of an answer are nobody's business.
    const chain = new Map([[question.name.key, question.name]]);
    for (const { name, type, data } of answers) {
      if (type !== DnsType.CNAME || data.kind !== 'name' || !chain.has(name.key)) continue;
      chain.set(data.name.key, data.name);
    }
    const names = [...chain.values()].map((name) => name.toString().toLowerCase());
    for (const { name, data } of answers) {
      if (data.kind === 'address' && chain.has(name.key)) this.#remember(data.address, names);
    }
  }

  #remember(address: IpAddress, names: readonly string[]): void {
    const key = address.toString();
    const before = this.#names.get(key) ?? [];
    const all = [...names, ...before.filter((name) => !names.includes(name))];
    this.#names.delete(key);
    this.#names.set(key, all.slice(0, this.#namesPerAddress));
    if (this.#names.size > this.#addresses) this.#names.delete(this.#names.keys().next().value!);
  }
}
