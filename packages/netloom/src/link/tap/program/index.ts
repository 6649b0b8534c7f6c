/** Programs that have a network of their own, whose other end is a link. */
export {
  Program,
  type ProgramEnd,
  type ProgramLinkOptions,
  type ProgramOptions,
} from './program.ts';
export { PASSED_SIGNALS } from './protocol.ts';
export { Terminal } from './terminal.ts';
