import { parseBpduFrame, type BpduConfiguration, type RapidBpdu } from '../bpdu.ts';
import { isFault } from '../fault.ts';
import { hex, words } from './names.ts';

/** The BPDU of a whole Ethernet frame. */
export function describeBpdu(frame: Uint8Array): string {
  const bpdu = parseBpduFrame(frame);
  if (isFault(bpdu)) return `STP (${bpdu})`;
  switch (bpdu.kind) {
    case 'topology-change-notification':
      return 'STP topology change notification';
    case 'configuration':
      return words('STP configuration', ...configuration(bpdu));
    case 'rapid':
      return words('RSTP', ...negotiation(bpdu), ...configuration(bpdu));
  }
}

function negotiation(bpdu: RapidBpdu): (string | false)[] {
  return [
    bpdu.role,
    bpdu.proposal && 'proposal',
    bpdu.agreement && 'agreement',
    bpdu.learning && !bpdu.forwarding && 'learning',
    bpdu.forwarding && 'forwarding',
  ];
}

function configuration(bpdu: BpduConfiguration): (string | false)[] {
  return [
    `root=${bpdu.root}`,
    `cost=${bpdu.rootPathCost}`,
    `bridge=${bpdu.bridge}`,
    `port=${hex(bpdu.port, 4)}`,
    `age=${bpdu.messageAge / 1000}s`,
    bpdu.topologyChange && 'topology-change',
    bpdu.topologyChangeAcknowledgment && 'acknowledged',
  ];
}
