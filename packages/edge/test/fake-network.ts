/** A network that only remembers what it is told, and refuses what a real one would. */
import { MacAddress, NetloomError, type Clock } from 'netloom/core';
import { linkPair, type Link } from 'netloom/link';
import type {
  AttachmentModel,
  GatewayModel,
  LinkChange,
  LinkModel,
  NetworkModel,
  PortModel,
  PublicationModel,
} from '../src/model/index.ts';
import type { LiveNetwork } from '../src/node/index.ts';
import { publicationName } from '../src/plan/index.ts';
import type { NetworkState, NetworkStatus } from '../src/status/index.ts';

/** What all fake networks of a test share. */
export class FakeWorld {
  /** What was done, in order. */
  readonly log: string[] = [];
  /** The operation that fails, as the log would have it. */
  failing: string | undefined;
  /** Told of each operation. */
  done: ((operation: string) => void) | undefined;
  /** Networks that are there. */
  readonly present: Set<string> = new Set();

  /** Remembers an operation, or refuses it. */
  do(operation: string): void {
    if (operation === this.failing) {
      throw new NetloomError('ADDRESS_IN_USE', `${operation} is refused`, { remedy: 'Try again.' });
    }
    this.log.push(operation);
    this.done?.(operation);
  }
}

/** See the file's head. */
export class FakeNetwork implements LiveNetwork {
  state: NetworkState = 'created';
  error: NetloomError | undefined;
  model: NetworkModel;
  /** What is plugged in: the object is the same while the attachment is. */
  readonly stations: Map<string, object> = new Map();
  readonly cables: Map<string, LinkModel> = new Map();
  readonly #world: FakeWorld;
  readonly #clock: Clock;

  constructor(model: NetworkModel, world: FakeWorld, clock: Clock) {
    this.model = model;
    this.#world = world;
    this.#clock = clock;
  }

  async start(): Promise<void> {
    const { name } = this.model;
    if (this.#world.present.has(name)) throw new Error(`${name} is there already`);
    try {
      this.#world.do(`start ${name}`);
    } catch (error) {
      this.state = 'failed';
      this.error = error as NetloomError;
      throw error;
    }
    this.#world.present.add(name);
    this.state = 'active';
  }

  async attach(attachment: AttachmentModel): Promise<void> {
    if (this.stations.has(attachment.name)) throw new Error(`${attachment.name} is there already`);
    this.#do(`attach ${attachment.name}`);
    this.stations.set(attachment.name, {});
    this.#change({ attachments: [...this.model.attachments, attachment] });
  }

  async detach(name: string): Promise<void> {
    if (!this.stations.delete(name)) throw new Error(`${name} is not there`);
    this.#do(`detach ${name}`);
    this.#change({ attachments: this.model.attachments.filter((one) => one.name !== name) });
  }

  configurePort(name: string, port: PortModel): void {
    if (!this.stations.has(name)) throw new Error(`${name} is not there`);
    this.#do(`configure ${name}`);
    this.#change({
      attachments: this.model.attachments.map((one) =>
        one.name === name ? { ...one, port } : one,
      ),
    });
  }

  async changeGateway(gateway: GatewayModel | null): Promise<'in-place' | 'replaced'> {
    this.#do('gateway');
    this.#change({ gateway });
    return 'in-place';
  }

  async publish(publication: PublicationModel): Promise<void> {
    if (this.model.gateway === null) throw new Error('there is no gateway');
    this.#do(`publish ${publication.listen}`);
    this.#change({ publications: [...this.model.publications, publication] });
  }

  async unpublish(publication: PublicationModel): Promise<void> {
    const name = publicationName(publication);
    const left = this.model.publications.filter((one) => publicationName(one) !== name);
    if (left.length === this.model.publications.length) throw new Error(`${name} is not there`);
    this.#do(`unpublish ${publication.listen}`);
    this.#change({ publications: left });
  }

  connectRouter(name: string, line: LinkModel): Link {
    if (this.cables.has(name)) throw new Error(`${name} is there already`);
    this.#do(`connect ${name}`);
    const [, there] = linkPair(this.#clock, {
      names: [name, this.model.name],
      macs: [new MacAddress(0x0200, 1), new MacAddress(0x0200, 2)],
    });
    this.cables.set(name, line);
    return there;
  }

  async disconnectRouter(name: string): Promise<void> {
    if (this.state === 'failed') return;
    if (!this.cables.delete(name)) throw new Error(`${name} is not there`);
    this.#do(`disconnect ${name}`);
  }

  impair(name: string, change: LinkChange): void {
    const line = this.cables.get(name);
    if (line === undefined) throw new Error(`${name} is not there`);
    this.#do(`impair ${name}`);
    const changed = Object.entries({ ...line, ...change });
    this.cables.set(name, Object.fromEntries(changed.filter(([, value]) => value !== null)));
  }

  routerLine(name: string): LinkModel | undefined {
    return this.cables.get(name);
  }

  ports(): [] {
    return [];
  }

  status(): NetworkStatus {
    const { name, kind, mtu } = this.model;
    return {
      name,
      kind: kind.kind,
      state: this.state,
      error: null,
      history: [],
      mtu,
      subnets: [],
      ports: this.stations.size,
      stations: 0,
      leases: 0,
      flows: 0,
      publications: [],
      drops: {},
    };
  }

  async close(): Promise<void> {
    if (this.state === 'destroyed') return;
    if (this.state !== 'created') this.#world.present.delete(this.model.name);
    this.state = 'destroyed';
    this.#world.log.push(`close ${this.model.name}`);
  }

  #do(operation: string): void {
    if (this.state !== 'active') throw new Error(`${this.model.name} is ${this.state}`);
    this.#world.do(`${operation} in ${this.model.name}`);
  }

  #change(change: Partial<NetworkModel>): void {
    this.model = { ...this.model, ...change };
  }
}
