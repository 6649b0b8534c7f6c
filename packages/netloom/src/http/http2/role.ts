import type { NetloomError } from '../../core/index.ts';
import type { FieldSection, SectionKind } from './field-section.ts';
import type { Http2Stream } from './stream.ts';
import type { Http2ErrorCode, Http2Fault } from './wire/index.ts';

/** What a server and a client do each in its own way, asked by their connection. */
export interface ConnectionRole {
  readonly side: 'client' | 'server';
  /** How many streams the peer may have open. */
  readonly peerStreams: number;
  /** What a header block on this stream is. */
  sectionKind(stream: Http2Stream): SectionKind;
  /** The head of a message has come. Answers what is wrong with it. */
  head(
    stream: Http2Stream,
    section: FieldSection,
    isEnd: boolean,
    now: number,
  ): Http2Fault | undefined;
  /** Whether the stream's fault is answered by a message, in place of a reset. */
  answerFault(stream: Http2Stream, fault: Http2Fault, now: number): boolean;
  /** RFC 9218, section 7.1: the value of the priority field as it is now to be; the stream may be idle. */
  priorityUpdate(streamId: number, value: string): void;
  /** The peer's first settings, or others, have been taken. */
  settingsChanged(now: number): void;
  /** The peer goes away: streams of ours with greater numbers are not looked at. */
  goaway(lastStreamId: number, code: Http2ErrorCode, now: number): void;
  /** The error of a stream that ends because its peer has gone. */
  lost(stream: Http2Stream): NetloomError;
  /** A stream is open no more. */
  streamClosed(now: number): void;
  /** Something was refused: for counting. */
  refused(fault: Http2Fault): void;
  /** The connection takes and sends no more. */
  closed(error: NetloomError | undefined): void;
}
