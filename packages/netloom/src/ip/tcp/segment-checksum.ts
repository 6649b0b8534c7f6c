import { IpProtocol, finishChecksum, sumWords } from '../../wire/index.ts';
import type { IpOutput } from '../output.ts';
import type { Packet } from '../packet.ts';

/** Whether the checksum of a TCP packet holds, or the link has seen to it. */
export function isChecksumRight(packet: Packet, output: IpOutput): boolean {
  if (packet.isChecksumTrusted) return true;
  const { bytes, transport, end } = packet;
  const pseudo = output.pseudoHeaderSumOf(packet, IpProtocol.TCP, end - transport);
  return finishChecksum(sumWords(bytes, transport, end, pseudo)) === 0;
}
