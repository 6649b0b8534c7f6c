import type { StackHost } from 'netloom/host';

/** Milliseconds that connections have to end in good order. */
const PATIENCE = 500;

/** Closes a host of our own stack. Connections whose peers do not answer any more, as where frames have stopped, are cut off. */
export async function closeHost(host: StackHost): Promise<void> {
  const timer = host.clock.timer(() => void host.stack.close());
  timer.set(host.clock.now() + PATIENCE);
  await host.close();
  timer.clear();
}
