/** HTTP clients on a Host. */
export { CLIENT_LIMITS, createClient } from './client.ts';
export type { Client, ClientFetchOptions, ClientOptions, RequestTimeouts } from './client.ts';
export { fetch, type FetchOptions } from './fetch.ts';
export type { ClientLimits } from './pool.ts';
export { download } from './download.ts';
export type {
  DownloadChecksum,
  DownloadInfo,
  DownloadOptions,
  DownloadProgress,
  DownloadResult,
  DownloadSink,
} from './download.ts';
export type { PartialFile } from './resumption.ts';
