import { dashboardPage } from '@netloom/dashboard';
import { serveDashboard, type ControlApi, type DashboardServer } from '@netloom/edge';
import { IpAddress, NetloomError, type Host, type HostErrorCode } from 'netloom/core';
import { usageError } from '../command.ts';

/** Where the dashboard is when nobody says where: so that it is found again at the next start. */
const USUAL_PORT = 8800;

/** Where the dashboard is wanted. */
export interface DashboardRequest {
  readonly address: IpAddress;
  readonly port: number;
  /** Whether it has to be there: else another port does, and the node does without if there is none. */
  readonly isAskedFor: boolean;
}

/** Where it is unless asked for elsewhere. */
export const USUAL_DASHBOARD: DashboardRequest = {
  address: IpAddress.LOOPBACK4,
  port: USUAL_PORT,
  isAskedFor: false,
};

/** `[ADDRESS:]PORT`, an IPv6 address in brackets. */
const FORM = /^(?:(\[[^\]]+\]|[^:[\]]+):)?(\d{1,5})$/;

/** Reads the value of `--dashboard`. Throws `USAGE`. */
export function readDashboard(text: string): DashboardRequest {
  const [, host = '127.0.0.1', digits] = FORM.exec(text) ?? [];
  const address = IpAddress.tryParse(host.replace(/^\[(.*)\]$/, '$1'));
  const port = Number(digits);
  if (address !== undefined && port <= 65_535) return { address, port, isAskedFor: true };
  throw usageError(
    'up',
    `--dashboard wants a port of this machine, as 8800, 0.0.0.0:8800 or [::1]:8800, not '${text}'`,
  );
}

/** Serves a node's dashboard. Rejects as `Host.listen` does where it was asked for; where it was not, what went wrong is told instead. */
export async function openDashboard(
  api: ControlApi,
  host: Host,
  { address, port, isAskedFor }: DashboardRequest,
  notice: (text: string) => void,
): Promise<DashboardServer | undefined> {
  const serveAt = (at: number): Promise<DashboardServer> =>
    serveDashboard(api, { host, page: dashboardPage(), address, port: at });
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
