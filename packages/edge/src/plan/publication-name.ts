import type { PublicationModel } from '../model/index.ts';
import { bracketed } from '../text/index.ts';

/** A publication in words, which tell it from every other of its network. */
export function publicationName({ protocol, listen, station, port }: PublicationModel): string {
  return `${protocol} ${listen} -> ${bracketed(station)}:${port}`;
}
