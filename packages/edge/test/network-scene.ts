/** A world in virtual time for tests of networks. */
import assert from 'node:assert/strict';
import type { Host, NetloomError, SocketAddress } from 'netloom/core';
import { simWorld, type SimHost, type SimWorld } from 'netloom/host';
import { Network, type NetworkModel } from '../src/index.ts';
import { networkModel } from './sample-models.ts';

/** What there is. */
export interface NetworkScene {
  readonly world: SimWorld;
  /** Carries what goes out of the networks. */
  readonly outside: SimHost;
  /** A machine of the world, to be reached and to reach from. */
  readonly server: SimHost;
  /** What the networks have given notice of. */
  readonly notices: string[];
  /** A network of `outside`, not started. */
  network(change?: Partial<NetworkModel>): Network;
  /** One of another machine. */
  networkOn(host: Host, change?: Partial<NetworkModel>): Network;
}

/** Makes it. */
export function networkScene(): NetworkScene {
  const world = simWorld({ seed: 1 });
  const internet = world.network('internet', { delay: 1 });
  const outside = world.machine('outside', { on: internet });
  const server = world.machine('server', { on: internet });
  const notices: string[] = [];
  const networkOn = (host: Host, change?: Partial<NetworkModel>): Network =>
    new Network(networkModel(change), {
      clock: world.clock,
      random: world.random('networks'),
      outside: host,
      resolvers: [],
      notice: (text) => notices.push(text),
    });
  const network = (change?: Partial<NetworkModel>): Network => networkOn(outside, change);
  return { world, outside, server, notices, network, networkOn };
}

/** Sends text, and answers what comes back till the end. */
export async function ask(host: Host, remote: SocketAddress, text: string): Promise<string> {
  const connection = await host.connect({ host: remote.address, port: remote.port });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let answer = '';
  connection.start({
    data: (chunk) => (answer += new TextDecoder().decode(chunk)),
    closed: (error) => (error === undefined ? resolve(answer) : reject(error)),
  });
  connection.write(new TextEncoder().encode(text));
  connection.end();
  return promise;
}

/** The error that the work rejects with, which has to have this code, and say what to do. */
export async function rejection(
  world: SimWorld,
  work: Promise<unknown>,
  code: string,
): Promise<NetloomError> {
  const error = await world.run(
    work.then(
      () => assert.fail(`${code} was to come`),
      (thrown: unknown) => thrown as NetloomError,
    ),
  );
  assert.equal(error.code, code, error.message);
  assert.ok(error.remedy !== undefined && error.remedy !== '', `${code} has a remedy`);
  return error;
}
