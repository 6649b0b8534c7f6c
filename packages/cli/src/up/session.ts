/** One run of `netloom up`. */
import { subscribe } from 'node:diagnostics_channel';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ControlApi,
  NetloomNode,
  Network,
  StateFolder,
  claimNode,
  describeReport,
  serveControl,
  type ControlServer,
  type DashboardServer,
  type NodeClaim,
  type NodeModel,
} from '@netloom/edge';
import { abortError, formatSocketAddress, secureRandom } from 'netloom/core';
import { SystemClock, osHost, systemResolvers, type OsHost, type UplinkFlow } from 'netloom/host';
import { CaptureFile } from '../capture-file.ts';
import type { CommandIo } from '../command.ts';
import { loadNodeFile, mistakesText } from '../node-file.ts';
import { describeError, describeErrorStatus } from '../report-error.ts';
import { announceBuiltIn, announceNode } from './announcement.ts';
import { builtInError, builtInModel } from './built-in.ts';
import { openDashboard, type DashboardRequest } from './dashboard.ts';
import { NetworkCaptures } from './network-captures.ts';
import { releaseStartMemory } from './start-memory.ts';

/** Milliseconds that everything is given to end. */
const LONGEST_END = 1500;

/** What is asked of `netloom up`. */
export interface UpRequest {
  /** Undefined: the built-in network. */
  readonly file: string | undefined;
  /** Where the built-in network's page is published. */
  readonly port: number;
  /** Where the dashboard is; undefined: nowhere. */
  readonly dashboard: DashboardRequest | undefined;
  readonly name: string | undefined;
  readonly state: string | undefined;
  readonly pcap: string | undefined;
  readonly verbose: boolean;
}

/** Runs a node until it is asked to end, and answers the exit code. Rejects with what went wrong before it was up. */
export async function runNode(request: UpRequest, io: CommandIo): Promise<number> {
  const model = await readModel(request, io);
  if (model === undefined) return 1;
  const session = new Session(request, io);
  try {
    await session.run(model);
  } finally {
    // What does not go by itself goes with the process.
    await Promise.race([session.close(), sleep(LONGEST_END, undefined, { ref: false })]);
  }
  await io.write(request.file === undefined ? 'The network is down.\n' : 'The node is down.\n');
  return 0;
}

/** Undefined: the file is wrong, and its mistakes have been told, with what that means. */
async function readModel(
  { file, port }: Pick<UpRequest, 'file' | 'port'>,
  io: CommandIo,
  outcome = 'nothing is started',
): Promise<NodeModel | undefined> {
  if (file === undefined) return builtInModel(port);
  const { text, model, mistakes } = await loadNodeFile(file);
  if (mistakes !== undefined) io.writeError(mistakesText({ path: file, text }, mistakes, outcome));
  return model;
}

class Session {
  readonly #request: UpRequest;
  readonly #io: CommandIo;
  readonly #os: OsHost = osHost();
  readonly #clock = new SystemClock({ precise: true });
  readonly #notice = (text: string): void => this.#io.writeError(`netloom: ${text}\n`);
  #capture: CaptureFile | undefined;
  #claim: NodeClaim | undefined;
  #starting: Promise<NetloomNode<Network>> | undefined;
  #control: ControlServer | undefined;
  #dashboard: DashboardServer | undefined;

  constructor(request: UpRequest, io: CommandIo) {
    this.#request = request;
    this.#io = io;
  }

  async run(model: NodeModel): Promise<void> {
    const { pcap, file, dashboard, name, state, verbose } = this.#request;
    const ended = interrupted(this.#io.signal);
    if (pcap !== undefined) this.#capture = new CaptureFile(pcap);
    this.#claim = await claimNode(new StateFolder(name, state));
    if (verbose) this.#tellFlows();
    this.#starting = this.#start(model, this.#claim.folder);
    const node = await Promise.race([this.#starting, ended]).catch((error: unknown) => {
      throw file === undefined ? builtInError(error, this.#request.port) : error;
    });
    if (node === undefined) throw abortError(this.#io.signal, 'netloom up');
    const api = new ControlApi(node, { clock: this.#clock });
    this.#control = await serveControl(api, this.#claim);
    if (dashboard !== undefined) {
      const { folder } = this.#claim;
      const parts = { api, host: this.#os, folder, notice: this.#notice };
      this.#dashboard = await openDashboard(parts, dashboard);
    }
    if (file !== undefined) this.#io.takeSignals(['SIGHUP'], () => void this.#reload(node));
    const announced = { node, pcap, dashboard: this.#dashboard?.url };
    const text = file === undefined ? announceBuiltIn(announced) : announceNode(announced);
    await this.#io.write(text);
    releaseStartMemory();
    await Promise.race([ended, this.#capture?.failed ?? ended]);
  }

  /** From the outside in: nobody is answered any more, then what is being started is waited for, and all of it goes. */
  async close(): Promise<void> {
    await Promise.all([this.#control?.close(), this.#dashboard?.close()]);
    const node = await this.#starting?.catch(() => undefined);
    await node?.close();
    await this.#os.close();
    await this.#claim?.close();
    this.#capture?.close();
  }

  async #start(model: NodeModel, stateFolder: StateFolder): Promise<NetloomNode<Network>> {
    const { file } = this.#request;
    const captures = this.#capture && new NetworkCaptures(this.#capture);
    return NetloomNode.start(model, {
      name: stateFolder.nodeName,
      file: file === undefined ? null : resolve(file),
      stateFolder,
      environment: {
        clock: this.#clock,
        random: secureRandom(),
        outside: this.#os,
        resolvers: await systemResolvers(),
        notice: this.#notice,
      },
      makeNetwork: (wanted, environment) => {
        const network = new Network(wanted, environment);
        captures?.add(network);
        return network;
      },
    });
  }

  /** Follows the file as it is now. */
  async #reload(node: NetloomNode<Network>): Promise<void> {
    const { file, port } = this.#request;
    try {
      const model = await readModel({ file, port }, this.#io, 'nothing is changed');
      if (model === undefined) return;
      const report = await node.apply(model);
      await this.#io.write(`${file} was read again. ${describeReport(report)}`);
      if (report.failed !== null) this.#io.writeError(describeErrorStatus(report.failed.error));
    } catch (error) {
      this.#io.writeError(describeError(error, this.#request.verbose));
    }
  }

  #tellFlows(): void {
    subscribe('netloom:uplink:flow-closed', (message) => {
      const { protocol, direction, guest, destination, end } = message as UplinkFlow;
      const [from, to] = direction === 'inbound' ? [destination, guest] : [guest, destination];
      const ends = `${formatSocketAddress(from)} to ${formatSocketAddress(to)}`;
      void this.#io.write(`  ${protocol} from ${ends}: ${end}\n`);
    });
  }
}

function interrupted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolved) => {
    if (signal.aborted) resolved(undefined);
    else signal.addEventListener('abort', () => resolved(undefined), { once: true });
  });
}
