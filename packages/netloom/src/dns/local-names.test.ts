import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Cidr, IpAddress } from '../core/index.ts';
import { LocalNames } from './local-names.ts';
import { DnsClass, DnsName, DnsType } from './wire/index.ts';

const at = (text: string): IpAddress => IpAddress.parse(text);
const NETWORKS = [Cidr.parse('10.1.0.0/24'), Cidr.parse('2001:db8::/64')];

function namesOfLan(): LocalNames {
  const names = new LocalNames({ networks: NETWORKS, addresses: [at('10.1.0.1')] }, 100);
  names.set(names.nameOf('box'), [at('10.1.0.9'), at('2001:db8::9')]);
  names.set(names.nameOf('a.b.lan'), [at('10.1.0.10')]);
  names.set(names.nameOf('api.example.com'), [at('10.1.0.9')]);
  return names;
}

/** The answer in words: the code, then what is answered, or the zone of the authority. */
function ask(names: LocalNames, name: string, type: number): string | undefined {
  const question = { name: DnsName.parse(name), type, class: DnsClass.IN };
  const answer = names.answer(question);
  if (answer === undefined) return undefined;
  const { responseCode, answers, authorities } = answer;
  const said = answers.map(({ data }) =>
    data.kind === 'address' ? data.address : data.kind === 'name' ? data.name : data.kind,
  );
  const zone = authorities.map((record) => `in ${record.name}`);
  return [responseCode, ...said, ...zone].join(' ');
}

test('machines are found by their names, in any case, and with one label alone', () => {
  const names = namesOfLan();
  assert.equal(ask(names, 'box.lan', DnsType.A), '0 10.1.0.9');
  assert.equal(ask(names, 'BOX.Lan', DnsType.AAAA), '0 2001:db8::9');
  assert.equal(ask(names, 'box', DnsType.A), '0 10.1.0.9');
  assert.equal(ask(names, 'box.lan', DnsType.ANY), '0 10.1.0.9 2001:db8::9');
  assert.equal(ask(names, 'api.example.com', DnsType.A), '0 10.1.0.9');
  assert.deepEqual(names.addressesOf(DnsName.parse('box'))?.length, 2);
});

test('what is not there: no data where the name exists, no name where it does not (RFC 2308, RFC 8020)', () => {
  const names = namesOfLan();
  assert.equal(ask(names, 'box.lan', DnsType.MX), '0 in lan');
  assert.equal(ask(names, 'nobody.lan', DnsType.A), '3 in lan');
  assert.equal(ask(names, 'x.box.lan', DnsType.A), '3 in lan');
  assert.equal(ask(names, 'b.lan', DnsType.A), '0 in lan', 'there is a name under it');
  assert.equal(ask(names, 'a.b.lan', DnsType.AAAA), '0 in lan');
  assert.equal(ask(names, 'api.example.com', DnsType.AAAA), '0 in api.example.com');
  assert.equal(ask(names, 'lan', DnsType.A), '0 in lan');
});

test('the zone has an authority and a name server', () => {
  const names = namesOfLan();
  assert.equal(ask(names, 'lan', DnsType.SOA), '0 authority');
  assert.equal(ask(names, 'lan', DnsType.NS), '0 ns.lan');
  assert.equal(ask(names, 'ns.lan', DnsType.A), '0 10.1.0.1');
});

test('what is not of this network is not answered here', () => {
  const names = namesOfLan();
  for (const name of ['example.com', 'www.api.example.com', 'com', '.', 'plan', 'nobody']) {
    assert.equal(ask(names, name, DnsType.A), undefined, name);
  }
});

test('localhost and invalid are nobody’s to be asked for (RFC 6761, 6.3 and 6.4)', () => {
  const names = namesOfLan();
  assert.equal(ask(names, 'localhost', DnsType.A), '0 127.0.0.1');
  assert.equal(ask(names, 'x.localhost', DnsType.AAAA), '0 ::1');
  assert.equal(ask(names, 'x.invalid', DnsType.A), '3 in invalid');
});

