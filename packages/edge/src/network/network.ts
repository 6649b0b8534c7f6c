import { isDeepStrictEqual } from 'node:util';
import { StateMachine, toNetloomError, type NetloomError } from 'netloom/core';
import type { Link } from 'netloom/link';
import type {
  AttachmentModel,
  GatewayModel,
  LinkChange,
  LinkModel,
  NetworkModel,
  PortModel,
  PublicationModel,
} from '../model/index.ts';
import {
  errorStatus,
  type FlowStatus,
  type LeaseStatus,
  type NetworkState,
  type NetworkStatus,
  type NetworkStepStatus,
  type PortStatus,
} from '../status/index.ts';
import type { RecordingOptions, FrameRecorder, NetworkEnvironment } from './environment.ts';
import { networkUnfit, portUnknown } from './errors.ts';
import type { Fabric } from './fabric.ts';
import { openFabric } from './open-fabric.ts';
import { changeLink } from './port/line.ts';
import { Recorders } from './port/port-link.ts';
import type { StationOpener } from './station/index.ts';
import { NETWORK_STATE, NETWORK_TRANSITIONS, type NetworkEvent } from './states.ts';

/** Whether a change of a gateway left its connections as they were. */
export type GatewayChange = 'in-place' | 'replaced';

/**
 * A network, live: what its model asks for is made when it is started, and follows each change. Changes are made one after the other, however they are
 * asked for. One that is refused rejects, and leaves the network as it was before.
 */
