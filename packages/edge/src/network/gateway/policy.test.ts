import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress } from 'netloom/core';
import { parseRuleSubject } from '../../text/index.ts';
import { RulePolicy, type Rule } from './policy.ts';

const GATEWAYS = ['10.0.2.2', 'fd00::2'].map((text) => IpAddress.parse(text));

/** `+` allows, `-` denies what follows. */
function rule(text: string): Rule {
  const verdict = text.startsWith('-') ? 'deny' : 'allow';
  return { verdict, ...parseRuleSubject(text.slice(1))! };
}

function policy(...rules: readonly string[]): RulePolicy {
  return new RulePolicy(rules.map(rule), GATEWAYS);
}

function allows(made: RulePolicy, address: string, ...labels: readonly string[]): boolean {
  return made.allowsFlow({ destination: { address: IpAddress.parse(address), port: 80 }, labels });
}

test('without rules everything is allowed, with allowances alone nothing else', () => {
  assert.ok(allows(policy(), '192.0.2.1', 'a.test'));
  assert.ok(allows(policy('-198.51.100.0/24'), '192.0.2.1'));
  assert.ok(!allows(policy('+198.51.100.0/24'), '192.0.2.1'));
  assert.ok(allows(policy('+198.51.100.0/24'), '198.51.100.9'));
  // What of the gateway is open is another option's business.
  assert.ok(allows(policy('+198.51.100.0/24'), '10.0.2.2'));
  assert.ok(!allows(policy('-10.0.2.2'), '10.0.2.2'));
});

test('the most exact rule decides, in whatever order they are given; a denial before its equal', () => {
  for (const rules of [
    ['-10.0.0.0/8', '+10.1.0.0/16', '-10.1.2.3'],
    ['-10.1.2.3', '+10.1.0.0/16', '-10.0.0.0/8'],
  ]) {
    assert.ok(!allows(policy(...rules), '10.9.0.1'));
    assert.ok(allows(policy(...rules), '10.1.0.1'));
    assert.ok(!allows(policy(...rules), '10.1.2.3'));
  }
  assert.ok(!allows(policy('+10.0.0.0/8', '-10.0.0.0/8'), '10.0.0.1'));
  assert.ok(!allows(policy('-2001:db8::/32'), '2001:db8::1'));
});

test('names count for themselves and what is below them, and before networks', () => {
  const made = policy('-example.org', '+www.example.org', '-0.0.0.0/0');
  assert.ok(!allows(made, '192.0.2.1', 'example.org'));
  assert.ok(!allows(made, '192.0.2.1', 'a.example.org'));
  assert.ok(allows(made, '192.0.2.1', 'www.example.org'));
  assert.ok(!allows(made, '192.0.2.1', 'notwww.example.org'));
  assert.ok(!allows(made, '192.0.2.1', 'elsewhere.test'));
  assert.ok(!allows(made, '192.0.2.1'));
});

test('a name is told unless it is denied, or could lead nowhere that is allowed', () => {
  assert.ok(policy().allowsName('a.test'));
  assert.ok(!policy('-a.test').allowsName('b.a.test'));
  assert.ok(policy('-a.test').allowsName('ba.test'));
  assert.ok(policy('+a.test').allowsName('a.test'));
  assert.ok(!policy('+a.test').allowsName('b.test'));
  assert.ok(policy('+a.test', '+192.0.2.0/24').allowsName('b.test'));
});

test('other rules decide from then on', () => {
  const made = policy('-192.0.2.0/24');
  assert.ok(!allows(made, '192.0.2.1'));
  made.set([rule('+192.0.2.0/24')]);
  assert.ok(allows(made, '192.0.2.1'));
  assert.ok(!allows(made, '198.51.100.1'));
});
