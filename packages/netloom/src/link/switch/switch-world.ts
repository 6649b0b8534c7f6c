import { copyBytes, MacAddress, ManualClock, readUint16, seededRandom } from '../../core/index.ts';
import { Recorder } from '../frame-recorder.ts';
import type { FrameOffload, Link } from '../link.ts';
import type { SwitchPort } from './port.ts';
import { Switch, type SwitchCableOptions, type SwitchOptions } from './switch.ts';

/** What a frame of a test is made from. */
export interface TestFrame {
  readonly from: MacAddress;
  readonly to: MacAddress;
  /** In the first two bytes of the payload. */
  readonly number?: number;
  /** The VLAN of its tag; undefined: it has none. */
  readonly vlan?: number | undefined;
  /** The priority of its tag. */
  readonly priority?: number;
  /** Bytes in all. Default 64. */
  readonly length?: number;
}

/** What a station of a test has seen of a frame: the VLAN and the priority of its tag, if it had one, and its number. */
export interface SeenFrame {
  readonly number: number;
  readonly vlan?: number;
  readonly priority?: number;
}

/** The address of the station of this number. */
export function stationMac(number: number): MacAddress {
  return new MacAddress(0x0200, number);
}

/** The address of a group that no protocol uses. */
export const TEST_GROUP: MacAddress = new MacAddress(0x0300, 7);

/** An Ethernet frame of a local experimental type (IEEE 802, 88b5), filled with its number. */
export function testFrame(what: TestFrame): Uint8Array {
  const { from, to, number = 0, vlan, priority = 0, length = 64 } = what;
  const frame = new Uint8Array(length).fill(number & 0xff);
  to.copyTo(frame, 0);
  from.copyTo(frame, 6);
  let at = 12;
  if (vlan !== undefined) {
    frame.set([0x81, 0, (priority << 5) | (vlan >>> 8), vlan], at);
    at += 4;
  }
  frame.set([0x88, 0xb5, number >>> 8, number], at);
  return frame;
}

/** What is to be seen of a frame. */
export function seen(frame: Uint8Array): SeenFrame {
  const isTagged = readUint16(frame, 12) === 0x8100;
  const number = readUint16(frame, isTagged ? 18 : 14);
  if (!isTagged) return { number };
  const control = readUint16(frame, 14);
  return { number, vlan: control & 0xfff, priority: control >>> 13 };
}

/** A station plugged into a switch. */
export class TestStation {
  readonly link: Link;
  readonly port: SwitchPort;
  readonly recorder: Recorder;
  readonly mac: MacAddress;

  constructor(link: Link, port: SwitchPort, recorder: Recorder) {
    this.link = link;
    this.port = port;
    this.recorder = recorder;
    this.mac = link.mac;
    link.attach(recorder);
  }

  /** Sends a copy of the frame. */
  send(frame: Uint8Array, offload?: FrameOffload): boolean {
    const own = this.link.allocate(frame.length);
    own.set(frame);
    return this.link.transmit(own, offload);
  }

  /** Takes out what has been received. */
  take(): SeenFrame[] {
    return this.recorder.received.splice(0).map(({ frame }) => seen(frame));
  }

  /** Takes out the numbers of what has been received. */
  takeNumbers(): number[] {
    return this.take().map(({ number }) => number);
  }
}

/** A switch in virtual time, with stations. Cables hold their users to the contract. */
export class SwitchWorld {
  readonly clock: ManualClock = new ManualClock();
  readonly switch: Switch;
  readonly stations: TestStation[] = [];

  constructor(options: Partial<SwitchOptions> = {}) {
    this.switch = new Switch(this.clock, { random: seededRandom(1), ...options });
  }

  /** Plugs in another station; they are numbered from 0 on. */
  station(options: Partial<SwitchCableOptions> = {}): TestStation {
    const number = this.stations.length;
    const before = new Set(this.switch.ports);
    const link = this.switch.port({
      name: `s${number}`,
      mac: stationMac(number),
      strict: true,
      ...options,
    });
    const port = this.switch.ports.find((other) => !before.has(other))!;
    const station = new TestStation(link, port, new Recorder(() => this.clock.now()));
    this.stations.push(station);
    return station;
  }

  /** Sends a numbered frame from one station to another (or to a group), and lets it arrive. */
  send(from: TestStation, to: TestStation | MacAddress, number: number): void {
    const mac = to instanceof MacAddress ? to : to.mac;
    from.send(testFrame({ from: from.mac, to: mac, number }));
    this.clock.runDeferred();
  }

  /** The numbers that each station has received since it was last asked. */
  takeNumbers(): number[][] {
    return this.stations.map((station) => station.takeNumbers());
  }
}

/** A TCP segment in a frame, whose checksum is left to the link, and maybe its cutting. */
export function offloadedSegment(
  from: MacAddress,
  to: MacAddress,
  payloadLength: number,
  segmentSize: number,
): { frame: Uint8Array; offload: FrameOffload } {
  const frame = new Uint8Array(54 + payloadLength);
  to.copyTo(frame, 0);
  from.copyTo(frame, 6);
  const total = 40 + payloadLength;
  frame.set([8, 0, 0x45, 0, total >>> 8, total, 0, 0, 0, 0, 64, 6], 12);
  frame.set([10, 0, 0, 1, 10, 0, 0, 2, 0x30, 0x39, 0, 80], 26);
  frame[46] = 0x50;
  for (let at = 54; at < frame.length; at++) frame[at] = at * 7;
  // The IPv4 header's own checksum, and the pseudo-header's sum in the field of TCP's.
  const header = internetSum(copyBytes(frame, 14, 34));
  frame.set([(~header >>> 8) & 0xff, ~header & 0xff], 24);
  const pseudo = internetSum(
    Uint8Array.of(...frame.subarray(26, 34), 0, 6, (total - 20) >>> 8, total - 20),
  );
  frame.set([pseudo >>> 8, pseudo], 50);
  return { frame, offload: { checksumStart: 34, checksumOffset: 16, segmentSize } };
}

/** The ones' complement sum, the plain way. */
export function internetSum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at++) sum += at % 2 === 0 ? bytes[at]! << 8 : bytes[at]!;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}
