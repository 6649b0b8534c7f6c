import { MacAddress } from '../../core/index.ts';
import { hasAddress, hasStation, isToGroup } from './address-tests.ts';
import { carriesOverIp, hasPort, type PortRange } from './ip-tests.ts';
import { carries, isTagged, taggedLayer, type LinkLayer } from './link-layer.ts';
import { PROTOCOLS, type Protocol } from './protocols.ts';
import type { Expression } from './syntax.ts';
import { YES, both, either, inverse, type Test } from './verdict.ts';
import { compareValues } from './value-readers.ts';

/** What cannot be asked of the frames at hand. */
export class UnfitExpression extends Error {}

/**
 * Makes an expression a function over the bytes of a frame. It is gone through in the order of the text, for a VLAN tag that is asked
 * for moves what stands after it, also behind an `or`: so libpcap has it (pcap-filter(7), `vlan`).
 */
export function compileExpression(expression: Expression, layer: LinkLayer): Test {
  return new Compiler(layer).test(expression);
}

type PortExpression = Extract<Expression, { readonly kind: 'port' }>;

/** What stands between the `or`s of an expression. */
function alternativesOf(expression: Expression): Expression[] {
  const alternatives: Expression[] = [];
  let rest = expression;
  for (; rest.kind === 'or'; rest = rest.left) alternatives.push(rest.right);
  return [rest, ...alternatives.toReversed()];
}

function isAlike(
  { protocol, direction }: PortExpression,
  other: Expression | undefined,
): other is PortExpression {
  return other?.kind === 'port' && other.protocol === protocol && other.direction === direction;
}

class Compiler {
  #layer: LinkLayer;

  constructor(layer: LinkLayer) {
    this.#layer = layer;
  }

  test(expression: Expression): Test {
    const layer = this.#layer;
    switch (expression.kind) {
      case 'and':
        return both(this.test(expression.left), this.test(expression.right));
      case 'or':
        return this.#alternatives(expression);
      case 'not':
        return inverse(this.test(expression.operand));
      case 'protocol':
        return this.#isProtocol(expression.protocol);
      case 'host':
        return hasAddress(
          layer,
          expression.protocol,
          expression.direction,
          expression.address,
          expression.mask,
        );
      case 'port':
        return this.#hasPort(expression, [expression]);
      case 'number':
        return this.#hasNumber(expression.of, expression.number);
      case 'relation': {
        const { relation, left, right } = expression;
        return compareValues(layer, relation, left, right);
      }
      case 'multicast':
        if (expression.of === 'ether') this.#requireEthernet('multicast');
        return isToGroup(layer, expression.of);
      case 'station':
        this.#requireEthernet('ether host');
        return hasStation(expression.direction, expression.address);
      case 'broadcast':
        this.#requireEthernet('broadcast');
        return hasStation('dst', MacAddress.BROADCAST);
      case 'vlan':
        this.#requireEthernet('vlan');
        this.#layer = taggedLayer(layer);
        return isTagged(layer, expression.identifier);
    }
  }

  /** One after the other; ports that stand side by side are one test. */
  #alternatives(expression: Expression): Test {
    const tests: Test[] = [];
    const all = alternativesOf(expression);
    for (let i = 0; i < all.length; i++) {
      const first = all[i]!;
      if (first.kind !== 'port' || first.direction === 'both') {
        tests.push(this.test(first));
        continue;
      }
      const alike = [first];
      for (let next = all[i + 1]; isAlike(first, next); next = all[++i + 1]) alike.push(next);
      tests.push(this.#hasPort(first, alike));
    }
    return tests.reduce(either);
  }

  #hasPort({ protocol, direction }: PortExpression, ranges: readonly PortRange[]): Test {
    return hasPort(this.#layer, protocol, direction, ranges);
  }

  #isProtocol(protocol: Protocol): Test {
    const mark = PROTOCOLS[protocol];
    switch (mark.over) {
      case 'link':
        return () => YES;
      case 'ether':
        return carries(this.#layer, mark.number);
      case 'ip':
        return carriesOverIp(this.#layer, mark.number, mark.versions);
    }
  }

  #hasNumber(of: 'ether' | 'ip' | 'ip6' | 'any-ip', number: number): Test {
    if (of === 'ether') return carries(this.#layer, number);
    const versions = of === 'ip' ? [4 as const] : of === 'ip6' ? [6 as const] : ([4, 6] as const);
    return carriesOverIp(this.#layer, number, versions);
  }

  #requireEthernet(what: string): void {
    if (this.#layer.isEthernet) return;
    throw new UnfitExpression(`'${what}' is about Ethernet, and these packets have no frame`);
  }
}
