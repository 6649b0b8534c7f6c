import { dashboardPage } from '@netloom/dashboard';
import {
  keptToken,
  serveDashboard,
  type ControlApi,
  type DashboardServer,
  type StateFolder,
} from '@netloom/edge';
import { parseSocketAddress } from '@netloom/edge/text';
import { IpAddress, NetloomError, type Host, type HostErrorCode } from 'netloom/core';
import { usageError } from '../command.ts';

/** Where the dashboard is when nobody says where: so that it is found again at the next start. */
const USUAL_PORT = 8800;

/** Where the dashboard is wanted. */
export interface DashboardRequest {
  readonly address: IpAddress;
  readonly port: number;
  /** Whether its token is to be another than before. */
  readonly hasNewToken: boolean;
  /** Whether it has to be there: else another port does, and the node does without if there is none. */
  readonly isAskedFor: boolean;
}

/** Where it is unless asked for elsewhere. */
export const USUAL_DASHBOARD: DashboardRequest = {
  address: IpAddress.LOOPBACK4,
  port: USUAL_PORT,
  hasNewToken: false,
  isAskedFor: false,
};

/** Reads the value of `--dashboard`: `[ADDRESS:]PORT`. Throws `USAGE`. */
export function readDashboard(text: string): DashboardRequest {
  const found = parseSocketAddress(text, { address: IpAddress.LOOPBACK4 });
  if (found !== undefined) return { ...found, hasNewToken: false, isAskedFor: true };
  throw usageError(
    'up',
    `--dashboard wants a port of this machine, as 8800, 0.0.0.0:8800 or [::1]:8800, not '${text}'`,
  );
}

/** What there is to make a dashboard of. */
export interface DashboardParts {
  readonly api: ControlApi;
  readonly host: Host;
  /** Where its token is kept. */
  readonly folder: StateFolder;
  notice(text: string): void;
}

/** Serves a node's dashboard. Rejects as `Host.listen` does where it was asked for; where it was not, what went wrong is told instead. */
export async function openDashboard(
  { api, host, folder, notice }: DashboardParts,
  { address, port, isAskedFor, hasNewToken }: DashboardRequest,
): Promise<DashboardServer | undefined> {
  const serveAt = async (at: number): Promise<DashboardServer> => {
    const token = await keptToken(folder, host.random, { isNew: hasNewToken });
    return serveDashboard(api, { host, page: dashboardPage(), address, port: at, token });
  };
  if (isAskedFor) return serveAt(port);
  try {
    return await serveAt(port).catch((error: unknown) => {
      if (isTaken(error)) return serveAt(0);
      throw error;
    });
  } catch (error) {
    notice(`there is no dashboard: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

function isTaken(error: unknown): boolean {
  const taken: HostErrorCode = 'ADDRESS_IN_USE';
  return error instanceof NetloomError && error.code === taken;
}
