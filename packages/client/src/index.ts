export { ClientError, type ClientErrorCode, type GraphQLErrorLike } from './client-error.ts';
export { createClient } from './create-client.ts';
export type { LiveDocument, TypedDocumentText, Variables } from './document.ts';
export { liveList } from './list/live-list.ts';
export type {
  ListChange,
  ListPage,
  ListState,
  LiveList,
  LiveListOptions,
} from './list/live-list-options.ts';
export type {
  ConnectionState,
  LiveClient,
  LiveClientOptions,
  QueryOptions,
  StateListener,
  SubscribeHandlers,
  SubscribeOptions,
  TokenReason,
  Unsubscribe,
} from './live-client.ts';
export type { ChangeEvent, FailedEvent, LiveEvent, SnapshotMarker } from './live-event.ts';
