/** The services of built-in machines. */
import type { Clock } from 'netloom/core';
import type { MachineService } from '../../model/index.ts';
import type { ServiceMaker } from '../service.ts';
import { webService } from '../web/service.ts';
import { echoService, sinkService } from './echo.ts';
import { moduleService } from './module.ts';

/** What makes a service of the model. */
export function serviceMaker(service: MachineService, clock: Clock): ServiceMaker {
  switch (service.kind) {
    case 'web':
      return webService(clock);
    case 'echo':
      return echoService;
    case 'sink':
      return sinkService;
    case 'module':
      return moduleService(service.path, service.port);
  }
}
