/**
 * Two of our switches and Open vSwitch in a ring, all of which speak RSTP: a tree that is there and heals without anybody waiting for the forward delay, and
 * never a frame twice.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseBpduFrame, type RapidBpdu } from 'netloom/wire';
import { tapObstacle } from '../kernel-namespace.ts';
import { privilege, requires } from '../requires.ts';
import { OpenVswitch, openVswitchObstacle } from './open-vswitch.ts';
import { Ring, portsOf, type SeenBpdu } from './ring.ts';

/** Seconds, and the longest that the standard allows. */
const FORWARD_DELAY = 30;
const TIMES = { helloTime: 2000, maxAge: 20_000, forwardDelay: FORWARD_DELAY * 1000 };
const COST = 20_000;
/** As many BPDUs pass the two cables in some 60 s, if they are hellos. */
const PATIENCE = 60;

const options = {
  skip: requires(tapObstacle, privilege(), openVswitchObstacle()),
  // Who once listened and learned for as long as the older protocol would not be done in time.
  timeout: 2 * FORWARD_DELAY * 1000,
};

/** Roles and states, or what is expected of them, which may be a role alone: in the ring, of ours to Open vSwitch and to each other; and of Open vSwitch as it reports them. */
interface View {
  readonly a: readonly string[];
  readonly b: readonly string[];
  readonly tapa: string;
  readonly tapb: string;
}

/** Where Open vSwitch stands between ours, and what is to come of that. */
interface Place {
  readonly title: string;
  /** Of Open vSwitch; ours have 4096 and 32,768. */
  readonly priority: number;
  readonly whole: View;
  /** While nothing passes the cable from the first of ours to Open vSwitch, and nobody has been told. */
  readonly cut: View;
  /** The cables on which a port was asked for its agreement, and gave it. */
  readonly agreed: readonly string[];
}

const PLACES: readonly Place[] = [
  {
    title: 'is the root',
    priority: 0,
    whole: {
      a: ['root forwarding', 'designated forwarding'],
      b: ['root forwarding', 'alternate discarding'],
      tapa: 'designated forwarding',
      tapb: 'designated forwarding',
    },
    cut: {
      a: ['designated discarding', 'root forwarding'],
      b: ['root forwarding', 'designated forwarding'],
      tapa: 'designated forwarding',
      tapb: 'designated forwarding',
    },
    agreed: ['tapa', 'tapb'],
  },
  {
    title: 'is next to the root',
    priority: 8192,
    whole: {
      a: ['designated forwarding', 'designated forwarding'],
      b: ['alternate discarding', 'root forwarding'],
      tapa: 'root forwarding',
      tapb: 'designated forwarding',
    },
    cut: {
      a: ['designated forwarding', 'designated forwarding'],
      b: ['designated forwarding', 'root forwarding'],
      // It believes that nobody is there, and after two hellos it forwards.
      tapa: 'designated',
      tapb: 'root forwarding',
    },
    agreed: ['tapa', 'tapb'],
  },
  {
    title: 'has a port that rests',
    priority: 61_440,
    whole: {
      a: ['designated forwarding', 'designated forwarding'],
      // An alternate port of Open vSwitch agrees to nothing: ALTERNATE_PORT in its lib/rstp-state-machines.c sets fdWhile to the root's forward delay, and
      // compares it to forwardDelay of 17.20.5, which is the hello time; so the state is entered again and again, and none of its other exits is taken.
      b: ['designated discarding', 'root forwarding'],
      tapa: 'root forwarding',
      tapb: 'alternate discarding',
    },
    cut: {
      a: ['designated forwarding', 'designated forwarding'],
      b: ['designated forwarding', 'root forwarding'],
      // It believes that nobody is there, and after two hellos it forwards.
      tapa: 'designated',
      tapb: 'root forwarding',
    },
    agreed: ['tapa'],
  },
];

/** The ring, with Open vSwitch in it. */
class RapidRing implements AsyncDisposable {
  readonly ring: Ring;
  readonly #openVswitch: OpenVswitch;

  static async start(label: string, priority: number): Promise<RapidRing> {
    const ring = new Ring({
      label,
      a: { ...TIMES, priority: 4096 },
      b: TIMES,
      port: { cost: COST, edge: false },
    });
    const port = { 'rstp-path-cost': COST, 'rstp-port-auto-edge': false };
    const bridge = {
      'rstp-priority': priority,
      // Otherwise its address is that of the first of its ports, which do not all stay.
      'rstp-address': '02:00:00:00:00:77',
      'rstp-forward-delay': FORWARD_DELAY,
    };
    const ports = { tapa: port, tapb: port, tapc: { 'rstp-port-admin-edge': true } };
    const openVswitch = await OpenVswitch.start(ring.namespace, bridge, ports);
    void ring.follow(openVswitch.daemon, (line) => line.includes('Port_state_transition_sm'));
    ring.connect();
    return new RapidRing(ring, openVswitch);
  }

