import { DirectFabric } from './direct-fabric.ts';
import type { Fabric, FabricOptions } from './fabric.ts';
import { SwitchFabric } from './switch-fabric.ts';

/** Makes all that a model asks for. Rejects with what was refused; then nothing is left. */
export async function openFabric(options: FabricOptions): Promise<Fabric> {
  const isDirect = options.model.kind.kind === 'direct';
  const fabric = isDirect ? new DirectFabric(options) : new SwitchFabric(options);
  try {
    await fabric.open();
    return fabric;
  } catch (error) {
    await fabric.close();
    throw error;
  }
}
