import { BucketChains, HalfSipHash, type Chained, type IpAddress } from '../../core/index.ts';
import type { TcpHeader } from '../../wire/index.ts';
import { isSameAddress } from '../interface/interface.ts';
import type { Packet } from '../packet.ts';
import { FLOW_WORDS, setFlowWords } from './flow-words.ts';

/** What one pair of addresses and ports leads to: a connection, or what is left of one in TIME-WAIT. */
export interface Flow extends Chained<Flow> {
  readonly localAddress: IpAddress;
  readonly remoteAddress: IpAddress;
  readonly localPort: number;
  readonly remotePort: number;
  segmentArrives(header: TcpHeader, packet: Packet, now: number): void;
}

/** Flows by addresses and ports: found by a keyed hash, so that nobody outside can choose ports that collide. */
export class FlowTable {
  readonly #hash: HalfSipHash;
  readonly #chains = new BucketChains<Flow>();
  readonly #words = new Int32Array(FLOW_WORDS);
  /** The flow found last: segments come in trains. */
  #last: Flow | undefined;

  /** `key`: 8 random bytes. */
  constructor(key: Uint8Array) {
    this.#hash = new HalfSipHash(key);
  }

  get size(): number {
    return this.#chains.size;
  }

  /** The flow a packet belongs to. */
  find(packet: Packet, header: TcpHeader): Flow | undefined {
    if (this.#last !== undefined && isFlowOf(this.#last, packet, header)) return this.#last;
    const words = this.#words;
    words[0] = packet.destination0;
    words[1] = packet.destination1;
    words[2] = packet.destination2;
    words[3] = packet.destination3;
    words[4] = packet.source0;
    words[5] = packet.source1;
    words[6] = packet.source2;
    words[7] = packet.source3;
    words[8] = (header.destinationPort << 16) | header.sourcePort;
    let flow = this.#chains.first(this.#hash.hash(words));
    while (flow !== undefined && !isFlowOf(flow, packet, header)) flow = flow.nextInBucket;
    if (flow !== undefined) this.#last = flow;
    return flow;
  }

  /** The flow between these ends. */
  get(
    local: IpAddress,
    localPort: number,
    remote: IpAddress,
    remotePort: number,
  ): Flow | undefined {
    let flow = this.#chains.first(this.#hashOf(local, localPort, remote, remotePort));
    while (
      flow !== undefined &&
      !(
        flow.localPort === localPort &&
        flow.remotePort === remotePort &&
        flow.remoteAddress.equals(remote) &&
        // Of our own address the zone does not count: the peer's says which link it is, where that matters.
        isSameAddress(flow.localAddress, local)
      )
    ) {
      flow = flow.nextInBucket;
    }
    return flow;
  }

  add(flow: Flow): void {
    const hash = this.#hashOf(
      flow.localAddress,
      flow.localPort,
      flow.remoteAddress,
      flow.remotePort,
    );
    this.#chains.add(hash, flow);
  }

  remove(flow: Flow): void {
    const hash = this.#hashOf(
      flow.localAddress,
      flow.localPort,
      flow.remoteAddress,
      flow.remotePort,
    );
    if (this.#last === flow) this.#last = undefined;
    this.#chains.remove(hash, flow);
  }

  /** All flows; the one that was given last may be removed meanwhile. */
  values(): Iterable<Flow> {
    return this.#chains.values();
  }

  #hashOf(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): number {
    setFlowWords(this.#words, local, localPort, remote, remotePort);
    return this.#hash.hash(this.#words);
  }
}

/** Whether a packet belongs to a flow. Link-local addresses are told apart by the interface, which the flow's zone names. */
function isFlowOf(flow: Flow, packet: Packet, header: TcpHeader): boolean {
  const { localAddress: local, remoteAddress: remote } = flow;
  return (
    flow.localPort === header.destinationPort &&
    flow.remotePort === header.sourcePort &&
    remote.word3 === packet.source3 &&
    local.word3 === packet.destination3 &&
    remote.word2 === packet.source2 &&
    local.word2 === packet.destination2 &&
    remote.word1 === packet.source1 &&
    local.word1 === packet.destination1 &&
    remote.word0 === packet.source0 &&
    local.word0 === packet.destination0 &&
    (remote.zone === '' || remote.zone === packet.interface.name)
  );
}
