export { parseArguments, textOf, wholeNumber } from './graphql/arguments.ts';
export { DateTime } from './graphql/date-time.ts';
export { setEventTrace } from './graphql/event-trace.ts';
export {
  formatKeysetCursor,
  type KeysetCursor,
  type Page,
  parseKeysetCursor,
  parsePage,
  toConnection,
} from './graphql/page.ts';
export { serveSubgraph } from './graphql/serve-subgraph.ts';
export { type Position, registerPosition } from './graphql/subscription-context.ts';
export {
  type CallerOf,
  fieldsOf,
  REST_LIST_LIMIT,
  type RestAnswer,
  serveRest,
} from './rest/serve-rest.ts';
export { type SubgraphService, startService } from './start-service.ts';
