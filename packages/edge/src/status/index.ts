/** What a running node says of itself. */
export * from './status.ts';
