import type { PortSettings, StormRate, StormSettings } from 'netloom/link';
import type { PortModel, StormModel, VlanModel } from '../../model/index.ts';

/**
 * A port of the model as the switch has it.
 * @param isEnd whether there is one of our own stacks behind it, and no bridge: then a spanning tree need not listen for one first
 */
export function portSettings(model: PortModel, isEnd: boolean): Partial<PortSettings> {
  const { vlan, priority, isolated, stations, whenFull, storm, shaping } = model;
  return {
    vlan,
    priority,
    isolated,
    stations,
    whenFull,
    storm: stormSettings(storm),
    queueing: shaping === null ? undefined : { rate: shaping.rate },
    spanningTree: isEnd ? { edge: true } : {},
  };
}

/** The port of a gateway or a router: nothing but an end of ours. */
export const END_SETTINGS: Partial<PortSettings> = { spanningTree: { edge: true } };

/** The port to other bridges: all VLANs go on there, the first without a tag. */
export const UPLINK_SETTINGS: Partial<PortSettings> = {
  vlan: { mode: 'trunk', allowed: 'all', native: 1 },
};

function stormSettings(model: StormModel): StormSettings {
  return {
    broadcast: stormRate(model.broadcast),
    multicast: stormRate(model.multicast),
    unknownUnicast: stormRate(model.unknownUnicast),
  };
}

function stormRate(framesPerSecond: number | undefined): StormRate | undefined {
  return framesPerSecond === undefined ? undefined : { framesPerSecond };
}

/** A port's VLANs in words, as `access 10` or `trunk 1,10-20 native 1`. */
export function describeVlan(vlan: VlanModel): string {
  if (vlan.mode === 'access') return `access ${vlan.vlan}`;
  const native = vlan.native === undefined ? '' : ` native ${vlan.native}`;
  const allowed =
    vlan.allowed === 'all'
      ? 'all'
      : vlan.allowed.map((one) => (typeof one === 'number' ? one : one.join('-'))).join(',');
  return `trunk ${allowed}${native}`;
}
