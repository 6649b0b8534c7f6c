import { NOT_QUEUED, type IpAddress, type TimerEntry } from '../../core/index.ts';
import { TcpFlag, type TcpHeader } from '../../wire/index.ts';
import type { Packet } from '../packet.ts';
import type { Path } from '../route/path.ts';
import type { TcpConnection } from './connection.ts';
import type { Flow } from './flow-table.ts';
import type { TcpLayer } from './layer.ts';
import { after } from './sequence.ts';

/**
 * What is left of a connection in TIME-WAIT: enough to acknowledge the peer's FIN again, and to tell old segments from
 * a new connection's (RFC 9293, section 3.10.7.4; RFC 6191). A tenth of what the connection took.
 */
export class TimeWait implements Flow, TimerEntry {
  readonly localPort: number;
  readonly remotePort: number;
  readonly #layer: TcpLayer;
  readonly #path: Path;
  readonly #sendNext: number;
  readonly #receiveNext: number;
  readonly #timestamps: boolean;
  readonly #recentTimestamp: number;
  nextInBucket: Flow | undefined;
  deadline: number = NOT_QUEUED.deadline;
  position: number = NOT_QUEUED.position;
  order: number = NOT_QUEUED.order;

  constructor(connection: TcpConnection) {
    this.#layer = connection.layer;
    this.#path = connection.path;
    this.localPort = connection.localPort;
    this.remotePort = connection.remotePort;
    this.#sendNext = connection.sender.next;
    this.#receiveNext = connection.receiver.next;
    this.#timestamps = connection.timestamps;
    this.#recentTimestamp = connection.recentTimestamp;
  }

  get localAddress(): IpAddress {
    return this.#path.source;
  }

  get remoteAddress(): IpAddress {
    return this.#path.destination;
  }

  segmentArrives(header: TcpHeader, packet: Packet, now: number): void {
    const { flags } = header;
    // Resets are passed over: they could end the wait too early (RFC 1337, section 3).
    if (flags & TcpFlag.RST) return;
    if (flags & TcpFlag.SYN && this.#isNewConnection(header)) {
      this.#layer.timeWaits.remove(this);
      // Its numbers of ours begin after those of the old one (RFC 9293, section 3.6.1, MAY-2).
      this.#layer.receiveUnknown(packet, header, now, this.#sendNext);
      return;
    }
    const length = packet.end - packet.transport - header.headerLength;
    if (length > 0 || flags & (TcpFlag.FIN | TcpFlag.SYN)) this.#acknowledge(header);
    if (flags & TcpFlag.FIN) this.#layer.timeWaits.extend(this, now);
  }

  /** Whether a SYN can only be of a new connection: by its timestamp, or where that says nothing by its number (RFC 6191, section 2). */
  #isNewConnection(header: TcpHeader): boolean {
    if (this.#timestamps && header.hasTimestamps) {
      const { timestampValue } = header;
      if (timestampValue !== this.#recentTimestamp) {
        return after(timestampValue, this.#recentTimestamp);
      }
    }
    return after(header.sequence, this.#receiveNext);
  }

  #acknowledge(received: TcpHeader): void {
    const header = this.#layer.begin(this.localPort, this.remotePort);
    header.flags = TcpFlag.ACK;
    header.sequence = this.#sendNext;
    header.acknowledgment = this.#receiveNext;
    if (this.#timestamps && received.hasTimestamps) {
      header.hasTimestamps = true;
      header.timestampValue = received.timestampEcho;
      header.timestampEcho = received.timestampValue;
    }
    this.#layer.write(this.#path, undefined, 0, 0, 0);
  }
}
