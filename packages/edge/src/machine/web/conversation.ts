import type { SocketAddress } from 'netloom/core';
import { TcpFlag, describeFrame } from 'netloom/wire';
import type { FrameLog, LoggedFrame, LoggedSegment } from './frame-log.ts';

/** The frames of one request, in the order they passed, by what they were for. */
export interface Conversation {
  /** How whoever asks found out who has the machine's address: the last time it had to. */
  readonly arp: readonly LoggedFrame[];
  /** How the connection was opened; a browser may have sent other requests over it since. */
  readonly opening: readonly LoggedFrame[];
  /** The request and what follows. */
  readonly exchange: readonly LoggedFrame[];
}

/** The conversation of the request that the connection from this address and port is at. */
export function currentConversation(log: FrameLog, remote: SocketAddress): Conversation {
  const frames = log.connection(remote);
  const opened = frames.findIndex(({ segment }) => !isBare(segment!));
  const opening = frames.slice(0, opened < 0 ? frames.length : opened);
  const request = frames.findLastIndex(isRequest);
  return {
    arp: log.arp(remote.address),
    opening,
    exchange: request < 0 ? [] : frames.slice(request),
  };
}

/** What passed after this frame, up to the next request of the connection. */
export function restOfExchange(log: FrameLog, remote: SocketAddress, after: number): LoggedFrame[] {
  const later = log.connection(remote).filter(({ number }) => number > after);
  const next = later.findIndex(isRequest);
  return next < 0 ? later : later.slice(0, next);
}

/** A frame in a few words. */
export function summarise(frame: LoggedFrame): string {
  const { kind, segment, bytes } = frame;
  if (segment === undefined) {
    const words = describeFrame(bytes);
    return kind === 'arp' ? words.replace(/^ARP /, '').replace(/ tell .*/, '') : words;
  }
  if (isBare(segment)) return flagNames(segment.flags);
  const line = startLine(frame);
  const length = segment.end - segment.payload;
  return line ?? `${length.toLocaleString('en')} more bytes of it`;
}

/** The start line of an HTTP message, if the segment begins with one. */
function startLine({ bytes, segment }: LoggedFrame): string | undefined {
  const payload = bytes.subarray(segment!.payload, segment!.end);
  const [line] = new TextDecoder('latin1').decode(payload).split('\r\n', 1);
  return /^(?:[A-Z]+ \S+ HTTP\/1\.\d|HTTP\/1\.\d \d{3} .*)$/.test(line!) ? line : undefined;
}

function flagNames(flags: number): string {
  const names = Object.entries(TcpFlag).filter(([, bit]) => (flags & bit) !== 0);
  return names.map(([name]) => name).join(', ') || 'no flags';
}

/** It carries nothing: it opens, acknowledges or ends. */
function isBare({ payload, end }: LoggedSegment): boolean {
  return payload === end;
}

function isRequest(frame: LoggedFrame): boolean {
  return frame.direction === 'in' && startLine(frame) !== undefined;
}