test('the name server is called by its machine’s name, as soon as that has one', () => {
  const names = namesOfLan();
  const server = DnsName.ofAddress(at('10.1.0.1')).toString();
  assert.equal(ask(names, server, DnsType.PTR), '0 ns.lan');
  names.set(names.nameOf('gateway'), [at('10.1.0.1')]);
  names.set(names.nameOf('router'), [at('10.1.0.1')]);
  assert.equal(ask(names, server, DnsType.PTR), '0 gateway.lan');
  assert.deepEqual(names.namesOf(at('10.1.0.1')).map(String), [
    'gateway.lan',
    'router.lan',
    'ns.lan',
  ]);
  names.set(names.nameOf('ns'), [at('10.1.0.1'), at('2001:db8::1')]);
  assert.equal(ask(names, server, DnsType.PTR), '0 gateway.lan');
});

test('reverse: an address is called by the first of its names; others of our networks have none', () => {
  const names = namesOfLan();
  const reverse = (text: string, type: number = DnsType.PTR): string | undefined =>
    ask(names, DnsName.ofAddress(at(text)).toString(), type);
  assert.equal(reverse('10.1.0.9'), '0 box.lan');
  assert.equal(reverse('2001:db8::9'), '0 box.lan');
  assert.equal(reverse('10.1.0.77'), '3 in 0.1.10.in-addr.arpa');
  assert.equal(reverse('10.1.0.9', DnsType.A), '0 in 0.1.10.in-addr.arpa');
  assert.equal(reverse('10.1.1.9'), undefined, 'of another network');
  assert.equal(reverse('2001:db8:0:1::9'), undefined);
  assert.equal(ask(names, '0.1.10.in-addr.arpa', DnsType.PTR), '0 in 0.1.10.in-addr.arpa');
  assert.equal(ask(names, '1.10.in-addr.arpa', DnsType.PTR), undefined);
});

test('networks whose prefix ends within a label answer for their own addresses only', () => {
  const names = new LocalNames({ networks: [Cidr.parse('10.1.0.128/26')] }, 10);
  for (let last = 0; last < 256; last++) {
    const answer = ask(names, `${last}.0.1.10.in-addr.arpa`, DnsType.PTR);
    assert.equal(answer !== undefined, last >= 128 && last < 192, `${last}`);
  }
  assert.equal(ask(names, '0.1.10.in-addr.arpa', DnsType.PTR), undefined);
});

test('names come and go, with their reverse and what is above them', () => {
  const names = namesOfLan();
  const before = names.size;
  names.set(names.nameOf('BOX'), [at('10.1.0.20')]);
  assert.equal(names.size, before);
  assert.equal(ask(names, 'box.lan', DnsType.A), '0 10.1.0.20');
  assert.deepEqual(names.namesOf(at('10.1.0.9')).map(String), ['api.example.com']);
  names.set(names.nameOf('a.b.lan'), []);
  assert.equal(ask(names, 'b.lan', DnsType.A), '3 in lan');
  names.set(names.nameOf('never.there'), []);
  assert.throws(() => names.nameOf('a..b'), { code: 'DOMAIN_NAME_INVALID' });
  const few = new LocalNames({}, 1);
  few.set(few.nameOf('one'), [at('10.1.0.1')]);
  const second = few.nameOf('two');
  assert.throws(() => few.set(second, [at('10.1.0.2')]), { code: 'DNS_TOO_MANY_NAMES' });
});

test('whatever comes and goes, the tables agree in the end', () => {
  const step = fc.record({
    name: fc.constantFrom('a', 'b.a', 'c.b.a', 'x.org', 'B.A'),
    last: fc.option(fc.nat(3), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const names = new LocalNames({ networks: NETWORKS }, 100);
      const model = new Map<string, number>();
      for (const { name, last } of steps) {
        const full = names.nameOf(name);
        names.set(full, last === undefined ? [] : [at(`10.1.0.${last}`)]);
        if (last === undefined) model.delete(full.key);
        else model.set(full.key, last);
      }
      assert.equal(names.size, model.size);
      for (let last = 0; last < 4; last++) {
        const expected = [...model.values()].filter((value) => value === last).length;
        assert.equal(names.namesOf(at(`10.1.0.${last}`)).length, expected);
      }
    }),
  );
});
