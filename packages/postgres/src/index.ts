export {
  createDatabase,
  type DatabaseOptions,
  LONGEST_TRANSACTION_MS,
  startDatabase,
} from './pool.ts';
export { assertOwnSession } from './pooling.ts';
export { retryConflicts } from './retry-conflicts.ts';
export { isConflict, isInvalidData, isOutage, sqlState, UNIQUE_VIOLATION } from './sql-state.ts';
export type { RawTransaction, SqlClient, Statements } from './statements.ts';
