/** Milliseconds that responses under way are given when a machine ends. */
export const CLOSE_TIMEOUT = 300;
