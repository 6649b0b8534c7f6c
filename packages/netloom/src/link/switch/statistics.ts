import { channel, Counters, type Channel, type PublishedCount } from '../../core/index.ts';
import { Cast } from './passage.ts';
import type { SwitchPort } from './port.ts';

/** Why a switch has dropped a frame. All are counted at the port it came by, but for the last three: these where it was to go. */
export type SwitchDrop =
  /** It is shorter than its headers. */
  | 'too-short'
  /** Its source is a group, or zeros. */
  | 'source-invalid'
  /** Its tag has the reserved identifier. */
  | 'vlan-invalid'
  /** It has a tag inside its tag. */
  | 'tag-stacked'
  /** It has a tag, and the port is an access port. */
  | 'tagged'
  /** It has no tag, and the port has no VLAN for such. */
  | 'untagged'
  /** Its VLAN is not one of the port's. */
  | 'vlan-not-allowed'
  /** The spanning tree has the port discarding, or only learning. */
  | 'blocked'
  /** It is addressed to what no bridge forwards. */
  | 'reserved-address'
  /** There were more of its kind than the port takes in. */
  | 'storm-broadcast'
  | 'storm-multicast'
  | 'storm-unknown-unicast'
  /** The port has as many stations as it may, and drops others. */
  | 'station-limit'
  /** Its source is a static station of another port. */
  | 'station-elsewhere'
  /** By ARP or neighbour discovery it claims an address that is behind another port: see `Switch.addAddress`. */
  | 'address-elsewhere'
  /** Its destination is behind the port it came by. */
  | 'same-port'
  /** Nobody is there to have it, or wants it. */
  | 'no-port'
  /** It came by a port that only shows what a mirror copies. */
  | 'mirror-port'
  /** The port it was to go to is isolated from the one it came by, blocked, a mirror, or not of its VLAN any more. */
  | 'unreachable'
  /** It is longer than the link's MTU allows. */
  | 'too-long'
  /** Too much waited for the port's rate. */
  | 'queue-full'
  /** It was to be cut, and is no segment that could be. */
  | 'bad-offload';

/** Frames and bytes that have gone one way. Bytes are whole frames without frame check sequence. */
export class FrameCounts {
  unicast = 0;
  multicast = 0;
  broadcast = 0;
  bytes = 0;

  get frames(): number {
    return this.unicast + this.multicast + this.broadcast;
  }

  count(cast: Cast, length: number): void {
    if (cast === Cast.UNICAST) this.unicast++;
    else if (cast === Cast.MULTICAST) this.multicast++;
    else this.broadcast++;
    this.bytes += length;
  }
}

/** Frames that switches have dropped, by reason. */
export const SWITCH_DROP: Channel<PublishedCount<SwitchPort>> = channel('netloom:switch:drop');

/** What a port of a switch has counted. A segment that is left whole (segmentation offload) is one frame. */
export class PortStatistics {
  readonly received: FrameCounts = new FrameCounts();
  readonly sent: FrameCounts = new FrameCounts();
  /** Frames dropped, by {@link SwitchDrop}. What the port's link has refused, the link has counted itself. */
  readonly drops: Counters;
  /** Stations that have come from another port. */
  stationMoves = 0;
  /** Stations that were not learned, since the port or the table was full. */
  stationsRefused = 0;

  /** Of this port. */
  constructor(port: SwitchPort) {
    this.drops = new Counters(SWITCH_DROP, port);
  }
}
