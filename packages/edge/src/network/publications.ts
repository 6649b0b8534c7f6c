import { isDeepStrictEqual } from 'node:util';
import {
  IpAddress,
  NetloomError,
  formatSocketAddress,
  type HostErrorCode,
  type SocketAddress,
} from 'netloom/core';
import type { Publication } from 'netloom/host';
import type { PublicationModel } from '../model/index.ts';
import type { PublicationStatus } from '../status/index.ts';
import { bracketed } from '../text/index.ts';
import type { NetworkGateway } from './gateway/gateway.ts';
import { socketAddressOf } from './addresses.ts';

interface Published {
  readonly model: PublicationModel;
  readonly live: Publication;
}

/** The published ports of a network. */
export class Publications {
  readonly #network: string;
  readonly #addressesOf: (station: string) => readonly IpAddress[];
  #published: readonly Published[] = [];

  /** @param addressesOf finds the addresses of a station by its name */
  constructor(network: string, addressesOf: (station: string) => readonly IpAddress[]) {
    this.#network = network;
    this.#addressesOf = addressesOf;
  }

  /** Opens one. Rejects with `ADDRESS_IN_USE`, `NETWORK_STATION_UNKNOWN`, or what else the outside says. */
  async open(model: PublicationModel, gateway: NetworkGateway): Promise<void> {
    const listen = socketAddressOf(model.listen);
    const target = this.#targetOf(model, listen);
    try {
      const live = await gateway.uplink.publish({
        protocol: model.protocol,
        ...listen,
        to: { address: target, port: model.port },
      });
      this.#published = [...this.#published, { model, live }];
    } catch (error) {
      throw named(error, model);
    }
  }

  /** Closes those that are the same. */
  async close(model: PublicationModel): Promise<void> {
    const same = this.#published.filter((one) => isDeepStrictEqual(one.model, model));
    this.#published = this.#published.filter((one) => !same.includes(one));
    await Promise.all(same.map(({ live }) => live.close()));
  }

  /** Forgets all of them: what carried them is closed. Answers what there was. */
  forget(): PublicationModel[] {
    const models = this.#published.map(({ model }) => model);
    this.#published = [];
    return models;
  }

  status(): PublicationStatus[] {
    return this.#published.map(({ model: { protocol, station, port }, live }) => ({
      network: this.#network,
      protocol,
      listen: formatSocketAddress(live.local),
      target: `${bracketed(station)}:${port}`,
    }));
  }

  /** Of the family that clients come in by, if the station has it. */
  #targetOf({ station }: PublicationModel, { address }: SocketAddress): IpAddress {
    const literal = IpAddress.tryParse(station);
    if (literal !== undefined) return literal;
    const addresses = this.#addressesOf(station);
    const target = addresses.find(({ family }) => family === address.family) ?? addresses[0];
    if (target !== undefined) return target;
    throw new NetloomError(
      'NETWORK_STATION_UNKNOWN',
      `a port is to be published for ${station}, of which the network ${this.#network} knows no address`,
      { remedy: 'Give that station an address or a reservation, or publish an address.' },
    );
  }
}

/** What people meet most often, with a remedy that is about their file. */
function named(error: unknown, { listen, protocol }: PublicationModel): unknown {
  const taken: HostErrorCode = 'ADDRESS_IN_USE';
  if (!(error instanceof NetloomError) || error.code !== taken) return error;
  const { port } = socketAddressOf(listen);
  const what = protocol === 'tcp' ? `port ${port}` : `UDP port ${port}`;
  return new NetloomError(taken, `${what} of this machine is taken (${listen})`, {
    cause: error,
    remedy: 'Stop what has it, or choose another; port 0 takes any that is free.',
  });
}
