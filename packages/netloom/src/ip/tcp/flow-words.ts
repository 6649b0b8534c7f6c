import type { IpAddress } from '../../core/index.ts';

/** Words of the two ends of a connection: four of each address, and both ports. */
export const FLOW_WORDS = 9;

/** Writes the two ends of a connection into {@link FLOW_WORDS} words, to be hashed. */
export function setFlowWords(
  words: Int32Array,
  local: IpAddress,
  localPort: number,
  remote: IpAddress,
  remotePort: number,
): void {
  words[0] = local.word0;
  words[1] = local.word1;
  words[2] = local.word2;
  words[3] = local.word3;
  words[4] = remote.word0;
  words[5] = remote.word1;
  words[6] = remote.word2;
  words[7] = remote.word3;
  words[8] = (localPort << 16) | remotePort;
}
