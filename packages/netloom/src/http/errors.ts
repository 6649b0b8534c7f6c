import { channel, type Channel, type NetloomError } from '../core/index.ts';

/** An error of a server that its handler's author should know: the handler threw, or the response it gave could not be sent. */
export interface HttpErrorEvent {
  readonly error: NetloomError;
  readonly method: string;
  /** As it was sent. */
  readonly target: string;
}

/** Where servers publish {@link HttpErrorEvent}s. */
export const httpErrors: Channel<HttpErrorEvent> = channel('netloom:http:error');
