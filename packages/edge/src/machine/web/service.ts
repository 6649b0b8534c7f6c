import { IpAddress, type Clock } from 'netloom/core';
import { serve, type FetchHandler } from 'netloom/http';
import { CapturedLink } from 'netloom/link';
import { CLOSE_TIMEOUT } from '../services/close-timeout.ts';
import type { ServiceMaker } from '../service.ts';
import { FrameCounts } from './frame-counts.ts';
import { FrameLog } from './frame-log.ts';
import { site } from './site.ts';

/** Serves a page that shows the frames of its own request, as they pass the machine's port. */
export function webService(clock: Clock): ServiceMaker {
  const log = new FrameLog();
  const counts = new FrameCounts();
  return {
    watch: (link) => new CapturedLink(new CapturedLink(link, clock, log), clock, counts),
    async start(machine) {
      const handler = site({ machine, log, counts });
      await warmUp(handler);
      const { host } = machine;
      return serve(handler, { host, port: 80, limits: { closeTimeout: CLOSE_TIMEOUT } });
    },
  };
}

let isWarm = false;

/**
 * Asks the first site of a process before anybody can: the first question makes the platform load its `Request` and all that comes with it. With a
 * request under way the network would stand still for that long, and TCP take the silence for a loss.
 */
async function warmUp(handler: FetchHandler): Promise<void> {
  if (isWarm) return;
  isWarm = true;
  const nobody = { address: IpAddress.LOOPBACK4, port: 0 };
  const request = new Request('http://web.lan/');
  await (await handler.fetch(request, { local: nobody, remote: nobody })).text();
}
