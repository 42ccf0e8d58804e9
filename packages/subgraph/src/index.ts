export {
  idempotencyKey,
  parseArguments,
  parseTogether,
  textOf,
  wholeNumber,
} from './graphql/arguments.ts';
export { DateTime, dateTime } from './graphql/date-time.ts';
export {
  formatKeysetCursor,
  type KeysetCursor,
  type Page,
  type PageArguments,
  parseKeysetCursor,
  parsePage,
  toConnection,
} from './graphql/page.ts';
export type { FindEntities } from './graphql/resolve-entities.ts';
export {
  onSubscriptionEnd,
  type SnapshotMarker,
  setEventTrace,
} from './graphql/subscription-context.ts';
export { idempotencyKeyOf } from './rest/idempotency-key.ts';
export {
  fieldsOf,
  REST_LIST_LIMIT,
  type RequestContextOf,
  type RestAnswer,
  type RestService,
  serveRest,
} from './rest/serve-rest.ts';
export {
  type SubgraphConsumer,
  type SubgraphDefinition,
  type SubgraphParts,
  type SubgraphService,
  startSubgraph,
} from './start-subgraph.ts';
export {
  type SnapshotPage,
  type SnapshotRow,
  type StreamSource,
  watchChanges,
} from './stream/change-stream.ts';
export type { RowVersion } from './stream/position-tracker.ts';
