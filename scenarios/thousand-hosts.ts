import assert from 'node:assert/strict';
import type { Scenario, SimHost, SimWorld } from 'netloom/host';
import { fetch, serve } from 'netloom/http';

const SERVER = 'http://server.sim';

/** Milliseconds a request may take: most of the second is left for whoever was lost on the way. */
const PATIENCE = 30_000;

/** Many machines ask one web server, each once a second over a connection that it keeps. */
export const scenario: Scenario<{ hosts: number; seconds: number }> = {
  name: 'thousand-hosts',
  description: '1,000 machines send one HTTP request each per virtual second',
  parameters: { hosts: 1000, seconds: 60 },
  async run(world, { hosts, seconds }) {
    const lan = world.network('lan', {
      subnets: ['10.1.0.0/16'],
      delay: 1,
      jitter: 0.5,
      rate: 1e9,
    });
    const limits = { neighbour: { neighbours: hosts + 16 } };
    const machine = world.machine('server', { on: lan, limits });
    const handler = { fetch: (request: Request) => new Response(answerTo(request.url)) };
    const server = await serve(handler, {
      host: machine,
      port: 80,
      limits: { connections: 2 * hosts },
    });
    const clients = Array.from({ length: hosts }, (_, index) =>
      world.machine(`host-${index}`, { on: lan }),
    );
    const asked = await Promise.all(
      clients.map((client) => askEverySecond(world, client, seconds)),
    );
    const answered = asked.reduce((sum, count) => sum + count, 0);
    assert.equal(answered, hosts * seconds);
    assert.equal(server.statistics.get('requests'), answered);
    return { hosts, seconds, answered };
  },
};

function answerTo(url: string): string {
  return `you asked for ${url} `.padEnd(200, '.');
}

/** Answers how many answers there were. */
async function askEverySecond(world: SimWorld, client: SimHost, seconds: number): Promise<number> {
  // Not all in step.
  const start = 1000 * client.random.float();
  for (let second = 0; second < seconds; second++) {
    await world.sleep(start + 1000 * second - world.now());
    const url = `${SERVER}/${client.name}/${second}`;
    const text = await world.within(PATIENCE, url, ask(client, url));
    assert.equal(text, answerTo(url));
  }
  return seconds;
}

async function ask(host: SimHost, url: string): Promise<string> {
  const response = await fetch(url, { host });
  assert.equal(response.status, 200);
  return response.text();
}