  private constructor(ring: Ring, openVswitch: OpenVswitch) {
    this.ring = ring;
    this.#openVswitch = openVswitch;
  }

  /** Settles when all are as expected, and frames pass. */
  async becomes(expected: View): Promise<void> {
    const latest = this.ring.bpdus.length + PATIENCE;
    await this.ring.until(async () => {
      const view = await this.#view();
      if (this.ring.bpdus.length > latest) assert.deepEqual(view, expected);
      return isAs(view, expected);
    });
    await this.ring.connected();
  }

  /** All have one root, which Open vSwitch calls by the same name. */
  async assertOneRoot(): Promise<void> {
    const { a, b } = this.ring;
    const { root } = await this.#openVswitch.tree();
    assert.deepEqual(
      [a, b].map((one) => `${one.spanningTree!.bridge.root}`),
      [root, root],
    );
  }

  async #view(): Promise<View> {
    const { a, b } = this.ring;
    const { ports } = await this.#openVswitch.tree();
    return { a: portsOf(a), b: portsOf(b), tapa: ports.tapa!, tapb: ports.tapb! };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.ring[Symbol.asyncDispose]();
  }
}

function isAs(view: View, expected: View): boolean {
  const [ports, wanted] = [view, expected].map(({ a, b, tapa, tapb }) => [...a, ...b, tapa, tapb]);
  const isPort = (port: string, at: number): boolean =>
    port === wanted![at] || port.startsWith(`${wanted![at]} `);
  return ports!.length === wanted!.length && ports!.every(isPort);
}

function rapid({ frame }: SeenBpdu): RapidBpdu {
  const bpdu = parseBpduFrame(frame);
  assert.ok(typeof bpdu !== 'string' && bpdu.kind === 'rapid', JSON.stringify(bpdu));
  return bpdu;
}

/** All are BPDUs of the newer protocol, and no port that has sent one was learning for a while before it was forwarding. */
function assertAtOnce(bpdus: readonly SeenBpdu[]): void {
  assert.ok(bpdus.length > 0);
  for (const seen of bpdus) {
    const { learning, forwarding } = rapid(seen);
    assert.equal(learning, forwarding, JSON.stringify(seen));
  }
}

/** Whether one side has proposed itself as the way to this root, and the other has agreed. */
function isAgreed(bpdus: readonly SeenBpdu[], root: string): boolean {
  return bpdus.some((asked, index) => {
    const proposal = rapid(asked);
    if (!proposal.proposal || `${proposal.root}` !== root) return false;
    return bpdus.slice(index).some((answer) => {
      const { agreement, role, root } = rapid(answer);
      const isOfOther = answer.isTheirs !== asked.isTheirs && role !== 'designated';
      return isOfOther && agreement && root.compare(proposal.root) === 0;
    });
  });
}

describe('with Open vSwitch', { concurrency: true }, () => {
  for (const { title, priority, whole, cut, agreed } of PLACES) {
    test(`a ring in which it ${title} becomes a tree at once, and heals`, options, async () => {
      await using rapidRing = await RapidRing.start(`ovs-${priority}`, priority);
      const { ring } = rapidRing;
      await rapidRing.becomes(whole);
      await rapidRing.assertOneRoot();
      assertAtOnce(ring.bpdus);
      const root = `${ring.a.spanningTree!.bridge.root}`;
      assert.deepEqual(
        ['tapa', 'tapb'].filter((cable) =>
          isAgreed(
            ring.bpdus.filter((seen) => seen.cable === cable),
            root,
          ),
        ),
        agreed,
      );

      // Three hellos are missed, and the others take over.
      ring.setCut('tapa', true);
      await rapidRing.becomes(cut);
      ring.setCut('tapa', false);
      // A port that forwards already, and may, goes on with it.
      const b = whole.b.map((port, at) => (port.startsWith('designated') ? cut.b[at]! : port));
      await rapidRing.becomes({ ...whole, b });

      // This time both ends see it.
      const before = ring.bpdus.length;
      await ring.pull('tapa');
      await rapidRing.becomes({ ...cut, a: cut.a.slice(1), tapa: 'disabled discarding' });
      await rapidRing.assertOneRoot();
      assertAtOnce(ring.bpdus.slice(before));
      ring.assertNoCopies();
    });
  }
});
