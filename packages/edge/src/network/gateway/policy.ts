import type { IpAddress } from 'netloom/core';
import type { FlowRequest } from 'netloom/host';
import type { RuleSubject } from '../../text/index.ts';

/** What may or may not be reached. */
export type Rule = { readonly verdict: 'allow' | 'deny' } & RuleSubject;

/**
 * Decides by rules which flows go out, and which names may be asked for. The most exact rule decides: one that names a destination before one that has its
 * network, a longer name before a shorter, a smaller network before a larger; of two that are as exact, the one that denies.
 */
export class RulePolicy {
  #rules: readonly Rule[] = [];
  /** What is not spoken of: denied if all that is spoken of is allowed. */
  #isOpen = true;
  readonly #gateways: readonly IpAddress[];

  /** @param gateways the gateway's own addresses */
  constructor(rules: readonly Rule[], gateways: readonly IpAddress[]) {
    this.#gateways = gateways;
    this.set(rules);
  }

  /** Decides by these rules from now on; what was allowed before goes on. */
  set(rules: readonly Rule[]): void {
    // Denials first, so that among equals they are found first.
    this.#rules = rules.toSorted((a, b) => rank(a) - rank(b));
    this.#isOpen = rules.length === 0 || rules.some(({ verdict }) => verdict === 'deny');
  }

  /** Whether a flow may go out. What of the machine itself may be reached is another option's business, unless a rule speaks of the gateway. */
  allowsFlow({ destination, labels }: Pick<FlowRequest, 'destination' | 'labels'>): boolean {
    const { address } = destination;
    const isGateway = this.#gateways.some((own) => own.equals(address));
    const byNames = this.#mostExact(
      ({ name }) => name !== undefined && labels.some((label) => isWithin(label, name)),
    );
    const decided =
      byNames ?? this.#mostExact(({ network }) => network?.contains(address) === true);
    return decided === undefined ? this.#isOpen || isGateway : decided === 'allow';
  }

  /** Whether a name may be asked for. One that no rule has may be, where there are networks that its addresses could be of. */
  allowsName(asked: string): boolean {
    const decided = this.#mostExact(({ name }) => name !== undefined && isWithin(asked, name));
    if (decided !== undefined) return decided === 'allow';
    const hasNetwork = this.#rules.some(({ network, verdict }) => network && verdict === 'allow');
    return this.#isOpen || hasNetwork;
  }

  #mostExact(applies: (rule: Rule) => boolean): Rule['verdict'] | undefined {
    let found: Rule | undefined;
    for (const rule of this.#rules) {
      if (applies(rule) && (found === undefined || exactness(rule) > exactness(found)))
        found = rule;
    }
    return found?.verdict;
  }
}

function rank({ verdict }: Rule): number {
  return verdict === 'deny' ? 0 : 1;
}

function exactness({ name, network }: Rule): number {
  return name === undefined ? network!.prefixLength : name.length;
}

function isWithin(label: string, name: string): boolean {
  return label === name || label.endsWith(`.${name}`);
}
