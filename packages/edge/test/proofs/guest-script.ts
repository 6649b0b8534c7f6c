/** What guests of QEMU do in qemu.test.ts, as a machine of the network tells them: a module for its `run`. Who has asked is told on the node's output. */
const known = new Set<string>();
let tell: (() => void) | undefined;

/** Settles with the address of another guest when there is one. */
async function meet(own: string): Promise<string> {
  known.add(own);
  tell?.();
  for (;;) {
    const other = [...known].find((address) => address !== own);
    if (other !== undefined) return other;
    await new Promise<void>((resolve) => (tell = resolve));
  }
}

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const own = searchParams.get('ip')!;
    process.stdout.write(`guest: ${pathname} ${own}\n`);
    // A guest answers pings while it sleeps, and while it waits for one that serves nothing.
    const visit = pathname === '/meet' ? `imgfetch http://${await meet(own)}/ ||` : '';
    return new Response(`#!ipxe\n${visit}\nsleep 600\n`);
  },
};
