/** Random traffic under random behaviours, against the tables of RFC 4787 written down as lists. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { NatBench, portOf } from '../../../test/ip/nat-bench.ts';
import type { NatBehaviour, NatDependence } from './options.ts';

const HOSTS = ['10.0.0.2', '10.0.0.3', '10.0.0.4'];
const REMOTES = ['198.51.100.7', '192.0.2.9'];
const EXTERNAL = '203.0.113.1';
const TIMEOUT = 300_000;

/** An end as `address:port`. */
type End = string;

interface ModelMapping {
  readonly inside: End;
  /** What of the remote end the mapping is for. */
  readonly towards: string;
  readonly port: number;
  readonly sessions: { readonly remote: End; expires: number }[];
}

/** Mappings and sessions as the RFC has them, found by looking at all. */
class Model {
  readonly behaviour: NatBehaviour;
  mappings: ModelMapping[] = [];

  constructor(behaviour: NatBehaviour) {
    this.behaviour = behaviour;
  }

  expire(now: number): void {
    for (const { sessions } of this.mappings) {
      const alive = sessions.filter(({ expires }) => expires > now);
      sessions.splice(0, sessions.length, ...alive);
    }
    this.mappings = this.mappings.filter(({ sessions }) => sessions.length > 0);
  }

  mappingOf(inside: End, remote: End): ModelMapping | undefined {
    const towards = counted(this.behaviour.mapping, remote);
    return this.mappings.find((each) => each.inside === inside && each.towards === towards);
  }

  at(port: number): ModelMapping | undefined {
    return this.mappings.find((each) => each.port === port);
  }

  /** A port that a new mapping may have. */
  checkPort(inside: End, port: number): void {
    const wanted = Number(inside.split(':')[1]);
    assert.equal(this.at(port), undefined, 'RFC 4787, REQ-3: no port for two');
    assert.equal(port < 1024, wanted < 1024, 'REQ-3 a');
    const { ports } = this.behaviour;
    if (ports === 'preserve' && this.at(wanted) === undefined) assert.equal(port, wanted);
    if (ports === 'parity') assert.equal(port % 2, wanted % 2, 'REQ-4');
  }

  sent(inside: End, remote: End, port: number, now: number): void {
    let mapping = this.mappingOf(inside, remote);
    if (mapping === undefined) {
      this.checkPort(inside, port);
      mapping = { inside, towards: counted(this.behaviour.mapping, remote), port, sessions: [] };
      this.mappings.push(mapping);
    }
    assert.equal(port, mapping.port, 'REQ-1');
    const session = mapping.sessions.find((each) => each.remote === remote);
    if (session !== undefined) session.expires = now + TIMEOUT;
    else mapping.sessions.push({ remote, expires: now + TIMEOUT });
  }

  /** Whom a datagram from a remote end reaches. */
  receive(remote: End, port: number, now: number): End | undefined {
    const mapping = this.at(port);
    if (mapping === undefined || !this.#mayEnter(mapping, remote)) return undefined;
    const { sessions } = mapping;
    const until = Math.max(...sessions.map(({ expires }) => expires));
    let session = sessions.find((each) => each.remote === remote);
    if (session === undefined) sessions.push((session = { remote, expires: until }));
    if (this.behaviour.refresh === 'both') session.expires = now + TIMEOUT;
    return mapping.inside;
  }

  #mayEnter({ sessions }: ModelMapping, remote: End): boolean {
    const { filtering } = this.behaviour;
    return sessions.some((each) => counted(filtering, each.remote) === counted(filtering, remote));
  }
}

/** The part of a remote end that counts. */
function counted(dependence: NatDependence, remote: End): string {
  if (dependence === 'endpoint-independent') return '';
  return dependence === 'address-dependent' ? remote.split(':')[0]! : remote;
}

const dependence = fc.constantFrom<NatDependence>(
  'endpoint-independent',
  'address-dependent',
  'address-and-port-dependent',
);

const behaviours: fc.Arbitrary<NatBehaviour> = fc.record(
  {
    mapping: dependence,
    filtering: dependence,
    ports: fc.constantFrom('preserve', 'parity', 'random'),
    pooling: fc.constant('paired'),
    hairpinning: fc.constant(true),
    refresh: fc.constantFrom('outbound', 'both'),
  },
  { noNullPrototype: true },
);

