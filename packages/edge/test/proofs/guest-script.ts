/** What guests of QEMU do in qemu.test.ts, as a machine of the network tells them: a module for its `run`. Who has asked is told on the node's output. */
export default {
  fetch(request: Request): Response {
    const address = new URL(request.url).searchParams.get('ip')!;
    process.stdout.write(`guest: ${address}\n`);
    // It answers pings while it sleeps.
    return new Response('#!ipxe\nsleep 600\n');
  },
};
