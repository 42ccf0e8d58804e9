export { readArguments, textOf, wholeNumber } from './graphql/arguments.ts';
export { DateTime } from './graphql/date-time.ts';
export { noteEventTrace } from './graphql/event-trace.ts';
export {
  formatTimePlace,
  type Page,
  parseTimePlace,
  readPage,
  type TimePlace,
  toConnection,
} from './graphql/page.ts';
export { exposePosition, type Position } from './graphql/positions.ts';
export { serveSubgraph } from './graphql/serve-subgraph.ts';
export {
  type CallerOf,
  fieldsOf,
  REST_LIST_LIMIT,
  type RestAnswer,
  serveRest,
} from './rest/serve-rest.ts';
export { type SubgraphService, startService } from './start-service.ts';