const inside = fc
  .tuple(fc.constantFrom(...HOSTS), fc.constantFrom(500, 5000, 5001, 6000))
  .map(([host, port]) => `${host}:${port}`);
const remote = fc
  .tuple(fc.constantFrom(...REMOTES), fc.constantFrom(53, 54))
  .map(([host, port]) => `${host}:${port}`);

type Step =
  | { readonly kind: 'out'; readonly from: End; readonly to: End }
  /** `index`: to which of the mappings there are. */
  | { readonly kind: 'in'; readonly from: End; readonly index: number }
  | { readonly kind: 'hairpin'; readonly from: End; readonly index: number }
  | { readonly kind: 'pass'; readonly time: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('out' as const), from: inside, to: remote }),
    fc.record({ kind: fc.constant('in' as const), from: remote, index: fc.nat(20) }),
    fc.record({ kind: fc.constant('hairpin' as const), from: inside, index: fc.nat(20) }),
    fc.record({
      kind: fc.constant('pass' as const),
      time: fc.constantFrom(1000, 100_000, 299_999),
    }),
  ),
  { minLength: 10, maxLength: 60, size: 'max' },
);

/** The NAT, the model, and what is done to both. */
class Comparison {
  readonly bench: NatBench;
  readonly model: Model;

  constructor(behaviour: NatBehaviour) {
    this.bench = new NatBench({ behaviour });
    this.model = new Model(behaviour);
  }

  get now(): number {
    return this.bench.bench.clock.now();
  }

  do(step: Step): void {
    this.model.expire(this.now);
    if (step.kind === 'pass') this.bench.pass(step.time);
    else if (step.kind === 'out') this.out(step.from, step.to);
    else if (step.kind === 'in') this.in(step.from, this.port(step.index));
    else this.hairpin(step.from, this.port(step.index));
    this.model.expire(this.now);
    assert.equal(this.bench.nat.mappingCount, this.model.mappings.length);
    const sessions = this.model.mappings.flatMap((each) => each.sessions);
    assert.equal(this.bench.nat.flowCount, sessions.length);
  }

  /** The port of one of the mappings, or one that has none. */
  port(index: number): number {
    const { mappings } = this.model;
    return mappings[index % (mappings.length + 1)]?.port ?? 7777;
  }

  out(from: End, to: End): void {
    const lines = this.bench.udp(from, to);
    const port = portOf(lines);
    assert.deepEqual(lines, [`out ${EXTERNAL}:${port} > ${to} UDP len=4`]);
    this.model.sent(from, to, port, this.now);
  }

  in(from: End, port: number): void {
    const lines = this.bench.udp(from, `${EXTERNAL}:${port}`);
    const to = this.model.receive(from, port, this.now);
    const passed = lines.filter((line) => line.startsWith('in '));
    assert.deepEqual(passed, to === undefined ? [] : [`in ${from} > ${to} UDP len=4`]);
  }

  hairpin(from: End, port: number): void {
    const target = `${EXTERNAL}:${port}`;
    const known = this.model.at(port);
    const lines = this.bench.udp(from, target);
    if (known === undefined) {
      assert.match(lines.join(), /port unreachable/);
      return;
    }
    // What is sent opens the sender's side even where the filter of the other lets nothing in.
    const flow = [...this.bench.nat.flows()].find(
      (each) =>
        // A packet to another mapping of the sender may have come from there as well.
        each.outbound.packets > 0 &&
        `${each.inside.address}:${each.inside.port}` === from &&
        `${each.remote.address}:${each.remote.port}` === target,
    );
    const external = flow!.external.port;
    this.model.sent(from, target, external, this.now);
    const to = this.model.receive(`${EXTERNAL}:${external}`, port, this.now);
    assert.deepEqual(
      lines,
      to === undefined ? [] : [`in ${EXTERNAL}:${external} > ${to} UDP len=4`],
    );
  }
}

test(
  'mappings, filters and timers are those of RFC 4787, whatever the behaviour',
  { timeout: 60_000 },
  () => {
    fc.assert(
      fc.property(behaviours, steps, (behaviour, todo) => {
        const comparison = new Comparison(behaviour);
        for (const step of todo) comparison.do(step);
      }),
      { numRuns: 150 },
    );
  },
);
