import assert from 'node:assert/strict';
import type { Connection } from 'netloom/core';
import type { Scenario, SimHost, SimWorld } from 'netloom/host';

const PORT = 80;

/** Milliseconds a request may take: most of the second is left for whoever was lost on the way. */
const PATIENCE = 30_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Many machines ask one server, each once a second, each time over a connection of its own. */
export const scenario: Scenario<{ hosts: number; seconds: number }> = {
  name: 'thousand-hosts',
  description: '1,000 machines send one request each per virtual second over TCP',
  parameters: { hosts: 1000, seconds: 60 },
  async run(world, { hosts, seconds }) {
    const lan = world.network('lan', {
      subnets: ['10.1.0.0/16'],
      delay: 1,
      jitter: 0.5,
      rate: 1e9,
    });
    const limits = { neighbour: { neighbours: hosts + 16 } };
    const server = world.machine('server', { on: lan, limits });
    let served = 0;
    await server.listen({
      port: PORT,
      backlog: hosts,
      accept: (connection) => answer(connection, () => served++),
    });
    const clients = Array.from({ length: hosts }, (_, index) =>
      world.machine(`host-${index}`, { on: lan }),
    );
    const asked = await Promise.all(
      clients.map((client) => askEverySecond(world, client, seconds)),
    );
    const answered = asked.reduce((sum, count) => sum + count, 0);
    assert.equal(answered, hosts * seconds);
    assert.equal(served, answered);
    return { hosts, seconds, answered };
  },
};

/** Answers one line with another, and ends. */
function answer(connection: Connection, served: () => void): void {
  let text = '';
  connection.start({
    data(chunk) {
      text += decoder.decode(chunk);
      if (!text.endsWith('\n')) return;
      served();
      connection.write(encoder.encode(`you asked ${text}`.padEnd(200, '.')));
      connection.end();
    },
  });
}

/** Answers how many answers there were. */
async function askEverySecond(world: SimWorld, client: SimHost, seconds: number): Promise<number> {
  // Not all in step.
  const start = 1000 * client.random.float();
  for (let second = 0; second < seconds; second++) {
    await world.sleep(start + 1000 * second - world.now());
    const question = `${client.name} ${second}\n`;
    const text = await world.within(PATIENCE, question, ask(client, question));
    assert.equal(text, `you asked ${question}`.padEnd(200, '.'));
  }
  return seconds;
}

async function ask(client: SimHost, question: string): Promise<string> {
  const connection = await client.connect({ host: 'server.sim', port: PORT });
  return new Promise((resolve, reject) => {
    let text = '';
    connection.start({
      data(chunk) {
        text += decoder.decode(chunk);
      },
      end: () => connection.end(),
      closed: (error) => (error === undefined ? resolve(text) : reject(error)),
    });
    connection.write(encoder.encode(question));
  });
}
