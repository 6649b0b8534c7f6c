/** What is plugged into the ports of a network. */
import type { StationModel } from '../../model/index.ts';
import type { StationContext } from './context.ts';
import { MachineStation } from './machine-station.ts';
import { connectToQemu, exchangeWithQemu, listenForQemu } from './qemu-stations.ts';
import type { Station } from './station.ts';
import { TapStation } from './tap-station.ts';

export type { StationContext } from './context.ts';
export type { Station } from './station.ts';

/** Makes a station of the caller's, which is no part of a model. Rejects with what was refused; then nothing is left of it. */
export type StationOpener = (context: StationContext) => Promise<Station>;

/** Makes a station. Rejects with what was refused; then nothing is left of it. */
export async function openStation(
  name: string,
  model: StationModel,
  context: StationContext,
): Promise<Station> {
  switch (model.kind) {
    case 'machine':
      return MachineStation.open(name, model, context);
    case 'tap':
      return new TapStation(name, model, context);
    case 'qemu-stream':
      return 'listen' in model
        ? listenForQemu(name, model.listen, context)
        : connectToQemu(name, model.connect, context);
    case 'qemu-datagram':
      return exchangeWithQemu(name, model, context);
  }
}
