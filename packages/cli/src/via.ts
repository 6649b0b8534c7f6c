/** Which host a command uses: the options for it, and the choice. */
import { Cidr, IpAddress, NetloomError, type Host } from 'netloom/core';
import { osCandidate, selectHost, type HostCandidate, type HostProbe } from 'netloom/host';
import { CaptureFile } from './capture-file.ts';
import { usageError, type CommandIo } from './command.ts';
import { tapCandidate } from './tap-host.ts';

/** The options of commands that choose their host, for `readOptions`. */
export const viaOptions = {
  via: { type: 'string' },
  tap: { type: 'string', multiple: true },
  address: { type: 'string' },
  gateway: { type: 'string' },
  pcap: { type: 'string' },
} as const;

/** What the help of such a command says of them. */
export const viaHelp = `  --via HOW      os: this machine's sockets; stack: Netloom's own, on a TAP; auto (default):
                 the first of these that works. Names are looked up by this machine's
                 resolver either way: the stack has none of its own yet
  --tap NAME     the TAP for the stack; may be given again, and then the first that works is used
  --address A/N  the stack's address on it, with the length of its prefix (default: by
                 DHCP, or as an IPv6 router says)
  --gateway A    the router beyond which the rest of the world is
  --pcap FILE    write every frame as pcapng (with the stack only)
`;

/** What the options ask for. */
export interface ViaRequest {
  readonly via: 'auto' | 'os' | 'stack';
  readonly taps: readonly string[];
  readonly address: Cidr | undefined;
  readonly gateway: IpAddress | undefined;
  readonly pcap: string | undefined;
}

/** Checks the options' values. Throws `USAGE`, or `FRAMES_UNAVAILABLE` for a capture of what has no frames. */
export function readVia(
  command: string,
  values: {
    readonly via?: string | undefined;
    readonly tap?: readonly string[] | undefined;
    readonly address?: string | undefined;
    readonly gateway?: string | undefined;
    readonly pcap?: string | undefined;
  },
): ViaRequest {
  const via = values.via ?? 'auto';
  if (via !== 'auto' && via !== 'os' && via !== 'stack') {
    throw usageError(command, `--via is auto, os or stack, not '${via}'`);
  }
  const taps = values.tap ?? [];
  if (values.pcap !== undefined && (via === 'os' || taps.length === 0)) {
    throw new NetloomError('FRAMES_UNAVAILABLE', 'frames exist only on Netloom’s own stack', {
      remedy: 'Use --pcap with --via stack and --tap NAME.',
    });
  }
  if (via === 'stack' && taps.length === 0) {
    throw usageError(command, '--via stack needs a link: name one with --tap');
  }
  return {
    via,
    taps,
    address: values.address === undefined ? undefined : Cidr.parse(values.address),
    gateway: values.gateway === undefined ? undefined : IpAddress.parse(values.gateway),
    pcap: values.pcap,
  };
}

/** A host for a command, and what is to be closed with it. */
export interface ChosenHost extends AsyncDisposable {
  readonly host: Host;
  /** Which it is, as `os` or `stack on tap0`. */
  readonly name: string;
  /** Rejects when the capture cannot be written any more; never settles otherwise. */
  readonly failed: Promise<never>;
}

/** Opens the host that the request asks for, or the first that works. With `verbose` each that was tried is told, with the reason. */
export async function chooseHost(
  request: ViaRequest,
  probe: HostProbe,
  io: CommandIo,
  verbose: boolean,
): Promise<ChosenHost> {
  const capture = request.pcap === undefined ? undefined : new CaptureFile(request.pcap);
  const tell = (name: string, taken: boolean, reason: string): void => {
    if (verbose) io.writeError(`via ${name}: ${taken ? 'taken' : 'not taken'}: ${reason}\n`);
  };
  try {
    const { host, attempts } = await selectHost({
      candidates: candidates(request, capture, tell),
      probe,
      signal: io.signal,
      attempted: ({ candidate, taken, reason }) => tell(candidate, taken, reason),
    });
    return {
      host,
      name: attempts.at(-1)!.candidate,
      failed: capture?.failed ?? new Promise<never>(() => {}),
      async [Symbol.asyncDispose]() {
        await host.close();
        capture?.close();
      },
    };
  } catch (error) {
    capture?.close();
    throw error;
  }
}

function candidates(
  { via, taps, address, gateway }: ViaRequest,
  capture: CaptureFile | undefined,
  tell: (name: string, taken: boolean, reason: string) => void,
): HostCandidate[] {
  const found: HostCandidate[] = [];
  if (via !== 'stack') {
    if (capture === undefined) found.push(osCandidate());
    else tell('os', false, 'it shows no frames that could be captured');
  }
  if (via === 'auto' && taps.length === 0) tell('stack', false, 'no link was named (--tap)');
  if (via !== 'os')
    found.push(...taps.map((tap) => tapCandidate({ tap, address, gateway, capture })));
  return found;
}