export class Network implements AsyncDisposable {
  readonly #environment: NetworkEnvironment;
  readonly #machine: StateMachine<NetworkState, NetworkEvent> = new StateMachine(
    'network',
    NETWORK_TRANSITIONS,
    'created',
    NETWORK_STATE,
    this,
  );
  readonly #recorders: Recorders;
  /** Called when it is destroyed. */
  readonly #endings = new Set<() => void>();
  #model: NetworkModel;
  #error: NetloomError | undefined;
  /** All that is live of it; undefined: nothing is. */
  #fabric: Fabric | undefined;
  /** Settles when the change that is under way, and those behind it, are done. */
  #changes: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  /** It is not started yet. */
  constructor(model: NetworkModel, environment: NetworkEnvironment) {
    this.#model = model;
    this.#environment = environment;
    this.#recorders = new Recorders(model.kind.kind === 'direct');
  }

  /** As it is now: follows changes. */
  get model(): NetworkModel {
    return this.#model;
  }

  get state(): NetworkState {
    return this.#machine.state;
  }

  /** Why it has failed; undefined: it has not. */
  get error(): NetloomError | undefined {
    return this.#error;
  }

  /** Its last steps, oldest first. */
  history(): NetworkStepStatus[] {
    const { clock } = this.#environment;
    const origin = clock.wallTime() - clock.now();
    return this.#machine
      .history()
      .map((step) => ({ ...step, at: new Date(origin + step.at).toISOString() }));
  }

  /** Makes all that the model asks for. Rejects with what was refused: then the network has failed, nothing is left of it, and it may be started again. */
  start(): Promise<void> {
    return this.#change(async () => {
      this.#take('configure');
      this.#error = undefined;
      try {
        this.#fabric = await openFabric({
          model: this.#model,
          environment: this.#environment,
          recorders: this.#recorders,
          lost: (error) => this.#lose(error),
        });
      } catch (thrown) {
        throw this.#fail(thrown);
      }
      this.#take('activate');
    });
  }

  /** Frames stop; what there is stays. */
  suspend(): Promise<void> {
    return this.#change(async () => {
      this.#take('suspend');
      this.#fabric!.gate.isOpen = false;
    });
  }

  /** Frames go on. */
  resume(): Promise<void> {
    return this.#change(async () => {
      this.#take('resume');
      this.#fabric!.gate.isOpen = true;
    });
  }

  /** Plugs a station in. */
  attach(attachment: AttachmentModel): Promise<void> {
    return this.#change(async () => {
      await this.#fabric?.attach(attachment);
      this.#follow({ attachments: [...this.#model.attachments, attachment] });
    });
  }

  /**
   * Plugs in a station of the caller's, which is no part of the model; {@link detach} takes it away. Rejects as `open` does, and with `NETWORK_PORT_TAKEN`,
   * `NETWORK_UNFIT`.
   */
  connect(name: string, port: PortModel, open: StationOpener): Promise<void> {
    return this.#change(async () => {
      const fabric = this.#live('a station is plugged in');
      if (fabric.connect === undefined) {
        const remedy = 'Take one of another kind.';
        throw networkUnfit(this.#model.name, 'has no switch to plug a station in', remedy);
      }
      await fabric.connect(name, port, open);
    });
  }

  /** Takes a station away. Does nothing if there is none of that name. */
  detach(name: string): Promise<void> {
    return this.#change(async () => {
      await this.#fabric?.detach(name);
      this.#follow({ attachments: this.#model.attachments.filter((one) => one.name !== name) });
    });
  }

  /** Has a station's port and line be as the model says; nothing is cut. Throws `NETWORK_PORT_UNKNOWN`, `SWITCH_SETTING_INVALID`, `IMPAIRMENT_INVALID`. */
  configurePort(name: string, port: PortModel): void {
    const { attachments } = this.#model;
    if (!attachments.some((one) => one.name === name)) throw portUnknown(this.#model.name, name);
    this.#fabric?.configurePort(name, port);
    this.#follow({
      attachments: attachments.map((one) => (one.name === name ? { ...one, port } : one)),
    });
  }

  /** Changes what is wrong with the line of a station, or of a router. Throws `NETWORK_PORT_UNKNOWN`, `IMPAIRMENT_INVALID`. */
  impair(name: string, change: LinkChange): void {
    const attachment = this.#model.attachments.find((one) => one.name === name);
    if (attachment === undefined) {
      this.#live('its lines are changed').impairRouter(name, change);
      return;
    }
    const { port } = attachment;
    this.configurePort(name, { ...port, link: changeLink(port.link, change) });
  }

  /** Has the gateway be as the model says: rules, names and reservations change in place; else it is replaced, with what depends on it. */
  changeGateway(gateway: GatewayModel | null): Promise<GatewayChange> {
    return this.#change(async () => {
      const changed = this.#fabric === undefined || (await this.#fabric.changeGateway(gateway));
      this.#follow({ gateway });
      return changed ? 'in-place' : 'replaced';
    });
  }

  /** Makes a station's port one of this machine. */
  publish(publication: PublicationModel): Promise<void> {
    return this.#change(async () => {
      await this.#fabric?.publish(publication);
      this.#follow({ publications: [...this.#model.publications, publication] });
    });
  }

  /** Closes a published port. Does nothing if there is none that is the same. */
  unpublish(publication: PublicationModel): Promise<void> {
    return this.#change(async () => {
      await this.#fabric?.unpublish(publication);
      const { publications } = this.#model;
      this.#follow({
        publications: publications.filter((one) => !isDeepStrictEqual(one, publication)),
      });
    });
  }

  /**
   * Makes a port for a router, and answers the router's end of the cable. Throws `NETWORK_PORT_TAKEN`, `NETWORK_UNFIT`.
   *
   * @param addresses the router's, for whoever lists the ports
   */
  connectRouter(name: string, line: LinkModel, addresses: readonly string[] = []): Link {
    return this.#live('a router is connected').connectRouter(name, line, addresses);
  }

  /** What is wrong with the line of a router; undefined: there is none of that name. */
  routerLine(name: string): LinkModel | undefined {
    return this.#fabric?.routerLine(name);
  }

  /** Takes the router's port away. Does nothing if there is none. */
  async disconnectRouter(name: string): Promise<void> {
    await this.#fabric?.disconnectRouter(name);
  }

  /** All there is to say of it in short. */
  status(): NetworkStatus {
    const { name, kind, mtu, subnets } = this.#model;
    const fabric = this.#fabric;
    return {
      name,
      kind: kind.kind,
      state: this.state,
      error: this.#error === undefined ? null : errorStatus(this.#error),
      history: this.history(),
      mtu,
      subnets,
      ports: fabric?.portCount ?? 0,
      stations: fabric?.stations ?? 0,
      leases: fabric?.leases().length ?? 0,
      flows: fabric?.flowCount ?? 0,
      publications: fabric?.publicationStatus() ?? [],
      drops: fabric?.drops() ?? {},
    };
  }

  /** Its ports, by number. */
  ports(): PortStatus[] {
    return this.#fabric?.ports() ?? [];
  }

  /** Addresses that are given out, by address. */
  leases(): LeaseStatus[] {
    return this.#fabric?.leases() ?? [];
  }

  /** What goes, and went, to the world and from it: oldest first. */
  flows(): FlowStatus[] {
    return this.#fabric?.flows() ?? [];
  }

  /**
   * Shows the recorder every frame of the network once, as it comes in; or those of one port, both ways, `in` from the station. Until it is closed;
   * should the network be destroyed before, `ended` is called. Throws `NETWORK_PORT_UNKNOWN`.
   */
  capture(recorder: FrameRecorder, options: RecordingOptions = {}): { close(): void } {
    const { port } = options;
    if (port !== undefined) this.#live('its ports are captured').checkPort(port);
    const stop = this.#recorders.add(recorder, port);
    const ended = (): void => options.ended?.();
    this.#endings.add(ended);
    return {
      close: () => {
        stop();
        this.#endings.delete(ended);
      },
    };
  }

  /** Takes all of it down. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#change(async () => {
      this.#take('deactivate');
      await this.#tearDown();
      this.#take('destroy');
      for (const ended of this.#endings) ended();
    });
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #take(event: NetworkEvent): void {
    this.#machine.take(event, this.#environment.clock.now());
  }

  /** One change after the other. */
  #change<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#changes.then(work);
    this.#changes = done.catch(() => undefined);
    return done;
  }

  #follow(change: Partial<NetworkModel>): void {
    this.#model = { ...this.#model, ...change };
  }

  #live(what: string): Fabric {
    if (this.#fabric !== undefined) return this.#fabric;
    throw networkUnfit(
      this.#model.name,
      `is ${this.state}: ${what} while it is active or suspended`,
      'Start it first.',
    );
  }

  #fail(thrown: unknown): NetloomError {
    const error = toNetloomError(thrown, 'NETWORK_FAILED', `the network ${this.#model.name}`);
    this.#error = error;
    this.#take('fail');
    return error;
  }

  /** What the network is joined to is gone: it holds nothing any more. */
  #lose(error: NetloomError): void {
    void this.#change(async () => {
      if (!this.#machine.can('fail') || this.#fabric === undefined) return;
      this.#fail(error);
      this.#environment.notice?.(`the network ${this.#model.name} has failed: ${error.message}`);
      await this.#tearDown();
    });
  }

  async #tearDown(): Promise<void> {
    const fabric = this.#fabric;
    this.#fabric = undefined;
    await fabric?.close();
  }
}
