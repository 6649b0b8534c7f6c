/** What a running node says of itself. */
export * from './error-status.ts';
export * from './status.ts';
