/** `netloom run`: a program in a network of its own. */
import type { Command } from './command.ts';
import { readRequest } from './run/request.ts';

/** See its help. */
export const run: Command = {
  name: 'run',
  help: `netloom run [options] -- COMMAND [ARGUMENTS]

Runs a program in a network of its own: its interface tap0 (10.0.2.100/24, fd00::100/64) leads to a gateway
(10.0.2.2, fd00::2) on Netloom's own TCP/IP stack, in this process, which carries what is for the world over
this machine's sockets. Needs no root where users may make namespaces and open /dev/net/tun.

The exit code is the program's: 128 and the number of the signal that ended it, 127 if there is no such
program, 126 if it is not executable. What it has left running ends with it. Its environment and its limits
are those that netloom was started with.

  --delay T      the way there and back takes so much longer, as ping shows it: 80ms, or 80ms±10ms
                 (80ms+-10ms) if it varies; half of it is added each way
  --rate R       at most so many bits per second each way: 512kbit, 10mbit, 1gbit
  --loss P       of the frames of each way so many are lost: 2%
  --reorder P    are overtaken by later ones
  --duplicate P  arrive twice
  --corrupt P    have one bit turned over
  --partition A..B
                 nothing passes between these times, counted from the start: 10s..15s; may be given again
  --seed N       the same for the same frames of a direction, at every run
  --mtu N        of the interface, 1280 to 65521 (default 1500)
  --network FILE:NAME
                 instead of a network of its own the program is a station of this network of the file,
                 which is started for it as by 'netloom up': it is called program there, and its addresses,
                 its way out and its names are the network's to give
  --pcap FILE    write every frame of the interface as pcapng
  --publish [ADDRESS:]PORT:PORT[/udp]
                 a port of this machine (of 127.0.0.1, if no address is given) leads to one of the
                 program's; also as -p; may be given again
  --deny WHAT    a network, address or name that the program may not reach: 10.0.0.0/8, example.org (and
                 what is below it); may be given again
  --allow WHAT   one that it may. The most exact of all decides; if there are only such, nothing else is
                 allowed
  --dns NAME=ADDRESS
                 what the name server is to say of a name; may be given again
  --host-access  what this machine serves on its loopback is reached at the gateway's addresses
  --busy-poll N  for N microseconds after each packet look for the next instead of sleeping: shorter round
                 trips, for the processor's time
  --stats        tell at the end what was sent where
  --verbose      tell what could not be set up
`,
  async run(args, io) {
    const request = readRequest(args);
    const { runProgram } = await import('./run/session.ts');
    return runProgram(request, io);
  },
};
