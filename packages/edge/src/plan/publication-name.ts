import type { PublicationModel } from '../model/index.ts';

/** A publication in words, which tell it from every other of its network. */
export function publicationName({ protocol, listen, station, port }: PublicationModel): string {
  const target = station.includes(':') ? `[${station}]` : station;
  return `${protocol} ${listen} -> ${target}:${port}`;
}
