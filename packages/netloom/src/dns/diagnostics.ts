import { channel, type Channel, type PublishedCount } from '../core/index.ts';

/** Questions and answers that forwarders have dropped or refused. */
export const DNS_DROP: Channel<PublishedCount<unknown>> = channel('netloom:dns:drop');
