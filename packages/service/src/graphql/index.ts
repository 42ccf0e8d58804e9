export { readArguments, textOf, wholeNumber } from './arguments.ts';
export { DateTime } from './date-time.ts';
export {
  type Connection,
  formatTimePlace,
  type Page,
  type PageArguments,
  parseTimePlace,
  readPage,
  type TimePlace,
  toConnection,
} from './page.ts';
export { exposePosition, type Position } from './positions.ts';
export { serveSubgraph } from './serve-subgraph.ts';
