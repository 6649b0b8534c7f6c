import type { TestContext } from 'node:test';
import type { Host, IpAddress, SocketAddress } from '../../core/index.ts';
import type { Scene } from './scene.ts';

/** Two hosts that reach each other (they may be one and the same), made anew for each test. */
export interface HostPair {
  readonly client: Host;
  readonly server: Host;
  /** Where the client reaches the server. */
  readonly serverAddress4: IpAddress;
  /** Without it the IPv6 tests are skipped. */
  readonly serverAddress6?: IpAddress;
  /** Where the client's connection requests stay unanswered. Without it the tests of giving up are skipped. */
  readonly blackhole?: SocketAddress;
  /**
   * Runs the pair until the work is settled, and answers what it gave: a simulation's time goes on here. Everything a test
   * does, and `close`, is handed to it. Hosts in real time need none.
   */
  drive?<T>(work: Promise<T>): Promise<T>;
  /** Closes both hosts and what the pair stands on. */
  close(): Promise<void>;
}

/** The parts of the suite: what they are about. */
export type CompliancePart =
  | 'basics'
  | 'opening'
  | 'streams'
  | 'closing'
  | 'resets'
  | 'handlers'
  | 'pausing'
  | 'back-pressure'
  | 'datagrams'
  | 'afterwards';

/** What {@link hostCompliance} takes beside the pairs. */
export interface HostComplianceOptions {
  /** What the tests are called after. */
  readonly name: string;
  /** Bytes of the large transfers. Default 64 MiB. */
  readonly transferSize?: number;
  /** Bytes no transport takes in while its reader is paused: more than all buffers on the way. Default 64 MiB. */
  readonly stallSize?: number;
  /** Connections open at once. Default 1,000. */
  readonly connections?: number;
  /** Milliseconds of the hosts' clock without progress after which a sender counts as held up. Default 250. */
  readonly quiet?: number;
  /** A name that the client resolves to addresses of the server. */
  readonly serverName?: string;
  /** The parts that are meant for the host, where it is not to be all that a Host is. Default all. */
  readonly parts?: readonly CompliancePart[];
  /** What is left out, each with the reason; undefined leaves nothing out. */
  readonly skip?: { readonly [Part in 'ping' | 'multicast']?: string | undefined };
}

/** {@link HostComplianceOptions} with the defaults in place. */
export interface Settings extends HostComplianceOptions {
  readonly transferSize: number;
  readonly stallSize: number;
  readonly connections: number;
  readonly quiet: number;
}

/** Registers one test of the suite. */
export type Check = (
  name: string,
  body: (scene: Scene, test: TestContext) => Promise<void>,
  skip?: string,
) => void;
