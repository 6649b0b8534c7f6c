import { BRIDGE_DETECTION } from './bridge-detection.ts';
import { MachineRun } from './machine.ts';
import { PORT_INFORMATION } from './port-information.ts';
import { PORT_RECEIVE } from './port-receive.ts';
import { PORT_TRANSMIT } from './port-transmit.ts';
import type { TreePort } from './port.ts';
import { PROTOCOL_MIGRATION } from './protocol-migration.ts';
import { ROLE_TRANSITIONS } from './role-transitions.ts';
import { STATE_TRANSITION } from './state-transition.ts';
import { TOPOLOGY_CHANGE } from './topology-change.ts';

/** What a machine run can do, whatever its states. */
type Run = Pick<MachineRun<string>, 'begin' | 'step'>;

/** The machines of one port (IEEE 802.1D-2004, figure 17-12). */
export class PortMachines {
  readonly #port: TreePort;
  /** Their steps change variables of their own port, or ask for the roles to be selected anew. */
  readonly #own: readonly Run[];
  /** Its steps may change what all ports wait for. */
  readonly #roleTransitions: Run;
  readonly #transmit: Run;

  /** Begins. */
  constructor(port: TreePort) {
    this.#port = port;
    this.#own = [
      new MachineRun(PORT_RECEIVE, port),
      new MachineRun(PROTOCOL_MIGRATION, port),
      new MachineRun(BRIDGE_DETECTION, port),
      new MachineRun(PORT_INFORMATION, port),
      new MachineRun(STATE_TRANSITION, port),
      new MachineRun(TOPOLOGY_CHANGE, port),
    ];
    this.#roleTransitions = new MachineRun(ROLE_TRANSITIONS, port);
    this.#transmit = new MachineRun(PORT_TRANSMIT, port);
    for (const run of [...this.#own, this.#roleTransitions, this.#transmit]) run.begin();
    // A port that its owner calls an edge is one from the beginning.
    port.operEdge = port.AdminEdge;
  }

  /** Steps until no condition holds any more. What is to be sent waits for {@link transmit}: others may still change it. */
  settle(): void {
    while (this.#stepOnce());
  }

  /** Sends what there is to send. */
  transmit(): void {
    while (this.#transmit.step());
  }

  #stepOnce(): boolean {
    let stepped = false;
    for (const run of this.#own) while (run.step()) stepped = true;
    if (this.#roleTransitions.step()) {
      this.#port.bridge.wakeAll();
      return true;
    }
    return stepped;
  }
}
