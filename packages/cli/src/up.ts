/** `netloom up`: a small network in this process, with a web server in it that this machine can reach. */
import { setTimeout as sleep } from 'node:timers/promises';
import { IpAddress, NetloomError, formatSocketAddress, type HostErrorCode } from 'netloom/core';
import { osHost, type OsHost } from 'netloom/host';
import { serve, type FetchHandler, type Server } from 'netloom/http';
import { CaptureFile } from './capture-file.ts';
import { readNumber, readOptions, usageError, type Command, type CommandIo } from './command.ts';
import { VirtualLan } from './up/lan.ts';
import { Publication } from './up/publication.ts';
import { site, type SiteSubject } from './up/site.ts';

/** Milliseconds: what responses under way are given when it ends, and what everything is given. */
const GRACE = 300;
const LONGEST_END = 800;

interface UpRequest {
  readonly port: number;
  readonly pcap: string | undefined;
  readonly verbose: boolean;
}

/** See its help. */
export const up: Command = {
  name: 'up',
  help: `netloom up [options]

Starts a LAN in this process, with a gateway and a machine web.lan, both on Netloom's own
TCP/IP stack. web.lan serves a page, published on loopback. Needs no root. Ctrl-C ends it.

  --port N       the port on 127.0.0.1 (default 8080; 0: any that is free)
  --pcap FILE    write every frame of the LAN as pcapng, for Wireshark or 'netloom dump'
  --verbose      tell of each connection
`,
  async run(args, io) {
    const request = readArguments(args);
    const capture = request.pcap === undefined ? undefined : new CaptureFile(request.pcap);
    try {
      await runNetwork(request, capture, io);
    } finally {
      capture?.close();
    }
  },
};

function readArguments(args: readonly string[]): UpRequest {
  const { values, positionals } = readOptions('up', args, {
    port: { type: 'string' },
    pcap: { type: 'string' },
    verbose: { type: 'boolean' },
  });
  if (positionals.length > 0) throw usageError('up', `up takes no '${positionals[0]}'`);
  const range = { least: 0, most: 65_535, whole: true };
  const port = readNumber('up', '--port', values.port, range) ?? 8080;
  return { port, pcap: values.pcap, verbose: values.verbose ?? false };
}

/** Everything there is of a network that is up. */
class Network {
  readonly os: OsHost = osHost();
  readonly lan: VirtualLan;
  readonly subject: SiteSubject & { publication: Publication | undefined };
  #server: Server | undefined;

  constructor(capture: CaptureFile | undefined) {
    this.lan = new VirtualLan(capture);
    this.subject = { lan: this.lan, publication: undefined };
  }

  async start(port: number): Promise<Publication> {
    const { gateway, web } = this.lan;
    const limits = { closeTimeout: GRACE };
    const handler = site(this.subject);
    await warmUp(handler);
    this.#server = await serve(handler, { host: web.host, port: 80, limits });
    this.subject.publication = await publish({
      outside: this.os,
      address: IpAddress.LOOPBACK4,
      port,
      inside: gateway.host,
      server: { host: web.name, port: 80 },
    });
    return this.subject.publication;
  }

  /** From the outside in: nobody new comes, what is being answered is finished, then the machines go. */
  async close(): Promise<void> {
    await this.subject.publication?.stop();
    await this.#server?.close();
    await this.subject.publication?.close();
    await this.lan.close();
    await this.os.close();
  }
}

/**
 * Asks the site before anybody can: the first question makes the platform load its `Request` and all that comes with it. With a request
 * under way the LAN would stand still for that long, and TCP take the silence for a loss.
 */
async function warmUp(handler: FetchHandler): Promise<void> {
  const nobody = { address: IpAddress.LOOPBACK4, port: 0 };
  const request = new Request('http://web.lan/');
  await (await handler.fetch(request, { local: nobody, remote: nobody })).text();
}

async function publish(options: Parameters<typeof Publication.open>[0]): Promise<Publication> {
  try {
    return await Publication.open(options);
  } catch (error) {
    const taken: HostErrorCode = 'ADDRESS_IN_USE';
    if (!(error instanceof NetloomError) || error.code !== taken) throw error;
    throw new NetloomError(taken, `port ${options.port} of this machine is taken`, {
      cause: error,
      remedy: 'Stop what has it, or choose another: netloom up --port 0 takes any that is free.',
    });
  }
}

async function runNetwork(
  { port, pcap, verbose }: UpRequest,
  capture: CaptureFile | undefined,
  io: CommandIo,
): Promise<void> {
  const network = new Network(capture);
  try {
    const publication = await network.start(port);
    if (verbose) tellConnections(publication, io);
    await io.write(announcement(network.lan, publication, pcap));
    await Promise.race([interrupted(io.signal), capture?.failed ?? interrupted(io.signal)]);
  } finally {
    // What does not go by itself goes with the process.
    await Promise.race([network.close(), sleep(LONGEST_END, undefined, { ref: false })]);
  }
  await io.write('The network is down.\n');
}

function tellConnections(publication: Publication, io: CommandIo): void {
  publication.onCarried = ({ remote }, error) => {
    const how = error === undefined ? 'closed' : `ended: ${error.message} (${error.code})`;
    void io.write(`  connection from ${formatSocketAddress(remote)} ${how}\n`);
  };
}

function announcement(lan: VirtualLan, publication: Publication, pcap: string | undefined): string {
  const rows = lan.machines.map(
    ({ name, address, mac }) => `    ${name.padEnd(13)}${address.padEnd(15)}${mac}`,
  );
  const frames =
    pcap === undefined
      ? "Its frames are written with --pcap FILE, and read with 'netloom dump FILE' or Wireshark."
      : `Its frames go to ${pcap}: 'netloom dump ${pcap}' or Wireshark reads it.`;
  return `The network is up:  http://${formatSocketAddress(publication.local)}/

${rows.join('\n')}

  A connection to that address is carried over the gateway's TCP/IP stack to web.lan, as Ethernet frames
  in this process. ${frames}
  Ctrl-C ends it.
`;
}

function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
